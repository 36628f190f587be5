/** Finds the machine's npm and runs one, saying now and then that it still works. */
import { spawn } from 'node:child_process';
import { existsSync, readFileSync, realpathSync } from 'node:fs';
import { basename, delimiter, dirname, join } from 'node:path';
import { exitOf } from './exit-of.mjs';
import { SetupError, classifyNpmFailure } from './setup-errors.mjs';
import { cleanNpmEnvironment } from './runtime-choice.mjs';

const BEAT_MS = 5_000;

/**
 * npm's entry file and version: the npm that runs us, the one beside our Node, or the first on the PATH.
 *
 * @param {{ environment: Readonly<Record<string, string | undefined>>, execPath: string, platform: string }} machine
 * @returns {{ cli: string, version: string } | undefined}
 */
export function findNpm(machine) {
  const windows = machine.platform === 'win32';
  const beside = dirname(machine.execPath);
  const candidates = [
    machine.environment['npm_execpath'],
    windows ? join(beside, 'node_modules/npm/bin/npm-cli.js') : join(beside, '../lib/node_modules/npm/bin/npm-cli.js'),
  ];
  for (const folder of (machine.environment['PATH'] ?? machine.environment['Path'] ?? '').split(delimiter)) {
    if (folder === '') continue;
    candidates.push(windows ? join(folder, 'node_modules/npm/bin/npm-cli.js') : join(folder, 'npm'));
  }
  for (const candidate of candidates) {
    const found = candidate === undefined ? undefined : npmAt(candidate);
    if (found !== undefined) return found;
  }
  return undefined;
}

/**
 * @param {string} path a npm-cli.js, a link to one, or Debian's or a version manager's wrapper
 * @returns {{ cli: string, version: string } | undefined}
 */
function npmAt(path) {
  try {
    let cli = realpathSync(path);
    if (basename(cli) !== 'npm-cli.js') cli = join(dirname(cli), '../lib/node_modules/npm/bin/npm-cli.js');
    if (!existsSync(cli)) return undefined;
    const about = /** @type {{ name?: unknown, version?: unknown }} */ (
      JSON.parse(readFileSync(join(dirname(cli), '../package.json'), 'utf8'))
    );
    return about.name === 'npm' && typeof about.version === 'string' ? { cli, version: about.version } : undefined;
  } catch {
    return undefined;
  }
}

/**
 * Runs npm to its end; its errors pass through to our standard error.
 *
 * @param {{ node: string, cli: string, cwd: string, args: readonly string[], step: string, say: (line: string) => void }} options
 * @returns {Promise<void>} rejects with a SetupError
 */
export async function runNpm(options) {
  const begun = Date.now();
  const quiet = ['--no-audit', '--no-fund', '--no-update-notifier', '--loglevel=error', '--progress=false'];
  const child = spawn(options.node, [options.cli, ...options.args, ...quiet, `--prefix=${options.cwd}`], {
    cwd: options.cwd,
    env: {
      ...cleanNpmEnvironment(process.env),
      PATH: `${dirname(options.node)}${delimiter}${process.env['PATH'] ?? ''}`,
    },
    stdio: ['ignore', 'pipe', 'pipe'],
    windowsHide: true,
  });
  let errors = '';
  child.stdout.resume();
  child.stderr.setEncoding('utf8').on('data', (/** @type {string} */ text) => {
    errors = (errors + text).slice(-20_000);
    process.stderr.write(text);
  });
  const beat = setInterval(
    () => options.say(`… ${options.step}, ${Math.round((Date.now() - begun) / 1000)} s`),
    BEAT_MS,
  );
  const stop = () => child.kill('SIGTERM');
  process.once('SIGTERM', stop);
  try {
    const { code, signal } = await exitOf(child);
    if (signal !== null) throw new SetupError('PB_SETUP_INTERRUPTED', { detail: signal });
    if (code !== 0) {
      const known = classifyNpmFailure(errors);
      throw known === undefined
        ? new SetupError('PB_SETUP_FAILED', { step: options.step, detail: code })
        : new SetupError(known.code, { detail: known.detail, root: options.cwd });
    }
  } finally {
    clearInterval(beat);
    process.removeListener('SIGTERM', stop);
  }
}
