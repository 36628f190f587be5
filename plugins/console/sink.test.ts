import fc from 'fast-check';
import type { MessageInit } from 'patchbay/plugin-api';
import { fakeContext } from 'patchbay/plugin-api/testing';
import { describe, expect, it, vi } from 'vitest';
import { lineOf } from './line.ts';
import consoleSink, { type ConsoleConfig } from './sink.ts';

const config: ConsoleConfig = { format: 'short', rate: 20, maxLength: 2000 };

function open(changes: Partial<ConsoleConfig> = {}) {
  const context = fakeContext({ config: { ...config, ...changes }, instance: 'demo' });
  const sink = consoleSink.create(context);
  const lines = (): string[] => context.logs.map((line) => line.message);
  return { context, sink, lines, message: (init: MessageInit) => context.message(init) };
}

describe('a line', () => {
  const { message } = open();
  it.each<[MessageInit, string]>([
    [
      { kind: 'metric', data: { name: 'cpu', value: Number.NaN, labels: { host: 'a"b' } } },
      'demo metric cpu{host="a\\"b"} NaN',
    ],
    [
      { kind: 'event', severity: 'warning', data: { name: 'link', labels: { up: 1n }, annotations: {} } },
      'demo event warning link {"up":1}',
    ],
    [{ kind: 'log', data: { message: 'a\nb\u001b[2J', labels: {} } }, 'demo log a\\nb\\u001b[2J'],
    [{ data: Buffer.from('[{"a": 1}]') }, 'demo raw [{"a":1}]'],
    [{ data: 'text' }, 'demo raw text'],
    [{ data: new Uint8Array([255, 0]) }, 'demo raw 2 bytes /wA='],
    [{ data: undefined }, 'demo raw no data'],
    [{ kind: 'metric', data: 5 }, 'demo metric 5'],
  ])('%#', (init, expected) => {
    expect(lineOf(message(init), 'short', 2000)).toBe(expected);
  });

  it('is a CloudEvent in format json', () => {
    expect(JSON.parse(lineOf(message({ id: 'x', data: { a: 1 } }), 'json', 2000))).toMatchObject({
      specversion: '1.0',
      id: 'x',
      data: { a: 1 },
    });
  });

  it('is cut where it is too long, never in the middle of a character', () => {
    expect(lineOf(message({ data: 'x'.repeat(500) }), 'short', 80)).toBe(
      `demo raw ${'x'.repeat(71)}… (169 characters)`,
    );
    expect(lineOf(message({ data: '😀'.repeat(100) }), 'short', 80).isWellFormed()).toBe(true);
  });

  it('is one line for anything', () => {
    fc.assert(
      fc.property(
        fc.constantFrom('raw', 'metric', 'event', 'log'),
        fc.oneof(fc.anything(), fc.uint8Array(), fc.string({ unit: 'binary' })),
        (kind, data) => {
          expect(lineOf(message({ kind, data }), 'short', 200)).toMatch(/^[^\n\r\u2028]*$/);
        },
      ),
      { numRuns: 1000 },
    );
  });
});

describe('console', () => {
  it('writes so many a second and counts the rest', async () => {
    vi.useFakeTimers();
    try {
      const { sink, message, lines } = open({ rate: 2 });
      const batch = [1, 2, 3, 4, 5].map((n) => message({ data: `n${n}` }));
      await sink.write(batch);
      expect(lines()).toEqual(['demo raw n1', 'demo raw n2']);
      await vi.advanceTimersByTimeAsync(1000);
      expect(lines().slice(2)).toEqual(['… 3 more']);
      await sink.write(batch.slice(0, 3));
      await sink.close();
      expect(lines().slice(3)).toEqual(['demo raw n1', 'demo raw n2', '… 1 more']);
      expect(vi.getTimerCount()).toBe(0);
    } finally {
      vi.useRealTimers();
    }
  });
});
