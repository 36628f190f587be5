/** When to try again: doubling from `min` to `max` milliseconds, each drawn from its upper half. */
export interface BackOff {
  readonly min: number;
  readonly max: number;
}

/** Pause before attempt `attempt` (1 is the first after a loss). `random` is in [0, 1). */
export function pause(backOff: BackOff, attempt: number, random: number): number {
  const full = Math.min(backOff.max, backOff.min * 2 ** Math.min(attempt - 1, 30));
  return full / 2 + (full / 2) * random;
}
