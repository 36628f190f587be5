import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createMessage, derive } from '../plugin-api/message.ts';
import type { Message } from '../plugin-api/index.ts';
import { pack, unpack } from './pack.ts';

const fields = [
  'id',
  'source',
  'type',
  'subject',
  'time',
  'kind',
  'format',
  'severity',
  'instance',
  'project',
  'partitionkey',
  'attributes',
  'data',
] as const;

/** What version 1 made of three messages. */
const FIRST_VERSION =
  'AQAAAAMAAABKAAAAAwAAAAAAAABZAAAAJgAAAAMAAABPAAAACAAAAAEAAABbIm9uZSIsIi9zIiwidCIsInMiLDEsInJhdyIsIiIsImNyaXRpY2FsIiwiaW4iLCJwIiwiayIseyJhZGRyZXNzIjoiw6QvYiJ9XQD/AVsib25lIzMiLCIvcyIsInQiLCJzIiwxLCJtZXRyaWMiLCJjb2xsZWN0ZC8xIiwiY3JpdGljYWwiLCJpbiIsInAiLCJrIix7ImFkZHJlc3MiOiLDpC9iIn1dWyJuIiwiZ2F1Z2UiLCJOYU4iLDEuNSwwLjUseyJhIjoiXCIifV1bInRocmVlIiwiL2luc3RhbmNlL2luIiwicGF0Y2hiYXkubWVzc2FnZSIsbnVsbCwzLCJyYXciLCIiLG51bGwsImluIiwicCIsIiIse31ddGV4dCDinJM=';

describe('packed batches', () => {
  it('keep every field of every kind of data', () => {
    const raw = createMessage('in', 'p', {
      data: new Uint8Array([0, 255, 1]),
      attributes: { address: 'ä/b' },
      severity: 'critical',
      subject: 's',
      partitionkey: 'k',
    });
    const metric = derive(
      raw,
      {
        kind: 'metric',
        format: 'collectd/1',
        data: { name: 'n', type: 'gauge', value: NaN, time: 1.5, interval: 0.5, labels: { a: '"' } },
      },
      3,
    );
    const batch = [
      raw,
      metric,
      createMessage('in', 'p', { data: 'text ✓' }),
      createMessage('in', 'p', { data: { deep: [1, null, { x: true }] } }),
      createMessage('in', 'p', { data: undefined }),
    ];
    const back = unpack(pack(batch));
    for (const [i, message] of batch.entries())
      for (const field of fields) expect(back[i]?.[field], `${i}.${field}`).toEqual(message[field]);
    expect(back[1]?.id).toBe(`${raw.id}#3`);
  });

  it('read what the first version has packed', () => {
    const [raw, metric, text] = unpack(Buffer.from(FIRST_VERSION, 'base64'));
    expect(raw).toMatchObject({
      id: 'one',
      source: '/s',
      time: 1,
      severity: 'critical',
      subject: 's',
      partitionkey: 'k',
    });
    expect(raw?.attributes).toEqual({ address: 'ä/b' });
    expect(raw?.data).toEqual(new Uint8Array([0, 255, 1]));
    expect(metric).toMatchObject({ id: 'one#3', kind: 'metric', format: 'collectd/1' });
    expect(metric?.data).toEqual({
      name: 'n',
      type: 'gauge',
      value: NaN,
      time: 1.5,
      interval: 0.5,
      labels: { a: '"' },
    });
    expect(text).toMatchObject({ id: 'three', data: 'text ✓', attributes: {} });
  });

  it('give each message its own, however alike its neighbours are', () => {
    const value = fc.constantFrom<unknown>(undefined, 0, 1, 'a', null);
    const text = fc.constantFrom('', 'a', 'ä✓');
    const one = fc.record({
      source: text,
      type: fc.constantFrom('t', 'u'),
      subject: fc.option(text, { nil: undefined }),
      partitionkey: text,
      format: text,
      kind: fc.constantFrom('raw' as const, 'event' as const, 'log' as const),
      severity: fc.constantFrom(undefined, 'info' as const),
      time: fc.constantFrom(0, 1.5, 1_763_728_000_000),
      attributes: fc.dictionary(fc.constantFrom('a', 'b', 'toString', '__proto__'), value, { maxKeys: 2 }),
      data: fc.oneof(fc.uint8Array({ maxLength: 3 }), text, fc.jsonValue(), fc.constant(undefined)),
    });
    const instance = fc.constantFrom('in', 'other');
    fc.assert(
      fc.property(fc.array(fc.tuple(instance, instance, one), { maxLength: 12 }), (list) => {
        const batch = list.map(([at, project, init]) => createMessage(at, project, init));
        const plain = (message: Message): unknown =>
          fields.map((field) => (field === 'attributes' ? JSON.stringify(message.attributes) : message[field]));
        expect(unpack(pack(batch)).map(plain)).toEqual(batch.map(plain));
      }),
    );
  });

  it('do not take what every object inherits for an attribute', () => {
    const given: readonly Record<string, unknown>[] = [{}, { toString: 'a' }];
    const batch = given.map((attributes) => createMessage('in', 'p', { data: '', attributes }));
    expect(unpack(pack(batch)).map(({ attributes }) => attributes)).toEqual(given);
  });

  it('end where their block ends, also within a larger buffer', () => {
    const block = pack([createMessage('in', 'p', { data: new Uint8Array(10) })]);
    const larger = new Uint8Array(block.length + 10);
    larger.set(block);
    expect(() => unpack(larger.subarray(0, block.length - 1))).toThrow(RangeError);
  });

  it('hold what all messages have in common once', () => {
    const attributes = { address: 'a'.repeat(500) };
    const batch = Array.from({ length: 100 }, () =>
      createMessage('in', 'p', { data: 'x', attributes: { ...attributes } }),
    );
    expect(pack(batch).byteLength).toBeLessThan(100 * 60 + 1000);
  });

  it('keep integers beyond JSON as text', () => {
    const [back] = unpack(pack([createMessage('in', 'p', { data: { big: 2n ** 70n }, attributes: { big: 5n } })]));
    expect(back?.data).toEqual({ big: '1180591620717411303424' });
    expect(back?.attributes).toEqual({ big: '5' });
  });

  it('never read outside a damaged block', () => {
    const block = pack([createMessage('in', 'p', { data: { a: 1 } }), createMessage('in', 'p', { data: 'x' })]);
    fc.assert(
      fc.property(fc.nat(block.length - 1), fc.nat(255), fc.nat(block.length), (at, value, length) => {
        const damaged = block.slice(0, length);
        if (at < damaged.length) damaged[at] = value;
        try {
          unpack(damaged);
        } catch (error) {
          expect(error instanceof RangeError || error instanceof SyntaxError || error instanceof TypeError).toBe(true);
        }
      }),
    );
  });
});
