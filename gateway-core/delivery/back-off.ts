/** Capped exponential back-off with full jitter in the upper half: `delay/2 … delay`. */
export class BackOff {
  private readonly firstMs: number;
  private readonly maxMs: number;
  private readonly random: () => number;
  private tries = 0;

  constructor(firstMs: number, maxMs: number, random: () => number = Math.random) {
    this.firstMs = firstMs;
    this.maxMs = maxMs;
    this.random = random;
  }

  /** Failures since the last {@link reset}. */
  get failures(): number {
    return this.tries;
  }

  /** Milliseconds to wait before the next try. */
  next(): number {
    const delay = Math.min(this.maxMs, this.firstMs * 2 ** Math.min(this.tries, 30));
    this.tries++;
    return delay / 2 + (delay / 2) * this.random();
  }

  /** After a success: the next failure starts small again. */
  reset(): void {
    this.tries = 0;
  }
}
