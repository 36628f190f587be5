import { expect, it } from 'vitest';
import { mergeUndelivered, undeliveredOf } from './undelivered.ts';

it('reads from the error which spools it asks about', () => {
  const details = { names: 'out', messages: 3, undelivered: { out: 3, odd: 'x' } };
  expect(undeliveredOf({ code: 'PB_SPOOL_DECISION', details })).toEqual({ out: 3 });
  expect(undeliveredOf({ code: 'PB_CONFIG_INVALID', details })).toEqual({});
  expect(undeliveredOf({ code: 'PB_SPOOL_DECISION' })).toEqual({});
  expect(undeliveredOf(undefined)).toEqual({});
});

it('takes the newest figures', () => {
  expect(mergeUndelivered({ a: 1, b: 2 }, undefined, { a: 5 })).toEqual({ a: 5, b: 2 });
});
