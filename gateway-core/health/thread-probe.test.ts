import { expect, it, vi } from 'vitest';
import { ThreadProbe } from './thread-probe.ts';

/** Stands in for Node's histogram of the time between two ticks, in milliseconds. */
class Ticks {
  values: number[] = [];
  enabled = false;
  get count(): number {
    return this.values.length;
  }
  get max(): number {
    return Math.max(...this.values) * 1e6;
  }
  percentile(of: number): number {
    const sorted = this.values.toSorted((a, b) => a - b);
    return (sorted[Math.ceil((of / 100) * sorted.length) - 1] ?? 0) * 1e6;
  }
  enable(): void {
    this.enabled = true;
  }
  disable(): void {
    this.enabled = false;
  }
  reset(): void {
    this.values = [];
  }
}

const made = vi.hoisted((): unknown[] => []);
vi.mock('node:perf_hooks', () => ({
  monitorEventLoopDelay: () => {
    const ticks = new Ticks();
    made.push(ticks);
    return ticks;
  },
}));

function probe() {
  made.length = 0;
  const of = new ThreadProbe();
  const tick = (...values: number[]): void => (made as Ticks[]).forEach((ticks) => ticks.values.push(...values));
  return { of, tick };
}

it('takes a tick on time for no delay', () => {
  const { of, tick } = probe();
  expect(of.look()).toMatchObject({ delayP50Ms: 0, delayP99Ms: 0, delayMaxMs: 0 });
  tick(50, 50, 50.25, 80);
  expect(of.look()).toMatchObject({ delayP50Ms: 0, delayMaxMs: 30 });
});

it('keeps the quantiles for half a minute to a minute, the worst for one look', () => {
  const { of, tick } = probe();
  tick(450);
  expect(of.look()).toMatchObject({ delayP99Ms: 400, delayMaxMs: 400 });
  const rest = Array.from({ length: 61 }, () => {
    tick(50);
    return of.look();
  });
  expect(rest[0]).toMatchObject({ delayP99Ms: 400, delayMaxMs: 0 });
  expect(rest[40]).toMatchObject({ delayP99Ms: 400 });
  expect(rest[60]).toMatchObject({ delayP99Ms: 0 });
});

it('tells the memory and the CPU time of its thread, and stops measuring', () => {
  const { of } = probe();
  const { heapBytes, heapLimitBytes, cpuSeconds } = of.look();
  expect(heapBytes).toBeGreaterThan(0);
  expect(heapBytes).toBeLessThan(heapLimitBytes);
  expect(cpuSeconds).toBeGreaterThan(0);
  of.end();
  expect((made as Ticks[]).every(({ enabled }) => !enabled)).toBe(true);
});
