#!/usr/bin/env node
/** `npm run mutants [-- WORD…]`: applies each fault of test/mutants to a copy, and sees the named test turn red. */
import { spawn } from 'node:child_process';
import {
  cpSync,
  existsSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  realpathSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { exitOf } from './lib/exit-of.mjs';
import { applyMutant, checkMutants, verdict } from './lib/mutants.mjs';
import { root } from './lib/paths.mjs';

/** A mutant may loop for ever: that counts as red. */
const LIMIT_MS = 120_000;
const LEFT_OUT = new Set(['node_modules', '.git', '.runtime', 'dist', 'out', 'coverage', 'artifacts']);

const words = process.argv.slice(2);
const folder = join(root, 'test/mutants');
const mutants = readdirSync(folder)
  .filter((file) => file.endsWith('.json'))
  .toSorted()
  .flatMap((file) => checkMutants(JSON.parse(readFileSync(join(folder, file), 'utf8')), file))
  .filter(({ name, file }) => words.length === 0 || words.some((word) => name.includes(word) || file.includes(word)));

const copy = mkdtempSync(join(tmpdir(), 'patchbay-mutants-'));
/** @type {import('node:child_process').ChildProcess | undefined} */
let running;
let interrupted = false;
for (const signal of /** @type {const} */ (['SIGINT', 'SIGTERM'])) {
  process.on(signal, () => {
    interrupted = true;
    running?.kill('SIGKILL');
  });
}

/**
 * @param {import('./lib/mutants.mjs').Mutant} mutant
 * @returns {Promise<unknown>} vitest's report; undefined: there is none
 */
async function runTest(mutant) {
  const report = join(copy, 'mutants-report.json');
  rmSync(report, { force: true });
  const args = ['run', `--project=${mutant.project}`, '--reporter=json', `--outputFile=${report}`, mutant.test];
  running = spawn(process.execPath, [join(root, 'node_modules/vitest/vitest.mjs'), ...args], {
    cwd: copy,
    stdio: 'ignore',
  });
  const limit = setTimeout(() => running?.kill('SIGKILL'), LIMIT_MS);
  await exitOf(running);
  clearTimeout(limit);
  return existsSync(report) ? JSON.parse(readFileSync(report, 'utf8')) : undefined;
}

try {
  cpSync(root, copy, { recursive: true, filter: (source) => source === root || !LEFT_OUT.has(basename(source)) });
  // Where it really is: third-party workers may read where a link leads, not what links on the way.
  symlinkSync(realpathSync(join(root, 'node_modules')), join(copy, 'node_modules'), 'junction');
  /** @type {Map<string, unknown>} */
  const unmutated = new Map();
  let survivors = 0;
  for (const mutant of mutants) {
    if (interrupted) break;
    const key = `${mutant.project} ${mutant.test}`;
    if (!unmutated.has(key)) unmutated.set(key, await runTest(mutant));
    const file = join(copy, mutant.file);
    const original = existsSync(file) ? readFileSync(file, 'utf8') : '';
    const applied = applyMutant(original, mutant);
    /** @type {import('./lib/mutants.mjs').Verdict} */
    let result = { ok: false, word: 'error', why: applied.error };
    if (applied.text !== undefined) {
      writeFileSync(file, applied.text);
      result = verdict(mutant, unmutated.get(key), await runTest(mutant));
      writeFileSync(file, original);
    }
    if (!result.ok) survivors++;
    process.stdout.write(
      `${result.word.padEnd(9)}${mutant.file}: ${mutant.name}${result.why === '' ? '' : ` (${result.why})`}\n`,
    );
  }
  process.stdout.write(`${mutants.length - survivors} of ${mutants.length} mutants caught\n`);
  if (survivors > 0 || interrupted) process.exitCode = 1;
} finally {
  rmSync(copy, { recursive: true, force: true });
}
