/** What needs an operator: what is worst first, and where to look at it. Pure. */
import type { NeedsYou, Topology } from '../../gateway-core/protocol/model.ts';
import { href } from './url-state.ts';

/** Lower is worse: nothing is taken in, then nothing goes out, then what can wait until the morning. */
const RANKS: Readonly<Partial<Record<string, number>>> = {
  PB_SPOOL_LOW_DISK: 0,
  PB_SPOOL_FAILING: 0,
  PB_LEDGER: 1,
  PB_SPOOL_FULL: 1,
  PB_SILENCE: 3,
  PB_SPOOL_ORPHAN: 4,
};
const OTHERS = 2;

/** The worst first; of equals the one that has lasted longest, since others often follow from it. */
export function byUrgency(items: readonly NeedsYou[]): readonly NeedsYou[] {
  const rank = ({ code }: NeedsYou): number => RANKS[code] ?? OTHERS;
  return items.toSorted((a, b) => rank(a) - rank(b) || a.since - b.since || a.subject.localeCompare(b.subject));
}

export interface Place {
  readonly path: string;
  readonly kind: 'instance' | 'pipeline' | 'sinkPlugins';
}

/** Where it can be looked at or mended; undefined: nowhere in the panel. */
export function placeOf({ code, subject }: NeedsYou, topology: Topology | undefined): Place | undefined {
  if (code === 'PB_SPOOL_ORPHAN') return { kind: 'sinkPlugins', path: href('/plugins', { kind: 'sink' }) };
  if (topology?.nodes.some(({ name }) => name === subject) === true)
    return { kind: 'instance', path: href('/topology', { select: subject }) };
  const edge = topology?.edges.find(({ pipeline }) => pipeline === subject);
  return edge === undefined
    ? undefined
    : { kind: 'pipeline', path: href('/topology', { edge: `${edge.from}>${edge.to}` }) };
}
