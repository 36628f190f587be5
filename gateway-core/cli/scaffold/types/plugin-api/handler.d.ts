import type { Context } from './context.js';
import type { Message } from './message.js';
/** "Not for the rest of the pipeline." Counts as done; the reason is shown in the live view. */
export declare class Filtered {
    readonly reason: string;
    /** Another input of this handler that had no outcome yet; its outcome decides for this one too. */
    readonly follows: Message | undefined;
    /**
     * `follows`: done only if that message is. When it is given back upstream, or refused and not stored, so is this
     * one. It must be an input of the same handler, of this batch or an earlier one, that `settled` has not told of yet.
     */
    constructor(reason: string, options?: {
        readonly follows?: Message;
    });
}
/** "This can't be handled." The message is stored as a dead letter with code and cause. */
export declare class Refused {
    readonly code: string;
    readonly cause: string;
    /** The refused part, where one message held several; absent: the whole message. */
    readonly message: Message | undefined;
    /** What was caught, if that is why: its stack is kept with the dead letter. */
    readonly error: unknown;
    constructor(code: string, cause: string, message?: Message, error?: unknown);
}
/** What became of one input, or of one part of it. */
export type HandlerItem = Message | Filtered | Refused;
/**
 * One result per input: the same message (pass), another (replace), an array (split; its
 * parts may be refused or filtered one by one), {@link Filtered} or {@link Refused}.
 */
export type HandlerResult = HandlerItem | readonly HandlerItem[];
/** What became of an input of a handler, see {@link Handler.settled}. */
export interface Settled {
    /** The input, as `handle` got it. After a restart in between: an equal one. */
    readonly message: Message;
    /**
     * `kept`: every sink behind the handler has it or has it spooled, or it was filtered.
     * `refused`: it was stored as a dead letter; upstream won't send it again, but someone may retry it.
     * `back`: it was given back upstream (or refused and not stored), and may come again.
     * Where the source's message became several, the worst of all its parts counts.
     */
    readonly result: 'kept' | 'refused' | 'back';
}
/** Decodes, filters or maps. Called with one batch at a time, in order. */
export interface Handler<Config = unknown> {
    /**
     * Exactly one result per input, at the same index. Throwing refuses nothing by itself:
     * the host tries the messages one by one and refuses the one that throws.
     */
    handle(batch: readonly Message[]): readonly HandlerResult[] | Promise<readonly HandlerResult[]>;
    /**
     * For handlers that remember (`"stateful": true` in plugin.json): told of each input once, when everything behind
     * the handler has answered and before upstream is. What is durable when it resolves commits with the outcome
     * downstream. One call at a time, of one batch or several; `handle` may be called meanwhile. When it fails, the
     * messages are given back upstream. What a crash keeps from being told was never settled: don't remember it sooner.
     */
    settled?(results: readonly Settled[]): void | Promise<void>;
    open?(): void | Promise<void>;
    close?(): void | Promise<void>;
    reconfigure?(config: Config): boolean | Promise<boolean>;
}
export interface HandlerDefinition<Config> {
    readonly kind: 'handler';
    create(context: Context<Config>): Handler<Config>;
}
/** `export default defineHandler({ create })` is a handler's module. */
export declare function defineHandler<Config>(definition: Omit<HandlerDefinition<Config>, 'kind'>): HandlerDefinition<Config>;
/**
 * A `handle` from a function of one message. What the function throws refuses that message
 * alone: with its own code if it is a PatchbayError, else with `PB_PLUGIN_THREW`.
 */
export declare function eachMessage(one: (message: Message) => HandlerResult): (batch: readonly Message[]) => HandlerResult[];
