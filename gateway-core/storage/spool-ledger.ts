/**
 * Follows the root messages of every batch through the spools it lies in, so that each counts
 * once: it is spooled until the last of its parts has left the last spool, and ends as the worst
 * of what became of them (design §7).
 */
import type { SpoolEnd, SpoolLedgerCounts } from './spool-wire.ts';

/** What a row of a spool says of its batch. */
export interface RowLineage {
  readonly pipeline: string;
  readonly flight: string;
  readonly size: number;
  readonly spools: number;
  /** Root of each message; undefined while message i is root i. */
  readonly roots: Uint32Array | undefined;
  readonly count: number;
}

interface Flight {
  readonly pipeline: string;
  /** Parts of each root still in spools. */
  readonly left: Uint16Array;
  /** Worst end so far of each root, as its place in ENDS; NOT_OURS: counted elsewhere. */
  readonly worst: Uint8Array;
  /** Roots with parts in spools. */
  open: number;
  settled: boolean;
  /** Its worker died before it had counted it: upstream has these messages still. */
  lost: boolean;
  /** No part has left a spool yet. */
  untouched: boolean;
}

const ENDS: readonly SpoolEnd[] = ['delivered', 'deadLettered', 'dropped'];
const NOT_OURS = 255;

type Counts = { -readonly [Key in keyof SpoolLedgerCounts]: number };

export class SpoolLedger {
  private readonly flights = new Map<string, Flight>();
  private readonly pipelines = new Map<string, Counts>();

  /** A row was committed. */
  appended(row: RowLineage): void {
    this.add(this.flight(row), row, undefined);
  }

  /** The worker has counted the batch; `excluded` roots have another outcome there. */
  settled(name: string, pipeline: string, size: number, excluded: readonly number[]): void {
    const counts = this.of(pipeline);
    counts.settled += size - excluded.length;
    counts.spooled += size - excluded.length;
    const flight = this.flights.get(name);
    if (flight === undefined) return;
    flight.settled = true;
    for (const root of excluded) flight.worst[root] = NOT_OURS;
    if (!flight.untouched)
      for (let root = 0; root < flight.left.length; root++) if (flight.left[root] === 0) this.count(flight, root);
    // The rows alone tell the rest: most batches go to one spool, and whole.
    if (flight.open === 0 || (flight.untouched && excluded.length === 0 && flight.left.every((parts) => parts === 1)))
      this.flights.delete(name);
  }

  /** Messages of a committed row have left: those of `indexes`, or all but the `gone` ones. */
  finished(row: RowLineage, indexes: readonly number[] | undefined, gone: Uint8Array | undefined, end: SpoolEnd): void {
    let flight = this.flights.get(row.flight);
    if (flight === undefined) {
      if (indexes === undefined && gone === undefined) {
        const roots = distinct(row);
        const counts = this.of(row.pipeline);
        counts.spooled -= roots;
        counts[end] += roots;
        return;
      }
      flight = this.flight(row);
      flight.settled = true;
      this.add(flight, row, gone);
    }
    flight.untouched = false;
    const rank = ENDS.indexOf(end);
    const leave = (index: number): void => this.leave(flight, row.roots?.[index] ?? index, rank);
    if (indexes !== undefined) indexes.forEach(leave);
    else for (let i = 0; i < row.count; i++) if (gone?.[i] !== 1) leave(i);
    if (flight.open === 0 && (flight.settled || flight.lost)) this.flights.delete(row.flight);
  }

  /** A row found in a file of an earlier run. */
  carried(row: RowLineage, gone: Uint8Array | undefined): void {
    const counts = this.of(row.pipeline);
    if (row.spools === 1 && gone === undefined) {
      const roots = distinct(row);
      counts.carried += roots;
      counts.spooled += roots;
      return;
    }
    const flight = this.flight(row);
    flight.settled = true;
    const before = flight.open;
    this.add(flight, row, gone);
    counts.carried += flight.open - before;
    counts.spooled += flight.open - before;
  }

  /** As {@link carried}, for many rows at once: whole ones, in no other spool. */
  carriedWhole(pipeline: string, messages: number): void {
    const counts = this.of(pipeline);
    counts.carried += messages;
    counts.spooled += messages;
  }

  /** The worker that had appended it died before it had counted it. */
  lost(name: string): void {
    const flight = this.flights.get(name);
    if (flight === undefined) return;
    flight.lost = true;
    if (flight.open === 0) this.flights.delete(name);
  }

  counts(): Readonly<Record<string, SpoolLedgerCounts>> {
    return Object.fromEntries([...this.pipelines].map(([name, counts]) => [name, { ...counts }]));
  }

  private flight(row: RowLineage): Flight {
    let flight = this.flights.get(row.flight);
    if (flight === undefined) {
      flight = {
        pipeline: row.pipeline,
        left: new Uint16Array(row.size),
        worst: new Uint8Array(row.size),
        open: 0,
        settled: false,
        lost: false,
        untouched: true,
      };
      this.flights.set(row.flight, flight);
    }
    return flight;
  }

  private add(flight: Flight, row: RowLineage, gone: Uint8Array | undefined): void {
    for (let i = 0; i < row.count; i++) {
      if (gone?.[i] === 1) continue;
      const root = row.roots?.[i] ?? i;
      const parts = flight.left[root] as number;
      if (parts === 0) flight.open++;
      flight.left[root] = parts + 1;
    }
  }

  private leave(flight: Flight, root: number, rank: number): void {
    const parts = flight.left[root] as number;
    if (parts === 0) return;
    flight.left[root] = parts - 1;
    if (flight.worst[root] !== NOT_OURS) flight.worst[root] = Math.max(flight.worst[root] as number, rank);
    if (parts > 1) return;
    flight.open--;
    if (flight.settled) this.count(flight, root);
  }

  private count(flight: Flight, root: number): void {
    const worst = flight.worst[root] as number;
    if (worst === NOT_OURS) return;
    const counts = this.of(flight.pipeline);
    counts.spooled--;
    counts[ENDS[worst] as SpoolEnd]++;
  }

  private of(pipeline: string): Counts {
    let counts = this.pipelines.get(pipeline);
    if (counts === undefined) {
      counts = { settled: 0, carried: 0, spooled: 0, delivered: 0, deadLettered: 0, dropped: 0 };
      this.pipelines.set(pipeline, counts);
    }
    return counts;
  }
}

/** Roots a whole row stands for; its messages are in the order of their roots. */
function distinct({ roots, count }: RowLineage): number {
  if (roots === undefined) return count;
  let found = 0;
  for (let i = 0; i < roots.length; i++) if (i === 0 || roots[i] !== roots[i - 1]) found++;
  return found;
}
