import { existsSync, readFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Browser, Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { eventually, freePort } from '../peers/program.ts';
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

let browser: Browser;
let gateway: RunningGateway;
let panel: Panel;
let page: Page;
let port: number;
let folder: string;
let out: string;

beforeAll(async () => {
  browser = await startBrowser();
});
afterAll(() => browser.close());
beforeEach(async () => {
  port = await freePort();
  folder = await mkdtemp(join(tmpdir(), 'patchbay-letters-'));
  out = join(folder, 'out.jsonl');
  gateway = await startGateway(`version: 1
sources:
  web: { plugin: http-events, config: { port: ${port} } }
handlers:
  decode: { plugin: collectd-metrics }
sinks:
  file: { plugin: json-file, config: { path: ${out} } }
pipelines:
  flow: { from: [web], through: [decode], to: [file] }
`);
  panel = await openPanel(browser, gateway);
  page = panel.page;
});
afterEach(async () => {
  const faults = await finish(panel, gateway);
  await rm(folder, { recursive: true, force: true });
  expect(faults).toEqual([]);
});

const delivered = (): { id: string; data: { name: string } }[] =>
  existsSync(out)
    ? readFileSync(out, 'utf8')
        .split('\n')
        .filter((line) => line !== '')
        .map((line) => JSON.parse(line) as { id: string; data: { name: string } })
    : [];

const RIGHT = `[{"values":[1.5],"dstypes":["gauge"],"dsnames":["value"],"time":1700000000,"interval":10,"host":"h","plugin":"load","type":"load"}]`;

/** Sends what collectd-metrics cannot decode: 202, since it becomes a dead letter. */
async function send(id: string, body: string): Promise<void> {
  const answer = await fetch(`http://127.0.0.1:${port}/events`, {
    method: 'POST',
    headers: {
      'ce-id': id,
      'ce-source': 'test',
      'ce-type': 't',
      'ce-specversion': '1.0',
      'content-type': 'text/plain',
    },
    body,
  });
  expect(answer.status).toBe(202);
}

const rows = () => page.locator('[data-letter]');
const button = (name: string | RegExp) => page.getByRole('button', { name, exact: typeof name === 'string' });

describe('dead letters', () => {
  it('a refused message is corrected, retried and delivered', async () => {
    await page.getByRole('link', { name: 'Dead letters' }).click();
    await page.getByText('Nothing was refused. Good.').waitFor();
    await send('first', RIGHT.replace('[1.5]', '[1.5'));
    await rows().first().click();
    expect(page.url()).toMatch(/letter=\d+/);
    await page.getByRole('heading', { name: 'Refused by decode' }).waitFor();
    await page
      .locator('#letter')
      .getByText(/^not JSON/)
      .first()
      .waitFor();
    await button('Edit').click();
    await page.getByRole('textbox', { name: 'Payload' }).fill(RIGHT);
    await button('Save and retry here').click();
    await page.getByText('Retry ended').waitFor();
    await page.getByText('Nothing was refused. Good.').waitFor();
    expect(delivered()).toMatchObject([{ id: expect.stringMatching(/^first/) as string }]);
    await page.locator('footer').getByText('adds up', { exact: true }).waitFor();
  });

  it('what is refused again comes back with its history', async () => {
    await send('bad', 'nonsense');
    await panel.go('/dead-letters');
    await rows().first().click();
    await button('Retry here').click();
    await page.getByText(/1 refused again/).waitFor();
    await page.getByText('This letter is gone').waitFor();
    await rows().first().click();
    await page
      .locator('#letter')
      .getByText(/retried by panel, here: refused again/)
      .waitFor();
    await page.locator('#letter').getByText('2, in one retry by operators too').waitFor();
  });

  it('all of a filter is discarded, with a reason that the events keep', async () => {
    for (const name of ['a', 'b', 'c']) await send(name, `nonsense ${name}`);
    await send(
      'other',
      '[{"values":[1,2],"dstypes":["gauge"],"dsnames":["value"],"host":"h","plugin":"p","type":"t"}]',
    );
    await panel.go('/dead-letters');
    await page.getByRole('button', { name: /PB_COLLECTD_JSON/ }).click();
    expect(page.url()).toContain('code=PB_COLLECTD_JSON');
    await page.getByText('3 of 4 letters').waitFor();
    await button('Discard 3…').click();
    const dialog = page.getByRole('dialog');
    await dialog.getByText(/3 messages, with their causes/).waitFor();
    expect(await dialog.getByRole('button', { name: 'Discard 3' }).isDisabled()).toBe(true);
    await dialog.getByRole('textbox', { name: 'Reason' }).fill('a test sent them');
    await dialog.getByRole('button', { name: 'Discard 3' }).click();
    await page.getByText('No letter matches').waitFor();
    await button('Reset the filters').click();
    await rows().first().waitFor();
    expect(await rows().count()).toBe(1);
    const { events } = await gateway.client.call('events.list', {});
    expect(events.find(({ type }) => type === 'deadletters.discarded')?.message).toContain('a test sent them');
  });

  it('the selection is retried from the start, and stays when its pipeline is paused', async () => {
    for (const name of ['a', 'b', 'c']) await send(name, 'nonsense');
    await gateway.client.call('flow.pause', { name: 'flow' });
    await panel.go('/dead-letters');
    await page
      .getByRole('checkbox', { name: /^Select letter/ })
      .first()
      .check();
    await page
      .getByRole('checkbox', { name: /^Select letter/ })
      .nth(1)
      .check();
    await button('Retry 2…').click();
    await page.getByRole('radio', { name: 'From the start of the pipeline' }).check();
    await button('Retry 2').click();
    await page.getByText(/2 kept/).waitFor();
    await page.getByText(/it is paused/).waitFor();
    expect(await rows().count()).toBe(3);
  });

  it('exports a filter as CloudEvents, one a line', async () => {
    for (const name of ['a', 'b']) await send(name, `nonsense ${name}`);
    await panel.go('/dead-letters');
    await rows().first().waitFor();
    const download = page.waitForEvent('download');
    await button('Export 2').click();
    const path = join(gateway.data, 'export.jsonl');
    await (await download).saveAs(path);
    const lines = readFileSync(path, 'utf8').trimEnd().split('\n');
    expect(lines.map((line) => JSON.parse(line) as object)).toMatchObject([
      { specversion: '1.0', id: 'a', data: 'nonsense a', refusedby: 'decode', refusedcode: 'PB_COLLECTD_JSON' },
      { specversion: '1.0', id: 'b', data: 'nonsense b', pipeline: 'flow', attempts: 1 },
    ]);
  });

  it('works with the keyboard alone', async () => {
    for (const name of ['a', 'b', 'c']) await send(name, `nonsense ${name}`);
    await panel.go('/dead-letters');
    await rows().first().waitFor();
    const grid = page.getByRole('grid');
    for (let presses = 0; presses < 60 && !(await hasFocus(grid)); presses++) await page.keyboard.press('Tab');
    await page.keyboard.press('ArrowDown');
    await page.keyboard.press('ArrowDown');
    await page.locator('#letter').getByText('b', { exact: true }).waitFor();
    await page.keyboard.press('Space');
    await button('Retry 1…').waitFor();
    await page.keyboard.press('Enter');
    expect(await hasFocus(page.locator('#letter'))).toBe(true);
  });

  it('a letter that is gone, and an engine that is gone, are said', async () => {
    await send('a', 'nonsense');
    await panel.go('/dead-letters?letter=999');
    await page.getByText('This letter is gone').waitFor();
    await rows().first().waitFor();
    await gateway.program.end('SIGKILL');
    await page
      .getByText(/Engine stopped/)
      .first()
      .waitFor();
    expect(await rows().count()).toBe(1);
    await eventually(
      () => 'the buttons are off',
      async () => ((await button('Retry 1…').isDisabled()) ? true : undefined),
      10_000,
    );
  });
});

describe.each(['light', 'dark'] as const)('in %s', (theme) => {
  it('every part of the page is accessible and fits', async () => {
    const themed = await openPanel(browser, gateway, { theme });
    const check = async (what: string): Promise<void> => {
      expect(await axeFindings(themed.page), what).toEqual([]);
      expect(await overflows(themed.page), what).toBe(false);
    };
    await themed.go('/dead-letters');
    await themed.page.getByText('Nothing was refused. Good.').waitFor();
    await check('empty');
    for (const name of ['a', 'b', 'c']) await send(name, `nonsense ${name}`);
    await themed.page.locator('[data-letter]').first().click();
    await themed.page.getByText('nonsense c').first().waitFor();
    await check('letter');
    await themed.page.getByRole('button', { name: 'Edit' }).click();
    await check('editor');
    await themed.page.getByRole('button', { name: 'Discard 3…' }).click();
    await themed.page.getByRole('dialog').waitFor();
    await check('discard');
    await themed.page.keyboard.press('Escape');
    await themed.page.getByRole('button', { name: 'Retry 3…' }).click();
    await themed.page.getByRole('dialog').waitFor();
    await check('retry');
    expect(themed.faults).toEqual([]);
    await themed.close();
  });
});
