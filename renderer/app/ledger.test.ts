import { describe, expect, it } from 'vitest';
import type { PipelineStatus } from '../../gateway-core/protocol/model.ts';
import { sumLedger } from './ledger.ts';

const pipeline = (change: Partial<PipelineStatus>): PipelineStatus => ({
  state: 'running',
  received: 0,
  delivered: 0,
  filtered: 0,
  deadLettered: 0,
  dropped: 0,
  spooled: 0,
  inFlight: 0,
  returned: 0,
  ratePerSecond: 0,
  carried: 0,
  blockedBy: [],
  addsUp: true,
  ...change,
});

describe('sumLedger', () => {
  it('adds pipelines up', () => {
    const sum = sumLedger([
      pipeline({ received: 10, delivered: 7, filtered: 3 }),
      pipeline({ received: 5, dropped: 2, returned: 1, inFlight: 2 }),
    ]);
    expect(sum).toMatchObject({
      received: 15,
      delivered: 7,
      filtered: 3,
      dropped: 2,
      returned: 1,
      inFlight: 2,
      addsUp: true,
    });
  });

  it('counts what was taken over from the spools as received, not twice', () => {
    const sum = sumLedger([pipeline({ received: 30, carried: 20, spooled: 10, delivered: 20 })]);
    expect(sum).toMatchObject({ received: 30, carried: 20, addsUp: true });
  });

  it('does not hide two errors that cancel out, nor a total that is off', () => {
    expect(
      sumLedger([
        pipeline({ received: 2, delivered: 1, addsUp: false }),
        pipeline({ received: 1, delivered: 2, addsUp: false }),
      ]).addsUp,
    ).toBe(false);
    expect(sumLedger([pipeline({ received: 2, delivered: 1 })]).addsUp).toBe(false);
    expect(sumLedger([]).addsUp).toBe(true);
  });
});
