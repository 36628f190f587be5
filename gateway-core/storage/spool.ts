/**
 * One sink's spool in the spool thread: what arrives while a commit runs shares the next one; room,
 * what to do without it, and trouble with the disk.
 */
import { basename, dirname } from 'node:path';
import { statfsSync } from 'node:fs';
import { formatSize } from '../config/quantity.ts';
import { CodedError } from '../engine/error.ts';
import { codedEvent, type EventReport } from '../events/report.ts';
import type { ErrorCode } from '../protocol/errors/index.ts';
import type { CommitTimes } from '../protocol/model.ts';
import { CommitClock } from './commit-clock.ts';
import { SpoolFile, type Departure, type Tally } from './spool-file.ts';
import type { SpoolLedger } from './spool-ledger.ts';
import type { Lineage, SpoolEnd, SpooledRow, SpoolLimits, SpoolState } from './spool-wire.ts';
import { isDamage, storeError } from './sqlite-error.ts';

export interface Append {
  readonly pipeline: string;
  readonly lineage: Lineage;
  readonly count: number;
  readonly block: Uint8Array;
  /** Called once: `stored` after the synced commit. */
  stored(seq: number): void;
  dropped(): void;
  failed(code: ErrorCode, details: Readonly<Record<string, unknown>>): void;
}

interface Done {
  readonly seq: number;
  readonly indexes: readonly number[] | undefined;
  readonly end: SpoolEnd;
}

export interface SpoolTools {
  readonly ledger: SpoolLedger;
  readonly now: () => number;
  readonly onEvent: (event: EventReport) => void;
  /** Where the sink's file is, or is to be. */
  pathOf(sink: string): string;
  /** Rows up to `seq` that no reader has taken were dropped. */
  onGone(sink: string, seq: number): void;
  /** Room came or went. */
  onRoom(sink: string, full: boolean): void;
}

/** Room ends before the bound is reached, by what may be on its way. */
const MARGIN_BYTES = 4 * 1024 * 1024;
/** What left the sink waits this long for a commit it can share: a crash meanwhile only sends it again. */
export const LAZY_MS = 25;
/** The file system keeps this much free, or a fifth of itself where that is less: the log has to fit in, or not even what is done could be taken out. */
const FREE_BYTES = 256 * 1024 * 1024;
const LOOK_AT_DISK_MS = 500;
const WINDOW_BYTES = 8 * 1024 * 1024;
export const RETRY_MS = 500;
const RECOUNT_ROWS = 20_000;

export class Spool {
  readonly sink: string;
  private readonly tools: SpoolTools;
  private limits: SpoolLimits;
  private file: SpoolFile | undefined;
  private appends: Append[] = [];
  private dones: Done[] = [];
  private donesSince = 0;
  private cursor = 0;
  private trouble: { code: ErrorCode; message: string } | undefined;
  private retryAt = 0;
  private lowDisk: SpoolState['lowDisk'];
  private diskLookedAt = 0;
  private full = false;
  private fullSince = 0;
  private droppedCount = 0;
  private droppedTold = 0;
  private commits = 0;
  private commitMs = 0;
  private longestCommitMs = 0;
  private readonly clock = new CommitClock();
  /** Rows of an earlier run not counted yet: from `next` to `last`. */
  private recount: { next: number; last: number; counted: Set<number> } | undefined;

  constructor(sink: string, limits: SpoolLimits, tools: SpoolTools) {
    this.sink = sink;
    this.limits = limits;
    this.tools = tools;
    this.ready();
  }

  configure(limits: SpoolLimits): void {
    this.limits = limits;
    this.judgeRoom();
  }

  get isFull(): boolean {
    return this.full;
  }

  get head(): number {
    return this.file?.head ?? 0;
  }

  get first(): number {
    return this.file?.first ?? 1;
  }

  /** Bytes the reader may hold: what it holds can't be dropped. */
  get window(): number {
    return Math.min(WINDOW_BYTES, this.limits.maxBytes / 4);
  }

  get recounting(): boolean {
    return this.recount !== undefined;
  }

  get waiting(): boolean {
    return this.appends.length > 0 || this.dones.length > 0;
  }

  append(append: Append): void {
    this.appends.push(append);
  }

  done(seq: number, indexes: readonly number[] | undefined, end: SpoolEnd, cursor: number): void {
    if (this.dones.length === 0) this.donesSince = performance.now();
    this.dones.push({ seq, indexes, end });
    this.cursor = Math.max(this.cursor, cursor);
  }

  /** Commits what waits, and answers it. What only left the sink may wait for company, unless `force`. Never throws. */
  flush(force: boolean): void {
    if (this.appends.length === 0) {
      if (this.dones.length === 0) return;
      if (!force && performance.now() - this.donesSince < LAZY_MS) return;
    }
    if (!this.ready()) {
      this.failAppends();
      return;
    }
    const appends = this.appends;
    const dones = this.dones;
    this.appends = [];
    try {
      this.commit(appends, dones);
      this.dones = [];
      this.settled();
    } catch (error) {
      this.appends = appends;
      this.failed(error);
    }
    this.judgeRoom();
  }

  /** Rows for the reader; undefined while the file can't be read. */
  read(from: number, until: number, maxBytes: number): { rows: SpooledRow[]; scanned: number } | undefined {
    if (!this.ready()) return undefined;
    try {
      const { rows, scanned, damaged } = (this.file as SpoolFile).read(from, until, maxBytes);
      this.cursor = Math.max(this.cursor, scanned);
      if (damaged.length > 0) {
        this.depart(damaged, 'dropped');
        const messages = damaged.reduce((sum, { row }) => sum + row.count, 0);
        const file = basename((this.file as SpoolFile).path);
        this.tell('critical', 'spool.damaged', 'PB_SPOOL_DAMAGED', { name: this.sink, messages, file });
      }
      return { rows, scanned };
    } catch (error) {
      this.failed(error);
      return undefined;
    }
  }

  /** Drops every row but those of `keep`; how many messages that were. Throws coded errors. */
  purge(keep: ReadonlySet<number>): number {
    this.tellDropped();
    this.flush(true);
    if (!this.ready()) throw this.unavailable();
    const file = this.file as SpoolFile;
    let departures: Departure[] = [];
    const before = file.messages;
    try {
      file.transact(() => (departures = file.purge(keep)));
    } catch (error) {
      throw storeError(error, basename(file.path));
    }
    const messages = before - file.messages;
    this.depart(departures, 'dropped');
    // Whoever purges hears the number; it is no event of its own.
    this.droppedTold = this.droppedCount;
    this.judgeRoom();
    return messages;
  }

  /** Counts rows of an earlier run, some at a time. True when there are more. */
  countMore(): boolean {
    const { recount, file } = this;
    if (recount === undefined || file === undefined) return false;
    const until = Math.min(recount.next + RECOUNT_ROWS, recount.last + 1);
    let tally: Tally;
    try {
      tally = file.tally(recount.next, until);
    } catch (error) {
      this.recount = undefined;
      this.failed(error);
      return false;
    }
    const { ledger } = this.tools;
    for (const { pipeline, messages } of tally.whole) ledger.carriedWhole(pipeline, messages);
    for (const { seq, row, gone } of tally.others) if (!recount.counted.has(seq)) ledger.carried(row, gone);
    if (tally.next === 0 || tally.next > recount.last) {
      this.recount = undefined;
      return false;
    }
    recount.next = tally.next;
    return true;
  }

  /** About once a second: the file is still where it was, free pages go back, what was dropped is told. */
  maintain(): void {
    this.tellDropped();
    if (this.trouble !== undefined) this.flush(true);
    if (!this.ready()) return;
    const file = this.file as SpoolFile;
    try {
      if (!file.present()) {
        const rows = file.rescue();
        this.tell('critical', 'spool.gone', 'PB_SPOOL_GONE', { name: this.sink, file: basename(file.path), rows });
      }
      file.shrink();
      if (this.trouble !== undefined) {
        file.transact(() => undefined);
        this.settled();
      }
    } catch (error) {
      this.failed(error);
    }
    this.diskLookedAt = 0;
    this.judgeRoom();
  }

  commitTimes(): CommitTimes {
    return this.clock.times();
  }

  state(): SpoolState {
    let oldest = 0;
    try {
      oldest = this.file?.oldest ?? 0;
    } catch {
      // Its trouble shows in `failing`.
    }
    return {
      messages: this.file?.messages ?? 0,
      bytes: this.file?.bytes ?? 0,
      maxBytes: this.limits.maxBytes,
      whenFull: this.limits.whenFull,
      fullSince: this.fullSince,
      oldest,
      dropped: this.droppedCount,
      failing: this.trouble?.message ?? '',
      failingCode: this.trouble?.code ?? '',
      lowDisk: this.lowDisk,
      commits: this.commits,
      commitSeconds: this.commitMs / 1000,
      longestCommitSeconds: this.longestCommitMs / 1000,
    };
  }

  /** Commits what waits and closes the file. */
  close(): void {
    this.flush(true);
    this.tellDropped();
    try {
      this.file?.close();
    } catch {
      // What was committed is in the WAL; closing only tidies up.
    }
    this.file = undefined;
    for (const append of this.appends.splice(0)) append.failed('PB_STORE_CLOSED', {});
  }

  /** Closes and deletes the file; how many messages were in it. */
  discard(): number {
    this.dones = [];
    const messages = this.file?.messages ?? 0;
    const { file } = this;
    if (file !== undefined && messages > 0) {
      let departures: Departure[] = [];
      file.transact(() => (departures = file.purge(new Set())));
      this.depart(departures, 'dropped');
    }
    file?.discard();
    this.file = undefined;
    for (const append of this.appends.splice(0)) append.failed('PB_STORE_CLOSED', {});
    return messages;
  }

  private ready(): boolean {
    if (this.file !== undefined) return true;
    if (performance.now() < this.retryAt) return false;
    const { tools, sink } = this;
    try {
      const file = new SpoolFile(tools.pathOf(sink), { sink, now: tools.now, onEvent: tools.onEvent });
      this.file = file;
      if (file.messages > 0) this.recount = { next: file.first, last: file.head, counted: new Set() };
      this.settled();
      this.judgeRoom();
      return true;
    } catch (error) {
      this.failed(error);
      return false;
    }
  }

  private commit(appends: readonly Append[], dones: readonly Done[]): void {
    const file = this.file as SpoolFile;
    const seqs: (number | 'dropped' | 'full')[] = [];
    const left: [Departure, SpoolEnd][] = [];
    const stored: Append[] = [];
    this.lookAtDisk(appends.reduce((sum, { block }) => sum + SpoolFile.bytesOf(block), 0));
    const before = performance.now();
    let droppedNow = 0;
    file.transact(() => {
      for (const { seq, indexes, end } of dones) {
        const departure = file.remove(seq, indexes);
        if (departure !== undefined) left.push([departure, end]);
      }
      for (const append of appends) {
        const fits = this.makeRoom(file, SpoolFile.bytesOf(append.block), left);
        if (fits) seqs.push(file.append(append.pipeline, append.lineage, append.count, append.block));
        else if (this.limits.whenFull === 'block') seqs.push('full');
        else {
          seqs.push('dropped');
          droppedNow += append.count;
        }
      }
    });
    const took = performance.now() - before;
    this.commits++;
    this.commitMs += took;
    this.longestCommitMs = Math.max(this.longestCommitMs, took);
    this.clock.took(took);
    const { ledger } = this.tools;
    appends.forEach((append, i) => {
      if (typeof seqs[i] === 'number') {
        ledger.appended(rowOf(append));
        stored.push(append);
      }
    });
    for (const [departure, end] of left) this.depart([departure], end);
    this.droppedCount += droppedNow;
    appends.forEach((append, i) => {
      const seq = seqs[i];
      if (typeof seq === 'number') append.stored(seq);
      else if (seq === 'dropped') append.dropped();
      else if (this.lowDisk !== undefined) append.failed('PB_SPOOL_LOW_DISK', { name: this.sink, ...this.lowDisk });
      else append.failed('PB_SPOOL_FULL', { name: this.sink, size: formatSize(this.limits.maxBytes) });
    });
  }

  private makeRoom(file: SpoolFile, bytes: number, left: [Departure, SpoolEnd][]): boolean {
    const { maxBytes, whenFull } = this.limits;
    const short = file.bytes + bytes - maxBytes;
    if ((short <= 0 || file.messages === 0) && this.lowDisk === undefined) return true;
    if (whenFull !== 'dropOldest') return false;
    // At low disk the pages of what is dropped take what comes.
    const need = this.lowDisk !== undefined ? Math.max(bytes, short) : short;
    const departures = file.dropOldest(this.cursor, need);
    for (const departure of departures) left.push([departure, 'dropped']);
    if (departures.length > 0) this.tools.onGone(this.sink, file.first - 1);
    return file.bytes + bytes <= maxBytes && (this.lowDisk === undefined || left.length > 0);
  }

  private depart(departures: readonly Departure[], end: SpoolEnd): void {
    for (const { seq, row, indexes, gone } of departures) {
      const { recount } = this;
      // A row of an earlier run that leaves before the recount came to it is counted now.
      if (recount !== undefined && seq >= recount.next && seq <= recount.last && !recount.counted.has(seq)) {
        recount.counted.add(seq);
        this.tools.ledger.carried(row, gone);
      }
      this.tools.ledger.finished(row, indexes, gone, end);
      if (end === 'dropped') {
        const already = gone?.reduce((sum, flag) => sum + flag, 0) ?? 0;
        this.droppedCount += indexes?.length ?? row.count - already;
      }
    }
  }

  private failed(error: unknown): void {
    const path = this.tools.pathOf(this.sink);
    if (isDamage(error) && this.file !== undefined) {
      try {
        this.file.replace((error as Error).message);
        this.recount = undefined;
        this.retryAt = 0;
        return;
      } catch (again) {
        this.file = undefined;
        this.note(again, path);
        return;
      }
    }
    this.note(error, path);
  }

  private note(error: unknown, path: string): void {
    const coded: CodedError = storeError(error, basename(path));
    const before = this.trouble?.code;
    this.trouble = { code: coded.code as ErrorCode, message: coded.message };
    this.retryAt = performance.now() + RETRY_MS;
    if (before !== coded.code)
      this.tell('critical', 'spool.failing', 'PB_SPOOL_FAILING', { name: this.sink, reason: coded.message });
    this.failAppends();
    this.judgeRoom();
  }

  private settled(): void {
    if (this.trouble === undefined) return;
    this.trouble = undefined;
    this.tools.onEvent({
      severity: 'info',
      source: 'storage',
      type: 'spool.works',
      subject: this.sink,
      message: `The spool of ${this.sink} can be written again`,
    });
  }

  private failAppends(): void {
    const { code, details } = this.unavailable();
    for (const append of this.appends.splice(0)) append.failed(code as ErrorCode, details);
  }

  private unavailable(): CodedError {
    return new CodedError('PB_SPOOL_FAILING', {
      name: this.sink,
      reason: this.trouble?.message ?? 'it is being opened',
    });
  }

  private judgeRoom(): void {
    this.lookAtDisk();
    const { maxBytes, whenFull } = this.limits;
    const bytes = this.file?.bytes ?? 0;
    const margin = Math.min(MARGIN_BYTES, maxBytes / 8);
    const noRoom = bytes > maxBytes - margin;
    const full = this.file === undefined || this.trouble !== undefined || this.lowDisk !== undefined || noRoom;
    const held = full && (whenFull === 'block' || this.trouble !== undefined || this.file === undefined);
    if (full !== this.fullSince > 0) {
      this.fullSince = full ? this.tools.now() : 0;
      if (noRoom)
        this.tell('warning', 'spool.full', 'PB_SPOOL_FULL', {
          name: this.sink,
          size: formatSize(maxBytes),
          policy: whenFull,
        });
    }
    if (held === this.full) return;
    this.full = held;
    this.tools.onRoom(this.sink, held);
  }

  /** `coming`: bytes about to be written; with some it is looked at in any case. */
  private lookAtDisk(coming = 0): void {
    const now = performance.now();
    if (coming === 0 && this.diskLookedAt > 0 && now - this.diskLookedAt < LOOK_AT_DISK_MS) return;
    this.diskLookedAt = now;
    let free: number;
    let keep: number;
    try {
      const disk = statfsSync(dirname(this.tools.pathOf(this.sink)));
      free = disk.bavail * disk.bsize - coming;
      keep = Math.min(FREE_BYTES, (disk.blocks * disk.bsize) / 5);
    } catch {
      return;
    }
    // Some way back before it counts as enough: else it would flicker.
    const low = free < (this.lowDisk !== undefined ? keep * 1.2 : keep);
    const told = this.lowDisk !== undefined;
    this.lowDisk = low ? { free: megabytes(free), keep: megabytes(keep) } : undefined;
    if (low && !told)
      this.tell('critical', 'spool.low-disk', 'PB_SPOOL_LOW_DISK', { name: this.sink, ...this.lowDisk });
  }

  private tellDropped(): void {
    const count = this.droppedCount - this.droppedTold;
    if (count === 0) return;
    this.droppedTold = this.droppedCount;
    this.tell('warning', 'spool.dropped', 'PB_SPOOL_DROPPED', { name: this.sink, count });
  }

  private tell(
    severity: 'warning' | 'critical',
    type: string,
    code: ErrorCode,
    details: Readonly<Record<string, unknown>>,
  ): void {
    this.tools.onEvent(codedEvent(severity, 'storage', type, code, details, this.sink));
  }
}

function rowOf({ pipeline, lineage, count }: Append): Parameters<SpoolLedger['appended']>[0] {
  return {
    pipeline,
    flight: lineage.flight,
    size: lineage.size,
    spools: lineage.spools,
    roots: lineage.roots === undefined ? undefined : Uint32Array.from(lineage.roots),
    count,
  };
}

function megabytes(bytes: number): string {
  return `${Math.round(bytes / 1e5) / 10} MB`;
}
