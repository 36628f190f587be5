/**
 * Brings the counts of the spools together with those of the workers. A worker counts a batch as
 * handed to spools; a message later, the spools count it as settled. Whatever is between the two
 * is in spools already. Nothing may stay between them once a pipeline is quiet.
 */
import type { PipelineCounters } from '../flow/counters.ts';
import type { SpoolLedgerCounts, SpoolStats } from '../storage/spool-wire.ts';

/** A pipeline's counts as people read them (design §7). */
export interface PipelineCounts {
  readonly received: number;
  readonly carried: number;
  readonly delivered: number;
  readonly filtered: number;
  readonly deadLettered: number;
  readonly dropped: number;
  readonly spooled: number;
  readonly inFlight: number;
  readonly returned: number;
}

type Base = { -readonly [Key in Exclude<keyof SpoolLedgerCounts, 'spooled'>]: number };

const NONE: SpoolLedgerCounts = { settled: 0, carried: 0, spooled: 0, delivered: 0, deadLettered: 0, dropped: 0 };

export class SpoolCounts {
  private stats: SpoolStats | undefined;
  /** What threads that ended had counted. */
  private readonly base = new Map<string, Base>();
  /** Pipelines whose counts broke off with a thread: what is between is settled when they are quiet. */
  private readonly broken = new Set<string>();
  private readonly lastReceived = new Map<string, number>();

  /** The newest report. After a restart of the thread its counts begin anew, with all it found as carried. */
  update(stats: SpoolStats): void {
    const old = this.stats;
    this.stats = stats;
    if (old === undefined || old.epoch === stats.epoch) return;
    for (const [name, counts] of Object.entries(old.pipelines)) {
      const base = this.baseOf(name);
      base.settled += counts.settled;
      base.delivered += counts.delivered;
      base.deadLettered += counts.deadLettered;
      base.dropped += counts.dropped;
      // The new thread counts these again, as carried.
      base.carried += counts.carried - counts.spooled;
      this.broken.add(name);
    }
  }

  /** A worker died: what it had counted since its last report is not known. */
  interrupted(name: string): void {
    this.broken.add(name);
  }

  of(name: string, workers: PipelineCounters): PipelineCounts {
    const spools = this.ledger(name);
    return {
      received: workers.received + spools.carried,
      carried: spools.carried,
      delivered: workers.delivered + spools.delivered,
      filtered: workers.filtered,
      deadLettered: workers.deadLettered + spools.deadLettered,
      dropped: workers.dropped + spools.dropped,
      spooled: spools.spooled + workers.handed - spools.settled,
      inFlight: workers.inFlight,
      returned: workers.returned,
    };
  }

  /**
   * Messages that one side counted and the other did not, although nothing moves: the pipeline took in
   * nothing since the last call and has nothing in flight. To be called once per look.
   */
  missing(name: string, workers: PipelineCounters): number {
    const spools = this.ledger(name);
    const between = workers.handed - spools.settled;
    const quiet = workers.inFlight === 0 && this.lastReceived.get(name) === workers.received;
    this.lastReceived.set(name, workers.received);
    if (between >= 0 && !quiet) return 0;
    if (between !== 0 && this.broken.delete(name)) {
      const base = this.baseOf(name);
      base.settled += between;
      base.carried -= between;
      return 0;
    }
    return between;
  }

  private ledger(name: string): SpoolLedgerCounts {
    const now = this.stats?.pipelines[name] ?? NONE;
    const base = this.base.get(name);
    if (base === undefined) return now;
    return {
      settled: now.settled + base.settled,
      carried: now.carried + base.carried,
      spooled: now.spooled,
      delivered: now.delivered + base.delivered,
      deadLettered: now.deadLettered + base.deadLettered,
      dropped: now.dropped + base.dropped,
    };
  }

  private baseOf(name: string): Base {
    let base = this.base.get(name);
    if (base === undefined) {
      base = { settled: 0, carried: 0, delivered: 0, deadLettered: 0, dropped: 0 };
      this.base.set(name, base);
    }
    return base;
  }
}

/** True when everything that came in is accounted for. */
export function addsUp(c: PipelineCounts): boolean {
  return c.received === c.delivered + c.filtered + c.deadLettered + c.dropped + c.spooled + c.inFlight + c.returned;
}
