/** What workers and the spool thread say to each other. Messages of one turn travel as one array. */
import type { ErrorCode } from '../protocol/errors/index.ts';

export type WhenFull = 'block' | 'dropNewest' | 'dropOldest';

/** What became of messages that leave a spool. */
export type SpoolEnd = 'delivered' | 'deadLettered' | 'dropped';

/** Which roots of a pipeline's batch a spooled block is made of. */
export interface Lineage {
  /** Names the batch; the same in every spool it went to. */
  readonly flight: string;
  /** Root messages of the batch. */
  readonly size: number;
  /** Spools the batch goes to. */
  readonly spools: number;
  /** Root of each message of the block; undefined while message i is root i. */
  readonly roots: readonly number[] | undefined;
}

export type ToSpool =
  /** Store a packed block. Answered by `appended`, `dropped` or `failed`. */
  | readonly [
      'append',
      id: number,
      sink: string,
      pipeline: string,
      lineage: Lineage,
      count: number,
      block: Uint8Array<ArrayBuffer>,
    ]
  /** The worker has counted the batch: all roots but `excluded` are in the hands of spools. */
  | readonly ['settle', flight: string, pipeline: string, size: number, excluded: readonly number[]]
  /** Messages have left the sink: all that remain of the row, or these. `cursor`: the reader has taken all rows up to it. */
  | readonly ['done', sink: string, seq: number, indexes: readonly number[] | undefined, end: SpoolEnd, cursor: number]
  /** Rows from `from` on, below `until`; answered by `rows`. */
  | readonly ['read', id: number, sink: string, from: number, until: number, maxBytes: number]
  /** This port's worker writes to the sink: tell it of rows that others append. Answered by `head`. */
  | readonly ['follow', sink: string]
  | readonly ['unfollow', sink: string]
  /** Drop every row but these. Answered by `purged`. */
  | readonly ['purge', id: number, sink: string, keep: readonly number[]];

export interface SpooledRow {
  readonly seq: number;
  readonly pipeline: string;
  /** Messages that are done already, by index; undefined: none. */
  readonly done: Uint8Array | undefined;
  readonly block: Uint8Array<ArrayBuffer>;
}

export type FromSpool =
  | readonly ['appended', id: number, seq: number]
  | readonly ['dropped', id: number]
  | readonly ['failed', id: number, code: ErrorCode, details: Readonly<Record<string, unknown>>]
  /** Rows in order; everything up to `scanned` has been looked at. */
  | readonly ['rows', id: number, rows: readonly SpooledRow[], scanned: number]
  /** There are rows up to `head`. `first` above 0: begin anew with it, and keep at most `window` bytes in hand. */
  | readonly ['head', sink: string, first: number, head: number, window: number]
  /** Rows up to `seq` that the reader has not taken were dropped. */
  | readonly ['gone', sink: string, seq: number]
  | readonly ['room', sink: string, full: boolean]
  | readonly ['purged', id: number, messages: number];

export interface SpoolLimits {
  readonly maxBytes: number;
  readonly whenFull: WhenFull;
}

/** Root messages of one pipeline that are or were in spools, since the thread began. */
export interface SpoolLedgerCounts {
  /** Handed over by workers that have counted them. */
  readonly settled: number;
  /** Found in the files at the start. */
  readonly carried: number;
  /** In at least one spool now, of those settled or carried. */
  readonly spooled: number;
  readonly delivered: number;
  readonly deadLettered: number;
  readonly dropped: number;
}

export interface SpoolState {
  readonly messages: number;
  readonly bytes: number;
  readonly maxBytes: number;
  readonly whenFull: WhenFull;
  /** Since when there is no room, ms since the epoch; 0: there is. */
  readonly fullSince: number;
  /** When the oldest message was stored, ms since the epoch; 0: empty. */
  readonly oldest: number;
  /** Dropped since the thread began: full, purged, damaged. */
  readonly dropped: number;
  /** Why nothing can be stored now; empty: it can. */
  readonly failing: string;
  readonly failingCode: string;
  /** The disk is nearly full: what is free and what is kept free, in words. */
  readonly lowDisk: { readonly free: string; readonly keep: string } | undefined;
  readonly commits: number;
  readonly commitSeconds: number;
  readonly longestCommitSeconds: number;
}

/** A spool whose sink is not in the config. */
export interface OrphanSpool {
  readonly sink: string;
  readonly file: string;
  readonly messages: number;
  readonly bytes: number;
  readonly oldest: number;
}

export interface SpoolStats {
  /** Another one for each start of the thread: its counts begin anew. */
  readonly epoch: string;
  readonly sinks: Readonly<Record<string, SpoolState>>;
  readonly pipelines: Readonly<Record<string, SpoolLedgerCounts>>;
  readonly orphans: readonly OrphanSpool[];
  /** The files of an earlier run are still being counted. */
  readonly recounting: boolean;
}

export const EMPTY_SPOOLS: SpoolStats = { epoch: '', sinks: {}, pipelines: {}, orphans: [], recounting: false };
