import fc from 'fast-check';
import { Filtered, type MessageInit } from 'patchbay/plugin-api';
import { fakeContext } from 'patchbay/plugin-api/testing';
import { describe, expect, it } from 'vitest';
import { globMatcher } from './glob.ts';
import filter, { type FilterConfig } from './handler.ts';

const context = fakeContext({ config: {}, instance: 'telemetry' });
const messages = (...inits: MessageInit[]) => inits.map((init) => context.message(init));

async function verdicts(config: FilterConfig, batch: ReturnType<typeof messages>): Promise<(string | boolean)[]> {
  const results = await filter.create(fakeContext({ config })).handle(batch);
  return results.map((result, i) => (result instanceof Filtered ? result.reason : result === batch[i]));
}

describe('filter', () => {
  it('keeps everything without conditions, as the same message', async () => {
    expect(await verdicts({}, messages({ data: 1 }, { data: 2 }))).toEqual([true, true]);
    expect(await verdicts({ sources: [] }, messages({ data: 1 }))).toEqual([true]);
  });

  it('keeps what the condition holds for, and says which one did not', async () => {
    const batch = messages(
      { data: { value: 95 } },
      { data: { value: 5 } },
      { data: { other: 1 } },
      { data: '{"value": 99}' },
    );
    expect(await verdicts({ where: 'data.value > 90' }, batch)).toEqual([
      true,
      'where does not hold: data.value > 90',
      'where does not hold: data.value > 90',
      true,
    ]);
  });

  it('keeps a severity and above; none counts as info', async () => {
    const batch = messages({ data: 1, severity: 'critical' }, { data: 1, severity: 'info' }, { data: 1 });
    expect(await verdicts({ severity: 'warning' }, batch)).toEqual([
      true,
      'severity info is below warning',
      'severity info is below warning',
    ]);
    expect(await verdicts({ severity: 'info' }, batch)).toEqual([true, true, true]);
  });

  it('keeps sources by instance or by upstream name', async () => {
    const batch = messages({ data: 1 }, { data: 1, source: '/plants/7/door' }, { data: 1, source: '/other' });
    expect(await verdicts({ sources: ['tele*'] }, batch)).toEqual([true, true, true]);
    expect(await verdicts({ sources: ['/plants/*/door'] }, batch)).toEqual([
      'source is not in the list',
      true,
      'source is not in the list',
    ]);
  });

  it('refuses a condition that is none, at start and when changed', async () => {
    const code = expect.objectContaining({ code: 'PB_EXPRESSION' }) as unknown;
    expect(() => filter.create(fakeContext({ config: { where: 'data.' } }))).toThrow(code as Error);
    const handler = filter.create(fakeContext<FilterConfig>({ config: { severity: 'critical' } }));
    expect(() => handler.reconfigure!({ where: '1 +' })).toThrow(code as Error);
    const batch = messages({ data: 1 });
    expect((await handler.handle(batch))[0]).toBeInstanceOf(Filtered);
    expect(handler.reconfigure!({})).toBe(true);
    expect((await handler.handle(batch))[0]).toBe(batch[0]);
  });
});

describe('globs', () => {
  it('agree with a regular expression', () => {
    const piece = fc.string({ unit: fc.constantFrom('a', 'b', '*'), maxLength: 8 });
    fc.assert(
      fc.property(piece, fc.string({ unit: fc.constantFrom('a', 'b'), maxLength: 10 }), (pattern, text) => {
        expect(globMatcher([pattern])(text)).toBe(new RegExp(`^${pattern.replace(/\*+/g, '.*')}$`).test(text));
      }),
      { numRuns: 3000 },
    );
  });

  it('take no special characters for anything but themselves', () => {
    expect(globMatcher(['a.c'])('abc')).toBe(false);
    expect(globMatcher(['a?[x]*'])('a?[x]y')).toBe(true);
  });
});
