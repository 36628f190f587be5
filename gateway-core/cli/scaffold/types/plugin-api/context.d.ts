import type { AmqpHost } from './amqp.js';
import type { Message, MessageInit } from './message.js';
/** The platform's AbortSignal where one is declared, else the part of it that plugins need. */
export type StopSignal = typeof globalThis extends {
    AbortSignal: {
        prototype: infer Native;
    };
} ? Native : {
    readonly aborted: boolean;
    readonly reason: unknown;
    addEventListener(type: 'abort', listener: () => void, options?: {
        once?: boolean;
    }): void;
    removeEventListener(type: 'abort', listener: () => void): void;
};
/** Structured log of one instance. Fields named secret by the config schema are masked by the host. */
export interface Logger {
    debug(message: string, fields?: Readonly<Record<string, unknown>>): void;
    info(message: string, fields?: Readonly<Record<string, unknown>>): void;
    warn(message: string, fields?: Readonly<Record<string, unknown>>): void;
    error(message: string, fields?: Readonly<Record<string, unknown>>): void;
}
/**
 * Durable state of one instance: JSON values by key, kept across restarts and upgrades.
 * A resolved `set` or `delete` is on disk.
 */
export interface State {
    get(key: string): Promise<unknown>;
    set(key: string, value: unknown): Promise<void>;
    delete(key: string): Promise<void>;
    keys(): Promise<readonly string[]>;
    /** Several keys in one commit: all of it is on disk when it resolves, or nothing when it rejects. */
    apply(changes: StateChanges): Promise<void>;
}
/** Deleted first, then set. */
export interface StateChanges {
    readonly set?: Readonly<Record<string, unknown>>;
    readonly delete?: readonly string[];
}
/** A cache of JSON values that may forget at any time, and does so after `ttlMs`. */
export interface Cache {
    get(key: string): Promise<unknown>;
    set(key: string, value: unknown, ttlMs: number): Promise<void>;
}
/** Numbers of the plugin's own, served at `/metrics` as `patchbay_plugin_<name>` with the instance as a label. */
export interface Metrics {
    /** Adds to a counter; made on first use. Names: lower case with `_`, counters end in `_total`. */
    count(name: string, by?: number): void;
    /** Sets a gauge; made on first use. */
    gauge(name: string, value: number): void;
}
/** What an instance says of itself; shown beside its state dot. */
export type Health = {
    readonly state: 'running';
    readonly reason?: string;
} | {
    readonly state: 'degraded';
    readonly reason: string;
};
/** A compiled CEL condition. */
export interface Expression {
    /** True when the condition holds. A field that is missing, or a type that does not fit, makes it false. */
    test(message: Message): boolean;
}
/** A compiled CEL expression that gives a value. */
export interface ValueExpression {
    /**
     * The value: text, number, bigint (CEL's int), true or false, null, Date, Uint8Array, array or map of these.
     * Undefined where a field that it reads is missing, or a type does not fit.
     */
    read(message: Message): unknown;
}
/** What the host gives every instance. Valid from `create` until `close` has resolved. */
export interface Context<Config> {
    /** The instance's name in the config file. */
    readonly instance: string;
    readonly project: string;
    /** Valid by the manifest's schema, defaults filled in, `${env:…}`, `${file:…}` and `${secret:…}` resolved. */
    readonly config: Config;
    readonly log: Logger;
    readonly state: State;
    readonly cache: Cache;
    readonly metrics: Metrics;
    /** AMQP 1.0 connections, owned by the host: TLS, SASL, reconnecting, frame limits, credit. */
    readonly amqp: AmqpHost;
    /**
     * Compiles a CEL condition over a message (its fields, `attributes` and `data`).
     * Throws a ConfigError `PB_EXPRESSION` naming the fault and its place.
     */
    expression(source: string): Expression;
    /** Compiles a CEL expression that gives a value of any type. Throws as `expression` does. */
    value(source: string): ValueExpression;
    /** Aborted when the instance is to end; what waits should stop waiting. */
    readonly signal: StopSignal;
    /** Makes a message of this instance. Sources use it; handlers use `derive`. */
    message(init: MessageInit): Message;
    /** Reports a change of health: connected again, half of the peers away. */
    health(health: Health): void;
    /**
     * Reports a fault from outside any call of the host: a listener that died, a connection lost.
     * The host treats it as if the running call had thrown it: restart with back-off, or stop.
     */
    fail(error: unknown): void;
}
/** One line of a connection test's answer. */
export interface TestStep {
    readonly name: string;
    readonly ok: boolean;
    readonly detail: string;
}
