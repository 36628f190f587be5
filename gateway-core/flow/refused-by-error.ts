import { PatchbayError } from '../plugin-api/errors.ts';
import { Refused } from '../plugin-api/index.ts';

const MAX_LINES = 20;
const MAX_CHARACTERS = 4000;

/** A refusal that stands for what a plugin threw. */
export class RefusedByError extends Refused {
  readonly stack: string;
  /** How often the message was tried, the batch that failed as a whole included. */
  readonly attempts: number;

  private constructor(code: string, cause: string, stack: string, attempts: number) {
    super(code, cause);
    this.stack = stack;
    this.attempts = attempts;
  }

  static of(error: unknown, attempts: number): RefusedByError {
    const code = error instanceof PatchbayError ? error.code : 'PB_PLUGIN_THREW';
    return new RefusedByError(code, error instanceof Error ? error.message : String(error), stackOf(error), attempts);
  }

  /** One that crossed a thread. */
  static revive(code: string, cause: string, stack: string, attempts: number): RefusedByError {
    return new RefusedByError(code, cause, stack, attempts);
  }
}

/** Where a plugin threw, without the frames of the gateway and of Node; bounded. Empty for what has no stack. */
export function stackOf(error: unknown): string {
  if (!(error instanceof Error) || typeof error.stack !== 'string') return '';
  const lines = error.stack.split('\n').filter((line) => !/^\s+at .*(\/gateway-core\/|\(?node:)/.test(line));
  const cause = error.cause instanceof Error ? [`caused by ${error.cause.stack?.split('\n')[0] ?? ''}`] : [];
  return [...lines.slice(0, MAX_LINES), ...cause].join('\n').slice(0, MAX_CHARACTERS);
}
