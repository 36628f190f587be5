import { describe, expect, it } from 'vitest';
import { diff, type DiffLine } from './diff.ts';

const plain = (lines: readonly DiffLine[]): string[] =>
  lines.map(({ mark, depth, text }) => `${mark[0]} ${'  '.repeat(depth)}${text}`);

describe('diff', () => {
  it('marks what was removed, added and changed, by path', () => {
    const { before, after, changed } = diff(
      { host: 'a', values: [1, 2], nested: { x: 1, y: 2 } },
      { host: 'a', nested: { x: 1, y: 3 }, name: 'm' },
    );
    expect(plain(before)).toEqual([
      's host: "a"',
      'r values: [1, 2]',
      's nested: {',
      's   "x": 1',
      'c   "y": 2',
      's }',
    ]);
    expect(plain(after)).toEqual(['s host: "a"', 's nested: {', 's   "x": 1', 'c   "y": 3', 's }', 'a name: "m"']);
    expect(changed).toBe(4);
  });

  it('finds nothing in equal values, whatever the order of keys', () => {
    expect(diff({ a: 1, b: [{ c: null }] }, { b: [{ c: null }], a: 1 }).changed).toBe(0);
  });

  it('sees a change of kind, and empty against full', () => {
    expect(diff({ a: {} }, { a: { b: 1 } }).changed).toBeGreaterThan(0);
    expect(plain(diff({ a: [] }, { a: {} }).before)).toEqual(['c a: []']);
  });

  it('takes bare values, and is bounded', () => {
    expect(plain(diff('x', 'y').after)).toEqual(['c "y"']);
    const huge = Object.fromEntries(Array.from({ length: 10_000 }, (_, i) => [`k${i}`, i]));
    expect(diff(huge, huge).before.length).toBeLessThanOrEqual(2_000);
  });
});
