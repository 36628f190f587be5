import { describe, expect, it } from 'vitest';
import { isFiltered, readFilter, toLetterFilter, withoutCause } from './filters.ts';

const filter = (query: string) => readFilter((key) => new URLSearchParams(query).get(key) ?? '');

describe('the filter in the URL', () => {
  it('becomes what the engine is asked for', () => {
    expect(toLetterFilter(filter(''), 5)).toEqual({});
    expect(toLetterFilter(filter('instance=i&pipeline=p&code=c&text=t&since=1h'), 10_000_000)).toEqual({
      instance: 'i',
      pipeline: 'p',
      code: 'c',
      text: 't',
      from: 6_400_000,
    });
  });

  it('takes an unknown span of time for none', () => {
    expect(filter('since=toString').since).toBe('');
    expect(isFiltered(filter('since=ever'))).toBe(false);
    expect(isFiltered(filter('text=a'))).toBe(true);
  });

  it('keeps time and text where the causes are listed', () => {
    expect(toLetterFilter(withoutCause(filter('instance=i&code=c&text=t')), 0)).toEqual({ text: 't' });
  });
});
