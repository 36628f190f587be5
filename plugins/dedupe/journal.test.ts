import { fakeContext } from 'patchbay/plugin-api/testing';
import { describe, expect, it } from 'vitest';
import { SteadyClock } from './clock.ts';
import { Journal } from './journal.ts';

const digest = (n: number): string => String(n).padStart(22, '0');

describe('the journal of dedupe', () => {
  it('keeps 100 000 digests that came one by one in a few chunks, in order, written a few times each', async () => {
    const { state } = fakeContext({ config: {} });
    let written = 0;
    const { apply } = state;
    const counting = {
      ...state,
      apply: (changes: Parameters<typeof apply>[0]) => {
        written += JSON.stringify(changes.set).length;
        return apply(changes);
      },
    };
    const journal = new Journal(counting);
    await journal.load('k');
    for (let i = 0; i < 100_000; i++) await journal.append([digest(i)], 1000 + i, 0, 1_000_000);
    expect((await state.keys()).length).toBeLessThan(100);
    // 22 bytes of digest and its time, per level it passes through, and the chunk around the first.
    expect(written / 100_000).toBeLessThan(250);
    const loaded = await new Journal(state).load('k');
    expect(loaded.length).toBe(100_000);
    expect(loaded.every(({ digest: each, time }, i) => each === digest(i) && time === 1000 + i)).toBe(true);
  });

  it('lets go of what is out of the window, and of the oldest above the bound', async () => {
    const { state } = fakeContext({ config: {} });
    const journal = new Journal(state);
    await journal.load('k');
    for (let i = 0; i < 1000; i++) await journal.append([digest(i)], i, i - 100, 1_000_000);
    const inWindow = await new Journal(state).load('k');
    expect(inWindow.length).toBeLessThan(500);
    expect(inWindow.filter(({ time }) => time >= 899)).toHaveLength(101);
    for (let i = 1000; i < 2000; i++) await journal.append([digest(i)], i, 0, 50);
    const bounded = await new Journal(state).load('k');
    expect(bounded.length).toBeLessThan(400);
    expect(bounded.slice(-50).map(({ time }) => time)).toEqual(Array.from({ length: 50 }, (_, i) => 1950 + i));
  });

  it('has changed nothing when a commit fails', async () => {
    const { state } = fakeContext({ config: {} });
    let fails = false;
    const journal = new Journal({
      ...state,
      apply: (changes) => (fails ? Promise.reject(new Error('full')) : state.apply(changes)),
    });
    await journal.load('k');
    for (let i = 0; i < 15; i++) await journal.append([digest(i)], i, 0, 100);
    fails = true;
    await expect(journal.append([digest(99)], 99, 0, 100)).rejects.toThrow('full');
    fails = false;
    for (let i = 15; i < 40; i++) await journal.append([digest(i)], i, 0, 100);
    const loaded = await new Journal(state).load('k');
    expect(loaded.map(({ time }) => time)).toEqual(Array.from({ length: 40 }, (_, i) => i));
  });
});

describe('the clock of dedupe', () => {
  it('never goes back, whatever becomes of the wall clock', () => {
    let [wall, passed] = [1_000_000, 0];
    const clock = new SteadyClock(
      0,
      () => wall,
      () => passed,
    );
    expect(clock.now()).toBe(1_000_000);
    wall = 5;
    passed = 100;
    expect(clock.now()).toBe(1_000_100);
    const next = new SteadyClock(
      1_000_100,
      () => wall,
      () => passed,
    );
    passed = 150;
    expect(next.now()).toBe(1_000_150);
  });
});
