/** Starts the checkout's own Node in our place or as a child. */
import { spawn } from 'node:child_process';
import { mkdirSync } from 'node:fs';
import { constants, tmpdir } from 'node:os';
import { join } from 'node:path';

/**
 * The environment in which the product's TypeScript starts fast: stripped code is kept between runs.
 *
 * @param {Readonly<Record<string, string | undefined>>} environment
 * @param {string} cacheFolder made if it is missing; where that fails, the system's temporary folder serves
 * @returns {Record<string, string>}
 */
export function engineEnvironment(environment, cacheFolder) {
  /** @type {Record<string, string>} */
  const result = {};
  for (const [name, value] of Object.entries(environment)) if (value !== undefined) result[name] = value;
  if (result['NODE_COMPILE_CACHE'] === undefined && result['NODE_DISABLE_COMPILE_CACHE'] === undefined) {
    let folder = join(cacheFolder, 'compile');
    try {
      mkdirSync(folder, { recursive: true });
    } catch {
      folder = join(tmpdir(), 'patchbay-compile-cache');
    }
    result['NODE_COMPILE_CACHE'] = folder;
  }
  // glibc gives every thread memory arenas of its own; two for all save 5 to 10 MB.
  result['MALLOC_ARENA_MAX'] ??= '2';
  return result;
}

/** Node's notices about what it calls experimental are for us, not for who runs the product. */
export const NODE_FLAGS = [
  '--disable-warning=ExperimentalWarning',
  // The control thread allocates little: without this its young generation grows at start and stays (20 MB).
  '--max-semi-space-size=2',
];

/** Signals that we hand on to a child; the terminal sends SIGINT to both of us already. */
const HANDED_ON = /** @type {const} */ (['SIGTERM', 'SIGHUP', 'SIGUSR2']);

/**
 * Becomes `node args…` where the system lets us, keeping process id, terminal and signals; else runs it
 * as a child with our standard streams, hands signals on, and ends as it ends.
 *
 * @param {string} node
 * @param {readonly string[]} args
 * @param {Record<string, string>} environment
 */
export function becomeNode(node, args, environment) {
  if (typeof process.execve === 'function' && process.platform !== 'win32') {
    // Its one warning is that execve is experimental.
    process.removeAllListeners('warning');
    try {
      process.execve(node, [node, ...args], environment);
    } catch {
      // Not to be had here (a sandbox, say): a child does as well.
    }
  }
  const child = spawn(node, args, { stdio: 'inherit', env: environment });
  for (const signal of HANDED_ON) process.on(signal, () => child.kill(signal));
  process.on('SIGINT', () => {
    // At a terminal the child has it too; without one it must come from us.
    if (!process.stdin.isTTY && !process.stdout.isTTY && !process.stderr.isTTY) child.kill('SIGINT');
  });
  child.once('error', (error) => {
    process.stderr.write(`cannot run ${node}: ${error.message}\n`);
    process.exit(1);
  });
  child.once('exit', (code, signal) =>
    process.exit(code ?? 128 + constants.signals[/** @type {NodeJS.Signals} */ (signal)]),
  );
}
