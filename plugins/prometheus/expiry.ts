import type { Series } from './store.ts';

const TICK_MS = 1000;
/** Each series is looked at this often at least, so that changing intervals leave few dead entries behind. */
const MAX_TICKS = 600;

/**
 * When to look at which series again. An update only moves a series' deadline; its place in the
 * wheel moves when that place comes up, so that updates cost nothing here.
 */
export class ExpiryWheel {
  private readonly ticks = new Map<number, Series[]>();
  private tick: number;
  private current: Series[] = [];

  constructor(clock: number) {
    this.tick = Math.floor(clock / TICK_MS);
  }

  /** Call it after each change of the series' deadline. */
  schedule(series: Series): void {
    const { deadline } = series;
    if (deadline === Infinity) return;
    // In place already, or it will come up early enough and move on then.
    if (series.due !== -1 && series.due * TICK_MS <= deadline + TICK_MS) return;
    this.place(series);
  }

  /**
   * Hands what has expired by `clock` (ms) to `expired`, looking at about `most` series.
   * False: there is more to do now.
   */
  advance(clock: number, most: number, expired: (series: Series) => void): boolean {
    const target = Math.floor(clock / TICK_MS);
    let left = most;
    for (;;) {
      while (this.current.length > 0) {
        if (left-- === 0) return false;
        const series = this.current.pop()!;
        if (series.due !== this.tick) continue;
        series.due = -1;
        if (series.deadline === Infinity) continue;
        if (series.deadline > clock) this.place(series);
        else expired(series);
      }
      if (this.tick >= target) return true;
      this.tick++;
      this.current = this.ticks.get(this.tick) ?? [];
      this.ticks.delete(this.tick);
    }
  }

  private place(series: Series): void {
    const due = Math.min(Math.max(Math.ceil(series.deadline / TICK_MS), this.tick + 1), this.tick + MAX_TICKS);
    series.due = due;
    const list = this.ticks.get(due);
    if (list === undefined) this.ticks.set(due, [series]);
    else list.push(series);
  }
}
