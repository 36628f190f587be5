import { describe, expect, it } from 'vitest';
import { parseSelection, selectionOf } from '../pages/live/selection.ts';
import { href, patchQuery } from './url-state.ts';

describe('URL state', () => {
  it('sets, replaces and removes keys and keeps the others in place', () => {
    expect(patchQuery('?at=decode&row=1', { where: 'a == "b"' })).toBe('at=decode&row=1&where=a+%3D%3D+%22b%22');
    expect(patchQuery('?at=decode&row=1&text=x', { row: undefined, text: '' })).toBe('at=decode');
    expect(patchQuery('?at=a', { at: 'b' })).toBe('at=b');
  });

  it('survives whatever a filter holds', () => {
    const where = 'data.name == "ä&=?#+% 1"';
    expect(new URLSearchParams(patchQuery('', { where })).get('where')).toBe(where);
    expect(href('/live', { at: 'decode', row: undefined })).toBe('/live?at=decode');
    expect(href('/live')).toBe('/live');
  });

  it('names a row by place and id, whatever the id holds', () => {
    const row = {
      seq: 12,
      time: 0,
      instance: '',
      origin: '',
      pipeline: '',
      id: 'a~b\n',
      kind: 'raw',
      type: '',
      summary: '',
      after: '',
      bytes: 0,
    } as const;
    expect(parseSelection(selectionOf(row))).toEqual({ seq: 12, id: 'a~b\n' });
    expect(parseSelection('')).toBeUndefined();
    expect(parseSelection('x~1')).toBeUndefined();
  });
});
