import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { encodeJson } from './json.ts';

describe('encodeJson', () => {
  it.each([
    ['NaN', { deep: [Number.NaN] }, 'deep[0]'],
    ['Infinity', [1, -Infinity], 'the value[1]'],
    ['undefined', undefined, 'the value'],
    ['undefined in a list', { list: [undefined] }, 'list[0]'],
    ['a bigint', { n: 1n }, 'n'],
    ['a Date', { at: new Date(0) }, 'at'],
    ['a Map', new Map(), 'the value'],
    ['bytes', { b: new Uint8Array(1) }, 'b'],
    ['a function', { f: () => 1 }, 'f'],
    ['an object with toJSON', { o: { toJSON: () => 1 } }, 'o'],
  ])('refuses %s and names its place', (_name, value, place) => {
    expect(() => encodeJson(value)).toThrow(
      expect.objectContaining({ code: 'PB_STATE_NOT_JSON', details: expect.objectContaining({ place }) as unknown }),
    );
  });

  it('refuses a value that contains itself', () => {
    const circle: { self?: unknown } = {};
    circle.self = circle;
    expect(() => encodeJson(circle)).toThrow(expect.objectContaining({ code: 'PB_STATE_NOT_JSON' }));
  });

  it('refuses a value beyond the size limit', () => {
    expect(() => encodeJson('x'.repeat(17 * 1024 * 1024))).toThrow(
      expect.objectContaining({ code: 'PB_STATE_TOO_LARGE' }),
    );
  });

  it('leaves out members that are undefined', () => {
    expect(encodeJson({ a: 1, b: undefined })).toBe('{"a":1}');
  });

  it('keeps every JSON value as it is', () => {
    fc.assert(
      fc.property(fc.jsonValue(), (value) => {
        expect(JSON.parse(encodeJson(value))).toEqual(JSON.parse(JSON.stringify(value)));
      }),
    );
  });
});
