import type { MessagePort } from 'node:worker_threads';
import type { EventReport } from '../events/report.ts';
import type { Logger, StateChanges } from '../plugin-api/context.ts';
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
  /** All of it in one commit, or nothing. */
  stateApply(instance: string, changes: StateChanges): Promise<void>;
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
  /** A port for one worker, to be transferred to it; the worker wraps it with `connectStorage(port)`. */
  port(): Promise<MessagePort>;
  /** Commits what waits and ends the thread. */
  close(): Promise<void>;
}

/** Bounds of the stores. */
export interface StorageLimits {
  readonly deadLetters: { readonly count: number; readonly bytes: number; readonly ageMs: number };
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
