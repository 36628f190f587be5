import type { MessagePort } from 'node:worker_threads';
import type { EventReport } from '../events/report.ts';
import type { Logger } from '../plugin-api/context.ts';
import type {
  LetterAct,
  LetterBounds,
  LetterFilter,
  LetterGroup,
  LetterPlace,
  LetterRow,
  LetterSelection,
} from '../protocol/dead-letters.ts';
import type { ConfigVersion, GatewayEvent } from '../protocol/model.ts';

/** A message some step or sink refused, as it is stored. */
export interface DeadLetter {
  readonly time: number;
  readonly pipeline: string;
  /** Instance that refused it. */
  readonly instance: string;
  readonly origin: string;
  readonly messageId: string;
  readonly code: string;
  readonly cause: string;
  readonly attempts: number;
  /** What kind of instance refused it; absent: not known. */
  readonly place?: LetterPlace;
  /** Of the plugin's error, secrets masked; absent: it threw none. */
  readonly stack?: string;
  /** The message packed by `flow/pack.ts`, with all that is needed to send it again. */
  readonly packed: Uint8Array;
}

/**
 * What workers may ask of the storage thread. Every write resolves after the commit;
 * writes of one turn share a commit.
 */
export interface WorkerStorage {
  stateGet(instance: string, key: string): Promise<unknown>;
  stateSet(instance: string, key: string, value: unknown): Promise<void>;
  stateDelete(instance: string, key: string): Promise<void>;
  stateKeys(instance: string): Promise<readonly string[]>;
  cacheGet(instance: string, key: string): Promise<unknown>;
  cacheSet(instance: string, key: string, value: unknown, ttlMs: number): Promise<void>;
  deadLettersAdd(letters: readonly DeadLetter[]): Promise<void>;
}

export interface EventQuery {
  /** At most so many, newest first. */
  readonly limit: number;
  /** Only events with a smaller id. */
  readonly before?: number;
  /** Events of this severity or a graver one. */
  readonly severity?: string;
  /** Events of exactly this source. */
  readonly source?: string;
}

/** All of it, for the engine's own thread. */
export interface Storage extends WorkerStorage {
  /** Versions rise and are never given twice; the oldest go when the bounds are reached. */
  historyAppend(entry: { yaml: string; origin: string; comment: string; time: number }): Promise<number>;
  /** Newest first. */
  historyList(limit: number): Promise<readonly ConfigVersion[]>;
  historyGet(version: number): Promise<(ConfigVersion & { yaml: string }) | undefined>;
  /** Ids are given by the store, rising. */
  eventsAppend(events: readonly Omit<GatewayEvent, 'id'>[]): Promise<readonly number[]>;
  eventsList(query: EventQuery): Promise<readonly GatewayEvent[]>;
  settingGet(key: string): Promise<unknown>;
  settingSet(key: string, value: unknown): Promise<void>;
  /** How many are kept, by pipeline. */
  deadLettersCount(): Promise<Readonly<Record<string, number>>>;
  readonly letters: LetterStorage;
  /** A port for one worker, to be transferred to it; the worker wraps it with `connectStorage(port)`. */
  port(): Promise<MessagePort>;
  /** Commits what waits and ends the thread. */
  close(): Promise<void>;
}

/** A letter without its message. */
export type StoredLetter = Omit<LetterRow, 'busy'> & { readonly revision: number };

/** A letter with all that is kept of it. */
export interface WholeLetter extends StoredLetter {
  readonly stack: string;
  readonly history: readonly LetterAct[];
  readonly packed: Uint8Array;
  /** The message before it was edited. */
  readonly original: Uint8Array | undefined;
}

/** What became of a letter that was retried. */
export interface LetterResult {
  readonly id: number;
  /** `taken`: it may go. `refused`: it lies in the store anew. `kept`: nothing has it. */
  readonly result: 'taken' | 'refused' | 'kept';
  /** For the history of the letter that stays; absent with `taken`. */
  readonly act?: LetterAct;
}

export interface LettersKept {
  readonly count: number;
  readonly bytes: number;
  /** Changes whenever a letter came, went or was edited. */
  readonly changes: number;
  readonly pipelines: Readonly<Record<string, number>>;
  readonly instances: Readonly<Record<string, number>>;
}

/** The dead letters, for the engine's own thread. Ids rise in the order of storing. */
export interface LetterStorage {
  kept(): Promise<LettersKept>;
  /** Newest first, with ids below `before`. */
  list(filter: LetterFilter, before: number | undefined, limit: number): Promise<readonly StoredLetter[]>;
  /** `newest`: the highest id there is, whatever the filter. */
  summary(filter: LetterFilter): Promise<{ count: number; bytes: number; newest: number; groups: LetterGroup[] }>;
  get(id: number): Promise<WholeLetter | undefined>;
  /** `newest` as in `summary`. */
  measure(selection: LetterSelection): Promise<{ count: number; bytes: number; newest: number }>;
  /** The oldest first, with ids above `after`; ends early (after one at least) when their messages reach `bytes`. */
  take(selection: LetterSelection, after: number, limit: number, bytes: number): Promise<readonly WholeLetter[]>;
  /** Removes at most `limit`, the oldest first, except those of `spare`; how many it were, and the last id looked at (0: no more). */
  remove(
    selection: LetterSelection,
    after: number,
    limit: number,
    spare: readonly number[],
  ): Promise<{ count: number; last: number }>;
  /** Replaces the message, once the letter is at that revision; the first original is kept. False: it is gone, or at another one. */
  edit(id: number, revision: number, packed: Uint8Array, by: string): Promise<boolean>;
  /**
   * Ends a retry, in one commit. A letter that was refused anew goes only if the new one is found
   * among the ids above `watermark`; that takes over its history and attempts.
   */
  settle(results: readonly LetterResult[], watermark: number): Promise<void>;
  /** New bounds, from now on and after a restart of the storage thread; what is beyond them goes at once. */
  bound(bounds: LetterBounds): Promise<void>;
}

/** Bounds of the stores. */
export interface StorageLimits {
  readonly deadLetters: LetterBounds;
  readonly events: { readonly count: number; readonly ageMs: number };
  readonly history: { readonly count: number; readonly bytes: number };
  readonly cache: { readonly bytes: number };
}

const DAY = 24 * 3600 * 1000;
const MIB = 1024 * 1024;

export const DEFAULT_LIMITS: StorageLimits = {
  deadLetters: { count: 100_000, bytes: 512 * MIB, ageMs: 30 * DAY },
  events: { count: 100_000, ageMs: 90 * DAY },
  history: { count: 1000, bytes: 128 * MIB },
  cache: { bytes: 64 * MIB },
};

export interface StorageOptions {
  /** The data folder; the files lie in its `store/`. */
  readonly folder: string;
  /** What the storage itself has to report: a file set aside, evictions, a restart. */
  readonly onEvent: (event: EventReport) => void;
  readonly log: Logger;
  readonly limits?: Partial<StorageLimits>;
}
