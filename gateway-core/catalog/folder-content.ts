import { createHash, type Hash } from 'node:crypto';
import { chmod, lstat, mkdir, open, readdir, readlink, symlink, writeFile } from 'node:fs/promises';
import { dirname, join, normalize, sep } from 'node:path';
import { formatSize } from '../config/quantity.ts';
import { plainReason } from '../config/read-text-file.ts';
import { CodedError } from '../engine/error.ts';

export interface FolderLimits {
  readonly maxFiles: number;
  readonly maxBytes: number;
}

export const PLUGIN_LIMITS: FolderLimits = { maxFiles: 20_000, maxBytes: 512 * 2 ** 20 };
const MAX_DEPTH = 40;

/** One file or link of a folder; folders themselves are not content. */
export interface FolderEntry {
  /** With `/`, relative to the folder. */
  readonly path: string;
  readonly kind: 'file' | 'link';
  readonly size: number;
  readonly executable: boolean;
  /** Of a link: where it leads, as written. */
  readonly target: string;
  /** Changes whenever the file does. */
  readonly stamp: string;
}

/**
 * Files and links below `root`, sorted by path, without `.git` and the host's own
 * `node_modules/patchbay`. Links are not followed; one that leads out of the folder is refused
 * (PB_PLUGIN_LINK), as is anything past the limits (PB_PLUGIN_TOO_LARGE) or neither file nor
 * folder nor link (PB_PLUGIN_UNREADABLE).
 */
export async function listFolder(
  root: string,
  shown: string,
  limits: FolderLimits = PLUGIN_LIMITS,
): Promise<FolderEntry[]> {
  const entries: FolderEntry[] = [];
  let bytes = 0;
  const walk = async (relative: string, depth: number): Promise<void> => {
    if (depth > MAX_DEPTH)
      throw new CodedError('PB_PLUGIN_TOO_LARGE', { folder: shown, what: `folders nested deeper than ${MAX_DEPTH}` });
    for (const name of await readdir(join(root, relative))) {
      const path = relative === '' ? name : `${relative}/${name}`;
      if (name === '.git' || path === 'node_modules/patchbay') continue;
      const stat = await lstat(join(root, path), { bigint: true });
      if (stat.isDirectory()) {
        await walk(path, depth + 1);
        continue;
      }
      const link = stat.isSymbolicLink();
      if (!link && !stat.isFile())
        throw new CodedError('PB_PLUGIN_UNREADABLE', { folder: shown, reason: `${path} is neither file nor folder` });
      const target = link ? await readlink(join(root, path)) : '';
      if (link && leadsOut(path, target)) throw new CodedError('PB_PLUGIN_LINK', { folder: shown, file: path });
      entries.push({
        path,
        kind: link ? 'link' : 'file',
        size: Number(stat.size),
        executable: (stat.mode & 0o111n) !== 0n,
        target,
        stamp: `${stat.ino}:${stat.size}:${stat.mtimeNs}:${stat.ctimeNs}`,
      });
      bytes += Number(stat.size);
      if (entries.length > limits.maxFiles)
        throw new CodedError('PB_PLUGIN_TOO_LARGE', { folder: shown, what: `more than ${limits.maxFiles} files` });
      if (bytes > limits.maxBytes)
        throw new CodedError('PB_PLUGIN_TOO_LARGE', {
          folder: shown,
          what: `more than ${formatSize(limits.maxBytes)}`,
        });
    }
  };
  await walk('', 0).catch((error: unknown) => {
    throw asUnreadable(error, shown);
  });
  return entries.sort((a, b) => (a.path < b.path ? -1 : 1));
}

function leadsOut(path: string, target: string): boolean {
  if (target.startsWith('/') || /^[A-Za-z]:/.test(target)) return true;
  const clean = normalize(join(dirname(path), target));
  return clean === '..' || clean.startsWith(`..${sep}`);
}

function asUnreadable(error: unknown, shown: string): unknown {
  return error instanceof CodedError
    ? error
    : new CodedError('PB_PLUGIN_UNREADABLE', { folder: shown, reason: plainReason(error) }, { cause: error });
}

/** Tells cheaply whether a folder changed: names, sizes and times, not content. */
export function signatureOf(entries: readonly FolderEntry[]): string {
  const hash = createHash('sha256');
  for (const entry of entries) hash.update(`${entry.path}\0${entry.target}\0${entry.stamp}\n`);
  return hash.digest('hex');
}

/** SHA-256 over paths and bytes: two folders of the same hash hold the same plugin. */
export function hashFolder(root: string, entries: readonly FolderEntry[], shown: string): Promise<string> {
  return digest(root, entries, shown, undefined);
}

/** Copies into the empty folder `to`; answers the hash of what was copied. */
export function copyFolder(root: string, entries: readonly FolderEntry[], shown: string, to: string): Promise<string> {
  return digest(root, entries, shown, to);
}

async function digest(
  root: string,
  entries: readonly FolderEntry[],
  shown: string,
  to: string | undefined,
): Promise<string> {
  const hash = createHash('sha256');
  try {
    for (const entry of entries) {
      hash.update(
        `${entry.kind}\0${entry.path}\0${entry.executable ? 'x' : '-'}\0${entry.target}\0${entry.kind === 'link' ? 0 : entry.size}\0`,
      );
      if (to !== undefined) await mkdir(join(to, dirname(entry.path)), { recursive: true });
      if (entry.kind === 'link') {
        if (to !== undefined) await symlink(entry.target, join(to, entry.path));
        continue;
      }
      await digestFile(root, entry, shown, to, hash);
    }
  } catch (error) {
    // It was there when the folder was listed.
    throw isCode(error, 'ENOENT')
      ? new CodedError('PB_PLUGIN_CHANGING', { folder: shown }, { cause: error })
      : asUnreadable(error, shown);
  }
  return hash.digest('hex');
}

async function digestFile(
  root: string,
  entry: FolderEntry,
  shown: string,
  to: string | undefined,
  hash: Hash,
): Promise<void> {
  const source = await open(join(root, entry.path), 'r');
  const target = to === undefined ? undefined : await open(join(to, entry.path), 'wx', 0o644);
  try {
    const buffer = Buffer.alloc(Math.min(Math.max(entry.size, 1), 2 ** 20));
    let length = 0;
    for (;;) {
      const { bytesRead } = await source.read(buffer, 0, buffer.length, length);
      if (bytesRead === 0) break;
      length += bytesRead;
      if (length > entry.size) break;
      const bytes = buffer.subarray(0, bytesRead);
      hash.update(bytes);
      if (target !== undefined) await writeFile(target, bytes);
    }
    if (length !== entry.size) throw new CodedError('PB_PLUGIN_CHANGING', { folder: shown });
  } finally {
    await source.close();
    await target?.close();
  }
  if (to !== undefined) await chmod(join(to, entry.path), entry.executable ? 0o555 : 0o444);
}

function isCode(error: unknown, code: string): boolean {
  return error instanceof Error && 'code' in error && error.code === code;
}
