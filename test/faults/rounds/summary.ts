import type { RoundResult } from './round.ts';

/** What many rounds came to, for people. */
export function summarise(results: readonly RoundResult[]): string {
  const sum = (of: (result: RoundResult) => number): number => results.reduce((total, result) => total + of(result), 0);
  const acts = new Map<string, number>();
  for (const act of results.flatMap((result) => result.acts)) acts.set(act, (acts.get(act) ?? 0) + 1);
  const accepted = sum(({ verdict }) => verdict.accepted);
  const duplicates = sum(({ verdict }) => verdict.duplicates);
  return [
    `${results.length} rounds in ${sum(({ seconds }) => seconds).toFixed(0)} s: ${accepted} messages accepted, none missing`,
    `${duplicates} duplicates in two sinks (${((100 * duplicates) / Math.max(1, accepted)).toFixed(2)} %), ${sum(({ verdict }) => verdict.deadLetters)} dead letters`,
    ...[...acts].sort((a, b) => b[1] - a[1]).map(([act, count]) => `${String(count).padStart(5)}  ${act}`),
  ].join('\n');
}
