/** The picture of the README: always taken, put into docs only when UPDATE_PICTURE is 1. */
import { copyFile, mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { finish, openPanel, startBrowser, startGateway } from './gateway.ts';

const ROOT = fileURLToPath(new URL('../../', import.meta.url));

const CONFIG = `version: 1
sources:
  telemetry: { plugin: generator, config: { rate: 400, hosts: 40, faults: 0.02 } }
handlers:
  decode: { plugin: collectd-metrics }
  keep-cpu-and-memory: { plugin: filter, config: { where: 'data.name.startsWith("collectd_cpu") || data.name.startsWith("collectd_memory")' } }
sinks:
  scrape: { plugin: prometheus, config: { port: 0 } }
pipelines:
  metrics: { from: [telemetry], through: [decode, keep-cpu-and-memory], to: [scrape] }
`;

let browser: Browser;
beforeAll(async () => {
  browser = await startBrowser();
});
afterAll(() => browser.close());

it('takes the picture of the README', async () => {
  const gateway = await startGateway(CONFIG);
  const panel = await openPanel(browser, gateway, { theme: 'dark', width: 1440, height: 900 });
  try {
    const { page } = panel;
    await panel.go('/live?at=decode');
    // The list is full, and the ledger has something to add up.
    await page.locator('[role=row][id^=row-]').nth(30).waitFor({ state: 'attached' });
    await page.getByText('adds up', { exact: true }).waitFor();
    await page.getByRole('button', { name: 'Pause', exact: true }).click();
    await page.locator('[role=row][data-verdict=modified]:not([id$="0"])').last().click();
    await page.locator('[data-mark=added]').first().waitFor();
    const folder = join(ROOT, 'test/artifacts');
    await mkdir(folder, { recursive: true });
    await page.screenshot({ path: join(folder, 'panel.png') });
    if (process.env['UPDATE_PICTURE'] === '1') {
      await mkdir(join(ROOT, 'docs'), { recursive: true });
      await copyFile(join(folder, 'panel.png'), join(ROOT, 'docs/panel.png'));
    }
  } finally {
    expect(await finish(panel, gateway)).toEqual([]);
  }
});
