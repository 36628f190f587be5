import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { SpoolLedger, type RowLineage } from './spool-ledger.ts';

const row = (flight: string, more: Partial<RowLineage> = {}): RowLineage => ({
  pipeline: 'p',
  flight,
  size: 3,
  spools: 1,
  roots: undefined,
  count: 3,
  ...more,
});
const of = (ledger: SpoolLedger) => ledger.counts()['p'];

describe('the ledger of the spools', () => {
  it('counts a batch from its settling to its end', () => {
    const ledger = new SpoolLedger();
    ledger.appended(row('f'));
    expect(of(ledger)).toBeUndefined();
    ledger.settled('f', 'p', 3, []);
    expect(of(ledger)).toMatchObject({ settled: 3, spooled: 3 });
    ledger.finished(row('f'), undefined, undefined, 'delivered');
    expect(of(ledger)).toMatchObject({ settled: 3, spooled: 0, delivered: 3 });
  });

  it('counts what left before it was settled', () => {
    const ledger = new SpoolLedger();
    ledger.appended(row('f'));
    ledger.finished(row('f'), undefined, undefined, 'delivered');
    ledger.settled('f', 'p', 3, []);
    expect(of(ledger)).toMatchObject({ settled: 3, spooled: 0, delivered: 3 });
  });

  it('counts a root once, when the last of its parts has left the last spool, by the worst of them', () => {
    const ledger = new SpoolLedger();
    const both = { spools: 2 };
    ledger.appended(row('f', both));
    ledger.appended(row('f', { ...both, count: 4, roots: Uint32Array.from([0, 0, 1, 2]) }));
    ledger.settled('f', 'p', 3, []);
    ledger.finished(row('f', both), undefined, undefined, 'delivered');
    expect(of(ledger)).toMatchObject({ spooled: 3, delivered: 0 });
    const split = row('f', { ...both, count: 4, roots: Uint32Array.from([0, 0, 1, 2]) });
    ledger.finished(split, [0], undefined, 'deadLettered');
    expect(of(ledger)).toMatchObject({ spooled: 3, deadLettered: 0 });
    ledger.finished(split, [1, 2], Uint8Array.from([1, 0, 0, 0]), 'delivered');
    expect(of(ledger)).toMatchObject({ spooled: 1, delivered: 1, deadLettered: 1 });
    ledger.finished(split, undefined, Uint8Array.from([1, 1, 1, 0]), 'dropped');
    expect(of(ledger)).toMatchObject({ spooled: 0, delivered: 1, deadLettered: 1, dropped: 1 });
  });

  it('leaves out roots that were counted elsewhere', () => {
    const ledger = new SpoolLedger();
    ledger.appended(row('f'));
    ledger.settled('f', 'p', 3, [1]);
    ledger.finished(row('f'), undefined, undefined, 'delivered');
    expect(of(ledger)).toMatchObject({ settled: 2, spooled: 0, delivered: 2 });
  });

  it('counts a root in the hands of a lost worker nowhere', () => {
    const ledger = new SpoolLedger();
    ledger.appended(row('f'));
    ledger.lost('f');
    ledger.finished(row('f'), [0], undefined, 'delivered');
    ledger.finished(row('f'), undefined, Uint8Array.from([1, 0, 0]), 'delivered');
    expect(of(ledger)).toBeUndefined();
  });

  it('takes over what an earlier run has left, partly done and in several spools', () => {
    const ledger = new SpoolLedger();
    ledger.carried(row('a'), undefined);
    ledger.carried(row('b'), Uint8Array.from([1, 0, 0]));
    ledger.carried(row('c', { spools: 2 }), undefined);
    ledger.carried(row('c', { spools: 2 }), undefined);
    expect(of(ledger)).toMatchObject({ carried: 8, spooled: 8 });
    ledger.finished(row('b'), undefined, Uint8Array.from([1, 0, 0]), 'delivered');
    ledger.finished(row('c', { spools: 2 }), undefined, undefined, 'delivered');
    expect(of(ledger)).toMatchObject({ spooled: 6, delivered: 2 });
    ledger.finished(row('c', { spools: 2 }), undefined, undefined, 'dropped');
    expect(of(ledger)).toMatchObject({ spooled: 3, delivered: 2, dropped: 3 });
  });

  it('adds up, whatever the order', () => {
    fc.assert(
      fc.property(
        fc.array(fc.record({ spools: fc.integer({ min: 1, max: 3 }), early: fc.boolean(), excluded: fc.boolean() }), {
          maxLength: 8,
        }),
        fc.infiniteStream(fc.nat({ max: 2 })),
        (flights, choices) => {
          const ledger = new SpoolLedger();
          let expected = 0;
          flights.forEach(({ spools, early, excluded }, n) => {
            const name = `f${n}`;
            const one = row(name, { spools });
            for (let s = 0; s < spools; s++) ledger.appended(one);
            const out = excluded ? [choices.next().value as number] : [];
            expected += 3 - out.length;
            if (!early) ledger.settled(name, 'p', 3, out);
            for (let s = 0; s < spools; s++) {
              const first = choices.next().value as number;
              ledger.finished(one, [first], undefined, 'deadLettered');
              const gone = new Uint8Array(3);
              gone[first] = 1;
              const counts = ledger.counts()['p'];
              if (counts !== undefined)
                expect(counts.settled).toBe(counts.spooled + counts.delivered + counts.deadLettered + counts.dropped);
              ledger.finished(one, undefined, gone, 'delivered');
            }
            if (early) ledger.settled(name, 'p', 3, out);
          });
          const counts = ledger.counts()['p'] ?? { settled: 0, spooled: 0, delivered: 0, deadLettered: 0, dropped: 0 };
          expect(counts.settled).toBe(expected);
          expect(counts.spooled).toBe(0);
          expect(counts.delivered + counts.deadLettered).toBe(expected);
        },
      ),
    );
  });
});
