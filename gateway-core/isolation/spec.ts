/** What the engine tells a worker about the instances and pipelines it is to run. Plain data: it crosses threads. */

export interface InstanceSpec {
  readonly name: string;
  readonly kind: 'source' | 'handler' | 'sink';
  /** Plugin and version, for messages: `amqp1@1.0.0`. */
  readonly plugin: string;
  readonly moduleUrl: string;
  readonly config: Readonly<Record<string, unknown>>;
  /** Values in its config that no stored text may show. */
  readonly secrets: readonly string[];
  readonly project: string;
  /** Sinks. */
  readonly concurrency: number;
  /** Sinks. `disk`: its spool feeds it. */
  readonly buffer: 'memory' | 'disk';
  /** Sinks that buffer in memory: bytes that may wait before it, and what to do without room. */
  readonly maxBytes: number;
  readonly whenFull: 'block' | 'dropNewest' | 'dropOldest';
  /** Sinks: what the manifest promises; the definition must say the same. */
  readonly custody: string;
}

export interface StepRef {
  readonly name: string;
  /** It runs in another worker, reached over a link. */
  readonly remote: boolean;
  /** Sinks: messages for it go to its spool. */
  readonly spooled?: boolean;
}

export interface PipelineSpec {
  readonly name: string;
  /** Its sources that run in this worker. */
  readonly sources: readonly string[];
  /** CEL; empty: every message. */
  readonly where: string;
  readonly through: readonly StepRef[];
  readonly to: readonly StepRef[];
  readonly atMostOnce: boolean;
}

export interface WorkerSettings {
  readonly worker: string;
  readonly deadlineMs: number;
  /** Milliseconds a sink has for a `write`. */
  readonly writeMs: number;
  /** Counted up by the worker twice a second; the watchdog looks at it. */
  readonly heartbeat: SharedArrayBuffer;
}
