#!/usr/bin/env node
/**
 * Makes the checkout runnable: a Node that is new enough, and what package-lock.json names. Needs
 * nothing but Node 18; does nothing, quickly, when all is in place. Safe to run twice at once and
 * to interrupt: the stamp is written last.
 */
import {
  accessSync,
  constants,
  copyFileSync,
  linkSync,
  mkdirSync,
  readFileSync,
  realpathSync,
  rmSync,
  statSync,
  symlinkSync,
} from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { pathToFileURL } from 'node:url';
import { layout, root } from './lib/paths.mjs';
import { stampOf } from './lib/stamp.mjs';

const LOCK_LIMIT_MS = 15 * 60_000;

/**
 * Brings the checkout up to date.
 *
 * @param {{ checkout?: string, say?: (line: string) => void }} [options] `say` gets one line per step; silent when nothing is to be done
 * @returns {Promise<string>} the path of the Node to run everything with
 */
export async function ensureSetup(options = {}) {
  const paths = layout(options.checkout ?? root);
  if (isReady(paths)) return paths.node;
  const { installAll } = await import('./lib/install.mjs');
  return installAll(paths, {
    say: options.say ?? sayOnStderr,
    isReady: () => isReady(paths),
    link: (target) => linkNode(paths.node, target),
    limitMs: LOCK_LIMIT_MS,
  });
}

/** @param {string} line */
export function sayOnStderr(line) {
  process.stderr.write(`setup: ${line}\n`);
}

/**
 * True when the stamp is that of this lock and machine, and the Node is there.
 *
 * @param {ReturnType<typeof layout>} paths
 */
function isReady(paths) {
  try {
    const stamp = readFileSync(paths.stamp, 'utf8');
    if (stamp !== stampOf({ lock: readFileSync(paths.lockfile), platform: process.platform, arch: process.arch }))
      return false;
    accessSync(paths.node, constants.X_OK);
    return statSync(paths.node).isFile();
  } catch {
    return false;
  }
}

/**
 * @param {string} link
 * @param {string} target
 */
function linkNode(link, target) {
  mkdirSync(dirname(link), { recursive: true });
  try {
    if (realpathSync(link) === realpathSync(target)) return;
  } catch {
    // Not there, or it dangles.
  }
  rmSync(link, { force: true });
  if (process.platform !== 'win32') {
    // Relative when it stays inside the checkout, so that the folder may be moved.
    const inside = target.startsWith(join(dirname(link), '../..'));
    symlinkSync(inside ? relative(dirname(link), target) : target, link);
    return;
  }
  try {
    linkSync(target, link);
  } catch {
    copyFileSync(target, link);
  }
}

if (process.argv[1] !== undefined && import.meta.url === pathToFileURL(realpathSync(process.argv[1])).href) {
  const begun = Date.now();
  try {
    await ensureSetup();
    if (!process.argv.includes('--quiet')) sayOnStderr(`ready (${Date.now() - begun} ms)`);
  } catch (error) {
    const { describeFailure } = await import('./lib/setup-errors.mjs');
    process.stderr.write(`${describeFailure(error)}\n`);
    process.exitCode = 1;
  }
}
