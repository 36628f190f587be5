/** What engine and worker say to each other. */
import type { MessagePort } from 'node:worker_threads';
import type { PipelineCounters, StepCounters } from '../flow/counters.ts';
import type { TapReport, TapSpec } from '../live/tap.ts';
import type { TestStep } from '../plugin-api/index.ts';
import type { InstanceState } from '../protocol/model.ts';
import type { WireError } from '../protocol/frames.ts';
import type { Injected, Injection } from './injection.ts';
import type { InstanceSpec, PipelineSpec } from './spec.ts';

/** Commands by name: parameters and result. */
export interface Commands {
  /** Runs an instance; sources begin with `beginSource`. Rejects when it can't start as configured. */
  startInstance: { params: { spec: InstanceSpec }; result: void };
  /** Sources: takes in nothing more and waits for outcomes, at most `waitMs`. */
  stopInstance: { params: { name: string; waitMs: number }; result: void };
  /** Changes a running instance; on a failure the old one runs again and the command rejects. */
  replaceInstance: { params: { spec: InstanceSpec; waitMs: number }; result: { live: boolean } };
  beginSource: { params: { name: string }; result: void };
  /** All pipelines of this worker; takes effect for every source at its next batch. */
  setPipelines: { params: { pipelines: readonly PipelineSpec[] }; result: void };
  /** A way to an instance elsewhere. */
  link: { params: { name: string; kind: 'handler' | 'sink'; port: MessagePort }; result: void };
  unlink: { params: { name: string }; result: void };
  /** A way to an instance here, for another worker. */
  serve: { params: { name: string; port: MessagePort }; result: void };
  pausePipeline: { params: { name: string }; result: void };
  resumePipeline: { params: { name: string }; result: void };
  /** Goes on to the next command although the current one has not ended. */
  abandon: { params: Record<string, never>; result: void };
  drainPipeline: { params: { name: string }; result: void };
  /** Drops what waits to begin; how many messages. */
  purgePipeline: { params: { name: string }; result: { messages: number } };
  /** Sinks write nothing more until resumed; their spools fill. */
  pauseSink: { params: { name: string }; result: void };
  resumeSink: { params: { name: string }; result: void };
  /** Drops what waits for it, in memory and in its spool; how many messages. Undefined: it is not here. */
  purgeSink: { params: { name: string }; result: { messages: number } | undefined };
  /** Resolves when nothing waits for it any more, in memory or in its spool. */
  drainSink: { params: { name: string }; result: void };
  inject: { params: Injection; result: Injected };
  openTap: { params: { tap: TapSpec }; result: { attached: boolean } };
  closeTap: { params: { tap: string }; result: void };
  stats: { params: Record<string, never>; result: WorkerStats };
  testInstance: { params: { spec: InstanceSpec }; result: { steps: readonly TestStep[] } };
  /** Ends everything: sources first, then what is in flight (at most `waitMs`), then sinks. */
  shutdown: { params: { waitMs: number }; result: void };
}

export type CommandName = keyof Commands;

export interface SinkStats {
  /** In memory: waiting or being written. */
  readonly queued: number;
  readonly oldestSeconds: number;
  /** No room: its pipelines wait. */
  readonly full: boolean;
  readonly paused: boolean;
  /** `open`: the peer is left alone until the next probe; `probing`: one write decides. */
  readonly circuit: 'closed' | 'open' | 'probing';
  /** Messages so far in this thread. */
  readonly delivered: number;
  readonly refused: number;
  readonly retried: number;
  readonly dropped: number;
}

export interface WorkerStats {
  readonly instances: Readonly<Record<string, StepCounters>>;
  readonly pipelines: Readonly<Record<string, PipelineCounters>>;
  readonly sinks: Readonly<Record<string, SinkStats>>;
  /** Plugins' own numbers: `instance`, `name`, counter or gauge. */
  readonly metrics: readonly {
    readonly instance: string;
    readonly name: string;
    readonly type: 'counter' | 'gauge';
    readonly value: number;
  }[];
  readonly heapBytes: number;
  /** Share of the thread's time spent busy since the last report, 0 to 1. */
  readonly utilisation: number;
}

export type ToWorker = { readonly id: number; readonly command: CommandName; readonly params: unknown };

export type FromWorker =
  | { readonly t: 'ready' }
  | { readonly t: 'done'; readonly id: number; readonly value: unknown }
  | { readonly t: 'failed'; readonly id: number; readonly error: FaultReport }
  | {
      readonly t: 'state';
      readonly instance: string;
      readonly state: InstanceState;
      readonly reason: string;
      readonly code: string;
    }
  | {
      readonly t: 'log';
      readonly instance: string;
      readonly level: 'debug' | 'info' | 'warn' | 'error';
      readonly message: string;
      readonly fields: Readonly<Record<string, unknown>>;
    }
  | { readonly t: 'live'; readonly report: TapReport }
  | { readonly t: 'stats'; readonly stats: WorkerStats };

/** An error that crossed a thread. `path`: the field of the config it is about. */
export interface FaultReport extends WireError {
  readonly path?: string;
  /** What its class says: config, not-connected, other. */
  readonly nature: 'config' | 'transient' | 'other';
  readonly stack?: string;
}
