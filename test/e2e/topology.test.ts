import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { eventually } from '../peers/program.ts';
import {
  axeFindings,
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
  one: { plugin: generator, config: { rate: 100 } }
  two: { plugin: generator, config: { rate: 50 } }
  off: { plugin: generator, enabled: false }
handlers:
  decode: { plugin: collectd-metrics }
sinks:
  scrape: { plugin: prometheus, config: { port: 0 } }
  log: { plugin: console }
pipelines:
  metrics: { from: [one, off], through: [decode], to: [scrape] }
  second: { from: [two], to: [log] }
`;

let browser: Browser;
beforeAll(async () => {
  browser = await startBrowser();
});
afterAll(() => browser.close());

async function withPanel(yaml: string, act: (panel: Panel, gateway: RunningGateway) => Promise<void>): Promise<void> {
  const gateway = await startGateway(yaml);
  try {
    const panel = await openPanel(browser, gateway);
    await act(panel, gateway);
    expect(panel.faults).toEqual([]);
    await panel.close();
  } finally {
    await gateway.stop();
  }
}

const centre = async (page: Page, name: string): Promise<number> => {
  const box = await page.locator(`[data-node="${name}"]`).boundingBox();
  if (box === null) throw new Error(`${name} is not on the screen`);
  return box.x + box.width / 2;
};

describe('the canvas', () => {
  it('shows what flows where, from left to right', async () => {
    await withPanel(CONFIG, async ({ page, go }) => {
      await go('/topology');
      await page.getByRole('button', { name: /^running one source generator [\d.]+\/s/ }).waitFor();
      await page.getByRole('button', { name: /^disabled off source generator/ }).waitFor();
      expect(await centre(page, 'one')).toBeLessThan(await centre(page, 'decode'));
      expect(await centre(page, 'decode')).toBeLessThan(await centre(page, 'scrape'));
      expect(await centre(page, 'log')).toBe(await centre(page, 'scrape'));
      await page.locator('[data-edge="one>decode"]').getByText(/^\d/).first().waitFor();
    });
  });

  it('walks with the keyboard, selects with Enter, and a link leads to the same selection', async () => {
    await withPanel(CONFIG, async ({ page, go }) => {
      await go('/topology');
      await page.locator('[data-node=one]').focus();
      await page.keyboard.press('ArrowRight');
      expect(await hasFocus(page.locator('[data-node=decode]'))).toBe(true);
      await page.keyboard.press('Enter');
      await page.getByRole('complementary', { name: 'Inspector' }).getByRole('heading', { name: 'decode' }).waitFor();
      expect(page.url()).toContain('select=decode');
      await page.reload();
      await page.getByRole('complementary', { name: 'Inspector' }).getByRole('heading', { name: 'decode' }).waitFor();
      expect(await page.locator('[data-node=decode]').getAttribute('aria-pressed')).toBe('true');
      await page.goBack();
      await page.getByRole('complementary', { name: 'Inspector' }).waitFor({ state: 'detached' });
    });
  });

  it('pauses and resumes a pipeline; the other goes on', async () => {
    await withPanel(CONFIG, async ({ page, go }, gateway) => {
      await go('/topology?edge=one%3Edecode');
      const inspector = page.getByRole('complementary', { name: 'Inspector' });
      await inspector.getByText('adds up', { exact: true }).waitFor();
      await inspector.getByRole('button', { name: 'Pause metrics' }).click();
      await inspector.getByRole('button', { name: 'Resume metrics' }).waitFor();
      const { pipelines } = await gateway.client.call('status.get', {});
      expect(pipelines['metrics']?.state).toBe('paused');
      expect(pipelines['second']?.state).toBe('running');
      await inspector.getByRole('button', { name: 'Resume metrics' }).click();
      await inspector.getByRole('button', { name: 'Pause metrics' }).waitFor();
    });
  });

  it('disables and enables, and leads to live view and config', async () => {
    await withPanel(CONFIG, async ({ page, go }, gateway) => {
      await go('/topology?select=two');
      const inspector = page.getByRole('complementary', { name: 'Inspector' });
      expect(await inspector.getByRole('link', { name: 'Watch live' }).getAttribute('href')).toBe('/live?at=two');
      await inspector.getByRole('button', { name: 'Disable' }).click();
      await page.getByRole('button', { name: /^disabled two source generator/ }).waitFor();
      const report = await gateway.client.call('status.get', {});
      expect(report.instances['one']?.state).toBe('running');
      await inspector.getByRole('button', { name: 'Enable' }).click();
      await page.getByRole('button', { name: /^running two source generator/ }).waitFor();
      await inspector.getByRole('link', { name: 'Configure' }).click();
      await page.getByRole('heading', { name: 'Config of two' }).waitFor();
    });
  });

  it('follows a change of the config', async () => {
    await withPanel(CONFIG, async ({ page, go }, gateway) => {
      await go('/topology');
      await page.locator('[data-node=two]').waitFor();
      await gateway.client.call('config.edit', {
        edits: [
          { op: 'delete', path: ['pipelines', 'second'] },
          { op: 'delete', path: ['sources', 'two'] },
        ],
      });
      await page.locator('[data-node=two]').waitFor({ state: 'detached' });
      await page.getByText('Not connected to a pipeline').waitFor();
    });
  });

  it('says the next step where nothing is configured', async () => {
    await withPanel('version: 1\n', async ({ page, go }) => {
      await go('/topology');
      await page.getByRole('link', { name: 'Choose a plugin' }).click();
      await page.getByRole('heading', { name: 'Plugins' }).waitFor();
    });
  });
});

it('stays smooth with 200 instances', async () => {
  const names = Array.from({ length: 66 }, (_, index) => index);
  const yaml = `version: 1
sources:
${names.map((n) => `  s${n}: { plugin: generator, config: { rate: 2 } }`).join('\n')}
handlers:
${names.map((n) => `  h${n}: { plugin: collectd-metrics }`).join('\n')}
sinks:
${names.map((n) => `  k${n}: { plugin: prometheus, config: { port: 0 } }`).join('\n')}
pipelines:
${names
  .map((n) => `  p${n}: { from: [s${n}], through: [h${n}], to: [k${n}, k${(n * 7) % 66}] }`)
  .join('\n')
  .replace(/to: \[(k\d+), \1\]/g, 'to: [$1]')}
`;
  await withPanel(yaml, async ({ page, go }, gateway) => {
    await go('/topology');
    await page.locator('[data-node=s65]').waitFor();
    await eventually(
      () => 'rates on the nodes',
      async () =>
        (await page.getByRole('button', { name: /^running [shk]\d+ .*[\d.]+\/s/ }).count()) > 150 ? true : undefined,
      30_000,
    );
    // CPU time of the page's main thread, which what else the machine does cannot lengthen. Measured: 0.035.
    const devtools = await page.context().newCDPSession(page);
    await devtools.send('Performance.enable', { timeDomain: 'threadTicks' });
    const spent = async (): Promise<{ wall: number; cpu: number }> => {
      const { metrics } = await devtools.send('Performance.getMetrics');
      const value = (name: string) => metrics.find((metric) => metric.name === name)?.value ?? Infinity;
      return { wall: performance.now() / 1000, cpu: value('ThreadTime') };
    };
    const before = await spent();
    const first = (await gateway.client.call('status.get', {})).time;
    await eventually(
      () => 'five status reports',
      async () => ((await gateway.client.call('status.get', {})).time > first + 5_000 ? true : undefined),
      30_000,
    );
    const after = await spent();
    expect((after.cpu - before.cpu) / (after.wall - before.wall)).toBeLessThan(0.2);
  });
});

it.each(['light', 'dark'] as const)('is accessible and fits, in %s', async (theme) => {
  const gateway = await startGateway(CONFIG);
  try {
    const panel = await openPanel(browser, gateway, { theme });
    for (const path of ['/topology', '/topology?select=scrape', '/topology?edge=one%3Edecode']) {
      await panel.go(path);
      await panel.page.getByRole('button', { name: /^running one source generator/ }).waitFor();
      expect(await axeFindings(panel.page), path).toEqual([]);
      expect(await overflows(panel.page), path).toBe(false);
    }
    expect(panel.faults).toEqual([]);
    await panel.close();
  } finally {
    await gateway.stop();
  }
});
