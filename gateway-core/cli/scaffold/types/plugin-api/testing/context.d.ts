import type { AmqpHost } from '../amqp.js';
import type { Context, Health, State } from '../context.js';
import type { Refused } from '../handler.js';
import { type Message } from '../message.js';
import { type Outcome } from '../outcome.js';
import type { Emit } from '../source.js';
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
export declare function fakeContext<Config>(options: FakeContextOptions<Config>): FakeContext<Config>;
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
export declare function fakeEmit(options?: FakeEmitOptions): FakeEmit;
