import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Browser, Locator, Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { eventually } from '../peers/program.ts';
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

const CONFIG = `version: 1
sources:
  traffic: { plugin: generator, config: { rate: 120, hosts: 6, faults: 0.1 } }
handlers:
  decode: { plugin: collectd-metrics }
  keep: { plugin: filter, config: { where: 'data.name.startsWith("collectd_cpu")' } }
sinks:
  scrape: { plugin: prometheus, config: { port: 0 } }
  log: { plugin: console }
pipelines:
  metrics: { from: [traffic], through: [decode, keep], to: [scrape] }
  copy: { from: [traffic], to: [log] }
`;

const ARTIFACTS = fileURLToPath(new URL('../artifacts/', import.meta.url));

let browser: Browser;
let gateway: RunningGateway;
let panel: Panel;
let page: Page;

beforeAll(async () => {
  mkdirSync(ARTIFACTS, { recursive: true });
  browser = await startBrowser();
});
afterAll(() => browser.close());
beforeEach(async () => {
  gateway = await startGateway(CONFIG);
  panel = await openPanel(browser, gateway);
  page = panel.page;
});
afterEach(async () => {
  expect(await finish(panel, gateway)).toEqual([]);
});

const rows = (): Locator => page.locator('[role=row][id^=row-]');
const grid = (): Locator => page.getByRole('grid');
const where = (): Locator => page.getByRole('combobox', { name: 'Filter (CEL)' });
const detail = (): Locator => page.getByRole('complementary', { name: 'Message at' });
const query = (key: string): string | null => new URL(page.url()).searchParams.get(key);

async function urlHas(key: string, value: string | null): Promise<void> {
  await eventually(
    () => `${key}=${value} in ${page.url()}`,
    () => (query(key) === value ? true : undefined),
    10_000,
  );
}

/** Place of each drawn row in its tap, top to bottom. */
async function drawn(): Promise<readonly number[]> {
  const ids = await rows().evaluateAll((elements: readonly { readonly id: string }[]) => elements.map(({ id }) => id));
  return ids.map((id) => Number(id.slice(id.lastIndexOf('-') + 1))).sort((a, b) => a - b);
}

async function newest(): Promise<number> {
  const seen = await drawn();
  return seen.at(-1) ?? 0;
}

/** Clicks the newest row with a verdict; the list stands still first so that it cannot run away. */
async function openRow(verdict: string): Promise<void> {
  const row = page.locator(`[role=row][data-verdict=${verdict}]`).last();
  await row.waitFor();
  await page.getByRole('button', { name: 'Pause', exact: true }).click();
  await page.locator(`[role=row][data-verdict=${verdict}]`).last().click();
  await detail().getByRole('tab', { name: 'Raw' }).waitFor();
}

describe('rows', () => {
  it('shows every verdict, told by word as well as by colour', async () => {
    await panel.go('/live?at=decode');
    for (const verdict of ['modified', 'split', 'refused']) {
      const row = page.locator(`[role=row][data-verdict=${verdict}]`).last();
      await row.getByText(verdict, { exact: true }).waitFor({ state: 'attached' });
    }
    await panel.go('/live?at=keep');
    for (const verdict of ['unchanged', 'filtered']) {
      await page
        .locator(`[role=row][data-verdict=${verdict}]`)
        .last()
        .getByText(verdict, { exact: true })
        .waitFor({ state: 'attached' });
    }
    await page.getByText(/^showing [\d.\s]+ of [\d.\s]+\/s$/).waitFor();
  });

  it('watches a source and a sink too, chosen from the picker', async () => {
    await panel.go('/live?at=decode');
    await page.getByRole('combobox', { name: 'Watch' }).click();
    await page.getByRole('option', { name: /scrape/ }).click();
    await urlHas('at', 'scrape');
    await page.getByRole('grid', { name: 'Messages at scrape' }).waitFor();
    await rows().nth(3).waitFor();
    expect(await page.locator('[role=row][data-verdict]').count()).toBe(0);
    await page.goBack();
    await page.getByRole('grid', { name: 'Messages at decode' }).waitFor();
  });

  it('says so when the instance is gone', async () => {
    await panel.go('/live?at=nobody');
    await page.getByRole('heading', { name: 'There is no instance “nobody”' }).waitFor();
  });
});

describe('the filter', () => {
  it('tells a fault with its place and does not apply it', async () => {
    await panel.go('/live?at=decode');
    await rows().first().waitFor();
    await where().fill('type == && kind');
    const fault = page.getByRole('alert').filter({ hasText: 'at character' });
    await fault.waitFor();
    expect(await where().getAttribute('aria-invalid')).toBe('true');
    expect(query('where')).toBeNull();
  });

  it('applies a condition in the engine, counts honestly, and lives in the URL', async () => {
    await panel.go('/live?at=keep');
    await rows().first().waitFor();
    await where().fill('data.labels.host == "node-3.demo"');
    await urlHas('where', 'data.labels.host == "node-3.demo"');
    await rows().nth(2).waitFor();
    const texts = await rows().allInnerTexts();
    expect(texts.length).toBeGreaterThan(2);
    for (const text of texts) expect(text).toContain('host=node-3.demo');
    // The generator sends host by host: until it comes to another one, all that was seen matched.
    await eventually(
      () => 'more seen than matched',
      async () => {
        const line = await page.getByText(/ match$/).innerText();
        const [matched = 0, seen = 0] = line.split(' of ').map((part) => Number(part.replaceAll(/\D/g, '')));
        return matched > 0 && seen > matched ? true : undefined;
      },
      10_000,
    );
    await page.reload();
    await rows().nth(2).waitFor();
    expect(await where().inputValue()).toBe('data.labels.host == "node-3.demo"');
    for (const text of await rows().allInnerTexts()) expect(text).toContain('host=node-3.demo');
  });

  it('completes names that messages really have', async () => {
    await panel.go('/live?at=keep');
    await rows().first().waitFor();
    await where().pressSequentially('data.labels.ho');
    await page.getByRole('option', { name: 'data.labels.host' }).waitFor();
    await page.keyboard.press('Tab');
    expect(await where().inputValue()).toBe('data.labels.host');
  });

  it('finds plain text', async () => {
    await panel.go('/live?at=traffic');
    await page.getByRole('textbox', { name: 'Plain text' }).fill('NODE-2.demo');
    await urlHas('text', 'NODE-2.demo');
    await rows().nth(2).waitFor();
    for (const text of await rows().allInnerTexts()) expect(text).toContain('node-2.demo');
  });
});

describe('one message', () => {
  it('shows before and after with what changed, raw, attributes, and copies', async () => {
    await page.context().grantPermissions(['clipboard-read', 'clipboard-write']);
    await panel.go('/live?at=decode');
    await openRow('modified');
    await detail().locator('[data-mark=removed]').first().waitFor();
    expect(await detail().locator('[data-mark=added]').first().innerText()).toContain('added');
    await detail().getByRole('button', { name: 'Copy what went out' }).click();
    const copied = JSON.parse(await page.evaluate<string>('navigator.clipboard.readText()')) as { name: string };
    expect(copied.name).toMatch(/^collectd_/);
    await detail().getByRole('tab', { name: 'Raw' }).click();
    await detail().getByText('"specversion"').first().waitFor();
    await detail().getByRole('tab', { name: 'Attributes' }).click();
    await detail().getByRole('tabpanel').waitFor();
  });

  it('gives the cause of a refusal and of a filter', async () => {
    await panel.go('/live?at=decode');
    await openRow('refused');
    await detail()
      .getByText(/COLLECTD/)
      .first()
      .waitFor();
    await detail().getByText('Nothing came out.').waitFor();
    await panel.go('/live?at=keep');
    await openRow('filtered');
    await detail().getByText('It ended here, on purpose.').waitFor();
  });

  it('shows every part of a split', async () => {
    await panel.go('/live?at=decode');
    await openRow('split');
    await detail()
      .getByRole('heading', { name: /^Out 1 of \d$/ })
      .waitFor();
    await detail()
      .getByRole('heading', { name: /^Out 2 of \d$/ })
      .waitFor();
  });

  it('is walked with the keyboard alone', async () => {
    await panel.go('/live?at=decode');
    await rows().nth(10).waitFor();
    await grid().focus();
    await page.keyboard.press('ArrowUp');
    await detail().waitFor();
    const first = query('row');
    await page.keyboard.press('ArrowUp');
    await eventually(
      () => 'another row',
      () => (query('row') !== first && query('row') !== null ? true : undefined),
      5_000,
    );
    await page.keyboard.press('Enter');
    expect(await hasFocus(detail())).toBe(true);
    await page.keyboard.press('Escape');
    await detail().waitFor({ state: 'detached' });
    expect(await hasFocus(grid())).toBe(true);
  });
});

describe('pause', () => {
  it('freezes the view, counts what comes, and loses nothing within the ring', async () => {
    await panel.go('/live?at=decode');
    await rows().nth(10).waitFor();
    await page.getByRole('button', { name: 'Pause', exact: true }).click();
    const frozen = await newest();
    await eventually(
      () => 'a hundred new rows',
      async () => (Number((await page.getByTestId('news').innerText()).replaceAll(/\D/g, '')) > 100 ? true : undefined),
      20_000,
    );
    expect(await newest()).toBe(frozen);
    await page.getByRole('button', { name: 'Resume', exact: true }).click();
    await eventually(
      () => 'newer rows',
      async () => ((await newest()) > frozen + 100 ? true : undefined),
      10_000,
    );
    await page.getByRole('button', { name: 'Pause', exact: true }).click();
    const last = await newest();
    const seen = new Set(await drawn());
    while (Math.min(...seen) > frozen) {
      const before = Math.min(...seen);
      await grid().evaluate((element: { scrollTop: number }) => {
        element.scrollTop -= 400;
      });
      await eventually(
        () => `rows before ${before}`,
        async () => {
          for (const seq of await drawn()) seen.add(seq);
          return Math.min(...seen) < before ? true : undefined;
        },
        10_000,
      );
    }
    for (let seq = frozen; seq <= last; seq++) expect(seen.has(seq), `row ${seq} of ${frozen} to ${last}`).toBe(true);
    expect(await page.getByText('rows not shown').count()).toBe(0);
  });
});

describe('budgets', () => {
  it('samples over budget and says of how many', async () => {
    await panel.go('/live?at=decode');
    await rows().first().waitFor();
    await page.getByRole('button', { name: 'Budget' }).click();
    await page.getByRole('textbox', { name: 'Rows per second' }).fill('20');
    await page.getByRole('button', { name: 'Apply' }).click();
    await eventually(
      () => 'a sampled line',
      async () => {
        const line = await page.getByText(/^showing /).innerText();
        const [shown = 0, all = 0] = line.split(' of ').map((part) => Number(part.replaceAll(/[^\d.]/g, '')));
        return shown > 0 && shown <= 22 && all > 80 ? true : undefined;
      },
      20_000,
    );
  });

  it('stays smooth and small at 20 000 messages a second', async () => {
    await gateway.client.call('config.edit', {
      edits: [{ op: 'set', path: ['sources', 'traffic', 'config', 'rate'], value: 20_000 }],
    });
    await panel.go('/live?at=decode');
    await rows().nth(20).waitFor();
    await eventually(
      () => 'far more passing than shown',
      async () => {
        const all = (await page.getByText(/^showing /).innerText()).split(' of ')[1] ?? '';
        return Number(all.replaceAll(/[^\d.]/g, '')) > 5_000 ? true : undefined;
      },
      30_000,
    );
    const longest = await page.evaluate<number>(`new Promise((resolve) => {
      const begin = performance.now();
      let before = begin;
      let gap = 0;
      const frame = (now) => {
        gap = Math.max(gap, now - before);
        before = now;
        if (now - begin > 3000) resolve(gap);
        else requestAnimationFrame(frame);
      };
      requestAnimationFrame(frame);
    })`);
    expect(longest).toBeLessThan(500);
    expect(await rows().count()).toBeLessThan(120);
  });
});

describe('the engine killed', () => {
  it('is said at once, and everything comes back by itself with selection and filters', async () => {
    await panel.go('/live?at=decode&where=kind%20%3D%3D%20%22raw%22');
    await openRow('modified');
    await page.getByRole('button', { name: 'Resume', exact: true }).click();
    const selected = query('row');
    await eventually(
      () => 'a few hundred rows',
      async () => ((await newest()) > 400 ? true : undefined),
      20_000,
    );
    await gateway.program.end('SIGKILL');
    const last = await newest();
    const banner = page.getByText('Engine stopped — reconnecting…');
    await banner.waitFor();
    await page.getByText(/The engine is gone; these rows are from before/).waitFor();
    await page.screenshot({ path: join(ARTIFACTS, 'engine-killed.png') });
    await detail().getByText('Message at decode').waitFor();

    const before = gateway;
    gateway = await startGateway(undefined, before);
    before.client.close();
    await banner.waitFor({ state: 'detached', timeout: 30_000 });
    await eventually(
      () => 'rows of the new engine, counted anew',
      async () => ((await newest()) > 0 && (await newest()) < last ? true : undefined),
      20_000,
    );
    expect(query('row')).toBe(selected);
    expect(query('where')).toBe('kind == "raw"');
    expect(await where().inputValue()).toBe('kind == "raw"');
    await page.getByText('connected', { exact: true }).waitFor();
    await page.getByText('adds up', { exact: true }).waitFor();
    // Looking back, the mark says where the old engine's rows end.
    await page.getByRole('button', { name: 'Pause', exact: true }).click();
    await eventually(
      () => 'the mark between the two engines',
      async () => {
        await grid().evaluate((element: { scrollTop: number }) => {
          element.scrollTop -= 400;
        });
        return (await page.getByText(/^Engine restarted at /).count()) > 0 ? true : undefined;
      },
      30_000,
    );
  });
});

describe('the frame', () => {
  it('finds screens and instances by Ctrl K, and lists the shortcuts', async () => {
    await panel.go('/plugins');
    await page.getByRole('heading', { name: 'Plugins' }).waitFor();
    await page.keyboard.press('Control+k');
    const palette = page.getByRole('dialog', { name: 'Commands' });
    await palette.getByRole('combobox').fill('watch keep');
    await page.keyboard.press('Enter');
    await urlHas('at', 'keep');
    await grid().waitFor();
    await page.keyboard.press('?');
    await page.getByRole('dialog', { name: 'Keyboard shortcuts' }).waitFor();
    expect(await axeFindings(page)).toEqual([]);
    await page.keyboard.press('Escape');
    await page.getByRole('dialog').waitFor({ state: 'detached' });
    await page.keyboard.press('g');
    await page.keyboard.press('t');
    await page.locator('[data-node=keep]').waitFor();
  });

  it('keeps the chosen theme and the folded rail', async () => {
    await panel.go('/live');
    await page.getByText('Dark', { exact: true }).locator('..').click();
    await page.getByRole('button', { name: 'Collapse the rail' }).click();
    await page.reload();
    await page.getByRole('button', { name: 'Expand the rail' }).waitFor();
    expect(await page.locator('html').getAttribute('data-mantine-color-scheme')).toBe('dark');
    await page.getByRole('link', { name: 'Topology' }).click();
    await page.locator('[data-node=keep]').waitFor();
  });

  it('lists what needs someone, with the remedy', async () => {
    await panel.go('/live?at=decode');
    await gateway.client.call('config.edit', {
      edits: [
        {
          op: 'set',
          path: ['sources', 'quiet'],
          value: { plugin: 'generator', expect: { every: '1s' }, config: { rate: 1 } },
        },
        { op: 'set', path: ['pipelines', 'silent'], value: { from: ['quiet'], to: ['log'] } },
      ],
    });
    await gateway.client.call('flow.pause', { name: 'silent' });
    const button = page.getByRole('button', { name: /needs? you/ }).filter({ hasText: /\d/ });
    await button.waitFor({ timeout: 30_000 });
    await button.click();
    const list = page.getByRole('dialog', { name: /needs? you$/ });
    await list.getByText('quiet').first().waitFor();
    expect(await axeFindings(page)).toEqual([]);
  });
});

it.each([
  ['light', 1280, 800],
  ['dark', 1280, 800],
  ['light', 1920, 1080],
  ['dark', 1920, 1080],
] as const)('is accessible and fits, in %s at %i × %i', async (theme, width, height) => {
  const sized = await openPanel(browser, gateway, { theme, width, height });
  page = sized.page;
  await sized.go('/live?at=decode');
  await rows().nth(10).waitFor();
  for (const verdict of ['refused', 'modified']) {
    await openRow(verdict);
    expect(await axeFindings(page)).toEqual([]);
    expect(await overflows(page)).toBe(false);
    await page.screenshot({ path: join(ARTIFACTS, `live-${verdict}-${theme}-${width}.png`) });
    await page.getByRole('button', { name: 'Resume', exact: true }).click();
  }
  await page.getByRole('button', { name: 'Pause', exact: true }).click();
  await page.getByRole('button', { name: 'Budget' }).click();
  await page.getByRole('button', { name: 'Apply' }).waitFor();
  expect(await axeFindings(page)).toEqual([]);
  await page.keyboard.press('Escape');
  await page.keyboard.press('Control+k');
  await page.getByRole('listbox', { name: 'Commands' }).waitFor();
  expect(await axeFindings(page)).toEqual([]);
  expect(sized.faults).toEqual([]);
  await sized.close();
});
