import type { Browser } from 'playwright-core';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { eventually } from '../peers/program.ts';
import {
  axeFindings,
  finish,
  openPanel,
  overflows,
  startBrowser,
  startGateway,
  type Panel,
  type RunningGateway,
} from './gateway.ts';

/** What is read of a text area: the types of this file know no DOM. */
interface TextArea {
  readonly value: string;
  readonly selectionStart: number;
  readonly selectionEnd: number;
}

let browser: Browser;
let gateway: RunningGateway;
let panel: Panel;

beforeAll(async () => {
  browser = await startBrowser();
});
afterAll(() => browser.close());
beforeEach(async () => {
  gateway = await startGateway();
  panel = await openPanel(browser, gateway);
});
afterEach(async () => {
  expect(await finish(panel, gateway)).toEqual([]);
});

describe('first run', () => {
  it('leads to live rows of the demo in one click', async () => {
    const { page } = panel;
    await page.getByRole('button', { name: 'Start the demo' }).click();
    await page.locator('[role=row][data-verdict]').nth(10).waitFor();
    expect(new URL(page.url()).pathname + new URL(page.url()).search).toBe('/live?at=decode');
    await page.getByText('adds up', { exact: true }).waitFor();
    const status = await gateway.client.call('status.get', {});
    expect(status.configured).toBe(true);
    expect(status.instances['scrape']?.state).toBe('running');
  });

  it('lists every problem of an imported config with its place, and starts it once it is right', async () => {
    const { page } = panel;
    await page.getByRole('button', { name: 'Choose or paste' }).click();
    const editor = page.getByRole('textbox', { name: 'startup.yaml' });
    await editor.fill('version: 1\nsorces:\n  a: { plugin: generator }\nsinks:\n  log: { plugin: nope }\n');
    await page.getByText('PB_CONFIG_UNKNOWN_KEY').waitFor();
    await page.getByText('PB_PLUGIN_MISSING').waitFor();
    const start = page.getByRole('button', { name: 'Import and start' });
    expect(await start.isDisabled()).toBe(true);
    await page.getByRole('button', { name: 'line 5, column 18' }).click();
    const selected = await editor.evaluate((area: TextArea) =>
      area.value.slice(area.selectionStart, area.selectionEnd),
    );
    expect(selected).toBe('nope }');
    expect((await gateway.client.call('status.get', {})).configured).toBe(false);

    await page.locator('input[type=file]').setInputFiles({
      name: 'startup.yaml',
      mimeType: 'text/yaml',
      buffer: Buffer.from(
        'version: 1\nsources:\n  mine: { plugin: generator, config: { rate: 50 } }\nsinks:\n  log: { plugin: console }\npipelines:\n  all: { from: [mine], to: [log] }\n',
      ),
    });
    await page.getByText('Nothing wrong with it.').waitFor();
    await start.click();
    await page.getByRole('grid', { name: 'Messages at mine' }).waitFor();
    await page.locator('[id^=row-]').nth(5).waitFor();
  });

  it('starts empty with the plugins as the next step', async () => {
    const { page } = panel;
    await page.getByRole('button', { name: 'Start empty' }).click();
    await page.getByRole('heading', { name: 'Plugins' }).waitFor();
    await page.getByRole('link', { name: 'Live' }).click();
    await page.getByRole('heading', { name: 'There is nothing to watch yet' }).waitFor();
  });
});

it.each(['light', 'dark'] as const)('is accessible and fits at both sizes, in %s', async (theme) => {
  for (const [width, height] of [
    [1280, 800],
    [1920, 1080],
  ] as const) {
    const sized = await openPanel(browser, gateway, { theme, width, height });
    await sized.page.getByRole('heading', { name: 'How do you want to start?' }).waitFor();
    expect(await axeFindings(sized.page)).toEqual([]);
    expect(await overflows(sized.page)).toBe(false);
    await sized.page.getByRole('button', { name: 'Choose or paste' }).click();
    await sized.page.getByRole('textbox', { name: 'startup.yaml' }).fill('version: 1\nsorces: {}\n');
    await sized.page.getByText('PB_CONFIG_UNKNOWN_KEY').waitFor();
    expect(await axeFindings(sized.page)).toEqual([]);
    expect(await overflows(sized.page)).toBe(false);
    expect(sized.faults).toEqual([]);
    await sized.close();
  }
});

it('shows the door to a browser without a session, and lets it in by a link', async () => {
  const context = await browser.newContext();
  const page = await context.newPage();
  await page.goto(`${gateway.url}/live`);
  await page.getByText('This browser has no session with this gateway.').waitFor();
  expect(await page.locator('#root').count()).toBe(0);
  const { link } = await gateway.client.call('control.link', {});
  await page.goto(link);
  await page.getByRole('heading', { name: 'How do you want to start?' }).waitFor();
  expect(page.url()).not.toContain('code=');
  // The code is used up: another browser gets nothing for it.
  const other = await (await browser.newContext()).newPage();
  await other.goto(link);
  await other.getByText('patchbay status --link', { exact: true }).waitFor();
  await eventually(
    () => 'a word on the code',
    async () => ((await other.getByText('used up or expired').count()) > 0 ? true : undefined),
    10_000,
  );
  await other.context().close();
  await context.close();
});
