/** Figures of interleaved pairs: the median of the ratios and a confidence interval of it. */
export interface Summary {
  readonly median: number;
  /** 95 % bounds of the median, from order statistics (binomial); the extremes where there are too few pairs. */
  readonly low: number;
  readonly high: number;
}

export function summarise(values: readonly number[]): Summary {
  const sorted = values.toSorted((a, b) => a - b);
  const n = sorted.length;
  const middle =
    n % 2 === 1 ? (sorted[(n - 1) / 2] as number) : ((sorted[n / 2 - 1] as number) + (sorted[n / 2] as number)) / 2;
  // Normal approximation of the binomial ranks around the median.
  const spread = 0.98 * Math.sqrt(n);
  const low = Math.max(0, Math.floor(n / 2 - spread));
  const high = Math.min(n - 1, Math.ceil(n / 2 - 1 + spread));
  return { median: middle, low: sorted[low] as number, high: sorted[high] as number };
}

export function show({ median, low, high }: Summary, digits = 2): string {
  return `${median.toFixed(digits)} (95 %: ${low.toFixed(digits)} to ${high.toFixed(digits)})`;
}
