/** Electron's binary: npm does not carry it, it comes with a download of its own. */
import { spawn } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { exitOf } from './exit-of.mjs';

/** How long the one try may take. */
export const FETCH_LIMIT_MS = 90_000;
/** A failed try is not repeated for so long: the next start is quick. */
export const RETRY_AFTER_MS = 24 * 3_600_000;

/**
 * @typedef {{ version: string, at: number, reason: string }} FailedTry
 */

/**
 * Whether to try a download: not again soon after one of the same version failed.
 *
 * @param {FailedTry | undefined} failed
 * @param {{ version: string, now: number }} current
 */
export function shouldFetch(failed, current) {
  return (
    failed === undefined ||
    failed.version !== current.version ||
    current.now - failed.at > RETRY_AFTER_MS ||
    current.now < failed.at
  );
}

/**
 * The binary, if it is there.
 *
 * @param {string} root
 * @param {Readonly<Record<string, string | undefined>>} environment
 * @returns {string | undefined}
 */
export function findElectron(root, environment) {
  const folder = join(root, 'node_modules/electron');
  const override = environment['ELECTRON_OVERRIDE_DIST_PATH'];
  const names = { darwin: 'Electron.app/Contents/MacOS/Electron', win32: 'electron.exe' };
  const name = process.platform in names ? names[/** @type {'darwin' | 'win32'} */ (process.platform)] : 'electron';
  const file = join(override ?? join(folder, 'dist'), name);
  return existsSync(file) ? file : undefined;
}

/**
 * The binary, fetched if need be and possible; else why not, in one line.
 *
 * @param {{ root: string, node: string, cache: string, say: (line: string) => void }} options
 * @returns {Promise<{ binary: string } | { reason: string }>}
 */
export async function provideElectron(options) {
  const present = findElectron(options.root, process.env);
  if (present !== undefined) return { binary: present };
  const folder = join(options.root, 'node_modules/electron');
  const note = join(options.cache, 'electron-not-fetched.json');
  /** @type {string} */
  let version;
  try {
    version = /** @type {{ version: string }} */ (JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8')))
      .version;
  } catch {
    return { reason: 'the electron package is not installed' };
  }
  const failed = readNote(note);
  if (failed !== undefined && !shouldFetch(failed, { version, now: Date.now() })) {
    return { reason: `${failed.reason} (not tried again today; "npx install-electron" does)` };
  }
  options.say(`fetching Electron ${version}, once, for at most ${FETCH_LIMIT_MS / 1000} s`);
  const child = spawn(options.node, [join(folder, 'install.js')], {
    cwd: options.root,
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  let errors = '';
  child.stderr.setEncoding('utf8').on('data', (/** @type {string} */ text) => {
    errors = (errors + text).slice(-4_000);
  });
  let late = false;
  const limit = setTimeout(() => {
    late = true;
    child.kill('SIGKILL');
  }, FETCH_LIMIT_MS);
  const { code } = await exitOf(child);
  clearTimeout(limit);
  const binary = findElectron(options.root, process.env);
  if (code === 0 && binary !== undefined) {
    rmSync(note, { force: true });
    return { binary };
  }
  const reason = `Electron's binary could not be fetched (${late ? 'too slow' : whyNot(errors)})`;
  mkdirSync(dirname(note), { recursive: true });
  writeFileSync(note, JSON.stringify({ version, at: Date.now(), reason }));
  return { reason };
}

/**
 * The telling word of a failed download.
 *
 * @param {string} errors
 */
export function whyNot(errors) {
  const code = /\b(E[A-Z]{4,}|Response code \d+[^\n]{0,40})/.exec(errors)?.[1];
  if (code !== undefined) return code;
  const line = errors.split('\n').find((text) => /error/i.test(text));
  return line === undefined ? 'no reason given' : line.trim().slice(0, 120);
}

/**
 * @param {string} file
 * @returns {FailedTry | undefined}
 */
function readNote(file) {
  try {
    return /** @type {FailedTry} */ (JSON.parse(readFileSync(file, 'utf8')));
  } catch {
    return undefined;
  }
}
