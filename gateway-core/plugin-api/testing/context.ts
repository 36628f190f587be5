/** A host in miniature for unit tests of plugins: everything in memory, everything it was told kept for asking. */
import { compileExpression, compileValue } from '../../flow/expression.ts';
import type { AmqpHost } from '../amqp.ts';
import type { Context, Health, State } from '../context.ts';
import type { Refused } from '../handler.ts';
import { createMessage, type Message } from '../message.ts';
import { ALL_DELIVERED, type Outcome, type Outcomes } from '../outcome.ts';
import type { Emission, Emit } from '../source.ts';

export interface FakeLogLine {
  readonly level: 'debug' | 'info' | 'warn' | 'error';
  readonly message: string;
  readonly fields: Readonly<Record<string, unknown>>;
}

export interface FakeContext<Config> extends Context<Config> {
  readonly logs: readonly FakeLogLine[];
  /** Sums of `metrics.count`, last values of `metrics.gauge`. */
  readonly counts: ReadonlyMap<string, number>;
  readonly gauges: ReadonlyMap<string, number>;
  readonly healths: readonly Health[];
  /** What `fail` was called with. */
  readonly failures: readonly unknown[];
  /** Aborts `signal`, as the host does when the instance is to end. */
  abort(): void;
}

export interface FakeContextOptions<Config> {
  readonly config: Config;
  /** Default `test`. */
  readonly instance?: string;
  readonly project?: string;
  /** Of an earlier life of the same instance. Default: empty. */
  readonly state?: State;
  /** Default: a host whose methods reject. */
  readonly amqp?: AmqpHost;
}

/** A context for `definition.create(context)`. Expressions are real CEL. */
export function fakeContext<Config>(options: FakeContextOptions<Config>): FakeContext<Config> {
  const instance = options.instance ?? 'test';
  const project = options.project ?? 'default';
  const logs: FakeLogLine[] = [];
  const counts = new Map<string, number>();
  const gauges = new Map<string, number>();
  const healths: Health[] = [];
  const failures: unknown[] = [];
  const state = new Map<string, string>();
  const cache = new Map<string, { readonly json: string; readonly until: number }>();
  const controller = new AbortController();
  const logger =
    (level: FakeLogLine['level']) =>
    (message: string, fields: Readonly<Record<string, unknown>> = {}) => {
      logs.push({ level, message, fields });
    };
  return {
    instance,
    project,
    config: options.config,
    log: { debug: logger('debug'), info: logger('info'), warn: logger('warn'), error: logger('error') },
    // As JSON, like the real ones: what a plugin changes later on must not change what it stored.
    state: options.state ?? {
      get: (key) => Promise.resolve(parse(state.get(key))),
      set: (key, value) => Promise.resolve(void state.set(key, JSON.stringify(value))),
      delete: (key) => Promise.resolve(void state.delete(key)),
      keys: () => Promise.resolve([...state.keys()].toSorted()),
      apply: ({ set = {}, delete: gone = [] }) => {
        const texts = Object.entries(set).map(([key, value]) => [key, JSON.stringify(value)] as const);
        for (const key of gone) state.delete(key);
        for (const [key, text] of texts) state.set(key, text);
        return Promise.resolve();
      },
    },
    cache: {
      get: (key) => {
        const entry = cache.get(key);
        return Promise.resolve(entry !== undefined && entry.until > Date.now() ? parse(entry.json) : undefined);
      },
      set: (key, value, ttlMs) =>
        Promise.resolve(void cache.set(key, { json: JSON.stringify(value), until: Date.now() + ttlMs })),
    },
    metrics: {
      count: (name, by = 1) => void counts.set(name, (counts.get(name) ?? 0) + by),
      gauge: (name, value) => void gauges.set(name, value),
    },
    amqp: options.amqp ?? NO_AMQP,
    expression: compileExpression,
    value: compileValue,
    signal: controller.signal,
    message: (init) => createMessage(instance, project, init),
    health: (health) => void healths.push(health),
    fail: (error) => void failures.push(error),
    logs,
    counts,
    gauges,
    healths,
    failures,
    abort: () => controller.abort(),
  };
}

function parse(json: string | undefined): unknown {
  return json === undefined ? undefined : (JSON.parse(json) as unknown);
}

const NO_AMQP: AmqpHost = {
  version: 1,
  listen: () => Promise.reject(new Error('give fakeContext an `amqp` to use it')),
  connect: () => Promise.reject(new Error('give fakeContext an `amqp` to use it')),
};

export type Emitted = readonly (Message | Refused)[];

export interface FakeEmit {
  readonly emit: Emit;
  readonly batches: readonly Emitted[];
  /** Back-pressure on: `admitted` of later batches waits until `release`. */
  hold(): void;
  release(): void;
}

export interface FakeEmitOptions {
  /** Outcome of each message; default: all delivered. A promise keeps the batch's outcomes waiting. */
  readonly outcome?: (entry: Message | Refused) => Outcome | Promise<Outcome>;
}

/** An `emit` for `source.start(emit)`. */
export function fakeEmit(options: FakeEmitOptions = {}): FakeEmit {
  const batches: Emitted[] = [];
  let gate = Promise.resolve();
  let open: () => void = () => undefined;
  return {
    batches,
    emit(batch): Emission {
      if (batch.length === 0) throw new Error('an empty batch is not allowed');
      batches.push(batch);
      return { admitted: gate, outcomes: outcomes(batch, options.outcome) };
    },
    hold() {
      gate = new Promise((resolve) => (open = resolve));
    },
    release() {
      open();
      gate = Promise.resolve();
    },
  };
}

async function outcomes(batch: Emitted, judge: FakeEmitOptions['outcome']): Promise<Outcomes> {
  if (judge === undefined) return ALL_DELIVERED;
  const all = await Promise.all(batch.map(async (entry) => judge(entry)));
  const exceptions = all.map((outcome, index) => ({ index, outcome })).filter((e) => e.outcome.kind !== 'delivered');
  return exceptions.length === 0 ? ALL_DELIVERED : { exceptions };
}
