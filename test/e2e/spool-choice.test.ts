/** What becomes of messages whose sink goes, and the list of what needs someone. */
import type { Locator } from 'playwright-core';
import { describe, expect, it } from 'vitest';
import { axeFindings } from './gateway.ts';
import { SpoolStage } from './spool-stage.ts';

const stage = new SpoolStage();

describe('a sink that holds messages', () => {
  const openRemoval = async (): Promise<Locator> => {
    await stage.panel.go('/plugins/peer?tab=instances');
    await stage.page.getByRole('button', { name: 'Delete out' }).click();
    const dialog = stage.page.getByRole('dialog', { name: 'Delete out?' });
    await dialog.getByText('out still holds 100 messages. What is to become of them?').waitFor();
    return dialog;
  };

  it('goes only with a choice; what is kept needs someone, who can discard it', async () => {
    await stage.start();
    await stage.accepted(100);
    const dialog = await openRemoval();
    const confirm = dialog.getByRole('button', { name: 'Delete it' });
    await dialog.getByText('Choose what is to become of what it holds.').waitFor();
    expect(await confirm.isDisabled()).toBe(true);
    expect(await axeFindings(stage.page)).toEqual([]);
    await dialog.getByRole('radio', { name: 'Keep on disk' }).check();
    await confirm.click();
    await dialog.waitFor({ state: 'detached' });
    await stage.until('kept', ({ needsYou }) => needsYou.some(({ code }) => code === 'PB_SPOOL_ORPHAN'));

    await stage.page.getByRole('button', { name: '1 needs you' }).waitFor();
    await stage.page.keyboard.press('n');
    const list = stage.page.getByRole('dialog', { name: 'What needs you' });
    await list.getByText('PB_SPOOL_ORPHAN').waitFor();
    expect(await list.getByRole('link', { name: 'Add a sink “out”' }).getAttribute('href')).toBe('/plugins?kind=sink');
    expect(await axeFindings(stage.page)).toEqual([]);
    await list.getByRole('button', { name: 'Discard… out' }).click();
    const discard = stage.page.getByRole('dialog', { name: 'Discard the spool of out?' });
    await discard.getByText(/^100 messages \(.*\) that were accepted for out/).waitFor();
    expect(await axeFindings(stage.page)).toEqual([]);
    await discard.getByRole('button', { name: 'Discard 100 messages' }).click();
    await discard.waitFor({ state: 'detached' });
    expect(await stage.gateway.client.call('spools.list', {})).toEqual({ spools: [] });
    await stage.page.getByRole('button', { name: 'Nothing needs you' }).waitFor();
  });

  it('delivers first when that is chosen, and shows how far it is', async () => {
    await stage.start();
    await stage.accepted(100);
    const dialog = await openRemoval();
    await dialog.getByRole('radio', { name: 'Deliver first (drain)' }).check();
    await dialog.getByRole('button', { name: 'Delete it' }).click();
    await dialog.getByText('Delivering first: 100 of 100 left…').waitFor();
    expect(await axeFindings(stage.page)).toEqual([]);
    stage.peer.comeBack();
    await dialog.waitFor({ state: 'detached' });
    expect(stage.peer.got()).toBe(100);
    const report = await stage.until('gone', ({ sinks }) => sinks['out'] === undefined);
    expect(report.pipelines['flow']?.state).toBe('running');
    expect(await stage.gateway.client.call('spools.list', {})).toEqual({ spools: [] });
  });

  it('is disabled without a question: its spool stays', async () => {
    await stage.start();
    await stage.accepted(100);
    await stage.panel.go('/topology?select=out');
    await stage.inspector().getByRole('button', { name: 'Disable' }).click();
    await stage.inspector().getByRole('button', { name: 'Enable' }).waitFor();
    stage.peer.comeBack();
    await stage.inspector().getByRole('button', { name: 'Enable' }).click();
    await stage.until('delivered', () => stage.peer.got() === 100);
  });
});

it('leads from what needs someone to the node, and says what the buffer is unless one is set', async () => {
  await stage.start('128KiB');
  await stage.fill();
  await stage.panel.go('/plugins');
  await stage.page.getByRole('button', { name: /need(s)? you$/ }).click();
  const list = stage.page.getByRole('dialog', { name: 'What needs you' });
  const full = list.locator('[data-need=PB_SPOOL_FULL]');
  await full.getByText(/^PB_SPOOL_FULL · since/).waitFor();
  await full.getByRole('link', { name: 'Show out' }).click();
  await stage.inspector().getByRole('heading', { name: 'out' }).waitFor();
  await list.waitFor({ state: 'detached' });
  await stage.inspector().getByRole('link', { name: 'Configure' }).click();
  await stage.page.getByText('Unless set here: on disk, at most 1 GiB; when full, the sources are slowed.').waitFor();
});
