import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { StageTime } from './stage-time.ts';

let now = 0;
beforeEach(() => {
  now = 1000;
  vi.spyOn(performance, 'now').mockImplementation(() => now);
});
afterEach(() => vi.restoreAllMocks());

/** A call that takes `ms`, and `gap` until the next. */
function call(time: StageTime, ms: number, gap = 0): void {
  const begun = time.begin();
  now += ms;
  time.end(begun);
  now += gap;
}

it('tells the share of time that calls take, few or many', () => {
  const time = new StageTime();
  for (let n = 0; n < 4; n++) call(time, 200, 50);
  expect(time.share()).toBeCloseTo(0.8);
  for (let n = 0; n < 10_000; n++) call(time, 0.03, 0.07);
  expect(time.share()).toBeCloseTo(0.3, 1);
  now += 1000;
  expect(time.share()).toBe(0);
});

it('reads the clock less and less often', () => {
  const time = new StageTime();
  vi.mocked(performance.now).mockClear();
  for (let n = 0; n < 100_000; n++) call(time, 0.01);
  expect(vi.mocked(performance.now).mock.calls.length).toBeLessThan(2000);
});

it('counts what is under way, and what overlaps once', () => {
  const time = new StageTime();
  time.enter();
  now += 300;
  time.enter();
  now += 100;
  time.leave();
  now += 100;
  expect(time.share()).toBe(1);
  now += 250;
  time.leave();
  now += 750;
  expect(time.share()).toBe(0.25);
});
