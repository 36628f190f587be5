/** The data folder: where it is, who holds it, and the control token in it. */
import { randomBytes } from 'node:crypto';
import { unlink } from 'node:fs/promises';
import { homedir } from 'node:os';
import { join, resolve } from 'node:path';
import type { EventReport } from '../events/report.ts';
import { writeFileAtomically } from './atomic-file.ts';
import { CodedError } from './error.ts';
import { isHeld, takeLock, type Lock } from './folder-lock.ts';
import { lockedBy, ownIdentity, readHolder, runsStill, type Holder } from './holder.ts';
import { makeFolder } from './make-folder.ts';
import { readPrivateFile } from './private-file.ts';

export type { Holder };

/** An open data folder; this process alone holds it until `close`. */
export interface DataFolder {
  readonly path: string;
  /** SQLite files (made by the storage). */
  readonly store: string;
  readonly logs: string;
  /** The user's plugins. */
  readonly plugins: string;
  readonly pluginsCache: string;
  /** For `Authorization: Bearer`; kept in `<data>/control-token`. */
  readonly controlToken: string;
  /** Makes the control address known to whoever finds the folder held, as `http://127.0.0.1:7080`. */
  announce(control: string): Promise<void>;
  /** Lets another gateway have the folder. */
  close(): Promise<void>;
}

export interface DataFolderOptions {
  readonly onEvent?: (event: EventReport) => void;
  readonly env?: Readonly<Record<string, string | undefined>>;
  readonly platform?: NodeJS.Platform;
}

/** The folder used when none is named: `PATCHBAY_DATA`, else the platform's place for data of programs. */
export function defaultDataFolder(
  env: Readonly<Record<string, string | undefined>> = process.env,
  platform: NodeJS.Platform = process.platform,
): string {
  const named = env['PATCHBAY_DATA'];
  if (named !== undefined && named !== '') return resolve(named);
  const home = env['HOME'] ?? homedir();
  if (platform === 'win32') return join(env['APPDATA'] ?? join(homedir(), 'AppData', 'Roaming'), 'patchbay');
  if (platform === 'darwin') return join(home, 'Library', 'Application Support', 'patchbay');
  const data = env['XDG_DATA_HOME'];
  // The XDG specification: a path that is not absolute is to be ignored.
  return join(data !== undefined && data.startsWith('/') ? data : join(home, '.local', 'share'), 'patchbay');
}

/**
 * Opens the data folder, making it (0700) when it is missing, and takes its lock. Rejects with
 * PB_DATA_LOCKED naming the holder, PB_DATA_NOT_FOLDER, PB_DATA_UNWRITABLE or PB_DATA_FULL.
 */
export async function openDataFolder(path?: string, options: DataFolderOptions = {}): Promise<DataFolder> {
  const root = resolve(path ?? defaultDataFolder(options.env, options.platform));
  let lock: Lock | undefined;
  try {
    makeFolder(root);
    lock = await takeLock(root);
    await refuseOther(root);
    const identity = await ownIdentity();
    const announce = async (control: string): Promise<void> => {
      try {
        await writeFileAtomically(lockFile(root), `${JSON.stringify({ ...identity, control })}\n`);
      } catch (error) {
        throw folderError(error, root);
      }
    };
    await announce('');
    for (const name of ['store', 'logs', 'plugins', 'plugins-cache']) makeFolder(join(root, name));
    const controlToken = await token(join(root, 'control-token'), options.onEvent ?? (() => {}));
    const held = lock;
    return {
      path: root,
      store: join(root, 'store'),
      logs: join(root, 'logs'),
      plugins: join(root, 'plugins'),
      pluginsCache: join(root, 'plugins-cache'),
      controlToken,
      announce,
      close: async () => {
        // The name goes before the lock: the other way round it could be the next holder's.
        await unlink(lockFile(root)).catch(() => {});
        held.release();
      },
    };
  } catch (error) {
    lock?.release();
    throw folderError(error, root);
  }
}

/**
 * Who holds the folder at this moment: its process and control address (empty until it is
 * known); undefined when no gateway runs on it. For commands that talk to a running gateway.
 */
export async function holder(path?: string): Promise<Holder | undefined> {
  const root = resolve(path ?? defaultDataFolder());
  return isHeld(root) ? ((await readHolder(lockFile(root))) ?? undefined) : undefined;
}

/** The token of a gateway's data folder, undefined when there is none or it may not be read. */
export async function readControlToken(path?: string): Promise<string | undefined> {
  const root = resolve(path ?? defaultDataFolder());
  try {
    const text = (await readPrivateFile(join(root, 'control-token'), () => {}))?.trim();
    return text === '' ? undefined : text;
  } catch {
    return undefined;
  }
}

function lockFile(root: string): string {
  return join(root, 'lock');
}

/**
 * The lock is ours, so whoever the file names should be gone. If that very process runs
 * nevertheless, the lock file was deleted under it, or the disk knows no locks.
 */
async function refuseOther(root: string): Promise<void> {
  const named = await readHolder(lockFile(root));
  if (named === undefined || named.pid === process.pid || !(await runsStill(named))) return;
  throw lockedBy(root, named);
}

async function token(path: string, onEvent: (event: EventReport) => void): Promise<string> {
  const kept = (await readPrivateFile(path, onEvent))?.trim() ?? '';
  if (/^[\w-]{43,}$/.test(kept)) return kept;
  const made = randomBytes(32).toString('base64url');
  await writeFileAtomically(path, `${made}\n`);
  return made;
}

function folderError(error: unknown, path: string): CodedError {
  if (error instanceof CodedError) return error;
  const code = error instanceof Error && 'code' in error ? String(error.code) : '';
  const reason = error instanceof Error ? error.message : String(error);
  if (code === 'ENOSPC' || code === 'EDQUOT' || code === 'SQLITE_FULL') {
    return new CodedError('PB_DATA_FULL', { path }, { cause: error });
  }
  if (code === 'ENOTDIR' || code === 'EEXIST') return new CodedError('PB_DATA_NOT_FOLDER', { path }, { cause: error });
  return new CodedError('PB_DATA_UNWRITABLE', { path, reason }, { cause: error });
}
