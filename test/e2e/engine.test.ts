import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { axeFindings, finish, openPanel, overflows, startBrowser, startGateway } from './gateway.ts';

const ARTIFACTS = fileURLToPath(new URL('../artifacts/', import.meta.url));

/** The sink `away` has no peer: its spool fills, and holds `busy` up, but not `calm`. */
const CONFIG = `version: 1
sources:
  fast: { plugin: generator, config: { rate: 6000 } }
  slow: { plugin: generator, config: { rate: 50 } }
handlers:
  decode: { plugin: collectd-metrics }
sinks:
  scrape: { plugin: prometheus, config: { port: 0 } }
  away: { plugin: amqp1, config: { url: "amqp://127.0.0.1:1", address: out }, buffer: { max: 256KiB } }
pipelines:
  busy: { from: [fast], to: [away] }
  calm: { from: [slow], through: [decode], to: [scrape] }
`;

let browser: Browser;
beforeAll(async () => {
  browser = await startBrowser();
  await mkdir(ARTIFACTS, { recursive: true });
});
afterAll(() => browser.close());

it.each([
  { theme: 'light', width: 1280, height: 800 },
  { theme: 'dark', width: 1920, height: 1080 },
] as const)('shows how the engine is doing, and what holds a pipeline up ($theme, $width)', async (options) => {
  const gateway = await startGateway(CONFIG);
  const panel = await openPanel(browser, gateway, options);
  const picture = (name: string) =>
    panel.page.screenshot({ path: join(ARTIFACTS, `${name}-${options.theme}-${options.width}.png`) });
  try {
    const { page } = panel;
    await panel.go('/topology');
    // The sink that is away is named, with an icon and a word; the rest is not.
    await page.locator('[data-node=away]').getByText('bottleneck').waitFor();
    expect(
      await page
        .locator('[data-node]', { hasText: 'bottleneck' })
        .evaluateAll((nodes) => nodes.map((node) => node.getAttribute('data-node'))),
    ).toEqual(['away']);
    await page.getByRole('button', { name: /^running slow source generator [\d.]+\/s\s*\d+ % busy/ }).waitFor();
    expect(await axeFindings(page)).toEqual([]);
    await picture('bottleneck');

    await panel.go('/topology?select=away');
    const inspector = page.getByRole('complementary', { name: 'Inspector' });
    await inspector.getByText(/^Held up: waits for sink away, which is away/).waitFor();
    await inspector.locator('[data-row=held]').getByText(/^\d/).waitFor();
    await inspector.getByText('adds up', { exact: true }).waitFor();
    await picture('bottleneck-sink');
    await panel.go('/topology?edge=fast%3Eaway');
    await inspector.getByText(/^Held up: waits for sink away/).waitFor();
    await panel.go('/topology?select=decode');
    await inspector.locator('[data-row=created]').waitFor();
    await picture('step-ledger');
    expect(await axeFindings(page)).toEqual([]);

    await page.getByRole('button', { name: 'Engine', exact: true }).click();
    const health = page.getByRole('region', { name: 'How the engine is doing' });
    for (const thread of ['control', 'storage', 'worker-1'])
      await health
        .locator(`[data-thread=${thread}]`)
        .getByText(/^\d.* of \d/)
        .waitFor();
    await health.getByText(/free of/).waitFor();
    await picture('engine');
    expect(await axeFindings(page)).toEqual([]);
    expect(await overflows(page)).toBe(false);
    const box = await page.locator('[role=dialog]').boundingBox();
    expect((box?.x ?? -1) >= 0 && (box?.x ?? 0) + (box?.width ?? 0) <= options.width).toBe(true);
    expect(
      await page.evaluate<boolean>(`(() => {
        const view = document.querySelector('[role=dialog]');
        return view.scrollWidth > view.clientWidth;
      })()`),
    ).toBe(false);
    await page.keyboard.press('Escape');
    await health.waitFor({ state: 'detached' });
  } finally {
    expect(await finish(panel, gateway)).toEqual([]);
  }
});

it('greys what it knew of an engine that is gone, and marks the epoch after a cut', async () => {
  const gateway = await startGateway(CONFIG);
  const panel = await openPanel(browser, gateway);
  let again: typeof gateway | undefined;
  try {
    const { page } = panel;
    await page.getByRole('button', { name: 'Engine', exact: true }).click();
    const health = page.getByRole('region', { name: 'How the engine is doing' });
    await health.getByText('Threads, memory and disk in the last second.').waitFor();
    await gateway.program.end('SIGKILL');
    await health.getByText(/^As of .*: the engine is not connected\.$/).waitFor();
    await health.locator('[data-stale=true]').waitFor();
    again = await startGateway(undefined, gateway);
    expect((await again.client.call('status.get', {})).epochStart).toBe('unclean');
    const { events } = await again.client.call('events.list', { limit: 20 });
    expect(events).toContainEqual(expect.objectContaining({ type: 'gateway.unclean', code: 'PB_UNCLEAN_END' }));
    await page.locator('footer').getByText('counted anew after a cut').waitFor();
    await health.getByText(/after a run that was cut off/).waitFor();
    expect(await axeFindings(page)).toEqual([]);
    await page.screenshot({ path: join(ARTIFACTS, 'engine-after-a-cut.png') });
  } finally {
    expect(await finish(panel, again ?? gateway)).toEqual([]);
  }
});
