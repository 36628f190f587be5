import fc from 'fast-check';
import { expect, it } from 'vitest';
import { diffLines } from './line-diff.ts';

const short = (before: string, after: string, context = 1) =>
  diffLines(before, after, context).map(
    (line) => ({ same: ' ', added: '+', removed: '-', skipped: '…' })[line.kind] + line.text,
  );

it('shows a change with what is around it', () => {
  expect(short('a\nb\nc\nd\ne', 'a\nb\nX\nd\ne')).toEqual([' b', '-c', '+X', ' d']);
});

it('shows nothing for equal texts', () => {
  expect(diffLines('a\nb', 'a\nb')).toEqual([]);
});

it('leaves out what is between distant changes', () => {
  expect(short('1\n2\n3\n4\n5\n6\n7', 'x\n2\n3\n4\n5\n6\ny')).toEqual(['-1', '+x', ' 2', '…', ' 6', '-7', '+y']);
});

it('rebuilds the new text from the full diff', () => {
  const text = fc.array(fc.constantFrom('a', 'b', 'c', ''), { maxLength: 12 }).map((lines) => lines.join('\n'));
  fc.assert(
    fc.property(text, text, (before, after) => {
      const lines = diffLines(before, after, 100);
      const of = (kind: 'added' | 'removed') =>
        lines
          .filter((line) => line.kind === 'same' || line.kind === kind)
          .map((line) => line.text)
          .join('\n');
      if (before !== after) {
        expect(of('added')).toBe(after);
        expect(of('removed')).toBe(before);
      }
    }),
  );
});
