import { describe, expect, it } from 'vitest';
import { accept, complete } from './completion.ts';

const PATHS = ['attributes.address', 'data.host', 'data.labels', 'data.labels.rack'];
const options = (text: string, caret = text.length): readonly string[] => complete(text, caret, PATHS).options;

describe('complete', () => {
  it('offers fields by their beginning, one level at a time', () => {
    expect(options('ty')).toEqual(['type']);
    expect(options('data.')).toEqual(['data.host', 'data.labels']);
    expect(options('kind == "raw" && data.labels.')).toEqual(['data.labels.rack']);
    expect(complete('kind == "raw" && data.h', 23, PATHS).from).toBe(17);
  });

  it('offers text methods on what is no map', () => {
    expect(options('data.host.st')).toEqual(['data.host.startsWith("")']);
    expect(options('type.')).toContain('type.contains("")');
    expect(options('attributes.')).toEqual(['attributes.address']);
  });

  it('offers nothing inside a text', () => {
    expect(options('type == "da')).toEqual([]);
    expect(options('type == "a\\"da')).toEqual([]);
    expect(options("type == 'it' && da")).toEqual(['data']);
  });

  it('puts the caret where one goes on typing', () => {
    expect(accept('x && da', 7, 5, 'data.host')).toEqual({ text: 'x && data.host', caret: 14 });
    expect(accept('type.st == 1', 7, 0, 'type.startsWith("")')).toEqual({
      text: 'type.startsWith("") == 1',
      caret: 17,
    });
    expect(accept('ha', 2, 0, 'has()')).toEqual({ text: 'has()', caret: 4 });
  });
});
