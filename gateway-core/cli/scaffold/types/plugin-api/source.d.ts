import type { Context, TestStep } from './context.js';
import type { Refused } from './handler.js';
import type { Message } from './message.js';
import type { Outcomes } from './outcome.js';
/** Answer to one `emit`. */
export interface Emission {
    /**
     * Resolves when there is room for the next batch: await it before emitting again, that is
     * the back-pressure. The batch itself is taken in any case; it rejects only at the end.
     */
    readonly admitted: Promise<void>;
    /** Resolves when every message has its outcome; never rejects. Batches may end out of order. */
    readonly outcomes: Promise<Outcomes>;
}
/**
 * Hands a batch to the gateway, in order. An empty batch is not allowed. The array and the
 * messages' data belong to the gateway from then on (a pooled Buffer must be copied first).
 * An entry that no handler could ever take (a body of a kind the transport can't turn into data)
 * is emitted as `new Refused(code, cause, message)`: it becomes a dead letter, in its place in the order.
 */
export type Emit = (batch: readonly (Message | Refused)[]) => Emission;
/**
 * Brings messages in. The host calls `start` once, later `stop`, then `close`; a new
 * instance is made for every restart.
 */
export interface Source<Config = unknown> {
    /** Begins to emit. Resolves when the source is ready for its upstream (port bound, link attached). */
    start(emit: Emit): void | Promise<void>;
    /** Takes in nothing more: no `emit` after it has resolved. Outcomes of what was emitted still arrive. */
    stop(): void | Promise<void>;
    /** Releases everything. What has no outcome by now is given back upstream, not accepted. */
    close(): void | Promise<void>;
    /** Takes a changed config while running. `false`: cannot, restart me. Absent: always restart. */
    reconfigure?(config: Config): boolean | Promise<boolean>;
}
export interface SourceDefinition<Config> {
    readonly kind: 'source';
    create(context: Context<Config>): Source<Config>;
    /** *Test connection*: tries what `start` would need, and undoes it. */
    test?(context: Context<Config>): Promise<readonly TestStep[]>;
}
/** `export default defineSource({ create })` is a source's module. */
export declare function defineSource<Config>(definition: Omit<SourceDefinition<Config>, 'kind'>): SourceDefinition<Config>;
