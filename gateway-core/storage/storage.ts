import type { MessagePort } from 'node:worker_threads';
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
  cacheGet(instance: string, key: string): Promise<unknown>;
  cacheSet(instance: string, key: string, value: unknown, ttlMs: number): Promise<void>;
  deadLettersAdd(letters: readonly DeadLetter[]): Promise<void>;
}

export interface EventQuery {
  readonly limit: number;
  /** Only events with a smaller id. */
  readonly before?: number;
  readonly severity?: string;
  readonly source?: string;
}

/** All of it, for the engine's own thread. */
export interface Storage extends WorkerStorage {
  historyAppend(entry: { yaml: string; origin: string; comment: string; time: number }): Promise<number>;
  historyList(limit: number): Promise<readonly ConfigVersion[]>;
  historyGet(version: number): Promise<(ConfigVersion & { yaml: string }) | undefined>;
  /** Ids are given by the store, rising. */
  eventsAppend(events: readonly Omit<GatewayEvent, 'id'>[]): Promise<readonly number[]>;
  eventsList(query: EventQuery): Promise<readonly GatewayEvent[]>;
  settingGet(key: string): Promise<unknown>;
  settingSet(key: string, value: unknown): Promise<void>;
  deadLettersCount(): Promise<Readonly<Record<string, number>>>;
  /** A port for one worker, to be transferred to it; the worker wraps it with `connectStorage(port)`. */
  port(): Promise<MessagePort>;
  /** Commits what waits and ends the thread. */
  close(): Promise<void>;
}
