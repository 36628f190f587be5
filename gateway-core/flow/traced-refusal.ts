import { PatchbayError } from '../plugin-api/errors.ts';
import { Refused, type Message } from '../plugin-api/index.ts';

const MAX_LINES = 20;
const MAX_CHARACTERS = 4000;

/** Where a plugin threw, and how often the message was tried before it was refused. */
export interface Trace {
  readonly stack: string;
  readonly attempts: number;
}

/** A refusal with its trace: the host's, or one that crossed a thread. */
export class TracedRefusal extends Refused {
  readonly trace: Trace;
  constructor(code: string, cause: string, message: Message | undefined, trace: Trace) {
    super(code, cause, message);
    this.trace = trace;
  }
}

/** The refusal of a message whose handler threw. */
export function refusalOf(error: unknown, attempts: number): TracedRefusal {
  const code = error instanceof PatchbayError ? error.code : 'PB_PLUGIN_THREW';
  const cause = error instanceof Error ? error.message : String(error);
  return new TracedRefusal(code, cause, undefined, { stack: stackOf(error), attempts });
}

export function traceOf(refused: Refused): Trace {
  return refused instanceof TracedRefusal ? refused.trace : { stack: stackOf(refused.error), attempts: 1 };
}

/** Where a plugin threw, without the frames of the gateway and of Node; bounded. Empty for what has no stack. */
export function stackOf(error: unknown): string {
  if (!(error instanceof Error) || typeof error.stack !== 'string') return '';
  const lines = error.stack.split('\n').filter((line) => !/^\s+at .*(\/gateway-core\/|\(?node:)/.test(line));
  const cause = error.cause instanceof Error ? [`caused by ${error.cause.stack?.split('\n')[0] ?? ''}`] : [];
  return [...lines.slice(0, MAX_LINES), ...cause].join('\n').slice(0, MAX_CHARACTERS);
}
