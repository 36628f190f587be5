/**
 * The write-ahead buffer of one sink: a SQLite file of packed batches in the order of their
 * acceptance. What `transact` has committed is synced to the disk (WAL, synchronous FULL).
 */
import { closeSync, copyFileSync, existsSync, fsyncSync, openSync, renameSync, rmSync, statSync } from 'node:fs';
import { basename, dirname } from 'node:path';
import { crc32 } from 'node:zlib';
import Database from 'better-sqlite3';
import { codedEvent, type EventReport } from '../events/report.ts';
import { openDatabase, setAside, type DatabaseOptions, type Migration } from './database.ts';
import { walDamage } from './wal-damage.ts';
import type { RowLineage } from './spool-ledger.ts';
import type { Lineage, SpooledRow } from './spool-wire.ts';

const MIGRATIONS: readonly Migration[] = [
  {
    version: 1,
    sql: `CREATE TABLE batches (
      seq INTEGER PRIMARY KEY,
      time INTEGER NOT NULL, count INTEGER NOT NULL, bytes INTEGER NOT NULL, crc INTEGER NOT NULL,
      pipeline TEXT NOT NULL, flight TEXT NOT NULL, size INTEGER NOT NULL, spools INTEGER NOT NULL,
      roots BLOB, done BLOB, packed BLOB NOT NULL
    ) STRICT;
    CREATE TABLE totals (id INTEGER PRIMARY KEY CHECK (id = 1), next INTEGER NOT NULL, messages INTEGER NOT NULL, bytes INTEGER NOT NULL) STRICT;
    INSERT INTO totals VALUES (1, 1, 0, 0);
    CREATE TABLE damaged (seq INTEGER PRIMARY KEY, time INTEGER NOT NULL, count INTEGER NOT NULL, packed BLOB NOT NULL) STRICT;`,
  },
];

/** What one row takes beside its block, roughly. */
const ROW_BYTES = 120;
const KEEP_DAMAGED = 100;
const SALVAGE_ROWS = 64;
/** Unreadable places after which the rest of a damaged file is given up. */
const MAX_UNREADABLE = 10_000;
/** Before a damaged file is written off for good. */
const MAX_SALVAGES = 3;

/** Ours before WAL is switched on: nobody else may open it meanwhile, and it shrinks again. */
const PRAGMAS = ['locking_mode = EXCLUSIVE', 'page_size = 8192', 'auto_vacuum = INCREMENTAL'];

type Head = {
  seq: number;
  time: number;
  count: number;
  bytes: number;
  pipeline: string;
  flight: string;
  size: number;
  spools: number;
  roots: Buffer | null;
  done: Buffer | null;
};

const HEAD = 'seq, time, count, bytes, pipeline, flight, size, spools, roots, done';

/** Messages that left, to be told to the ledger once the change is committed. */
export interface Departure {
  readonly seq: number;
  readonly row: RowLineage;
  readonly indexes: readonly number[] | undefined;
  readonly gone: Uint8Array | undefined;
}

/** A row found in the file. */
export interface CarriedRow {
  readonly seq: number;
  readonly row: RowLineage;
  readonly gone: Uint8Array | undefined;
}

/** See {@link SpoolFile.tally}. */
export interface Tally {
  readonly whole: readonly { readonly pipeline: string; readonly messages: number }[];
  readonly others: readonly CarriedRow[];
  readonly next: number;
}

/** A row all of whose messages are there, each another root, in no other spool. */
const WHOLE = 'spools = 1 AND done IS NULL AND roots IS NULL';

export interface SpoolFileOptions {
  readonly sink: string;
  readonly now: () => number;
  readonly onEvent: (event: EventReport) => void;
}

export class SpoolFile {
  readonly path: string;
  private readonly options: SpoolFileOptions;
  private db: Database.Database;
  private sql: Statements;
  private totals = { next: 1, messages: 0, bytes: 0 };
  private salvages = 0;
  private identity = '';

  /**
   * Opens or makes the file. A damaged one is set aside, what can be read of it taken over, and both
   * reported. Throws the coded errors of {@link openDatabase}; PB_STORE_IO when another program holds it.
   */
  constructor(path: string, options: SpoolFileOptions) {
    this.path = path;
    this.options = options;
    this.db = this.open();
    this.sql = statements(this.db);
    this.load();
  }

  get messages(): number {
    return this.totals.messages;
  }

  get bytes(): number {
    return this.totals.bytes;
  }

  /** Number of the last row ever stored; 0: none. */
  get head(): number {
    return this.totals.next - 1;
  }

  /** Number of the first row that is there; `head + 1` when empty. */
  get first(): number {
    return this.sql.first.get() ?? this.totals.next;
  }

  /** When the oldest message was stored; 0 when empty. */
  get oldest(): number {
    return this.sql.oldest.get() ?? 0;
  }

  /** Runs `work` in one transaction. When it throws, or the commit fails, nothing has changed. */
  transact(work: () => void): void {
    this.db.exec('BEGIN IMMEDIATE');
    try {
      work();
      this.sql.total.run(this.totals.next, this.totals.messages, this.totals.bytes);
      this.db.exec('COMMIT');
    } catch (error) {
      this.rollBack();
      throw error;
    }
  }

  /** Within `transact`: adds a batch behind all others and gives its number. */
  append(pipeline: string, lineage: Lineage, count: number, block: Uint8Array): number {
    const { totals } = this;
    const seq = totals.next++;
    const bytes = block.byteLength + ROW_BYTES;
    this.sql.add.run(
      seq,
      this.options.now(),
      count,
      bytes,
      sumOf({ seq, pipeline, count, ...lineage }, block),
      pipeline,
      lineage.flight,
      lineage.size,
      lineage.spools,
      lineage.roots === undefined ? null : Buffer.from(Uint32Array.from(lineage.roots).buffer),
      block,
    );
    totals.messages += count;
    totals.bytes += bytes;
    return seq;
  }

  /** Bytes that {@link append} of a block takes. */
  static bytesOf(block: Uint8Array): number {
    return block.byteLength + ROW_BYTES;
  }

  /** Within `transact`: messages of row `seq` are done, all or those of `indexes`. Undefined when they were already. */
  remove(seq: number, indexes: readonly number[] | undefined): Departure | undefined {
    const head = this.sql.head.get(seq);
    if (head === undefined) return undefined;
    const gone = head.done === null ? undefined : new Uint8Array(head.done);
    const row = lineageOf(head);
    const fresh = indexes?.filter((index) => index < head.count && gone?.[index] !== 1);
    const left = head.count - (gone?.reduce((sum, flag) => sum + flag, 0) ?? 0);
    const leaving = fresh?.length ?? left;
    if (leaving === 0) return undefined;
    this.totals.messages -= leaving;
    if (leaving === left) {
      this.sql.remove.run(seq);
      this.totals.bytes -= head.bytes;
      return { seq, row, indexes: fresh, gone };
    }
    const flags = gone === undefined ? new Uint8Array(head.count) : Uint8Array.from(gone);
    for (const index of fresh ?? []) flags[index] = 1;
    this.sql.mark.run(flags, seq);
    return { seq, row, indexes: fresh, gone };
  }

  /** Within `transact`: removes the oldest rows above `after` until `bytes` are free of them, or none is left. */
  dropOldest(after: number, bytes: number): Departure[] {
    const departures: Departure[] = [];
    const goal = this.totals.bytes - bytes;
    while (this.totals.bytes > goal) {
      const seq = this.sql.firstAfter.get(after);
      if (seq === undefined) break;
      const departure = this.remove(seq, undefined);
      if (departure !== undefined) departures.push(departure);
    }
    return departures;
  }

  /** Within `transact`: removes every row but those of `keep`. */
  purge(keep: ReadonlySet<number>): Departure[] {
    return this.sql.seqs.all().flatMap((seq) => {
      const departure = keep.has(seq) ? undefined : this.remove(seq, undefined);
      return departure === undefined ? [] : [departure];
    });
  }

  /**
   * Rows from `from` on below `until`, as many as `maxBytes` hold but at least one; and how far it looked.
   * A row whose checksum is wrong is moved aside and given as a departure, to be counted as dropped.
   */
  read(from: number, until: number, maxBytes: number): { rows: SpooledRow[]; scanned: number; damaged: Departure[] } {
    const rows: SpooledRow[] = [];
    const broken: number[] = [];
    let bytes = 0;
    let scanned = Math.min(until - 1, this.head);
    for (const row of this.sql.read.iterate(from, until)) {
      if (rows.length > 0 && bytes + row.packed.byteLength > maxBytes) {
        scanned = row.seq - 1;
        break;
      }
      if (sumOf(row, row.packed) !== row.crc) {
        broken.push(row.seq);
        continue;
      }
      bytes += row.packed.byteLength;
      rows.push({
        seq: row.seq,
        pipeline: row.pipeline,
        done: row.done === null ? undefined : new Uint8Array(row.done),
        block: new Uint8Array(row.packed),
      });
    }
    const damaged: Departure[] = [];
    if (broken.length > 0) {
      this.transact(() => {
        for (const seq of broken) {
          this.sql.quarantine.run(seq);
          this.sql.boundQuarantine.run(KEEP_DAMAGED);
          const departure = this.remove(seq, undefined);
          if (departure !== undefined) damaged.push(departure);
        }
      });
    }
    return { rows, scanned, damaged };
  }

  /**
   * What the rows from `from` on below `until` hold, for the recount after a start: the sum of those that
   * went to this spool alone, whole and message by root, and the others one by one. `next`: the first row
   * behind them, 0 when there is none.
   */
  tally(from: number, until: number): Tally {
    const whole = this.sql.wholes.all(from, until);
    const others = this.sql.others.all(from, until).map(carriedOf);
    return { whole, others, next: this.sql.firstAfter.get(until - 1) ?? 0 };
  }

  /** Gives pages that are free back to the disk, a few at a time. */
  shrink(): void {
    const free = this.db.pragma('freelist_count', { simple: true }) as number;
    if (free > 1024) this.db.pragma(`incremental_vacuum(${Math.min(free - 512, 4096)})`);
  }

  /**
   * True while the path still leads to the open file. When someone has deleted or replaced it, commits
   * would go to a file that no restart finds: {@link rescue} then.
   */
  present(): boolean {
    return this.identity === identityOf(this.path);
  }

  /** Copies all that is held into a new file at the same path, and goes on with that. How many batches. */
  rescue(): number {
    const beside = `${this.path}.rescue`;
    for (const suffix of ['', '-wal', '-shm']) rmSync(beside + suffix, { force: true });
    const copy = openDatabase(beside, { ...this.storeOptions(), onAside: () => undefined });
    const to = statements(copy);
    let rows = 0;
    try {
      copy.transaction(() => {
        for (const row of this.sql.all.iterate()) {
          to.restore.run(row);
          rows++;
        }
        to.total.run(this.totals.next, this.totals.messages, this.totals.bytes);
      })();
    } finally {
      copy.close();
    }
    // Closing deletes what lies at the path of its log: before another file's log lies there.
    this.db.close();
    for (const suffix of ['-wal', '-shm']) rmSync(this.path + suffix, { force: true });
    if (existsSync(this.path)) setAside(this.path, 'another file was put in its place', this.options.onEvent);
    renameSync(beside, this.path);
    syncFolder(this.path);
    this.db = this.open();
    this.sql = statements(this.db);
    this.load();
    return rows;
  }

  /** After SQLite found the file damaged: sets it aside, takes over what can be read. Throws when that recurs. */
  replace(reason: string): void {
    if (++this.salvages > MAX_SALVAGES) throw new Error(`it was damaged again and again: ${reason}`);
    const { next } = this.totals;
    try {
      this.db.close();
    } catch {
      // It is set aside whatever closing it says.
    }
    const aside = setAside(this.path, reason, this.options.onEvent);
    this.db = this.open();
    this.sql = statements(this.db);
    this.load();
    this.totals.next = Math.max(this.totals.next, next);
    this.salvage(aside);
  }

  /** Writes the WAL back and closes. What was committed is in the WAL in any case. */
  close(): void {
    this.db.close();
  }

  /** Closes and deletes the file. */
  discard(): void {
    this.db.close();
    for (const suffix of ['', '-wal', '-shm']) rmSync(this.path + suffix, { force: true });
  }

  private open(): Database.Database {
    this.lookAtLog();
    const asides: string[] = [];
    const db = openDatabase(this.path, { ...this.storeOptions(), onAside: (path) => asides.push(path) });
    this.identity = identityOf(this.path);
    if (asides.length > 0) {
      this.db = db;
      this.sql = statements(db);
      this.load();
      for (const aside of asides) this.salvage(aside);
    }
    return db;
  }

  private storeOptions(): DatabaseOptions {
    return {
      migrations: MIGRATIONS,
      synchronous: 'FULL',
      pragmas: PRAGMAS,
      busyMs: 250,
      onEvent: this.options.onEvent,
    };
  }

  /** After a crash: commits that SQLite would pass over without a word. A copy of the log is kept. */
  private lookAtLog(): void {
    const log = `${this.path}-wal`;
    const damage = walDamage(log);
    if (damage === undefined) return;
    const aside = `${log}.corrupt-${new Date(this.options.now()).toISOString().replaceAll(':', '-')}`;
    copyFileSync(log, aside);
    const details = { name: this.options.sink, commits: damage.lostCommits, file: basename(aside) };
    this.options.onEvent(
      codedEvent('critical', 'storage', 'spool.log-damaged', 'PB_SPOOL_LOG_DAMAGED', details, this.options.sink),
    );
  }

  private load(): void {
    this.totals = this.sql.totals.get() ?? { next: 1, messages: 0, bytes: 0 };
  }

  private rollBack(): void {
    try {
      if (this.db.inTransaction) this.db.exec('ROLLBACK');
      this.load();
    } catch {
      // The error that led here is the one to tell; a later transaction shows whether the file still works.
    }
  }

  private salvage(aside: string): void {
    let saved = 0;
    let found: Row[] = [];
    const take = (): void => {
      this.adopt(found);
      saved += found.reduce((sum, row) => sum + row.count, 0);
      found = [];
    };
    let unreadable = 0;
    let broken = 0;
    let expected = 0;
    try {
      const old = new Database(aside, { timeout: 250 });
      try {
        // Without this SQLite reads nothing of a file that is shorter than it should be.
        old.unsafeMode(true);
        old.pragma('writable_schema = ON');
        try {
          expected = old.prepare<[], number>('SELECT messages FROM totals').pluck().get() ?? 0;
        } catch {
          // Then nobody knows how many there were.
        }
        const next = old.prepare<[number], Row>('SELECT * FROM batches WHERE seq > ? ORDER BY seq LIMIT 1');
        for (let at = 0; unreadable < MAX_UNREADABLE;) {
          try {
            const row = next.get(at);
            if (row === undefined) break;
            // A damaged tree can lead in circles.
            if (row.seq <= at) throw new Error('out of order');
            at = row.seq;
            if (sumOf(row, row.packed) === row.crc) found.push(row);
            else broken++;
            if (found.length === SALVAGE_ROWS) take();
          } catch {
            at++;
            unreadable++;
          }
        }
      } finally {
        old.close();
      }
    } catch {
      // Not even the header can be read: nothing to take over.
    }
    take();
    const details = {
      name: this.options.sink,
      file: basename(aside),
      saved,
      lost:
        expected > saved
          ? String(expected - saved)
          : unreadable + broken > 0 || expected === 0
            ? 'an unknown number'
            : '0',
    };
    this.options.onEvent(
      codedEvent('critical', 'storage', 'spool.salvaged', 'PB_SPOOL_SALVAGED', details, this.options.sink),
    );
  }

  private adopt(rows: readonly Row[]): void {
    this.transact(() => {
      for (const row of rows) {
        const left = row.count - (row.done?.reduce((sum, flag) => sum + flag, 0) ?? 0);
        this.sql.restore.run(row);
        this.totals.next = Math.max(this.totals.next, row.seq + 1);
        this.totals.messages += left;
        this.totals.bytes += row.bytes;
      }
    });
  }
}

type Row = Head & { crc: number; packed: Buffer };
type Statements = ReturnType<typeof statements>;

function statements(db: Database.Database) {
  return {
    totals: db.prepare<[], { next: number; messages: number; bytes: number }>(
      'SELECT next, messages, bytes FROM totals WHERE id = 1',
    ),
    total: db.prepare('UPDATE totals SET next = ?, messages = ?, bytes = ? WHERE id = 1'),
    add: db.prepare(
      `INSERT INTO batches (seq, time, count, bytes, crc, pipeline, flight, size, spools, roots, packed)
       VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
    ),
    restore: db.prepare(
      `INSERT OR REPLACE INTO batches (seq, time, count, bytes, crc, pipeline, flight, size, spools, roots, done, packed)
       VALUES (@seq, @time, @count, @bytes, @crc, @pipeline, @flight, @size, @spools, @roots, @done, @packed)`,
    ),
    head: db.prepare<[number], Head>(`SELECT ${HEAD} FROM batches WHERE seq = ?`),
    wholes: db.prepare<[number, number], { pipeline: string; messages: number }>(
      `SELECT pipeline, sum(count) AS messages FROM batches WHERE seq >= ? AND seq < ? AND ${WHOLE} GROUP BY pipeline`,
    ),
    others: db.prepare<[number, number], Head>(
      `SELECT ${HEAD} FROM batches WHERE seq >= ? AND seq < ? AND NOT (${WHOLE}) ORDER BY seq`,
    ),
    remove: db.prepare('DELETE FROM batches WHERE seq = ?'),
    mark: db.prepare('UPDATE batches SET done = ? WHERE seq = ?'),
    first: db.prepare<[], number>('SELECT seq FROM batches ORDER BY seq LIMIT 1').pluck(),
    firstAfter: db.prepare<[number], number>('SELECT seq FROM batches WHERE seq > ? ORDER BY seq LIMIT 1').pluck(),
    oldest: db.prepare<[], number>('SELECT time FROM batches ORDER BY seq LIMIT 1').pluck(),
    seqs: db.prepare<[], number>('SELECT seq FROM batches ORDER BY seq').pluck(),
    all: db.prepare<[], Row>('SELECT * FROM batches ORDER BY seq'),
    read: db.prepare<[number, number], Row>('SELECT * FROM batches WHERE seq >= ? AND seq < ? ORDER BY seq'),
    quarantine: db.prepare('INSERT OR REPLACE INTO damaged SELECT seq, time, count, packed FROM batches WHERE seq = ?'),
    boundQuarantine: db.prepare(
      'DELETE FROM damaged WHERE seq NOT IN (SELECT seq FROM damaged ORDER BY seq DESC LIMIT ?)',
    ),
  };
}

function carriedOf(head: Head): CarriedRow {
  return { seq: head.seq, row: lineageOf(head), gone: head.done === null ? undefined : new Uint8Array(head.done) };
}

function lineageOf(head: Head): RowLineage {
  const { roots } = head;
  return {
    pipeline: head.pipeline,
    flight: head.flight,
    size: head.size,
    spools: head.spools,
    count: head.count,
    roots: roots === null ? undefined : new Uint32Array(new Uint8Array(roots).buffer),
  };
}

/** Over the block and all that is needed to count and place it. */
function sumOf(
  {
    seq,
    pipeline,
    flight,
    size,
    spools,
    count,
  }: Pick<Head, 'seq' | 'pipeline' | 'flight' | 'size' | 'spools' | 'count'>,
  block: Uint8Array,
): number {
  return crc32(block, crc32(`${seq} ${count} ${size} ${spools} ${flight} ${pipeline}`));
}

/** What was renamed stays so over a power cut. */
function syncFolder(path: string): void {
  const folder = openSync(dirname(path), 'r');
  try {
    fsyncSync(folder);
  } finally {
    closeSync(folder);
  }
}

/** Device and inode; empty when there is no such file. */
function identityOf(path: string): string {
  try {
    const { dev, ino } = statSync(path);
    return `${dev}:${ino}`;
  } catch {
    return '';
  }
}
