#!/usr/bin/env node
/**
 * `npm start [-- startup.yaml --data DIR …]`: sets up, builds the panel if its sources changed, then runs the
 * desktop app where Electron is to be had, else the gateway with the panel in a browser window.
 */
import { spawn } from 'node:child_process';
import { existsSync, mkdirSync } from 'node:fs';
import { constants } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { buildPreload } from './lib/preload-build.mjs';
import { provideElectron } from './lib/electron-binary.mjs';
import { exitOf } from './lib/exit-of.mjs';
import { layout, root } from './lib/paths.mjs';
import { buildRenderer } from './lib/renderer-build.mjs';
import { NODE_FLAGS, engineEnvironment } from './lib/run-node.mjs';
import { describeFailure } from './lib/setup-errors.mjs';
import { hasDisplay, panelLink, windowCommand } from './lib/window.mjs';
import { ensureSetup } from './setup.mjs';

/** An app that ends with a failure this soon never showed a window: a library is missing, say. */
const EARLY_MS = 5_000;
const paths = layout(root);
const asRoot = process.getuid?.() === 0;

/** @param {string} line */
function say(line) {
  process.stderr.write(`${line}\n`);
}

/** What is to end with us. */
/** @type {Set<import('node:child_process').ChildProcess>} */
const children = new Set();
let ending = false;

/** @param {NodeJS.Signals} signal */
function handOn(signal) {
  ending = true;
  // A terminal sends SIGINT to the children too, and a second one means "at once" to the gateway.
  const theyHaveIt = signal === 'SIGINT' && (process.stdin.isTTY || process.stdout.isTTY || process.stderr.isTTY);
  if (!theyHaveIt) for (const child of children) child.kill(signal);
}
for (const signal of /** @type {const} */ (['SIGINT', 'SIGTERM', 'SIGHUP'])) {
  process.on(signal, () => handOn(signal));
}

/**
 * @param {{ code: number | null, signal: NodeJS.Signals | null }} end
 */
function exitCodeOf({ code, signal }) {
  return code ?? 128 + (signal === null ? 0 : constants.signals[signal]);
}

/**
 * @param {string} binary
 * @param {readonly string[]} args
 * @returns {Promise<number | undefined>} exit code; undefined: it did not come up
 */
async function runApp(binary, args) {
  const begun = Date.now();
  const child = spawn(binary, [...(asRoot ? ['--no-sandbox'] : []), root, ...args], {
    cwd: process.cwd(),
    stdio: 'inherit',
  });
  children.add(child);
  try {
    const end = await exitOf(child);
    const early = Date.now() - begun < EARLY_MS;
    return early && !ending && exitCodeOf(end) !== 0 ? undefined : exitCodeOf(end);
  } catch {
    return undefined;
  } finally {
    children.delete(child);
  }
}

/**
 * @param {string} node
 * @param {readonly string[]} args
 * @returns {Promise<number>} exit code
 */
async function runBrowserMode(node, args) {
  const child = spawn(node, [...NODE_FLAGS, join(root, 'gateway-core/cli/main.ts'), 'run', ...args], {
    stdio: ['inherit', 'pipe', 'inherit'],
    env: engineEnvironment(process.env, paths.cache),
  });
  children.add(child);
  /** @type {import('node:child_process').ChildProcess | undefined} */
  let window;
  createInterface({ input: child.stdout }).on('line', (line) => {
    process.stdout.write(`${line}\n`);
    const link = panelLink(line);
    if (link !== undefined && window === undefined) window = openWindow(link);
  });
  try {
    return exitCodeOf(await exitOf(child));
  } finally {
    children.delete(child);
    window?.kill();
  }
}

/**
 * @param {string} link
 * @returns {import('node:child_process').ChildProcess | undefined} the window's process, when it is ours to end
 */
function openWindow(link) {
  if (!hasDisplay({ platform: process.platform, environment: process.env })) return undefined;
  const profile = join(paths.cache, 'window');
  mkdirSync(profile, { recursive: true });
  const found = windowCommand(link, {
    platform: process.platform,
    environment: process.env,
    root: asRoot,
    profile,
    present: existsSync,
  });
  if (found === undefined) {
    say('No browser was found: open the link above in one.');
    return undefined;
  }
  const child = spawn(found.command, found.args, { stdio: 'ignore', detached: !found.ours });
  child.once('error', () => say('The browser did not start: open the link above in one.'));
  child.unref();
  return found.ours ? child : undefined;
}

/** @param {string} node */
async function chooseApp(node) {
  if (!hasDisplay({ platform: process.platform, environment: process.env })) return { reason: 'there is no display' };
  const found = await provideElectron({ root, node, cache: paths.cache, say });
  if ('binary' in found) await buildPreload({ root, node });
  return found;
}

try {
  const args = process.argv.slice(2);
  const node = await ensureSetup();
  await buildRenderer({ root, node, say });
  const app = ending ? { reason: 'interrupted' } : await chooseApp(node);
  let code = 'binary' in app ? await runApp(app.binary, args) : undefined;
  if (code === undefined && !ending) {
    say(`Browser mode: ${'binary' in app ? 'the Electron app did not come up' : app.reason}.`);
    code = await runBrowserMode(node, args);
  }
  process.exitCode = code ?? 130;
} catch (error) {
  say(describeFailure(error));
  process.exitCode = 1;
}
