#!/usr/bin/env node
/**
 * `npm test [SECTION…]`: sets up, then every section in order, even after one that failed. The last line is
 * the sum over all of vitest's tests; a failed check of the static section counts as a failed test in it.
 */
import { spawn } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, dirname, join } from 'node:path';
import { exitOf } from './lib/exit-of.mjs';
import { root } from './lib/paths.mjs';
import { buildRenderer } from './lib/renderer-build.mjs';
import { chooseSections } from './lib/sections.mjs';
import { describeFailure } from './lib/setup-errors.mjs';
import { addTally, emptyTally, lastLine, tallyOf, unexpectedSkips } from './lib/tally.mjs';
import { ensureSetup, sayOnStderr } from './setup.mjs';

/** A section that takes longer hangs. */
const SECTION_LIMIT_MS = 25 * 60_000;

/** @type {import('node:child_process').ChildProcess | undefined} */
let running;
let interrupted = false;

/** @param {string} line */
function print(line) {
  process.stdout.write(`${line}\n`);
}

/** @param {NodeJS.Signals} signal */
function endRunning(signal) {
  if (running?.pid === undefined) return;
  try {
    // Its whole group: what a test started must not outlive it.
    process.kill(process.platform === 'win32' ? running.pid : -running.pid, signal);
  } catch {
    // Gone already.
  }
}

/**
 * @param {string} node
 * @param {readonly string[]} args
 * @returns {Promise<number | null>} exit code; null: ended by a signal
 */
async function runNode(node, args) {
  if (interrupted) return null;
  const env = { ...process.env, PATH: `${dirname(node)}${delimiter}${process.env['PATH'] ?? ''}` };
  const child = spawn(node, args, {
    cwd: root,
    env,
    stdio: ['ignore', 'inherit', 'inherit'],
    detached: process.platform !== 'win32',
  });
  running = child;
  const limit = setTimeout(() => {
    print(`  still running after ${SECTION_LIMIT_MS / 60_000} minutes: ending it`);
    endRunning('SIGKILL');
  }, SECTION_LIMIT_MS);
  try {
    return (await exitOf(child)).code;
  } finally {
    clearTimeout(limit);
    endRunning('SIGKILL');
    running = undefined;
  }
}

/**
 * @param {import('./lib/sections.mjs').CheckSection} section
 * @param {string} node
 */
async function runChecks(section, node) {
  const tally = emptyTally();
  for (const step of section.steps) {
    if (!existsSync(join(root, step.script))) continue;
    const begun = Date.now();
    const code = await runNode(node, [join(root, step.script), ...step.args]);
    print(`  ${code === 0 ? 'ok  ' : 'FAIL'} ${step.title} (${seconds(begun)})`);
    if (code !== 0) tally.failedTests.push({ file: section.name, name: step.title });
  }
  tally.failed = tally.failedTests.length;
  return tally;
}

/**
 * @param {import('./lib/sections.mjs').VitestSection} section
 * @param {string} node
 */
async function runVitest(section, node) {
  const folder = mkdtempSync(join(tmpdir(), 'patchbay-test-'));
  try {
    if (section.needsRenderer) await buildRenderer({ root, node, say: (line) => print(`  ${line}`) });
    const file = join(folder, 'report.json');
    const exitCode = await runNode(node, [
      join(root, 'node_modules/vitest/vitest.mjs'),
      'run',
      `--project=${section.name}`,
      '--reporter=default',
      '--reporter=json',
      `--outputFile.json=${file}`,
    ]);
    return tallyOf(existsSync(file) ? JSON.parse(readFileSync(file, 'utf8')) : undefined, {
      root,
      exitCode,
      section: section.name,
    });
  } catch (error) {
    print(describeFailure(error));
    return tallyOf(undefined, { root, exitCode: 1, section: section.name });
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** @param {number} begun */
function seconds(begun) {
  return `${((Date.now() - begun) / 1000).toFixed(1)} s`;
}

async function main() {
  const { run, unknown } = chooseSections(
    process.argv.slice(2).filter((argument) => !argument.startsWith('-')),
    (path) => existsSync(join(root, path)),
  );
  if (unknown.length > 0) {
    print(`no such section: ${unknown.join(', ')}`);
    process.exitCode = 2;
    return;
  }
  const node = await ensureSetup({ say: sayOnStderr });
  for (const signal of /** @type {const} */ (['SIGINT', 'SIGTERM'])) {
    process.on(signal, () => {
      interrupted = true;
      endRunning(signal);
    });
  }
  const total = emptyTally();
  const begun = Date.now();
  /** @type {string[]} */
  const overview = [];
  for (const section of run) {
    print(`\n=== ${section.name} ===`);
    const start = Date.now();
    const tally = section.kind === 'check' ? await runChecks(section, node) : await runVitest(section, node);
    const counts = section.kind === 'check' ? (tally.failed === 0 ? 'ok' : `${tally.failed} failed`) : lastLine(tally);
    overview.push(`  ${section.name.padEnd(14)}${counts} (${seconds(start)})`);
    print(overview.at(-1)?.trimStart() ?? '');
    addTally(total, tally);
    if (interrupted) break;
  }

  print(`\n=== summary (${seconds(begun)}) ===`);
  for (const line of overview) print(line);
  if (total.failedTests.length > 0) print('failed:');
  for (const { file, name } of total.failedTests) print(`  ${file}: ${name}`);
  if (total.skippedTests.length > 0) print('skipped:');
  for (const { file, name } of total.skippedTests) print(`  ${file}: ${name}`);

  const inCi = /^(1|true)$/i.test(process.env['CI'] ?? '');
  const allowed = /** @type {{ path: string, reason: string }[]} */ (
    JSON.parse(readFileSync(join(root, 'test/allowed-skips.json'), 'utf8'))
  );
  const unexpected = unexpectedSkips(total.skippedTests, allowed);
  if (inCi && unexpected.length > 0)
    print(`CI allows no skipped tests but those of test/allowed-skips.json: ${unexpected.length} too many`);
  if (interrupted) print('interrupted');
  if (total.failed > 0 || interrupted || (inCi && unexpected.length > 0)) process.exitCode = interrupted ? 130 : 1;
  print(lastLine(total));
}

try {
  await main();
} catch (error) {
  process.stderr.write(`${describeFailure(error)}\n`);
  print(lastLine({ ...emptyTally(), failed: 1 }));
  process.exitCode = 1;
}
