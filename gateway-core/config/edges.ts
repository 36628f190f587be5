import type { Contribution } from '../plugin-api/manifest.ts';

/** Types on the edges of a pipeline (design §5): `raw`, `metric:collectd/1`, `*`, and handlers' `same`. */

/** Whether messages of type `given` may go where `taken` is asked for. */
export function fits(given: string, taken: string): boolean {
  if (given === '*' || taken === '*') return true;
  const [givenKind, givenFormat] = split(given);
  const [takenKind, takenFormat] = split(taken);
  if (givenKind !== takenKind) return false;
  // Any metric will do where no format is asked for; a format asked for must be the one given.
  return takenFormat === '' || takenFormat === givenFormat;
}

function split(type: string): [string, string] {
  const colon = type.indexOf(':');
  return colon === -1 ? [type, ''] : [type.slice(0, colon), type.slice(colon + 1)];
}

/** What a contribution takes; anything, when it does not say. */
export function takenBy(contribution: Contribution): readonly string[] {
  return contribution.accepts ?? ['*'];
}

/** What a source gives. */
export function givenBy(contribution: Contribution): readonly string[] {
  return contribution.produces ?? ['*'];
}

/** Types of `given` that fit one of `taken`; an edge is possible when there is one. */
export function fitting(given: readonly string[], taken: readonly string[]): string[] {
  return given.filter((one) => taken.some((other) => fits(one, other)));
}

/** What comes out of a handler when `given` goes in. */
export function through(handler: Contribution, given: readonly string[]): string[] {
  const inside = fitting(given, takenBy(handler));
  const out = givenBy(handler).flatMap((type) => (type === 'same' ? inside : [type]));
  return [...new Set(out)];
}

/** Handlers that would make an edge from `given` to `taken` possible, `same` ones left out. */
export function bridges(
  given: readonly string[],
  taken: readonly string[],
  handlers: readonly Contribution[],
): string[] {
  return handlers
    .filter(
      (one) =>
        one.kind === 'handler' &&
        !givenBy(one).includes('*') &&
        fitting(given, takenBy(one)).length > 0 &&
        fitting(through(one, given), taken).length > 0,
    )
    .map((one) => one.name);
}
