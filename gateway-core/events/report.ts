import { errorRegistry, fill, type ErrorCode } from '../protocol/errors/index.ts';
import type { Severity } from '../protocol/model.ts';

/** What a part of the gateway says when something happened; the event log adds id, time and project. */
export interface EventReport {
  readonly severity: Severity;
  /** `config`, `plugin`, `flow`, `storage`, `control`, `engine`. */
  readonly source: string;
  /** What kind of thing happened: `store.corrupt`, `instance.failed`. */
  readonly type: string;
  /** What it happened to: an instance, a pipeline, a file. */
  readonly subject?: string;
  readonly message: string;
  readonly code?: string;
  readonly remedy?: string;
  /** What someone did, with their reason: never folded with another one like it. */
  readonly act?: true;
  /** JSON; what is not is replaced by its text. */
  readonly details?: Readonly<Record<string, unknown>>;
}

/** An event whose message and remedy are those of a code of the registry, filled in from `details`. */
export function codedEvent(
  severity: Severity,
  source: string,
  type: string,
  code: ErrorCode,
  details: Readonly<Record<string, unknown>>,
  subject = '',
): EventReport {
  const entry = errorRegistry[code];
  return {
    severity,
    source,
    type,
    subject,
    message: fill(entry.template, details),
    code,
    remedy: fill(entry.remedy, details),
    details,
  };
}
