import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { openCatalogue } from '../../gateway-core/catalog/catalogue.ts';
import { parseConfig } from '../../gateway-core/config/parse.ts';
import { validateConfig } from '../../gateway-core/config/validate.ts';
import { checkExpression } from '../../gateway-core/flow/expression.ts';
import { errorRegistry } from '../../gateway-core/protocol/errors/index.ts';
import { setupErrors } from '../lib/setup-errors.mjs';
import { EXAMPLE } from './config-page.ts';
import { pages } from './pages.ts';
import { builtInManifests } from './plugin-list.ts';

const root = fileURLToPath(new URL('../..', import.meta.url));

async function sources(): Promise<Map<string, string>> {
  const found = new Map<string, string>();
  for (const folder of ['gateway-core', 'plugins', 'electron', 'renderer', 'scripts']) {
    for (const path of await readdir(join(root, folder), { recursive: true })) {
      const skipped = /node_modules|\/dist\/|\.test\.|\.d\.ts$|^plugin-api\/testing\//.test(path);
      if (!skipped && /\.(ts|tsx|mjs|cts)$/.test(path))
        found.set(`${folder}/${path}`, await readFile(join(root, folder, path), 'utf8'));
    }
  }
  return found;
}

test('the generated pages are current', async () => {
  for (const [path, text] of await pages(root)) {
    expect(await readFile(join(root, path), 'utf8').catch(() => ''), `${path}: run node scripts/docs.mjs`).toBe(text);
  }
});

test('every code of the registry is used, every code used is declared', async () => {
  const used = new Map<string, string>();
  for (const [path, text] of await sources()) {
    for (const [, code = ''] of text.matchAll(/(?<!startsWith\()['"`](PB_[A-Z0-9]+(?:_[A-Z0-9]+)*)['"`]/g))
      used.set(code, path);
  }
  const manifests = await builtInManifests(root);
  const plugins = new Set(manifests.flatMap(({ errors = [] }) => errors.map(({ code }) => code)));
  const known = new Set([...Object.keys(errorRegistry), ...Object.keys(setupErrors), ...plugins]);
  expect(used.size).toBeGreaterThan(50);
  expect([...used].filter(([code]) => !known.has(code))).toEqual([]);
  expect(Object.keys(errorRegistry).filter((code) => !used.has(code))).toEqual([]);
  expect([...plugins].filter((code) => !used.has(code))).toEqual([]);
});

test('every entry says what, why and what to do, in sentences', () => {
  for (const [code, { template, cause, remedy }] of Object.entries(errorRegistry)) {
    expect(template.length, code).toBeGreaterThan(5);
    expect(cause, code).toMatch(/[.!?]$/);
    // A remedy may be filled in as a whole.
    expect(remedy, code).toMatch(/([.!?]|^\{\w+\})$/);
  }
});

test('the example of docs/config.md is valid', async () => {
  const catalogue = await openCatalogue({
    builtInFolder: join(root, 'plugins'),
    userFolder: join(root, 'docs/none'),
    cacheFolder: join(root, 'docs/none'),
  });
  const { problems } = await validateConfig(parseConfig(EXAMPLE), {
    catalogue,
    env: {},
    folder: root,
    secrets: { get: () => Promise.resolve(undefined) },
    checkExpression,
  });
  await catalogue.close();
  expect(problems).toEqual([]);
});
