/** One SQLite file with the operations on it; runs batches of them, each batch in one transaction. */
import { basename } from 'node:path';
import type { Database } from 'better-sqlite3';
import { CodedError } from '../engine/error.ts';
import { codedEvent, type EventReport } from '../events/report.ts';
import type { CommitTimes } from '../protocol/model.ts';
import { CommitClock } from './commit-clock.ts';
import { openDatabase, setAside, type Migration } from './database.ts';
import { isDamage, sqliteCode, storeError } from './sqlite-error.ts';
import type { StorageLimits } from './storage.ts';

/**
 * One thing that can be asked of a store. A CodedError it throws fails this request alone and
 * must be thrown before anything was changed.
 */
export interface Operation {
  readonly write: boolean;
  run(args: readonly unknown[]): unknown;
}

export interface StoreTools {
  readonly limits: StorageLimits;
  readonly now: () => number;
  readonly onEvent: (event: EventReport) => void;
}

/** The operations on an open file. */
export interface OpenStore {
  readonly operations: Readonly<Record<string, Operation>>;
  /** Inside a transaction, about once a minute. */
  maintain?(): void;
  committed?(): void;
  /** What is kept in memory beside the file must be read anew. */
  rolledBack?(): void;
  /** Reports what has gathered since the last time. */
  report?(): void;
}

export interface StoreDefinition {
  /** The file is `<name>.sqlite`. */
  readonly name: string;
  readonly synchronous: 'FULL' | 'OFF';
  readonly migrations: readonly Migration[];
  /** Names of the operations, known before the file is open. */
  readonly operations: readonly string[];
  open(db: Database, tools: StoreTools): OpenStore;
}

export interface Item {
  readonly op: string;
  readonly args: readonly unknown[];
  /** Called once: for a write, after the commit. */
  readonly settle: (value: unknown, error?: CodedError) => void;
}

/** A disk that damages each new file too must not leave an endless row of them. */
const MAX_ASIDE = 3;

export class StoreFile {
  private readonly path: string;
  private readonly definition: StoreDefinition;
  private readonly tools: StoreTools;
  private db: Database | undefined;
  private store: OpenStore | undefined;
  private readonly clock = new CommitClock();
  private asides = 0;
  private failing = false;

  /** Opens the file; throws the coded errors of {@link openDatabase}. */
  constructor(folder: string, definition: StoreDefinition, tools: StoreTools) {
    this.path = `${folder}/${definition.name}.sqlite`;
    this.definition = definition;
    this.tools = tools;
    this.opened();
  }

  /** Runs the items in order in one transaction, commits, then settles them. Never throws. */
  execute(items: readonly Item[]): void {
    try {
      this.attempt(items);
    } catch (error) {
      this.recover(items, error);
    }
  }

  /** Deletes what is out of date, and reports. Never throws. */
  maintain(): void {
    try {
      const store = this.opened();
      if (store.maintain !== undefined) {
        this.transaction(() => store.maintain?.());
        store.committed?.();
      }
      store.report?.();
    } catch (error) {
      this.rollBack();
      this.reportTrouble(storeError(error, basename(this.path)));
    }
  }

  /** Writes the WAL back and closes. Never throws: what was committed is in the WAL in any case. */
  close(): void {
    try {
      this.store?.report?.();
      this.db?.close();
    } catch (error) {
      this.reportTrouble(storeError(error, basename(this.path)));
    }
    this.db = undefined;
    this.store = undefined;
  }

  /** Reports what has gathered since the last time. Never throws. */
  report(): void {
    this.store?.report?.();
  }

  /** The file's name without its ending. */
  get name(): string {
    return this.definition.name;
  }

  /** How long its commits took; for one caller, see {@link CommitClock.times}. */
  commits(): CommitTimes {
    return this.clock.times();
  }

  /** The open database, for tests that need to break it. */
  get database(): Database | undefined {
    return this.db;
  }

  private opened(): OpenStore {
    if (this.store !== undefined) return this.store;
    if (this.asides > MAX_ASIDE) {
      throw new CodedError('PB_STORE_IO', { file: basename(this.path), reason: 'it was damaged again and again' });
    }
    const db = openDatabase(this.path, { ...this.definition, onEvent: this.tools.onEvent });
    try {
      this.store = this.definition.open(db, this.tools);
      this.db = db;
      return this.store;
    } catch (error) {
      db.close();
      throw storeError(error, basename(this.path));
    }
  }

  private attempt(items: readonly Item[]): void {
    const store = this.opened();
    const values: unknown[] = [];
    const errors: (CodedError | undefined)[] = [];
    const run = (): void => {
      for (let i = 0; i < items.length; i++) {
        const item = items[i] as Item;
        try {
          values[i] = this.operation(store, item.op).run(item.args);
        } catch (error) {
          if (!(error instanceof CodedError)) throw error;
          errors[i] = error;
        }
      }
    };
    if (items.some((item) => this.isWrite(store, item.op))) {
      const begun = performance.now();
      this.transaction(run);
      this.clock.took(performance.now() - begun);
      store.committed?.();
      this.failing = false;
    } else {
      run();
    }
    for (let i = 0; i < items.length; i++) items[i]?.settle(values[i], errors[i]);
  }

  private transaction(run: () => void): void {
    const db = this.db as Database;
    db.exec('BEGIN IMMEDIATE');
    run();
    db.exec('COMMIT');
  }

  private operation(store: OpenStore, op: string): Operation {
    const operation = store.operations[op];
    if (operation === undefined) throw new CodedError('PB_INTERNAL', { message: `no storage operation ${op}` });
    return operation;
  }

  private isWrite(store: OpenStore, op: string): boolean {
    return store.operations[op]?.write ?? false;
  }

  private recover(items: readonly Item[], error: unknown): void {
    this.rollBack();
    const file = basename(this.path);
    if (isDamage(error)) {
      try {
        this.abandon((error as Error).message);
      } catch (failed) {
        this.fail(items, storeError(failed, file));
        return;
      }
      this.execute(items);
      return;
    }
    const coded = storeError(error, file);
    if (this.db === undefined || isOfTheDisk(error)) {
      // No single request is to blame, and trying each would only take time; what is only read still works.
      const store = this.store;
      const reads = store === undefined ? [] : items.filter((item) => !this.isWrite(store, item.op));
      const writes = store === undefined ? items : items.filter((item) => this.isWrite(store, item.op));
      this.fail(writes, coded);
      if (writes.length > 0 && reads.length > 0) this.execute(reads);
      else this.fail(reads, coded);
      return;
    }
    if (items.length === 1) {
      items[0]?.settle(undefined, coded);
      return;
    }
    // One faulty request must not take the others with it.
    for (const item of items) this.execute([item]);
  }

  private rollBack(): void {
    try {
      if (this.db?.inTransaction === true) this.db.exec('ROLLBACK');
      this.store?.rolledBack?.();
    } catch (error) {
      this.reportTrouble(storeError(error, basename(this.path)));
    }
  }

  private abandon(reason: string): void {
    try {
      this.db?.close();
    } catch {
      // It is set aside whatever closing it says.
    }
    this.db = undefined;
    this.store = undefined;
    this.asides++;
    setAside(this.path, reason, this.tools.onEvent);
  }

  private fail(items: readonly Item[], error: CodedError): void {
    this.reportTrouble(error);
    for (const item of items) item.settle(undefined, error);
  }

  /** Once per time of trouble: each request has its error anyway. */
  private reportTrouble(error: CodedError): void {
    if (this.failing) return;
    this.failing = true;
    const file = basename(this.path);
    this.tools.onEvent(codedEvent('critical', 'storage', 'store.failing', error.code, error.details, file));
  }
}

function isOfTheDisk(error: unknown): boolean {
  const code = sqliteCode(error);
  return ['SQLITE_FULL', 'SQLITE_READONLY', 'SQLITE_IOERR', 'SQLITE_CANTOPEN', 'SQLITE_PERM', 'SQLITE_BUSY'].some(
    (of) => code.startsWith(of),
  );
}
