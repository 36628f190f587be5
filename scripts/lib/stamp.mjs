/** Tells whether node_modules is what package-lock.json asks for, without asking npm. */
import { createHash } from 'node:crypto';

const FORMAT = 1;

/**
 * What the stamp in node_modules says when all is in place. Changes with the lock and the platform.
 *
 * @param {{ lock: string | Uint8Array, platform: string, arch: string }} facts
 */
export function stampOf(facts) {
  const hash = createHash('sha256').update(facts.lock).digest('hex');
  return `${FORMAT} ${hash} ${facts.platform}-${facts.arch}\n`;
}

/**
 * Whether an installed tree, as npm's own note of it in node_modules/.package-lock.json has it, is the one
 * that the lock asks for. Saves a reinstall after `npm install` has already done the work.
 *
 * @param {unknown} lock package-lock.json
 * @param {unknown} installed node_modules/.package-lock.json, which npm writes last
 * @param {{ platform: string, arch: string, musl: boolean, present: (folder: string) => boolean }} machine
 *   `present`: whether a folder of the tree is there
 */
export function treeMatches(lock, installed, machine) {
  const wanted = packagesOf(lock);
  const found = packagesOf(installed);
  if (wanted === undefined || found === undefined) return false;
  for (const [folder, entry] of Object.entries(wanted)) {
    if (folder === '') continue;
    const there = found[folder];
    if (there === undefined) {
      if (isForAnother(entry, machine)) continue;
      return false;
    }
    if (there.version !== entry.version || there.integrity !== entry.integrity || !machine.present(folder))
      return false;
  }
  return Object.keys(found).every((folder) => folder in wanted);
}

/** @typedef {{ version?: string, integrity?: string, optional?: boolean, os?: string[], cpu?: string[], libc?: string[] }} LockEntry */

/**
 * npm leaves out optional packages that are made for another platform, and what only those need.
 *
 * @param {LockEntry} entry
 * @param {{ platform: string, arch: string, musl: boolean }} machine
 */
function isForAnother(entry, machine) {
  if (entry.optional !== true) return false;
  if (entry.os === undefined && entry.cpu === undefined && entry.libc === undefined) return true;
  if (entry.os !== undefined && !entry.os.includes(machine.platform)) return true;
  if (entry.cpu !== undefined && !entry.cpu.includes(machine.arch)) return true;
  return entry.libc !== undefined && !entry.libc.includes(machine.musl ? 'musl' : 'glibc');
}

/**
 * @param {unknown} lock
 * @returns {Record<string, LockEntry> | undefined}
 */
function packagesOf(lock) {
  if (typeof lock !== 'object' || lock === null || !('packages' in lock)) return undefined;
  const { packages } = lock;
  return typeof packages === 'object' && packages !== null
    ? /** @type {Record<string, LockEntry>} */ (packages)
    : undefined;
}
