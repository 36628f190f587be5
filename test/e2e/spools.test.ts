/** What an operator sees and does while a sink's peer is away. */
import { describe, expect, it } from 'vitest';
import { hasFocus } from './gateway.ts';
import { SpoolStage } from './spool-stage.ts';

const stage = new SpoolStage();

describe('while the peer is away', () => {
  it('shows what waits on edge and node, and all about it in the inspector', async () => {
    await stage.start();
    await stage.accepted(300);
    await stage.panel.go('/topology');
    await stage
      .edge('keep>out')
      .getByText(/^spool \d/)
      .waitFor();
    await stage.node('out').getByText('circuit open').waitFor();
    await stage
      .node('out')
      .getByText(/^300 waiting/)
      .waitFor();
    expect(await stage.edge('keep>out').locator('[data-fill]').getAttribute('data-fill')).toBe('ok');
    expect(await stage.edge('keep>out').getAttribute('title')).toMatch(
      /spool .* of .* \(\d %\), 300 waiting, .*circuit open/,
    );
    await stage.node('out').click();
    const spool = stage.inspector().getByRole('region', { name: 'Spool' });
    await spool.getByText('a spool on disk').waitFor();
    await spool.getByText('its pipelines slow their sources').waitFor();
    await spool.getByText('the peer has confirmed it').waitFor();
    stage.peer.comeBack();
    await stage.until('delivered', ({ sinks }) => sinks['out']?.delivered === 300);
    await spool.getByText('nothing waits').waitFor();
    await spool.getByText('circuit closed').waitFor();
    await stage
      .edge('keep>out')
      .getByText(/^spool \d/)
      .waitFor({ state: 'detached' });
  });

  it('says of a full spool who waits for whom, up to the source', async () => {
    await stage.start('128KiB');
    await stage.fill();
    await stage.panel.go('/topology');
    await stage.edge('keep>out').getByText('spool full', { exact: true }).waitFor();
    expect(await stage.edge('keep>out').locator('[data-fill]').getAttribute('data-fill')).toBe('bad');
    await stage.edge('in>keep').getByText('waits', { exact: true }).waitFor();
    await stage.edge('keep>log').getByText('waits', { exact: true }).waitFor();
    expect(await stage.edge('in>keep').getAttribute('title')).toMatch(/waits for out: its spool is full since \d\d:/);
    expect(await stage.page.locator('path[data-tone=stuck]').count()).toBe(1);
    expect(await stage.page.locator('path[data-tone=held]').count()).toBe(2);
    await stage.node('in').getByText('waits for out').waitFor();
    // Who has nothing to do with it is left in peace.
    expect(await stage.node('other').getByText(/waits/).count()).toBe(0);
    expect(await stage.edge('other>log').getByText(/waits/).count()).toBe(0);
    await stage.edge('in>keep').click();
    const note = stage.inspector().getByRole('listitem').filter({ hasText: 'Waits for' });
    expect(await note.textContent()).toMatch(/^Waits for out: its spool is full since .*\.$/);
    await note.getByRole('link', { name: 'out' }).click();
    await stage.inspector().getByRole('heading', { name: 'out' }).waitFor();
    await stage.inspector().getByText('Full since').waitFor();
  });

  it('purges only when it is confirmed, and says how many are lost', async () => {
    await stage.start();
    await stage.accepted(200);
    await stage.panel.go('/topology?select=out');
    const purge = stage.inspector().getByRole('button', { name: 'Purge out: drop what waits' });
    await purge.click();
    const dialog = stage.page.getByRole('dialog', { name: 'Purge out?' });
    await dialog.getByText('200 messages before out will be lost.').waitFor();
    await dialog.getByText('This cannot be undone.').waitFor();
    expect(await hasFocus(dialog.getByRole('button', { name: 'Cancel' }))).toBe(true);
    await stage.page.keyboard.press('Escape');
    await dialog.waitFor({ state: 'detached' });
    expect((await stage.until('untouched', ({ sinks }) => sinks['out'] !== undefined)).sinks['out']?.spooled).toBe(200);
    await purge.click();
    await dialog.getByRole('button', { name: 'Drop 200 messages' }).click();
    await stage.inspector().getByText('200 messages dropped.').waitFor();
    const after = await stage.until('dropped', ({ pipelines }) => pipelines['flow']?.dropped === 200);
    expect(after.sinks['out']?.spooled).toBe(0);
    await stage.page.locator('footer').getByText('dropped 200').waitFor();
  });

  it('pauses and resumes a sink while its pipeline goes on, and drains it', async () => {
    stage.peer.comeBack();
    await stage.start();
    await stage.panel.go('/topology?select=out');
    await stage.inspector().getByRole('button', { name: 'Pause out' }).click();
    await stage.inspector().getByRole('button', { name: 'Resume out' }).waitFor();
    await stage.accepted(100);
    await stage
      .node('out')
      .getByText(/^100 waiting/)
      .waitFor();
    expect(stage.peer.got()).toBe(0);
    await stage.inspector().getByRole('button', { name: 'Resume out' }).click();
    await stage.until('delivered', () => stage.peer.got() === 100);

    stage.peer.leave();
    await stage.accepted(50);
    await stage
      .inspector()
      .getByRole('button', { name: /^Drain out/ })
      .click();
    await stage.inspector().getByText('Draining: 50 messages left.').waitFor();
    await stage.until('paused', ({ pipelines }) => pipelines['flow']?.state === 'paused');
    await stage.inspector().getByRole('button', { name: 'Stop draining' }).click();
    await stage.until('goes on', ({ pipelines }) => pipelines['flow']?.state === 'running');
    await stage
      .inspector()
      .getByRole('button', { name: /^Drain out/ })
      .click();
    await stage.inspector().getByText('Draining: 50 messages left.').waitFor();
    stage.peer.comeBack();
    await stage.inspector().getByText('out has everything.').waitFor();
    expect(stage.peer.got()).toBe(150);
    await stage.inspector().getByRole('button', { name: 'Resume out' }).click();
    await stage.until('goes on', ({ pipelines }) => pipelines['flow']?.state === 'running');
  });

  it('counts what a start took over from the spools, and says what that is', async () => {
    await stage.start();
    await stage.accepted(120);
    await stage.startAgain();
    const carried = stage.page.locator('footer').getByText('(120 taken over)');
    await carried.waitFor();
    expect(await carried.getAttribute('title')).toContain('Taken over from the spools at the start');
    await stage.page.locator('footer').getByText('adds up', { exact: true }).waitFor();
  });
});

it('leaves everything to look at, and nothing to press, to who may only read', async () => {
  await stage.start();
  await stage.accepted(10);
  await stage.page.routeWebSocket(/\/ws/, (socket) => {
    const server = socket.connectToServer();
    server.onMessage((message) => socket.send(String(message).replace('"access":"full"', '"access":"read-only"')));
  });
  await stage.panel.go('/topology?select=out');
  await stage.page.locator('footer').getByText('connected, read-only').waitFor();
  for (const name of ['Pause out', /^Drain out/, /^Purge out/, /^(Restart|Try again)$/, 'Disable']) {
    const button = stage.inspector().getByRole('button', { name });
    await button.waitFor();
    expect(await button.isDisabled(), String(name)).toBe(true);
    expect(await button.getAttribute('title'), String(name)).toContain('read-only');
  }
});
