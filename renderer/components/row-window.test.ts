import { describe, expect, it } from 'vitest';
import { rowWindow } from './row-window.ts';

describe('rowWindow', () => {
  it('draws what is seen and a dozen more at each edge', () => {
    expect(rowWindow(0, 500, 25, 5_000)).toEqual({ first: 0, end: 32 });
    expect(rowWindow(25_000, 500, 25, 5_000)).toEqual({ first: 988, end: 1032 });
    expect(rowWindow(124_500, 500, 25, 5_000)).toEqual({ first: 4968, end: 5000 });
  });

  it('stays within few rows, and within the list when it shrank', () => {
    expect(rowWindow(0, 500, 25, 3)).toEqual({ first: 0, end: 3 });
    expect(rowWindow(100_000, 500, 25, 10)).toEqual({ first: 10, end: 10 });
    expect(rowWindow(0, 500, 25, 0)).toEqual({ first: 0, end: 0 });
  });
});
