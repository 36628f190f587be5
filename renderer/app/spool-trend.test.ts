import { describe, expect, it } from 'vitest';
import type { SinkStatus } from '../../gateway-core/protocol/model.ts';
import { secondsToFull, SpoolTrends, type Sample } from './spool-trend.ts';

const growing = (perSecond: number, seconds = 10, from = 0): Sample[] =>
  Array.from({ length: seconds + 1 }, (_, n) => ({ time: 1_000_000 + n * 1000, bytes: from + n * perSecond }));

describe('secondsToFull', () => {
  it('follows the slope to the limit', () => {
    expect(secondsToFull(growing(10), 1100)).toBe(100);
    expect(secondsToFull(growing(10, 10, 1000), 1100)).toBe(0);
  });

  it('evens out reports that waver', () => {
    const wavering = growing(10, 60).map(({ time, bytes }, n) => ({ time, bytes: bytes + (n % 2 === 0 ? 8 : -8) }));
    expect(secondsToFull(wavering, 1600)).toBeGreaterThan(90);
    expect(secondsToFull(wavering, 1600)).toBeLessThan(110);
  });

  it('says nothing of what does not grow, is not known yet, has no limit, or is far away', () => {
    expect(secondsToFull(growing(0), 100)).toBeUndefined();
    expect(secondsToFull(growing(-5, 10, 500), 1000)).toBeUndefined();
    expect(secondsToFull(growing(10, 2), 1000)).toBeUndefined();
    expect(secondsToFull(growing(10), 0)).toBeUndefined();
    expect(secondsToFull(growing(1), 10_000_000)).toBeUndefined();
    expect(secondsToFull([], 100)).toBeUndefined();
  });
});

describe('SpoolTrends', () => {
  const report = (second: number, bytes: number, epoch = 'a') => ({
    epoch,
    time: 1_000_000 + second * 1000,
    sinks: { out: { spooledBytes: bytes, spoolLimitBytes: 2000 } as SinkStatus },
  });

  it('keeps the last minute of each spool, each report once', () => {
    const trends = new SpoolTrends();
    for (let second = 0; second <= 60; second++) trends.take(report(second, 0));
    expect(trends.secondsToFull('out')).toBeUndefined();
    for (let second = 61; second <= 130; second++) {
      trends.take(report(second, (second - 60) * 10));
      trends.take(report(second, 0));
    }
    expect(trends.secondsToFull('out')).toBe(130);
    expect(trends.secondsToFull('other')).toBeUndefined();
  });

  it('begins anew after a purge, after a start of the engine, and when the sink is gone', () => {
    const trends = new SpoolTrends();
    for (let second = 0; second <= 10; second++) trends.take(report(second, second * 100));
    expect(trends.secondsToFull('out')).toBe(10);
    trends.take(report(11, 0));
    expect(trends.secondsToFull('out')).toBeUndefined();
    for (let second = 12; second <= 20; second++) trends.take(report(second, second * 100));
    expect(trends.secondsToFull('out')).toBeDefined();
    trends.take(report(21, 2100, 'b'));
    expect(trends.secondsToFull('out')).toBeUndefined();
    trends.take({ ...report(22, 0, 'b'), sinks: {} });
    expect(trends.secondsToFull('out')).toBeUndefined();
  });
});
