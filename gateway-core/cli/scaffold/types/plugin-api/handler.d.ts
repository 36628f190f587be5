import type { Context } from './context.js';
import type { Message } from './message.js';
/** "Not for the rest of the pipeline." Counts as done; the reason is shown in the live view. */
export declare class Filtered {
    readonly reason: string;
    constructor(reason: string);
}
/** "This can't be handled." The message is stored as a dead letter with code and cause. */
export declare class Refused {
    readonly code: string;
    readonly cause: string;
    /** The refused part, where one message held several; absent: the whole message. */
    readonly message: Message | undefined;
    constructor(code: string, cause: string, message?: Message);
}
/** What became of one input, or of one part of it. */
export type HandlerItem = Message | Filtered | Refused;
/**
 * One result per input: the same message (pass), another (replace), an array (split; its
 * parts may be refused or filtered one by one), {@link Filtered} or {@link Refused}.
 */
export type HandlerResult = HandlerItem | readonly HandlerItem[];
/** Decodes, filters or maps. Called with one batch at a time, in order. */
export interface Handler<Config = unknown> {
    /**
     * Exactly one result per input, at the same index. Throwing refuses nothing by itself:
     * the host tries the messages one by one and refuses the one that throws.
     */
    handle(batch: readonly Message[]): readonly HandlerResult[] | Promise<readonly HandlerResult[]>;
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
