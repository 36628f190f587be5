import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createMessage, derive } from '../plugin-api/message.ts';
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
