import { describe, expect, it } from 'vitest';
import { curveOf, trendOf, type Sample } from './steady.ts';

/** One sample a minute, of noise that repeats. */
const curve = (of: (minute: number) => number): Sample[] =>
  Array.from({ length: 60 }, (_, minutes) => ({
    minutes,
    residentMb: of(minutes) + [0, 3, -2, 5, -4, 1][minutes % 6]!,
    acceptedPerSecond: 1000,
  }));

describe('the trend of memory', () => {
  it('is flat where there is only noise, also after a beginning that grew', () => {
    expect(trendOf(curve(() => 200)).flat).toBe(true);
    expect(trendOf(curve((minute) => 200 - 100 / (1 + minute))).flat).toBe(true);
  });

  it('is not where it grows beyond the noise', () => {
    const { flat, slope } = trendOf(curve((minute) => 200 + minute));
    expect(flat).toBe(false);
    expect(slope).toBeGreaterThan(40);
  });

  it('can be printed', () => {
    expect(curveOf(curve((minute) => 200 + minute)).split('\n')).toHaveLength(30);
  });
});
