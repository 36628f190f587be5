/** Numbers that look random and are the same for the same seed: what a failed round was, another run repeats. */
export class Random {
  readonly seed: number;
  private state: number;

  constructor(seed: number) {
    this.seed = seed >>> 0;
    this.state = this.seed;
  }

  /** From 0 up to, but not including, 1 (mulberry32). */
  next(): number {
    this.state = (this.state + 0x6d2b79f5) >>> 0;
    let mixed = this.state;
    mixed = Math.imul(mixed ^ (mixed >>> 15), mixed | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  }

  /** A whole number, both bounds included. */
  between(low: number, high: number): number {
    return low + Math.floor(this.next() * (high - low + 1));
  }

  chance(probability: number): boolean {
    return this.next() < probability;
  }

  /** One of them, the more often the greater its weight. */
  weighted<T extends { readonly weight: number }>(choices: readonly T[]): T {
    let left = this.next() * choices.reduce((sum, { weight }) => sum + weight, 0);
    for (const choice of choices) {
      left -= choice.weight;
      if (left < 0) return choice;
    }
    return choices.at(-1) as T;
  }

  /** A generator of its own, so that more draws in one place change nothing in another. */
  fork(): Random {
    return new Random(Math.floor(this.next() * 2 ** 32));
  }
}

/** The seed of a run that is to be repeated: `PATCHBAY_SEED`. */
export function givenSeed(): number | undefined {
  const given = process.env['PATCHBAY_SEED'];
  return given === undefined || given === '' ? undefined : Number(given) >>> 0;
}

/** Seed of a run: `PATCHBAY_SEED` repeats one, else a new one. */
export function chosenSeed(): number {
  return givenSeed() ?? Math.floor(Math.random() * 2 ** 32);
}
