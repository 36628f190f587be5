/** Holds what a sender was told against what is there: nothing accepted is missing, order per key kept. */
import type { JournalEntry } from './journal.ts';

/** One message as it came to a sink's peer, in the order of arrival. */
export interface Receipt {
  readonly id: string;
  /** What the peer said of it. */
  readonly outcome: 'accepted' | 'released' | 'rejected';
}

export interface SinkEvidence {
  readonly name: string;
  readonly receipts: readonly Receipt[];
}

export interface DeadLetterEvidence {
  readonly id: string;
  /** Who refused it. */
  readonly instance: string;
}

export interface Evidence {
  readonly sent: readonly JournalEntry[];
  readonly sinks: readonly SinkEvidence[];
  readonly deadLetters: readonly DeadLetterEvidence[];
}

export interface Verdict {
  /** What is wrong, in words; empty: nothing is. */
  readonly faults: readonly string[];
  readonly accepted: number;
  /** Accepted by a peer more than once, over all sinks. */
  readonly duplicates: number;
  readonly deadLetters: number;
}

/** More of one kind would say nothing new. */
const SHOWN = 5;

export function check({ sent, sinks, deadLetters }: Evidence): Verdict {
  const faults: string[] = [];
  const known = new Map(sent.map((entry) => [entry.id, entry]));
  const refusedBy = new Map<string, Set<string>>();
  for (const { id, instance } of deadLetters) refusedBy.set(id, (refusedBy.get(id) ?? new Set<string>()).add(instance));
  const accepted = sent.filter((entry) => entry.accepted > 0);
  let duplicates = 0;

  for (const { name, receipts } of sinks) {
    const taken = new Set<string>();
    const rejected = new Set<string>();
    for (const { id, outcome } of receipts) {
      if (outcome === 'rejected') rejected.add(id);
      if (outcome !== 'accepted') continue;
      if (taken.has(id)) duplicates++;
      taken.add(id);
    }
    const missing = accepted.filter(({ id, kind }) => {
      if (kind === 'poison' || taken.has(id)) return false;
      return !(rejected.has(id) && refusedBy.get(id)?.has(name) === true);
    });
    if (missing.length > 0) faults.push(`${name}: accepted and missing: ${some(missing.map(describe))}`);
    const leaked = accepted.filter(({ id, kind }) => kind === 'poison' && taken.has(id));
    if (leaked.length > 0) faults.push(`${name}: poisoned and delivered: ${some(leaked.map(describe))}`);
    const foreign = [...taken].filter((id) => !known.has(id));
    if (foreign.length > 0) faults.push(`${name}: nobody sent: ${some(foreign)}`);
    faults.push(...outOfOrder(name, receipts, known));
  }

  const lost = accepted.filter(({ id, kind }) => kind === 'poison' && !refusedBy.has(id));
  if (lost.length > 0) faults.push(`poisoned, accepted and no dead letter: ${some(lost.map(describe))}`);
  const rejectedByAny = new Set(
    sinks.flatMap(({ receipts }) => receipts.filter(({ outcome }) => outcome === 'rejected').map(({ id }) => id)),
  );
  const innocent = [...refusedBy.keys()].filter((id) => {
    const entry = known.get(id);
    return entry !== undefined && entry.kind !== 'poison' && !rejectedByAny.has(id);
  });
  if (innocent.length > 0) faults.push(`dead letters of messages that nothing is wrong with: ${some(innocent)}`);

  return { faults, accepted: accepted.length, duplicates, deadLetters: refusedBy.size };
}

/**
 * First arrivals of a key against the order in which they were sent. Of two messages the order is promised when
 * the first was accepted before the second went out, or when both went out once, over one connection.
 */
function outOfOrder(
  sink: string,
  receipts: readonly Receipt[],
  known: ReadonlyMap<string, JournalEntry>,
): readonly string[] {
  const arrivals = new Map<string, JournalEntry[]>();
  const seen = new Set<string>();
  for (const { id } of receipts) {
    const entry = known.get(id);
    if (entry === undefined || seen.has(id)) continue;
    seen.add(id);
    const of = arrivals.get(entry.key);
    if (of === undefined) arrivals.set(entry.key, [entry]);
    else of.push(entry);
  }
  const wrong: string[] = [];
  for (const entries of arrivals.values()) {
    for (let later = 1; later < entries.length; later++) {
      const second = entries[later] as JournalEntry;
      for (let earlier = 0; earlier < later; earlier++) {
        const first = entries[earlier] as JournalEntry;
        if (mustPrecede(second, first)) wrong.push(`${describe(second)} after ${describe(first)}`);
      }
    }
  }
  return wrong.length === 0 ? [] : [`${sink}: out of order: ${some(wrong)}`];
}

function mustPrecede(a: JournalEntry, b: JournalEntry): boolean {
  if (a.n >= b.n) return false;
  if (a.accepted > 0 && a.accepted < b.firstSent) return true;
  return a.sends === 1 && b.sends === 1 && a.connection === b.connection;
}

function describe({ id, sends, kind }: JournalEntry): string {
  return `${id}${kind === 'good' ? '' : ` (${kind})`}${sends > 1 ? ` (sent ${sends} times)` : ''}`;
}

function some(all: readonly string[]): string {
  return `${all.length}, as ${all.slice(0, SHOWN).join(', ')}`;
}
