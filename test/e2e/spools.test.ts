/** What an operator sees and does while a sink's peer is away. */
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Browser, Locator, Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { StatusReport } from '../../gateway-core/protocol/model.ts';
import { eventually, freePort } from '../peers/program.ts';
import { awayPeer, sendEvents, type AwayPeer } from './away-peer.ts';
import {
  axeFindings,
  finish,
  hasFocus,
  openPanel,
  overflows,
  startBrowser,
  startGateway,
  type Panel,
  type RunningGateway,
} from './gateway.ts';

const ARTIFACTS = fileURLToPath(new URL('../artifacts/', import.meta.url));

const config = (folder: string, port: number, max: string): string => `version: 1
sources:
  in: { plugin: http-events, config: { port: ${port} } }
  other: { plugin: generator, config: { rate: 50 } }
handlers:
  keep: { plugin: filter, config: { where: 'true' } }
sinks:
  out: { plugin: peer, config: { folder: ${folder} }, buffer: { kind: disk, max: ${max} } }
  log: { plugin: console }
pipelines:
  flow: { from: [in], through: [keep], to: [out, log] }
  side: { from: [other], to: [log] }
`;

let browser: Browser;
let peer: AwayPeer;
let port: number;
let gateway: RunningGateway | undefined;
let panel: Panel | undefined;
let page: Page;

beforeAll(async () => {
  browser = await startBrowser();
});
afterAll(() => browser.close());
beforeEach(async () => {
  peer = await awayPeer();
  port = await freePort();
  gateway = undefined;
  panel = undefined;
});
afterEach(async () => {
  expect(await finish(panel, gateway)).toEqual([]);
  await peer.remove();
});

async function start(max = '64MiB', theme: 'light' | 'dark' = 'light'): Promise<void> {
  gateway = await startGateway(config(peer.folder, port, max), undefined, peer.prepare);
  panel = await openPanel(browser, gateway, { theme });
  page = panel.page;
}

async function until(what: string, holds: (report: StatusReport) => boolean): Promise<StatusReport> {
  return eventually(
    () => what,
    async () => {
      const report = await gateway?.client.call('status.get', {});
      return report !== undefined && holds(report) ? report : undefined;
    },
    20_000,
  );
}

const accepted = (count: number): Promise<StatusReport> =>
  sendEvents(port, count).then((sent) => {
    expect(sent).toBe(count);
    return until(`${count} spooled`, ({ sinks }) => sinks['out']?.spooled === count);
  });

/** More than the spool has room for: the pipeline waits. */
async function fill(): Promise<StatusReport> {
  expect(await sendEvents(port, 5_000)).toBeLessThan(5_000);
  return until('blocked', ({ pipelines }) => pipelines['flow']?.state === 'blocked');
}

const inspector = (): Locator => page.getByRole('complementary', { name: 'Inspector' });
const edge = (way: string): Locator => page.locator(`[data-edge="${way}"]`);
const node = (name: string): Locator => page.locator(`[data-node="${name}"]`);

describe('while the peer is away', () => {
  it('shows what waits on edge and node, and all about it in the inspector', async () => {
    await start();
    await accepted(300);
    await panel?.go('/topology');
    await edge('keep>out')
      .getByText(/^spool \d/)
      .waitFor();
    await node('out').getByText('circuit open').waitFor();
    await node('out')
      .getByText(/^300 waiting/)
      .waitFor();
    expect(await edge('keep>out').locator('[data-fill]').getAttribute('data-fill')).toBe('ok');
    expect(await edge('keep>out').getAttribute('title')).toMatch(
      /spool .* of .* \(\d %\), 300 waiting, .*circuit open/,
    );
    await node('out').click();
    const spool = inspector().getByRole('region', { name: 'Spool' });
    await spool.getByText('a spool on disk').waitFor();
    await spool.getByText('its pipelines slow their sources').waitFor();
    await spool.getByText('the peer has confirmed it').waitFor();
    peer.comeBack();
    await until('delivered', ({ sinks }) => sinks['out']?.delivered === 300);
    await spool.getByText('nothing waits').waitFor();
    await spool.getByText('circuit closed').waitFor();
    await edge('keep>out')
      .getByText(/^spool \d/)
      .waitFor({ state: 'detached' });
  });

  it('says of a full spool who waits for whom, up to the source', async () => {
    await start('128KiB');
    await fill();
    await panel?.go('/topology');
    await edge('keep>out').getByText('spool full', { exact: true }).waitFor();
    expect(await edge('keep>out').locator('[data-fill]').getAttribute('data-fill')).toBe('bad');
    await edge('in>keep').getByText('waits', { exact: true }).waitFor();
    await edge('keep>log').getByText('waits', { exact: true }).waitFor();
    expect(await edge('in>keep').getAttribute('title')).toMatch(/waits for out: its spool is full since \d\d:/);
    expect(await page.locator('path[data-tone=stuck]').count()).toBe(1);
    expect(await page.locator('path[data-tone=held]').count()).toBe(2);
    await node('in').getByText('waits for out').waitFor();
    // Who has nothing to do with it is left in peace.
    expect(await node('other').getByText(/waits/).count()).toBe(0);
    expect(await edge('other>log').getByText(/waits/).count()).toBe(0);
    await edge('in>keep').click();
    const note = inspector().getByRole('listitem').filter({ hasText: 'Waits for' });
    expect(await note.textContent()).toMatch(/^Waits for out: its spool is full since .*\.$/);
    await note.getByRole('link', { name: 'out' }).click();
    await inspector().getByRole('heading', { name: 'out' }).waitFor();
    await inspector().getByText('Full since').waitFor();
  });

  it('purges only when it is confirmed, and says how many are lost', async () => {
    await start();
    await accepted(200);
    await panel?.go('/topology?select=out');
    const purge = inspector().getByRole('button', { name: 'Purge out: drop what waits' });
    await purge.click();
    const dialog = page.getByRole('dialog', { name: 'Purge out?' });
    await dialog.getByText('200 messages before out will be lost.').waitFor();
    await dialog.getByText('This cannot be undone.').waitFor();
    expect(await hasFocus(dialog.getByRole('button', { name: 'Cancel' }))).toBe(true);
    await page.keyboard.press('Escape');
    await dialog.waitFor({ state: 'detached' });
    expect((await until('untouched', ({ sinks }) => sinks['out'] !== undefined)).sinks['out']?.spooled).toBe(200);
    await purge.click();
    await dialog.getByRole('button', { name: 'Drop 200 messages' }).click();
    await inspector().getByText('200 messages dropped.').waitFor();
    const after = await until('dropped', ({ pipelines }) => pipelines['flow']?.dropped === 200);
    expect(after.sinks['out']?.spooled).toBe(0);
    await page.locator('footer').getByText('dropped 200').waitFor();
  });

  it('pauses and resumes a sink while its pipeline goes on, and drains it', async () => {
    peer.comeBack();
    await start();
    await panel?.go('/topology?select=out');
    await inspector().getByRole('button', { name: 'Pause out' }).click();
    await inspector().getByRole('button', { name: 'Resume out' }).waitFor();
    await accepted(100);
    await node('out')
      .getByText(/^100 waiting/)
      .waitFor();
    expect(peer.got()).toBe(0);
    await inspector().getByRole('button', { name: 'Resume out' }).click();
    await until('delivered', () => peer.got() === 100);

    peer.leave();
    await accepted(50);
    await inspector()
      .getByRole('button', { name: /^Drain out/ })
      .click();
    await inspector().getByText('Draining: 50 messages left.').waitFor();
    await until('paused', ({ pipelines }) => pipelines['flow']?.state === 'paused');
    await inspector().getByRole('button', { name: 'Stop draining' }).click();
    await until('goes on', ({ pipelines }) => pipelines['flow']?.state === 'running');
    await inspector()
      .getByRole('button', { name: /^Drain out/ })
      .click();
    await inspector().getByText('Draining: 50 messages left.').waitFor();
    peer.comeBack();
    await inspector().getByText('out has everything.').waitFor();
    expect(peer.got()).toBe(150);
    await inspector().getByRole('button', { name: 'Resume out' }).click();
    await until('goes on', ({ pipelines }) => pipelines['flow']?.state === 'running');
  });

  it('counts what a start took over from the spools, and says what that is', async () => {
    await start();
    await accepted(120);
    await panel?.close();
    const first = gateway as RunningGateway;
    first.client.close();
    await first.program.end('SIGKILL');
    gateway = await startGateway(undefined, first);
    panel = await openPanel(browser, gateway);
    const carried = panel.page.locator('footer').getByText('(120 taken over)');
    await carried.waitFor();
    expect(await carried.getAttribute('title')).toContain('Taken over from the spools at the start');
    await panel.page.locator('footer').getByText('adds up', { exact: true }).waitFor();
  });
});

describe('a sink that holds messages', () => {
  const openRemoval = async (): Promise<Locator> => {
    await panel?.go('/plugins/peer?tab=instances');
    await page.getByRole('button', { name: 'Delete out' }).click();
    const dialog = page.getByRole('dialog', { name: 'Delete out?' });
    await dialog.getByText('out still holds 100 messages. What is to become of them?').waitFor();
    return dialog;
  };

  it('goes only with a choice; what is kept needs someone, who can discard it', async () => {
    await start();
    await accepted(100);
    const dialog = await openRemoval();
    const confirm = dialog.getByRole('button', { name: 'Delete it' });
    await dialog.getByText('Choose what is to become of what it holds.').waitFor();
    expect(await confirm.isDisabled()).toBe(true);
    expect(await axeFindings(page)).toEqual([]);
    await dialog.getByRole('radio', { name: 'Keep on disk' }).check();
    await confirm.click();
    await dialog.waitFor({ state: 'detached' });
    await until('kept', ({ needsYou }) => needsYou.some(({ code }) => code === 'PB_SPOOL_ORPHAN'));

    await page.getByRole('button', { name: '1 needs you' }).waitFor();
    await page.keyboard.press('n');
    const list = page.getByRole('dialog', { name: 'What needs you' });
    await list.getByText('PB_SPOOL_ORPHAN').waitFor();
    expect(await list.getByRole('link', { name: 'Add a sink “out”' }).getAttribute('href')).toBe('/plugins?kind=sink');
    expect(await axeFindings(page)).toEqual([]);
    await list.getByRole('button', { name: 'Discard… out' }).click();
    const discard = page.getByRole('dialog', { name: 'Discard the spool of out?' });
    await discard.getByText(/^100 messages \(.*\) that were accepted for out/).waitFor();
    expect(await axeFindings(page)).toEqual([]);
    await discard.getByRole('button', { name: 'Discard 100 messages' }).click();
    await discard.waitFor({ state: 'detached' });
    expect(await gateway?.client.call('spools.list', {})).toEqual({ spools: [] });
    await page.getByRole('button', { name: 'Nothing needs you' }).waitFor();
  });

  it('delivers first when that is chosen, and shows how far it is', async () => {
    await start();
    await accepted(100);
    const dialog = await openRemoval();
    await dialog.getByRole('radio', { name: 'Deliver first (drain)' }).check();
    await dialog.getByRole('button', { name: 'Delete it' }).click();
    await dialog.getByText('Delivering first: 100 of 100 left…').waitFor();
    expect(await axeFindings(page)).toEqual([]);
    peer.comeBack();
    await dialog.waitFor({ state: 'detached' });
    expect(peer.got()).toBe(100);
    const report = await until('gone', ({ sinks }) => sinks['out'] === undefined);
    expect(report.pipelines['flow']?.state).toBe('running');
    expect(await gateway?.client.call('spools.list', {})).toEqual({ spools: [] });
  });

  it('is disabled without a question: its spool stays', async () => {
    await start();
    await accepted(100);
    await panel?.go('/topology?select=out');
    await inspector().getByRole('button', { name: 'Disable' }).click();
    await inspector().getByRole('button', { name: 'Enable' }).waitFor();
    peer.comeBack();
    await inspector().getByRole('button', { name: 'Enable' }).click();
    await until('delivered', () => peer.got() === 100);
  });
});

it('leads from what needs someone to the node, and says what the buffer is unless one is set', async () => {
  await start('128KiB');
  await fill();
  await panel?.go('/plugins');
  await page.getByRole('button', { name: /need(s)? you$/ }).click();
  const list = page.getByRole('dialog', { name: 'What needs you' });
  const full = list.locator('[data-need=PB_SPOOL_FULL]');
  await full.getByText(/^PB_SPOOL_FULL · since/).waitFor();
  await full.getByRole('link', { name: 'Show out' }).click();
  await inspector().getByRole('heading', { name: 'out' }).waitFor();
  await list.waitFor({ state: 'detached' });
  await inspector().getByRole('link', { name: 'Configure' }).click();
  await page.getByText('Unless set here: on disk, at most 1 GiB; when full, the sources are slowed.').waitFor();
});

it('leaves everything to look at, and nothing to press, to who may only read', async () => {
  await start();
  await accepted(10);
  const reader = page;
  await reader.routeWebSocket(/\/ws/, (socket) => {
    const server = socket.connectToServer();
    server.onMessage((message) => socket.send(String(message).replace('"access":"full"', '"access":"read-only"')));
  });
  await panel?.go('/topology?select=out');
  await reader.locator('footer').getByText('connected, read-only').waitFor();
  for (const name of ['Pause out', /^Drain out/, /^Purge out/, /^(Restart|Try again)$/, 'Disable']) {
    const button = inspector().getByRole('button', { name });
    await button.waitFor();
    expect(await button.isDisabled(), String(name)).toBe(true);
    expect(await button.getAttribute('title'), String(name)).toContain('read-only');
  }
});

it.each(['light', 'dark'] as const)('is accessible and fits, in %s', async (theme) => {
  await start('128KiB', theme);
  await fill();
  await mkdir(ARTIFACTS, { recursive: true });
  for (const [width, height] of [
    [1280, 800],
    [1920, 1080],
  ] as const) {
    await page.setViewportSize({ width, height });
    for (const [name, path] of [
      ['canvas', '/topology'],
      ['sink', '/topology?select=out'],
      ['source', '/topology?select=in'],
      ['edge', '/topology?edge=in%3Ekeep'],
    ] as const) {
      await panel?.go(path);
      await edge('keep>out').getByText('spool full', { exact: true }).waitFor();
      await page.locator('footer').getByText('adds up', { exact: true }).waitFor();
      await page.screenshot({ path: join(ARTIFACTS, `spools-${name}-${theme}-${width}.png`) });
      if (width === 1280) expect(await axeFindings(page), path).toEqual([]);
      expect(await overflows(page), `${path} ${width}`).toBe(false);
    }
  }
  await page.setViewportSize({ width: 1280, height: 800 });
  await page.keyboard.press('n');
  await page.getByRole('dialog', { name: 'What needs you' }).waitFor();
  await page.screenshot({ path: join(ARTIFACTS, `spools-needs-${theme}.png`) });
  expect(await axeFindings(page)).toEqual([]);
  await page.keyboard.press('Escape');
  await panel?.go('/topology?select=out');
  await inspector()
    .getByRole('button', { name: /^Purge out/ })
    .click();
  await page.getByRole('dialog', { name: 'Purge out?' }).waitFor();
  await page.screenshot({ path: join(ARTIFACTS, `spools-purge-${theme}.png`) });
  expect(await axeFindings(page)).toEqual([]);
});
