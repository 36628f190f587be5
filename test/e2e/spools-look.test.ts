/** What is said of spools, in both themes and at both sizes; pictures of it in test/artifacts. */
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';
import { axeFindings, overflows } from './gateway.ts';
import { SpoolStage } from './spool-stage.ts';

const ARTIFACTS = fileURLToPath(new URL('../artifacts/', import.meta.url));

const stage = new SpoolStage();

it.each(['light', 'dark'] as const)('is accessible and fits, in %s', async (theme) => {
  await stage.start('128KiB', theme);
  await stage.fill();
  await mkdir(ARTIFACTS, { recursive: true });
  for (const [width, height] of [
    [1280, 800],
    [1920, 1080],
  ] as const) {
    await stage.page.setViewportSize({ width, height });
    for (const [name, path] of [
      ['canvas', '/topology'],
      ['sink', '/topology?select=out'],
      ['source', '/topology?select=in'],
      ['edge', '/topology?edge=in%3Ekeep'],
    ] as const) {
      await stage.panel.go(path);
      await stage.edge('keep>out').getByText('spool full', { exact: true }).waitFor();
      await stage.page.locator('footer').getByText('adds up', { exact: true }).waitFor();
      await stage.page.screenshot({ path: join(ARTIFACTS, `spools-${name}-${theme}-${width}.png`) });
      if (width === 1280) expect(await axeFindings(stage.page), path).toEqual([]);
      expect(await overflows(stage.page), `${path} ${width}`).toBe(false);
    }
  }
  await stage.page.setViewportSize({ width: 1280, height: 800 });
  await stage.page.keyboard.press('n');
  await stage.page.getByRole('dialog', { name: 'What needs you' }).waitFor();
  await stage.page.screenshot({ path: join(ARTIFACTS, `spools-needs-${theme}.png`) });
  expect(await axeFindings(stage.page)).toEqual([]);
  await stage.page.keyboard.press('Escape');
  await stage.panel.go('/topology?select=out');
  await stage
    .inspector()
    .getByRole('button', { name: /^Purge out/ })
    .click();
  await stage.page.getByRole('dialog', { name: 'Purge out?' }).waitFor();
  await stage.page.screenshot({ path: join(ARTIFACTS, `spools-purge-${theme}.png`) });
  expect(await axeFindings(stage.page)).toEqual([]);
});
