/** Time as this side of the house may use it: neither Node nor DOM types are at hand, and tests bring their own. */
export interface Clock {
  /** Milliseconds since the epoch. */
  now(): number;
  /** Runs once after `ms`; the returned function calls it off. */
  after(ms: number, run: () => void): () => void;
}

interface Timers {
  setTimeout(run: () => void, ms: number): unknown;
  clearTimeout(timer: unknown): void;
}

// Every runtime we run on has these two; only their types differ.
const timers = globalThis as unknown as Timers;

export const systemClock: Clock = {
  now: () => Date.now(),
  after(ms, run) {
    const timer = timers.setTimeout(run, ms);
    return () => timers.clearTimeout(timer);
  },
};
