import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { ConfigEdit } from '../../../gateway-core/protocol/model.ts';
import { editsBetween, getAt, moveItem, pathText, renameKey, sameValue, setAt, unsetAt } from './value-path.ts';

function applyEdits(value: unknown, edits: readonly ConfigEdit[]): unknown {
  return edits.reduce<unknown>(
    (at, edit) => (edit.op === 'set' ? setAt(at, edit.path, edit.value) : unsetAt(at, edit.path)),
    value,
  );
}

describe('paths', () => {
  it('sets and unsets without touching the original', () => {
    const before = { a: { b: [1, 2, 3] } };
    expect(setAt(before, ['a', 'b', 1], 9)).toEqual({ a: { b: [1, 9, 3] } });
    expect(unsetAt(before, ['a', 'b', 0])).toEqual({ a: { b: [2, 3] } });
    expect(unsetAt(before, ['a', 'nope', 'x'])).toEqual(before);
    expect(setAt(undefined, ['x', 'y'], 1)).toEqual({ x: { y: 1 } });
    expect(before).toEqual({ a: { b: [1, 2, 3] } });
  });

  it('reads own properties only', () => {
    expect(getAt({ a: [5] }, ['a', 0])).toBe(5);
    expect(getAt({}, ['constructor'])).toBeUndefined();
    expect(getAt({}, ['__proto__', 'toString'])).toBeUndefined();
  });

  it('never reaches a prototype', () => {
    const changed = setAt({}, ['__proto__', 'polluted'], true);
    expect(Object.hasOwn(changed as object, '__proto__')).toBe(true);
    expect(({} as Record<string, unknown>)['polluted']).toBeUndefined();
  });

  it('moves, renames, names', () => {
    expect(moveItem(['a', 'b'], 0, 1)).toEqual(['b', 'a']);
    expect(moveItem(['a', 'b'], 1, 1)).toEqual(['a', 'b']);
    expect(Object.keys(renameKey({ a: 1, b: 2, c: 3 }, 'b', 'x'))).toEqual(['a', 'x', 'c']);
    expect(pathText(['a', 0, 'b'])).toBe('a[0].b');
  });
});

describe('edits between two values', () => {
  it('writes only what changed', () => {
    const before = { url: 'x', auth: { user: 'a', password: '•••' }, list: [1, 2] };
    const after = { url: 'y', auth: { user: 'a', password: '•••' }, list: [1, 3] };
    expect(editsBetween(before, after, ['sources', 's', 'config'])).toEqual([
      { op: 'set', path: ['sources', 's', 'config', 'url'], value: 'y' },
      { op: 'set', path: ['sources', 's', 'config', 'list', 1], value: 3 },
    ]);
  });

  it('deletes what is gone, and writes a list of another length as a whole', () => {
    expect(editsBetween({ a: 1, l: [1] }, { l: [1, 2] }, [])).toEqual([
      { op: 'delete', path: ['a'] },
      { op: 'set', path: ['l'], value: [1, 2] },
    ]);
  });

  it('leads from one to the other, always', () => {
    const json = fc.jsonValue({ maxDepth: 3 });
    fc.assert(
      fc.property(fc.dictionary(fc.string(), json), fc.dictionary(fc.string(), json), (before, after) => {
        const edits = editsBetween(before, after, []);
        expect(sameValue(applyEdits(before, edits), after)).toBe(true);
        if (sameValue(before, after)) expect(edits).toEqual([]);
      }),
    );
  });
});
