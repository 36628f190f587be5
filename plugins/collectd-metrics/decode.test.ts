import fc from 'fast-check';
import {
  Filtered,
  Refused,
  type HandlerItem,
  type HandlerResult,
  type Message,
  type Metric,
} from 'patchbay/plugin-api';
import { fakeContext } from 'patchbay/plugin-api/testing';
import { describe, expect, it } from 'vitest';
import { CollectdDecoder } from './decode.ts';
import { MetricNames } from './names.ts';

const context = fakeContext({ config: {}, instance: 'telemetry' });
const decoder = new CollectdDecoder();
const record = {
  values: [1],
  dstypes: ['gauge'],
  dsnames: ['value'],
  time: 1609459200.5,
  interval: 10.5,
  host: 'h3',
  plugin: 'cpu',
  plugin_instance: '0',
  type: 'cpu',
  type_instance: 'idle',
  meta: { secret: 1 },
};

const decode = (data: unknown): HandlerResult => decoder.decode(context.message({ data }));
const items = (result: HandlerResult): readonly HandlerItem[] =>
  Array.isArray(result) ? (result as HandlerItem[]) : [result as HandlerItem];
const metric = (result: HandlerResult): Metric => {
  if (result instanceof Refused || result instanceof Filtered || Array.isArray(result))
    throw new Error(`not one metric: ${JSON.stringify(result)}`);
  return (result as Message).data as Metric;
};

describe('names, types and labels, as sg-core has them', () => {
  it.each<[string, object, Partial<Metric>]>([
    [
      'the derive of sg-core',
      { values: [2121], dstypes: ['derive'], dsnames: ['samples'], host: 'localhost', plugin: 'metric', type: 'type0' },
      {
        name: 'collectd_metric_type0_samples_total',
        type: 'counter',
        value: 2121,
        time: 0,
        interval: 0,
        labels: { host: 'localhost', plugin_instance: 'base', type_instance: 'base' },
      },
    ],
    [
      'the gauge of sg-core, milliseconds kept',
      record,
      {
        name: 'collectd_cpu',
        type: 'gauge',
        value: 1,
        time: 1609459200500,
        interval: 10.5,
        labels: { host: 'h3', plugin_instance: '0', type_instance: 'idle' },
      },
    ],
    ['a counter', { ...record, dstypes: ['counter'] }, { name: 'collectd_cpu_total', type: 'counter' }],
    [
      'an absolute',
      { ...record, dstypes: ['absolute'], type: 'percent' },
      { name: 'collectd_cpu_percent', type: 'untyped' },
    ],
    ['a type of its own', { ...record, dstypes: ['weird'] }, { name: 'collectd_cpu', type: 'untyped' }],
    ['null as NaN', { ...record, values: [null] }, { value: Number.NaN }],
    [
      'empty instances as base',
      { ...record, plugin_instance: '', type_instance: null },
      { labels: { host: 'h3', plugin_instance: 'base', type_instance: 'base' } },
    ],
    ['an interval below one second', { ...record, interval: 0.25 }, { interval: 0.25 }],
    ['names that Prometheus would not take', { ...record, plugin: 'a-b' }, { name: 'collectd_a-b_cpu' }],
  ])('%s', (_name, input, expected) => {
    for (const data of [
      JSON.stringify([input]),
      JSON.stringify(input),
      Buffer.from(JSON.stringify([input])),
      [input],
      input,
    ]) {
      expect(metric(decode(data))).toMatchObject(expected);
    }
    expect(Object.keys(metric(decode([input])).labels)).toEqual(['host', 'plugin_instance', 'type_instance']);
  });

  it('reads bytes that are a view on a larger block', () => {
    const block = new Uint8Array(Buffer.from(`xxx${JSON.stringify([record])}yyy`));
    expect(metric(decode(block.subarray(3, block.length - 3))).name).toBe('collectd_cpu');
  });

  it('passes a number too large for a double on as infinite', () => {
    expect(metric(decode(JSON.stringify(record).replace('"values":[1]', '"values":[1e999]'))).value).toBe(Infinity);
  });
});

describe('messages', () => {
  it('keep their identity when there is one value, and number their parts when there are more', () => {
    const message = context.message({ id: 'up', data: [record] });
    const single = decoder.decode(message) as Message;
    expect([single.id, single.kind, single.format, single.time]).toEqual(['up', 'metric', 'collectd/1', 1609459200500]);
    const load = { ...record, values: [1, 2, 3], dstypes: ['gauge', 'gauge', 'gauge'], dsnames: ['a', 'b', 'c'] };
    const parts = decoder.decode(context.message({ id: 'up', data: [load, { ...record, host: 1 }, record] }));
    expect(
      items(parts).map((item) => (item instanceof Refused ? `refused ${item.message?.id}` : (item as Message).id)),
    ).toEqual(['up#0', 'up#1', 'up#2', 'refused up#3', 'up#4']);
  });

  it('refuse a bad record alone and keep it with its cause', () => {
    const bad = { ...record, dsnames: [] };
    const [first, second] = items(decode([bad, record]));
    expect(first).toBeInstanceOf(Refused);
    expect(first).toMatchObject({
      code: 'PB_COLLECTD_LENGTHS',
      cause: 'the lists differ in length: 1 values, 1 dstypes, 0 dsnames',
    });
    expect((first as Refused).message?.data).toBe(bad);
    expect((second as Message).kind).toBe('metric');
  });

  it('take nothing of a record whose second value is bad', () => {
    const two = { ...record, values: [1, true], dstypes: ['gauge', 'gauge'], dsnames: ['a', 'b'] };
    const result = items(decode([two, record]));
    expect(result).toHaveLength(2);
    expect(result[0]).toMatchObject({ code: 'PB_COLLECTD_VALUE', cause: 'values[1] is true, not a number or null' });
  });

  it('without any record are filtered', () => {
    expect(decode('[]')).toBeInstanceOf(Filtered);
  });
});

describe('refusals', () => {
  it.each<[string, unknown, string, RegExp]>([
    ['broken JSON', '[{', 'PB_COLLECTD_JSON', /not JSON/],
    ['nothing', '', 'PB_COLLECTD_JSON', /not JSON/],
    ['no UTF-8', new Uint8Array([0xff, 0xfe]), 'PB_COLLECTD_JSON', /not JSON/],
    ['undefined data', undefined, 'PB_COLLECTD_SHAPE', /missing/],
    ['a number', '17', 'PB_COLLECTD_SHAPE', /object/],
    ['a list in a list', [[record]], 'PB_COLLECTD_SHAPE', /a list/],
    ['no values', { ...record, values: undefined }, 'PB_COLLECTD_SHAPE', /`values` is missing/],
    ['values no list', { ...record, values: { length: 1 } }, 'PB_COLLECTD_SHAPE', /`values` is not a list/],
    ['no dsnames', { ...record, dsnames: undefined }, 'PB_COLLECTD_SHAPE', /`dsnames` is missing/],
    ['no value at all', { ...record, values: [], dstypes: [], dsnames: [] }, 'PB_COLLECTD_SHAPE', /empty/],
    ['no host', { ...record, host: '' }, 'PB_COLLECTD_SHAPE', /`host` is missing/],
    ['a numeric plugin', { ...record, plugin: 5 }, 'PB_COLLECTD_SHAPE', /`plugin` is not a text/],
    ['an object as instance', { ...record, type_instance: {} }, 'PB_COLLECTD_SHAPE', /`type_instance`/],
    ['a text value', { ...record, values: ['1'] }, 'PB_COLLECTD_VALUE', /a text/],
    ['a numeric dsname', { ...record, dsnames: [1] }, 'PB_COLLECTD_SHAPE', /dsnames\[0\]/],
    ['a text time', { ...record, time: 'now' }, 'PB_COLLECTD_TIME', /`time` is a text/],
    ['a huge time', { ...record, time: 1e300 }, 'PB_COLLECTD_TIME', /1e\+300/],
    ['a negative interval', { ...record, interval: -1 }, 'PB_COLLECTD_TIME', /`interval` is -1/],
    ['very deep JSON', '['.repeat(100_000) + ']'.repeat(100_000), 'PB_COLLECTD_SHAPE', /a list/],
  ])('%s', (_name, data, code, cause) => {
    const result = decode(data);
    expect(result).toBeInstanceOf(Refused);
    expect(result).toMatchObject({ code, cause: expect.stringMatching(cause) as unknown });
  });
});

describe('whatever comes', () => {
  const text = fc.oneof(fc.string(), fc.constantFrom('__proto__', 'constructor', 'value', ''));
  const oddRecord = fc.record(
    {
      values: fc.oneof(
        fc.array(fc.oneof(fc.double(), fc.constant(null), fc.boolean(), text), { maxLength: 4 }),
        fc.jsonValue(),
      ),
      dstypes: fc.oneof(
        fc.array(fc.oneof(fc.constantFrom('gauge', 'derive'), text, fc.integer()), { maxLength: 4 }),
        fc.jsonValue(),
      ),
      dsnames: fc.oneof(fc.array(fc.oneof(text, fc.integer()), { maxLength: 4 }), fc.jsonValue()),
      host: fc.oneof(text, fc.jsonValue()),
      plugin: fc.oneof(text, fc.jsonValue()),
      type: fc.oneof(text, fc.jsonValue()),
      time: fc.oneof(fc.double(), fc.jsonValue()),
      interval: fc.oneof(fc.double(), fc.jsonValue()),
    },
    { requiredKeys: [] },
  );
  const goodRecord = fc.record({
    values: fc.tuple(fc.double()),
    dstypes: fc.tuple(fc.constantFrom('gauge', 'derive')),
    dsnames: fc.tuple(text),
    host: fc.string({ minLength: 1 }),
    plugin: fc.string({ minLength: 1 }),
    type: fc.string({ minLength: 1 }),
  });

  it('no bytes make it throw or answer with anything but results', () => {
    fc.assert(
      fc.property(
        fc.oneof(
          fc.uint8Array(),
          fc.string(),
          fc.jsonValue(),
          fc.json().map((json) => Buffer.from(json)),
        ),
        (data) => {
          for (const item of items(decode(data))) {
            if (item instanceof Refused || item instanceof Filtered) continue;
            const { name, value } = item.data as Metric;
            expect([typeof name, typeof value]).toEqual(['string', 'number']);
          }
        },
      ),
      { numRuns: 2000 },
    );
  });

  it('each record is counted once: all of its values, or one refusal', () => {
    fc.assert(
      fc.property(
        fc.array(fc.oneof(oddRecord, goodRecord, fc.jsonValue()), { minLength: 2, maxLength: 8 }),
        (records) => {
          const sent = JSON.parse(JSON.stringify(records)) as unknown[];
          const result = items(decode(JSON.stringify(records)));
          let at = 0;
          for (const one of sent) {
            const item = result[at];
            if (item instanceof Refused) {
              expect(item.message?.data).toEqual(one);
              at += 1;
            } else {
              at += (one as { values: unknown[] }).values.length;
            }
          }
          expect(at).toBe(result.length);
          expect(
            new Set(result.map((item) => (item instanceof Refused ? item.message! : (item as Message)).id)).size,
          ).toBe(at);
        },
      ),
      { numRuns: 1000 },
    );
  });
});

describe('the name cache', () => {
  it('stays bounded and right under ever new names', () => {
    const names = new MetricNames();
    for (let i = 0; i < 50_000; i++) expect(names.get('p', `t${i}`, 'value', 'gauge')).toBe(`collectd_p_t${i}`);
    expect(names.get('p', 'p', 'x', 'derive')).toBe('collectd_p_x_total');
    expect(names.get('p', 'p', 'x', 'derive')).toBe('collectd_p_x_total');
    expect(names.cached).toBeLessThanOrEqual(20_000);
  });
});
