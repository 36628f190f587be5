import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { readImports, sourceFiles } from './read-imports.ts';
import { cycles, rules, violations } from './rules.ts';

const root = fileURLToPath(new URL('../../', import.meta.url));
const folders = ['gateway-core', 'plugins', 'renderer', 'electron'].filter((folder) => existsSync(join(root, folder)));
const files = sourceFiles(root, folders);
const imports = readImports(root, files);

describe('imports of the checkout', () => {
  it('are read at all', () => {
    expect(files.length).toBeGreaterThan(100);
    expect(imports.length).toBeGreaterThan(files.length);
    for (const rule of rules) expect(files.some(rule.about), `no file left for the rule: ${rule.name}`).toBe(true);
  });

  it.each(rules)('$name', (rule) => {
    const found = violations(imports, [rule]).map(({ from, to }) => `${from} imports ${to}`);
    expect(found, rule.reason).toEqual([]);
  });

  it('lead to files that exist', () => {
    const known = new Set(files);
    const missing = imports.filter(
      ({ to, relative }) => relative && /\.tsx?$/.test(to) && !known.has(to) && !existsSync(join(root, to)),
    );
    expect(missing.map(({ from, to }) => `${from} imports ${to}`)).toEqual([]);
  });

  it('go in no circle', () => {
    // In the renderer a form field may hold a form: components that draw each other are no fault there.
    expect(cycles(imports.filter(({ from }) => !from.startsWith('renderer/') && !/\.test\.tsx?$/.test(from)))).toEqual(
      [],
    );
  });
});
