/** Opens one SQLite file: checks it, sets a damaged one aside, migrates an older one. */
import { existsSync, renameSync, statSync } from 'node:fs';
import { basename, dirname } from 'node:path';
import Database from 'better-sqlite3';
import { CodedError } from '../engine/error.ts';
import { codedEvent, type EventReport } from '../events/report.ts';
import { isDamage, storeError } from './sqlite-error.ts';

/** One step of a file's schema. Versions rise by one; a step once released never changes. */
export interface Migration {
  readonly version: number;
  readonly sql: string;
}

export interface DatabaseOptions {
  readonly migrations: readonly Migration[];
  /** `FULL`: a committed write survives a power cut. `OFF`: for what may be lost. */
  readonly synchronous: 'FULL' | 'OFF';
  /** Run first, before anything is read. */
  readonly pragmas?: readonly string[];
  /** Only to look at: nothing is checked, migrated or set aside. */
  readonly readOnly?: boolean;
  /** How long to wait for another program that holds the file; default 5 s. */
  readonly busyMs?: number;
  readonly onEvent: (event: EventReport) => void;
  /** Told where a damaged file was put. */
  readonly onAside?: (path: string) => void;
}

/** Above this size only header and length are checked at open: a full read would delay the start. */
const FULL_CHECK_BYTES = 8 * 1024 * 1024;

/**
 * The opened file, in its newest version. A damaged one is set aside with an event and a new one
 * begun. Throws coded errors: PB_STORE_NEWER, PB_STORE_MIGRATION, PB_STORE_FULL,
 * PB_STORE_READONLY, PB_STORE_IO.
 */
export function openDatabase(path: string, options: DatabaseOptions): Database.Database {
  const file = basename(path);
  if (options.readOnly === true) return new Database(path, { timeout: options.busyMs ?? 5000, fileMustExist: true });
  const damage = obviousDamage(path);
  const aside = (reason: string): void => {
    const moved = setAside(path, reason, options.onEvent);
    options.onAside?.(moved);
  };
  if (damage !== '') aside(damage);
  try {
    return open(path, options);
  } catch (error) {
    if (!isDamage(error)) throw openError(error, path);
    aside((error as Error).message);
  }
  try {
    return open(path, options);
  } catch (error) {
    throw storeError(error, file);
  }
}

/** A read-only folder shows as "unable to open": say what it is. */
function openError(error: unknown, path: string): CodedError {
  const known = storeError(error, basename(path));
  return known.code === 'PB_INTERNAL' ? new CodedError('PB_STORE_IO', { file: path, reason: known.message }) : known;
}

/**
 * What needs no SQLite to see. An empty file is damage too: ours are never empty once made, and
 * SQLite would silently begin anew.
 */
function obviousDamage(path: string): string {
  if (!existsSync(path)) return '';
  const stat = statSync(path);
  if (!stat.isFile()) return 'it is not a file';
  return stat.size === 0 ? 'it is empty' : '';
}

function open(path: string, options: DatabaseOptions): Database.Database {
  const db = new Database(path, { timeout: options.busyMs ?? 5000 });
  try {
    for (const pragma of options.pragmas ?? []) db.pragma(pragma);
    db.pragma('journal_mode = WAL');
    db.pragma(`synchronous = ${options.synchronous}`);
    db.pragma('journal_size_limit = 67108864');
    check(db, path);
    migrate(db, basename(path), options.migrations);
    return db;
  } catch (error) {
    db.close();
    throw error;
  }
}

function check(db: Database.Database, path: string): void {
  const size = statSync(path).size;
  const pages = db.pragma('page_count', { simple: true }) as number;
  const pageSize = db.pragma('page_size', { simple: true }) as number;
  const wal = existsSync(`${path}-wal`) ? statSync(`${path}-wal`).size : 0;
  // Pages that are only in the WAL make the file shorter than it will be; without a WAL it is truncated.
  if (wal === 0 && pages * pageSize > size) throw damaged(`it has ${size} bytes of ${pages * pageSize}`);
  if (size > FULL_CHECK_BYTES) return;
  const found = db.pragma('quick_check(1)', { simple: true });
  if (found !== 'ok') throw damaged(String(found));
}

function damaged(reason: string): Error {
  return new Database.SqliteError(reason, 'SQLITE_CORRUPT');
}

function migrate(db: Database.Database, file: string, migrations: readonly Migration[]): void {
  const found = db.pragma('user_version', { simple: true }) as number;
  const known = migrations.at(-1)?.version ?? 0;
  if (found > known) throw new CodedError('PB_STORE_NEWER', { file, found, known });
  if (found === known) return;
  try {
    db.transaction(() => {
      for (const step of migrations) if (step.version > found) db.exec(step.sql);
      db.pragma(`user_version = ${known}`);
    }).immediate();
  } catch (error) {
    const coded = storeError(error, file);
    if (isDamage(error) || coded.code === 'PB_STORE_FULL' || coded.code === 'PB_STORE_READONLY') throw error;
    const reason = error instanceof Error ? error.message : String(error);
    throw new CodedError('PB_STORE_MIGRATION', { file, from: found, to: known, reason }, { cause: error });
  }
}

/** Renames the file and what belongs to it, so that it can still be opened and looked at. Returns its new path. */
export function setAside(path: string, reason: string, onEvent: (event: EventReport) => void): string {
  const file = basename(path);
  const aside = `${file}.corrupt-${new Date().toISOString().replaceAll(':', '-')}`;
  try {
    for (const suffix of ['', '-wal', '-shm']) {
      if (existsSync(path + suffix)) renameSync(path + suffix, `${dirname(path)}/${aside}${suffix}`);
    }
  } catch (error) {
    throw new CodedError('PB_STORE_IO', { file, reason: `${reason}; and it cannot be set aside: ${String(error)}` });
  }
  onEvent(codedEvent('critical', 'storage', 'store.corrupt', 'PB_STORE_CORRUPT', { file, aside, reason }, file));
  return `${dirname(path)}/${aside}`;
}
