import { describe, expect, it } from 'vitest';
import { pipelineCounters } from '../flow/counters.ts';
import { EMPTY_SPOOLS, type SpoolLedgerCounts, type SpoolStats } from '../storage/spool-wire.ts';
import { addsUp, SpoolCounts } from './spool-counts.ts';

const NONE = { settled: 0, carried: 0, spooled: 0, delivered: 0, deadLettered: 0, dropped: 0 };
const stats = (epoch: string, counts: Partial<SpoolLedgerCounts>): SpoolStats => ({
  ...EMPTY_SPOOLS,
  epoch,
  pipelines: { p: { ...NONE, ...counts } },
});
const workers = (received: number, handed: number, inFlight = 0) => ({
  ...pipelineCounters(),
  received,
  handed,
  inFlight,
});

describe('counts of workers and spools together', () => {
  it('add up while batches are between the two', () => {
    const counts = new SpoolCounts();
    counts.update(stats('1', { settled: 8, spooled: 5, delivered: 3 }));
    const now = counts.of('p', workers(12, 10, 2));
    expect(now).toMatchObject({ received: 12, spooled: 7, delivered: 3, inFlight: 2 });
    expect(addsUp(now)).toBe(true);
    expect(counts.missing('p', workers(12, 10, 2))).toBe(0);
  });

  it('count what was carried over as received', () => {
    const counts = new SpoolCounts();
    counts.update(stats('1', { carried: 4, spooled: 3, delivered: 1 }));
    const now = counts.of('p', workers(0, 0));
    expect(now).toMatchObject({ received: 4, carried: 4, spooled: 3, delivered: 1 });
    expect(addsUp(now)).toBe(true);
  });

  it('do not add up when a spool has lost or doubled one', () => {
    const counts = new SpoolCounts();
    counts.update(stats('1', { settled: 5, spooled: 2, delivered: 2 }));
    expect(addsUp(counts.of('p', workers(5, 5)))).toBe(false);
  });

  it('tell what stays between the two although nothing moves', () => {
    const counts = new SpoolCounts();
    counts.update(stats('1', { settled: 9, spooled: 9 }));
    expect(counts.missing('p', workers(10, 10))).toBe(0);
    expect(counts.missing('p', workers(10, 10))).toBe(1);
  });

  it('tell at once what spools have counted and no worker has', () => {
    const counts = new SpoolCounts();
    counts.update(stats('1', { settled: 11, spooled: 11 }));
    expect(counts.missing('p', workers(12, 10, 2))).toBe(-1);
  });

  it('go on over a restart of the spool thread, which finds what it had as carried', () => {
    const counts = new SpoolCounts();
    counts.update(stats('1', { settled: 10, spooled: 4, delivered: 6 }));
    counts.update(stats('2', { carried: 4, spooled: 4 }));
    expect(counts.of('p', workers(10, 10))).toMatchObject({ received: 10, delivered: 6, spooled: 4 });
    expect(addsUp(counts.of('p', workers(10, 10)))).toBe(true);
    // One more had been stored and settled, unseen, when the thread died.
    counts.update(stats('2', { carried: 5, spooled: 5 }));
    counts.missing('p', workers(11, 11));
    expect(counts.missing('p', workers(11, 11))).toBe(0);
    const now = counts.of('p', workers(11, 11));
    expect(now).toMatchObject({ received: 11, spooled: 5, delivered: 6 });
    expect(addsUp(now)).toBe(true);
  });

  it('take a worker that died as a reason to settle the difference, once', () => {
    const counts = new SpoolCounts();
    counts.update(stats('1', { settled: 12, spooled: 12 }));
    counts.interrupted('p');
    expect(counts.missing('p', workers(10, 10))).toBe(0);
    expect(addsUp(counts.of('p', workers(10, 10)))).toBe(true);
    counts.update(stats('1', { settled: 13, spooled: 13 }));
    expect(counts.missing('p', workers(10, 10))).toBe(-1);
  });
});
