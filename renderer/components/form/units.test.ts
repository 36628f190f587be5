import { expect, it } from 'vitest';
import { humanise } from './units.ts';

it.each([
  [90_000, 'ms', '1 min 30 s'],
  [30, 's', ''],
  [7200, 's', '2 h'],
  [1_048_576, 'bytes', '1 MiB'],
  [1536, 'KiB', '1.5 MiB'],
  [500, 'messages/s', ''],
  [-1, 'ms', ''],
  [0, 'bytes', ''],
])('says %d %s as %j', (value, unit, text) => {
  expect(humanise(value, unit)).toBe(text);
});
