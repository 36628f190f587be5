import type { Context } from './context.ts';
import { PatchbayError } from './errors.ts';
import type { Message } from './message.ts';

/** "Not for the rest of the pipeline." Counts as done; the reason is shown in the live view. */
export class Filtered {
  readonly reason: string;
  constructor(reason: string) {
    this.reason = reason;
  }
}

/** "This can't be handled." The message is stored as a dead letter with code and cause. */
export class Refused {
  readonly code: string;
  readonly cause: string;
  /** The refused part, where one message held several; absent: the whole message. */
  readonly message: Message | undefined;
  /** What was caught, if that is why: its stack is kept with the dead letter. */
  readonly error: unknown;
  constructor(code: string, cause: string, message?: Message, error?: unknown) {
    this.code = code;
    this.cause = cause;
    this.message = message;
    this.error = error;
  }
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
export function defineHandler<Config>(definition: Omit<HandlerDefinition<Config>, 'kind'>): HandlerDefinition<Config> {
  return { kind: 'handler', ...definition };
}

/**
 * A `handle` from a function of one message. What the function throws refuses that message
 * alone: with its own code if it is a PatchbayError, else with `PB_PLUGIN_THREW`.
 */
export function eachMessage(one: (message: Message) => HandlerResult): (batch: readonly Message[]) => HandlerResult[] {
  return (batch) => {
    const results = new Array<HandlerResult>(batch.length);
    for (let i = 0; i < batch.length; i++) {
      try {
        results[i] = one(batch[i] as Message);
      } catch (error) {
        results[i] =
          error instanceof PatchbayError
            ? new Refused(error.code, error.message, undefined, error)
            : new Refused('PB_PLUGIN_THREW', error instanceof Error ? error.message : String(error), undefined, error);
      }
    }
    return results;
  };
}
