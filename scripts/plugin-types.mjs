#!/usr/bin/env node
/**
 * Writes the types of `patchbay/plugin-api` that `plugins new` puts into a plugin's folder, where the gateway's own
 * sources can't be reached. With `--check`: says whether they are up to date, and writes nothing.
 */
import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { root } from './lib/paths.mjs';

const target = join(root, 'gateway-core/cli/scaffold/types/plugin-api');

/** Declarations by path below plugin-api. @returns {Map<string, string>} */
function generate() {
  const folder = mkdtempSync(join(tmpdir(), 'patchbay-types-'));
  try {
    const entries = ['index.ts', 'testing/index.ts'].map((name) => join(root, 'gateway-core/plugin-api', name));
    const options = '--ignoreConfig --declaration --emitDeclarationOnly --target ES2024 --module NodeNext --strict';
    execFileSync(
      process.execPath,
      [
        join(root, 'node_modules/typescript/bin/tsc'),
        ...entries,
        ...options.split(' '),
        ...['--exactOptionalPropertyTypes', '--allowImportingTsExtensions', '--verbatimModuleSyntax', '--skipLibCheck'],
        ...['--types', 'node', '--rootDir', join(root, 'gateway-core'), '--outDir', folder],
      ],
      { stdio: ['ignore', 'inherit', 'inherit'], cwd: root },
    );
    /** @type {Map<string, string>} */
    const all = new Map();
    /** @param {string} path */
    const take = (path) => {
      if (all.has(path)) return;
      const text = readFileSync(join(folder, 'plugin-api', path), 'utf8')
        // A `.d.ts` may be imported as the `.js` it stands for under any settings of the plugin's author.
        .replaceAll(/(from '|import\(['"])(\.\.?\/[^'"]+)\.ts(['"])/g, '$1$2.js$3');
      all.set(path, text);
      for (const [, to] of text.matchAll(/(?:from '|import\(['"])(\.\.?\/[^'"]+)\.js['"]/g))
        take(join(dirname(path), `${to}.d.ts`));
    };
    take('index.d.ts');
    take('testing/index.d.ts');
    return all;
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/** @returns {string[]} */
function present() {
  if (!existsSync(target)) return [];
  return readdirSync(target, { recursive: true, encoding: 'utf8' }).filter((name) => name.endsWith('.d.ts'));
}

const wanted = generate();
const stale = [
  ...[...wanted]
    .filter(([path, text]) => {
      const file = join(target, path);
      return !existsSync(file) || readFileSync(file, 'utf8') !== text;
    })
    .map(([path]) => path),
  ...present().filter((path) => !wanted.has(path)),
];
if (process.argv.includes('--check')) {
  if (stale.length > 0) {
    process.stderr.write(`not up to date: ${stale.join(', ')}\nRun \`node scripts/plugin-types.mjs\`.\n`);
    process.exitCode = 1;
  }
} else {
  rmSync(target, { recursive: true, force: true });
  for (const [path, text] of wanted) {
    mkdirSync(dirname(join(target, path)), { recursive: true });
    writeFileSync(join(target, path), text);
  }
}
