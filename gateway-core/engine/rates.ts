import type { Totals } from './fleet.ts';

interface Snapshot {
  readonly time: number;
  readonly totals: Totals;
}

const SPAN = 4;

/** Rates from the last few snapshots of the counts, taken once a second. */
export class Rates {
  private snapshots: Snapshot[] = [];

  /** Adds a snapshot; `time` from performance.now. */
  add(time: number, totals: Totals): void {
    this.snapshots.push({ time, totals });
    if (this.snapshots.length > SPAN) this.snapshots.shift();
  }

  /** Messages an instance took in, per second. */
  instance(name: string): number {
    return this.rate((totals) => totals.instances.get(name)?.received ?? 0);
  }

  /** Messages a pipeline's sources brought in, per second. */
  pipeline(name: string): number {
    return this.rate((totals) => totals.pipelines.get(name)?.received ?? 0);
  }

  delivered(name: string): number {
    return this.rate((totals) => totals.pipelines.get(name)?.delivered ?? 0);
  }

  private rate(read: (totals: Totals) => number): number {
    const first = this.snapshots[0];
    const last = this.snapshots.at(-1);
    if (first === undefined || last === undefined || first === last) return 0;
    const seconds = (last.time - first.time) / 1000;
    return Math.max(0, Math.round(((read(last.totals) - read(first.totals)) / seconds) * 10) / 10);
  }
}
