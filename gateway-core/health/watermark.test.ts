import { expect, it } from 'vitest';
import { Watermark } from './watermark.ts';

const levels = (shares: readonly number[]): string[] => {
  const mark = new Watermark();
  return shares.map((share) => mark.look(share));
};

it('rises when a share stays above a mark, not at a single peak', () => {
  expect(levels([0.5, 0.99, 0.5, 0.81, 0.82, 0.83])).toEqual(['ok', 'ok', 'ok', 'ok', 'ok', 'high']);
  expect(levels([0.96, 0.96, 0.96])).toEqual(['ok', 'ok', 'critical']);
  expect(levels([0.85, 0.85, 0.85, 0.96, 0.96, 0.96]).at(-1)).toBe('critical');
});

it('falls only well below the mark: around it nothing flaps', () => {
  const around = levels([0.81, 0.81, 0.81, 0.79, 0.81, 0.79, 0.71, 0.81, 0.69, 0.79]);
  expect(around.slice(2)).toEqual(['high', 'high', 'high', 'high', 'high', 'high', 'ok', 'ok']);
  expect(levels([0.96, 0.96, 0.96, 0.94, 0.91, 0.89, 0.75, 0.6]).slice(2)).toEqual([
    'critical',
    'critical',
    'critical',
    'high',
    'high',
    'ok',
  ]);
  expect(levels([0.96, 0.96, 0.96, 0.1]).at(-1)).toBe('ok');
});
