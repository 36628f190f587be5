/** What engine and clients tell each other about dead letters. */
import type { WireError } from './frames.ts';
import type { CloudEventJson } from './model.ts';

/** What kind of instance refused the message; empty in letters of stores that did not keep it yet. */
export type LetterPlace = 'source' | 'handler' | 'sink' | '';

/** Which letters are meant: each field narrows, none means all. */
export interface LetterFilter {
  readonly pipeline?: string;
  /** The instance that refused it. */
  readonly instance?: string;
  readonly code?: string;
  /** When it was stored, ms since the epoch, both ends included. */
  readonly from?: number;
  readonly to?: number;
  /** Anywhere in cause or message id; ASCII letters in either case. */
  readonly text?: string;
  /** Ids up to this one: not what was refused after the filter had been looked at. */
  readonly upTo?: number;
}

export type LetterSelection = { readonly ids: readonly number[] } | { readonly filter: LetterFilter };

export interface LetterRow {
  readonly id: number;
  /** When it was stored, ms since the epoch. */
  readonly stored: number;
  readonly pipeline: string;
  readonly instance: string;
  readonly place: LetterPlace;
  /** The source instance that brought it in. */
  readonly origin: string;
  readonly messageId: string;
  readonly code: string;
  /** At most 500 characters of it. */
  readonly cause: string;
  /** How often something tried to take it, retries by operators included. */
  readonly attempts: number;
  readonly bytes: number;
  /** How often an operator retried it. */
  readonly retries: number;
  readonly edited: boolean;
  /** A retry has it in hand: it cannot be changed until that has ended. */
  readonly busy: boolean;
}

/** Letters of one cause at one instance in one pipeline. */
export interface LetterGroup {
  readonly pipeline: string;
  readonly instance: string;
  readonly place: LetterPlace;
  readonly code: string;
  /** Of the newest of them. */
  readonly cause: string;
  readonly count: number;
  readonly bytes: number;
  readonly oldest: number;
  readonly newest: number;
}

export interface LetterBounds {
  readonly count: number;
  readonly bytes: number;
  readonly ageMs: number;
}

export interface LetterSummary {
  readonly count: number;
  readonly bytes: number;
  /** The highest id there is, whatever the filter: for `upTo`. */
  readonly newest: number;
  /** The largest first, at most 500. */
  readonly groups: readonly LetterGroup[];
  readonly bounds: LetterBounds;
}

/** `place`: to the handler or sink that refused it, and on from there. `start`: to the beginning of its pipeline. */
export type RetryTo = 'place' | 'start';

/** One thing that was done with a letter. */
export type LetterAct =
  | { readonly act: 'edited'; readonly time: number; readonly by: string }
  | {
      readonly act: 'retried';
      readonly time: number;
      readonly by: string;
      readonly to: RetryTo;
      /** Refused once more, or not done and given back. */
      readonly ended: 'refused' | 'returned';
      readonly code: string;
      readonly cause: string;
    };

/** A payload as an operator edits it. */
export type LetterPayload =
  /** `text`: the form in which it is edited; of `json` and `metric`, JSON. */
  | { readonly form: 'text' | 'json' | 'metric' | 'text-bytes'; readonly text: string }
  | { readonly form: 'bytes'; readonly base64: string }
  | { readonly form: 'none' }
  /** Too large to be shown: `bytes` of it. */
  | { readonly form: 'large'; readonly bytes: number };

export interface LetterMessage {
  readonly event: CloudEventJson;
  readonly payload: LetterPayload;
  readonly type: string;
  readonly subject: string;
  readonly partitionkey: string;
  readonly attributes: Readonly<Record<string, unknown>>;
}

export interface LetterDetail {
  readonly letter: LetterRow;
  /** The whole of it. */
  readonly cause: string;
  /** The plugin's, where it threw; else empty. */
  readonly stack: string;
  /** What the error's registry says is to be done; empty when it says nothing. */
  readonly remedy: string;
  /** Rises with each edit. */
  readonly revision: number;
  /** Oldest first, the last twenty. */
  readonly history: readonly LetterAct[];
  /** Absent when it cannot be read: see `problem`. */
  readonly message?: LetterMessage;
  /** Before it was edited. */
  readonly original?: CloudEventJson;
  readonly problem?: WireError;
}

export interface LetterChange {
  /** `text` keeps the payload's form: bytes stay bytes, JSON is parsed. `base64`: bytes. */
  readonly payload?: { readonly text: string } | { readonly base64: string };
  readonly type?: string;
  /** Empty: none. */
  readonly subject?: string;
  readonly partitionkey?: string;
  readonly attributes?: Readonly<Record<string, unknown>>;
}

/** A retry on its way, or one of the last that ended. */
export interface RetryJob {
  readonly id: string;
  readonly by: string;
  readonly to: RetryTo;
  readonly since: number;
  /** 0 while it runs. */
  readonly ended: number;
  readonly state: 'running' | 'done' | 'cancelled' | 'stopped';
  /** Letters it began with, and those it is through with. */
  readonly total: number;
  readonly done: number;
  readonly delivered: number;
  readonly filtered: number;
  /** Stored anew. */
  readonly refused: number;
  /** Not done; the letter stayed. */
  readonly kept: number;
  /** Why a letter was kept, or why it stopped; the last one. */
  readonly error?: WireError;
}

export interface LetterState {
  readonly count: number;
  readonly bytes: number;
  /** Changes whenever a letter came, went or was edited. */
  readonly changes: number;
  readonly pipelines: Readonly<Record<string, number>>;
  readonly instances: Readonly<Record<string, number>>;
  /** Newest first. */
  readonly jobs: readonly RetryJob[];
}

export interface ExportItem {
  readonly events: readonly CloudEventJson[];
  /** Ids of letters that could not be read, left out. */
  readonly unreadable: readonly number[];
}
