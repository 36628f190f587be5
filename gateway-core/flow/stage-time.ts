/** After so many timed calls within an interval, only every second of those timed so far is. */
const TIMED_PER_STRIDE = 64;

/**
 * How much of the time a stage is at work. Calls that answer at once are sampled: each of the
 * first of an interval, then ever fewer, each standing for those not timed. What takes longer
 * (`enter`, `leave`) is measured whole; where it overlaps, time counts once.
 */
export class StageTime {
  private stride = 1;
  private until = 1;
  private timed = 0;
  private sampledMs = 0;
  private inside = 0;
  private since = 0;
  private insideMs = 0;
  private started = performance.now();

  /** The time when this call is one to be timed, else 0; for `end`. */
  begin(): number {
    if (--this.until > 0) return 0;
    this.until = this.stride;
    return performance.now();
  }

  end(begun: number): void {
    if (begun === 0) return;
    this.sampledMs += (performance.now() - begun) * this.stride;
    if (++this.timed < TIMED_PER_STRIDE) return;
    this.timed = 0;
    this.stride *= 2;
  }

  enter(): void {
    if (this.inside++ === 0) this.since = performance.now();
  }

  leave(): void {
    if (--this.inside === 0) this.insideMs += performance.now() - this.since;
  }

  /** Share of the time since the last call, 0 to 1; begins a new interval. */
  share(now = performance.now()): number {
    if (this.inside > 0) {
      this.insideMs += now - this.since;
      this.since = now;
    }
    const span = now - this.started;
    const share = span <= 0 ? 0 : Math.min(1, (this.sampledMs + this.insideMs) / span);
    this.sampledMs = 0;
    this.insideMs = 0;
    this.started = now;
    this.stride = 1;
    this.until = 1;
    this.timed = 0;
    return share;
  }
}
