import type { Context, TestStep } from './context.ts';
import type { Message } from './message.ts';

/**
 * What a sink's "done" means. `durable`: on our disk, synced. `remote`: a peer confirmed it.
 * `view`: in memory, rebuilt by the next messages; takes no part in the no-loss promise.
 */
export type Custody = 'durable' | 'remote' | 'view';

/** A message of the batch that was not taken. */
export type WriteException =
  /** Try it again, not before `afterMs` (host's back-off when absent). */
  | {
      readonly index: number;
      readonly kind: 'retry';
      readonly code: string;
      readonly cause: string;
      readonly afterMs?: number;
    }
  /** Never: it becomes a dead letter. */
  | { readonly index: number; readonly kind: 'refuse'; readonly code: string; readonly cause: string };

/** Nothing: all done. Else the exceptions; every message not listed is done. */
export type WriteResult = void | readonly WriteException[];

/**
 * Stores or forwards. The host owns queueing, retries and reconnecting: a sink that throws
 * `NotConnectedError` from `write` has taken nothing of the batch, is closed, reopened with
 * back-off and given the batch again.
 */
export interface Sink<Config = unknown> {
  open(): void | Promise<void>;
  /** One batch at a time unless the manifest says `"concurrency": N`. Done means what the custody says. */
  write(batch: readonly Message[]): WriteResult | Promise<WriteResult>;
  close(): void | Promise<void>;
  reconfigure?(config: Config): boolean | Promise<boolean>;
}

export interface SinkDefinition<Config> {
  readonly kind: 'sink';
  readonly custody: Custody;
  create(context: Context<Config>): Sink<Config>;
  /** *Test connection*. */
  test?(context: Context<Config>): Promise<readonly TestStep[]>;
}

/** `export default defineSink({ custody, create })` is a sink's module. */
export function defineSink<Config>(definition: Omit<SinkDefinition<Config>, 'kind'>): SinkDefinition<Config> {
  return { kind: 'sink', ...definition };
}
