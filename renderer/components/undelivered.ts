/** Which spools a change asks about. Pure. */
import { isPlainObject } from './form/value-path.ts';

export type Undelivered = Readonly<Record<string, number>>;

/** Of an error PB_SPOOL_DECISION: the sinks it asks about, with what they hold; empty for others. */
export function undeliveredOf(error: { readonly code: string; readonly details?: unknown } | undefined): Undelivered {
  if (error?.code !== 'PB_SPOOL_DECISION' || !isPlainObject(error.details)) return {};
  const named = error.details['undelivered'];
  if (!isPlainObject(named)) return {};
  return Object.fromEntries(
    Object.entries(named).filter((entry): entry is [string, number] => typeof entry[1] === 'number'),
  );
}

/** What is asked about by either; the later one has the newer figures. */
export function mergeUndelivered(...all: readonly (Undelivered | undefined)[]): Undelivered {
  return Object.assign({}, ...all) as Undelivered;
}
