/**
 * The lock of a data folder: an exclusive transaction on an empty SQLite file, that is a lock of
 * the operating system. It ends with its process, however that ends, and no pid is to be trusted.
 */
import { existsSync, truncateSync } from 'node:fs';
import { join } from 'node:path';
import Database from 'better-sqlite3';
import { lockedBy, readHolder } from './holder.ts';

export interface Lock {
  release(): void;
}

/** A command that looks whether the folder is held has the file for an instant: that is no holder. */
const WAIT_MS = 250;

/** Takes the lock, or rejects with PB_DATA_LOCKED, or with what the system says. */
export async function takeLock(root: string): Promise<Lock> {
  const path = join(root, 'lock.db');
  try {
    return take(path);
  } catch (error) {
    if (codeOf(error) === 'SQLITE_BUSY') throw lockedBy(root, await readHolder(join(root, 'lock')));
    if (codeOf(error) !== 'SQLITE_NOTADB') throw error;
    // Somebody wrote into it. Emptied in place: a new file would let two have a lock each.
    truncateSync(path);
    return take(path);
  }
}

function take(path: string): Lock {
  const db = new Database(path, { timeout: WAIT_MS });
  try {
    db.exec('BEGIN EXCLUSIVE');
  } catch (error) {
    db.close();
    throw error;
  }
  return { release: () => db.close() };
}

/** True when some process has the lock at this moment. */
export function isHeld(root: string): boolean {
  const path = join(root, 'lock.db');
  if (!existsSync(path)) return false;
  let db: Database.Database | undefined;
  try {
    db = new Database(path, { readonly: true, fileMustExist: true, timeout: 0 });
    db.prepare('SELECT count(*) FROM sqlite_schema').get();
    return false;
  } catch (error) {
    return codeOf(error) === 'SQLITE_BUSY';
  } finally {
    db?.close();
  }
}

function codeOf(error: unknown): string {
  return error instanceof Error && 'code' in error ? String(error.code) : '';
}
