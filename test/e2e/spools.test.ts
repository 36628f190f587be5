/** What an operator sees while a sink's peer is away. */
import { describe, expect, it } from 'vitest';
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
