import { expect, it } from 'vitest';
import { referenceRows } from './reference.ts';

it('lists nested names, lists, maps and branches', () => {
  const rows = referenceRows({
    type: 'object',
    required: ['url'],
    properties: {
      url: { type: 'string', description: 'Where' },
      tls: { type: 'object', properties: { key: { type: 'string', writeOnly: true, default: 'secret' } } },
      routes: { type: 'array', items: { type: 'object', properties: { to: { enum: ['a', 'b'] } } } },
      labels: {
        type: 'object',
        additionalProperties: {
          type: 'object',
          properties: { n: { type: 'integer', minimum: 1, default: 3, 'x-unit': 's' } },
        },
      },
    },
    oneOf: [{ title: 'Listen', properties: { port: { type: 'integer' } } }],
  });
  const row = (name: string) => rows.find((found) => found.name === name);
  expect(row('url')).toMatchObject({ type: 'string', required: true, text: 'Where' });
  expect(row('tls.key')).toMatchObject({ secret: true, fallback: '' });
  expect(row('routes[].to')?.type).toBe('a | b');
  expect(row('labels.*.n')).toMatchObject({ type: 'integer, at least 1, s', fallback: '3' });
  expect(row('port')?.when).toBe('Listen');
});

it('ends for schemas that hold themselves', () => {
  const tree = { type: 'object', properties: { a: { $ref: '#' }, b: { $ref: '#' }, c: { $ref: '#' } } };
  expect(referenceRows(tree).length).toBeLessThanOrEqual(400);
  expect(referenceRows(undefined)).toEqual([]);
});
