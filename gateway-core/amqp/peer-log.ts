import type { Logger } from '../plugin-api/context.ts';
import type { CodedError } from '../engine/error.ts';

const WINDOW_MS = 60_000;
const PER_WINDOW = 10;

/** Logs faults of peers, at most ten of a code per minute; how many were left out is told with the next one. */
export class PeerLog {
  private readonly log: Logger;
  private readonly onError: ((error: CodedError) => void) | undefined;
  private readonly codes = new Map<string, { since: number; count: number; silent: number }>();

  constructor(log: Logger, onError?: (error: CodedError) => void) {
    this.log = log;
    this.onError = onError;
  }

  report(error: CodedError): void {
    this.onError?.(error);
    const now = Date.now();
    let entry = this.codes.get(error.code);
    if (entry === undefined) this.codes.set(error.code, (entry = { since: now, count: 0, silent: 0 }));
    if (now - entry.since >= WINDOW_MS) {
      entry.since = now;
      entry.count = 0;
    }
    if (++entry.count > PER_WINDOW) {
      entry.silent++;
      return;
    }
    const fields = {
      code: error.code,
      remedy: error.remedy,
      ...(entry.silent === 0 ? {} : { notLogged: entry.silent }),
    };
    entry.silent = 0;
    this.log.warn(error.message, fields);
  }
}
