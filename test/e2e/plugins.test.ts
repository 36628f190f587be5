import type { Browser, Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { StatusReport } from '../../gateway-core/protocol/model.ts';
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

const CONFIG = `# kept
version: 1
sources:
  one: # the first
    plugin: generator
    config: { rate: 100 }
  two: { plugin: generator, config: { rate: 50 } }
handlers:
  decode: { plugin: collectd-metrics }
sinks:
  scrape: { plugin: prometheus, config: { port: 0 } }
  log: { plugin: console }
pipelines:
  metrics: { from: [one], through: [decode], to: [scrape] }
  second: { from: [two], to: [log] }
`;

let browser: Browser;
let gateway: RunningGateway;
let panel: Panel;
let page: Page;

beforeAll(async () => {
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

const status = (): Promise<StatusReport> => gateway.client.call('status.get', {});
const yaml = async (): Promise<string> => (await gateway.client.call('config.get', {})).yaml;

function rateBetween(name: string, least: number, most: number): Promise<StatusReport> {
  let last = 0;
  return eventually(
    () => `${name} between ${least} and ${most}/s; it was ${last}`,
    async () => {
      const report = await status();
      last = report.instances[name]?.ratePerSecond ?? 0;
      return last >= least && last <= most ? report : undefined;
    },
    20_000,
  );
}

const save = () => page.getByRole('button', { name: 'Save', exact: true });

describe('the catalogue', () => {
  it('finds plugins by words, kind and state, with the filter in the URL', async () => {
    await panel.go('/plugins');
    const cards = page.locator('li[data-plugin]');
    await page.locator('[data-plugin=generator]').waitFor();
    const all = await cards.count();
    await page.getByRole('searchbox', { name: 'Search plugins' }).fill('collectd');
    await eventually(
      () => 'fewer cards',
      async () => ((await cards.count()) < all ? true : undefined),
      5_000,
    );
    expect(page.url()).toContain('q=collectd');
    await page.getByRole('searchbox', { name: 'Search plugins' }).fill('no such words');
    await page.getByRole('button', { name: 'Reset the filters' }).click();
    await page.locator('[data-plugin=generator]').getByText('2 instances').waitFor();
    expect(await cards.count()).toBe(all);
  });

  it('shows what a plugin is, takes and may do', async () => {
    await panel.go('/plugins/prometheus?tab=config');
    await page.getByRole('cell', { name: 'expirationMultiple' }).waitFor();
    await page.getByRole('tab', { name: 'About' }).click();
    await page.getByRole('heading', { level: 2, name: 'Prometheus' }).waitFor();
    await page.getByRole('tab', { name: 'Errors' }).click();
    await page.getByText('PB_PROMETHEUS_TYPE').waitFor();
    await page.getByRole('tab', { name: 'Permissions' }).click();
    await page.getByText('This is a guard rail').waitFor();
    await page.goBack();
    await page.getByText('PB_PROMETHEUS_TYPE').waitFor();
  });
});

describe('changing an instance', () => {
  it('a changed form changes the flow, keeps comments, and says before what it does', async () => {
    await rateBetween('one', 80, 120);
    await panel.go('/plugins/generator?tab=instances&edit=one');
    await page.getByRole('textbox', { name: 'Rate' }).fill('400');
    await page.getByText('Unsaved changes').waitFor();
    await page.locator('[data-diff=added]', { hasText: '400' }).waitFor();
    await page.locator('aside', { hasText: 'What saving does' }).getByText('one', { exact: true }).waitFor();
    await save().click();
    await page.getByText('Saved and running').waitFor();
    const report = await rateBetween('one', 300, 500);
    expect(report.instances['two']?.state).toBe('running');
    expect(await yaml()).toContain('# kept');
    expect(await yaml()).toContain('rate: 400');
    expect(await save().isDisabled()).toBe(true);
  });

  it('an invalid value is said beside its field, and nothing changes', async () => {
    await panel.go('/plugins/generator?tab=instances&edit=one');
    const rate = page.getByRole('textbox', { name: 'Rate' });
    await rate.fill('999999999');
    await eventually(
      () => 'the field marked invalid',
      async () => ((await rate.getAttribute('aria-invalid')) === 'true' ? true : undefined),
      10_000,
    );
    const described = (await rate.getAttribute('aria-describedby')) ?? '';
    const errorId = described.split(' ').find((id) => id.endsWith('-error')) ?? '';
    expect(await page.locator(`[id='${errorId}']`).innerText()).toMatch(/PB_/);
    const before = await yaml();
    await save().click();
    await page.getByText('Not saved: 1 problem is to be solved first.').waitFor();
    expect(await yaml()).toBe(before);
    await rateBetween('one', 80, 120);
    await page.getByRole('button', { name: 'Revert' }).click();
    expect(await rate.inputValue()).toBe('100');
  });

  it('what was typed outlives a look at another screen', async () => {
    await panel.go('/plugins/generator?tab=instances&edit=one');
    await page.getByRole('textbox', { name: 'Rate' }).fill('123');
    await page.getByText('Unsaved changes').waitFor();
    await page.getByRole('link', { name: 'Topology' }).click();
    await page.locator('[data-node=one]').waitFor();
    await page.goBack();
    await page.getByText('Unsaved changes').waitFor();
    expect(await page.getByRole('textbox', { name: 'Rate' }).inputValue()).toBe('123');
  });

  it('a conflict is shown; taking theirs in keeps both changes', async () => {
    await panel.go('/plugins/generator?tab=instances&edit=one');
    await page.getByRole('textbox', { name: 'Rate' }).fill('300');
    await gateway.client.call('config.edit', {
      edits: [{ op: 'set', path: ['sources', 'one', 'config', 'hosts'], value: 7 }],
    });
    await page.getByText('Someone else changed the config meanwhile').waitFor();
    expect(await save().isDisabled()).toBe(true);
    await page.getByRole('button', { name: 'Reload and keep my changes' }).click();
    expect(await page.getByRole('textbox', { name: 'Hosts' }).inputValue()).toBe('7');
    await save().click();
    await page.getByText('Saved and running').waitFor();
    const { config } = await gateway.client.call('config.get', {});
    expect(config.sources?.['one']?.config).toMatchObject({ rate: 300, hosts: 7 });
  });

  it('works with the keyboard alone', async () => {
    await panel.go('/plugins');
    await page.locator('[data-plugin=generator]').waitFor();
    const tabTo = async (name: string | RegExp, role: 'link' | 'button' | 'textbox'): Promise<void> => {
      const target = page.getByRole(role, { name, exact: typeof name === 'string' });
      for (let presses = 0; presses < 80; presses++) {
        if (await hasFocus(target)) return;
        await page.keyboard.press('Tab');
      }
      throw new Error(`Tab never came to ${String(name)}`);
    };
    await tabTo('Generator', 'link');
    await page.keyboard.press('Enter');
    await page.getByRole('tab', { name: /Instances/ }).waitFor();
    await page.locator('[data-instance=one]').waitFor();
    await tabTo('one', 'button');
    await page.keyboard.press('Enter');
    await page.getByRole('textbox', { name: 'Rate' }).waitFor();
    await tabTo('Rate', 'textbox');
    await page.keyboard.press('ControlOrMeta+A');
    await page.keyboard.type('250');
    await page.locator('[data-diff=added]', { hasText: '250' }).waitFor();
    await page.keyboard.press('ControlOrMeta+S');
    await page.getByText('Saved and running').waitFor();
    await rateBetween('one', 200, 300);
  });
});

describe('instances', () => {
  it('disabling one stops it, and the others go on', async () => {
    await rateBetween('one', 80, 120);
    await panel.go('/plugins/generator?tab=instances');
    await page.getByRole('switch', { name: 'one is enabled' }).press('Space');
    await page.locator('[data-instance=one]').getByText('disabled', { exact: true }).waitFor();
    const report = await rateBetween('two', 30, 70);
    expect(report.instances['one']?.state).toBe('disabled');
    await page.getByRole('switch', { name: 'one is enabled' }).press('Space');
    await rateBetween('one', 80, 120);
  });

  it('adds one to a pipeline', async () => {
    await panel.go('/plugins/generator?tab=instances');
    await page.getByRole('button', { name: 'Add an instance' }).click();
    const name = page.getByRole('textbox', { name: 'Name', exact: true });
    await name.fill('one');
    await page.getByText('There is one of that name already, in sources.').waitFor();
    await name.fill('third');
    await page.getByRole('textbox', { name: 'Rate' }).fill('70');
    await page.getByRole('radio', { name: 'Existing pipelines' }).check();
    await page.getByRole('checkbox', { name: /^second/ }).check();
    await page.locator('aside').getByText('third', { exact: true }).first().waitFor();
    await page.getByRole('button', { name: 'Add it' }).click();
    await page.locator('[data-instance=third]').waitFor();
    await rateBetween('third', 50, 90);
    const { config } = await gateway.client.call('config.get', {});
    expect(config.pipelines?.['second']?.from).toEqual(['two', 'third']);
  });

  it('deletes one only together with what cannot go on without it', async () => {
    await panel.go('/plugins/console?tab=instances');
    await page.getByRole('button', { name: 'Delete log' }).click();
    const dialog = page.getByRole('dialog');
    await dialog.getByText('Without it these pipelines have no source or no sink: second.').waitFor();
    expect(await dialog.getByRole('button', { name: 'Delete it' }).isDisabled()).toBe(true);
    await dialog.getByRole('checkbox', { name: 'Delete second too' }).check();
    await dialog.getByRole('button', { name: 'Delete it' }).click();
    await page.getByText('No instance yet').waitFor();
    const { config } = await gateway.client.call('config.get', {});
    expect(Object.keys(config.sinks ?? {})).toEqual(['scrape']);
    expect(Object.keys(config.pipelines ?? {})).toEqual(['metrics']);
  });
});

describe.each(['light', 'dark'] as const)('in %s', (theme) => {
  it('every part of the page is accessible and fits', async () => {
    const themed = await openPanel(browser, gateway, { theme });
    for (const [path, shown] of [
      ['/plugins', '[data-plugin=generator]'],
      ['/plugins/generator?tab=instances', '[data-instance=one]'],
      ['/plugins/amqp1?tab=config', 'table'],
      ['/plugins/prometheus?tab=readme', 'pre'],
      ['/plugins/prometheus?tab=permissions', '[role=tabpanel]:visible'],
      ['/plugins/generator?tab=instances&edit=one', '[data-field]'],
      ['/plugins/amqp1?tab=instances&add=source', '[data-field]'],
    ] as const) {
      await themed.go(path);
      await themed.page.locator(shown).first().waitFor();
      expect(await axeFindings(themed.page), path).toEqual([]);
      expect(await overflows(themed.page), path).toBe(false);
    }
    expect(themed.faults).toEqual([]);
    await themed.close();
  });
});
