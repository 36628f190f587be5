/** What an operator does to a sink: purge, pause, resume, drain; and what one who may only read cannot do. */
import { expect, it } from 'vitest';
import { hasFocus } from './gateway.ts';
import { SpoolStage } from './spool-stage.ts';

const stage = new SpoolStage();

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

it('leaves everything to look at, and nothing to press, to who may only read', async () => {
  await stage.start();
  await stage.accepted(10);
  await stage.page.routeWebSocket(/\/ws/, (socket) => {
    const server = socket.connectToServer();
    server.onMessage((message) => socket.send(String(message).replace('"access":"full"', '"access":"read"')));
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
