import { describe, expect, it } from 'vitest';
import { unpack } from '../flow/pack.ts';
import { derive, Filtered, Refused, type HandlerResult, type Message } from '../plugin-api/index.ts';
import { createMessage } from '../plugin-api/message.ts';
import { Tap, type TapReport, type TapSpec } from './tap.ts';

const tap = (spec: Partial<TapSpec> = {}): Tap =>
  new Tap({ tap: 't', instance: 'h', where: '', text: '', rowsPerSecond: 200, ...spec });
const message = (data: unknown): Message => createMessage('in', 'p', { data });
const many = (count: number): Message[] => Array.from({ length: count }, (_, i) => message({ n: i }));
const numberOf = (packed: Uint8Array): number => (unpack(packed)[0] as Message & { data: { n: number } }).data.n;
const report = (of: Tap): TapReport =>
  of.report() ?? { tap: 't', rows: [], seen: 0, matched: 0, filterErrors: 0, unevaluated: 0 };

describe('a tap', () => {
  it('shows everything while it is within its budget, in order', () => {
    const of = tap();
    of.offer(many(30), undefined, 'flow', undefined);
    const { rows, seen, matched } = report(of);
    expect([seen, matched]).toEqual([30, 30]);
    expect(rows.map(({ packed }) => numberOf(packed))).toEqual(Array.from({ length: 30 }, (_, i) => i));
  });

  it('never brings more rows in any second than agreed, and counts every message', () => {
    const of = tap({ rowsPerSecond: 50 });
    const rows: number[] = [];
    let seen = 0;
    for (let i = 0; i < 60; i++) {
      of.offer(many(1000), undefined, 'flow', undefined);
      const { rows: some, seen: passed } = report(of);
      rows.push(some.length);
      seen += passed;
    }
    expect(seen).toBe(60_000);
    for (let i = 0; i + 10 <= rows.length; i++)
      expect(rows.slice(i, i + 10).reduce((a, b) => a + b)).toBeLessThanOrEqual(50);
    expect(rows.reduce((a, b) => a + b)).toBeGreaterThan(200);
    expect(rows.slice(20)).toEqual(rows.slice(20).map(() => 5));
  });

  it('samples evenly: late messages of an interval as often as early ones', () => {
    const places: number[] = [];
    for (let round = 0; round < 200; round++) {
      const of = tap({ rowsPerSecond: 20 });
      of.offer(many(100), undefined, 'flow', undefined);
      places.push(...report(of).rows.map(({ packed }) => numberOf(packed)));
    }
    const early = places.filter((place) => place < 50).length / places.length;
    expect(early).toBeGreaterThan(0.42);
    expect(early).toBeLessThan(0.58);
  });

  it('gives each message its verdict', () => {
    const of = tap();
    const inputs = many(6);
    const at = (i: number): Message => inputs[i] as Message;
    const results: HandlerResult[] = [
      at(0),
      derive(at(1), { data: 'x' }),
      new Filtered('not mine'),
      new Refused('ACME_BAD', 'broken'),
      [derive(at(4), { data: 1 }, 0), derive(at(4), { data: 2 }, 1)],
      [derive(at(5), { data: 1 }, 0), new Refused('ACME_PART', 'half')],
    ];
    of.offer(inputs, results, 'flow', 3);
    expect(report(of).rows.map(({ row }) => [row.verdict, row.parts, row.reason, row.code])).toEqual([
      ['unchanged', 1, undefined, undefined],
      ['modified', 1, undefined, undefined],
      ['filtered', 0, 'not mine', undefined],
      ['refused', 0, 'broken', 'ACME_BAD'],
      ['split', 2, undefined, undefined],
      ['split', 1, 'half', 'ACME_PART'],
    ]);
  });

  it('matches by what went in or by what came out, and calls it a fault only when neither has the field', () => {
    const of = tap({ where: 'data.name == "x"' });
    const inputs = [message({ name: 'x' }), message({ other: 1 }), message({ other: 2 })];
    of.offer(
      inputs,
      [
        inputs[0] as Message,
        derive(inputs[1] as Message, { data: { name: 'x' } }),
        derive(inputs[2] as Message, { data: { also: 1 } }),
      ],
      'flow',
      1,
    );
    const { matched, filterErrors, seen } = report(of);
    expect({ matched, filterErrors, seen }).toEqual({ matched: 2, filterErrors: 1, seen: 3 });
  });

  it('finds plain text anywhere, whatever its case, in bytes too', () => {
    const of = tap({ text: 'needle' });
    of.offer(
      [message(new TextEncoder().encode('hay NEEDLE hay')), message({ deep: ['a Needle'] }), message('hay')],
      undefined,
      'flow',
      undefined,
    );
    expect(report(of).matched).toBe(2);
  });

  it('refuses a filter that is none', () => {
    expect(() => tap({ where: 'data.' })).toThrow(expect.objectContaining({ code: 'PB_EXPRESSION' }));
  });
});
