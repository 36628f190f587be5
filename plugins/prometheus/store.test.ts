import fc from 'fast-check';
import type { Metric } from 'patchbay/plugin-api';
import { describe, expect, it } from 'vitest';
import { exposition } from './exposition.ts';
import { SeriesStore } from './store.ts';
import { parseExposition, type Sample } from './testing/parse-exposition.ts';

const NOW = 1_700_000_000_000;
const base: Metric = { name: 'm', type: 'gauge', value: 1, time: 0, interval: 10, labels: { host: 'a' } };

function store(limits: { maxSeries?: number; expirationMultiple?: number } = {}) {
  const collisions: string[] = [];
  const one = new SeriesStore(
    { maxSeries: 1000, expirationMultiple: 2, ...limits },
    0,
    (message) => void collisions.push(message),
  );
  const put = (change: Partial<Metric> = {}, now = NOW, clock = 0) => one.apply({ ...base, ...change }, now, clock);
  const text = (openMetrics = false, withTimeStamp = false, clock = 0): string =>
    [...exposition(one, { openMetrics, withTimeStamp, clock })].join('');
  const samples = (clock = 0): Sample[] => parseExposition(text(false, false, clock), false);
  return { store: one, put, text, samples, collisions };
}

describe('what is exposed', () => {
  it('is, for the examples of sg-core, the same', () => {
    const { put, text } = store();
    put({
      name: 'collectd_metric_type0_samples_total',
      type: 'counter',
      value: 2121,
      interval: 0,
      labels: { host: 'localhost', plugin_instance: 'base', type_instance: 'base' },
    });
    put({
      name: 'collectd_cpu',
      time: 1609459200500,
      labels: { host: 'h3', plugin_instance: '0', type_instance: 'idle' },
    });
    expect(text(false, true)).toBe(
      '# TYPE collectd_metric_type0_samples_total counter\n' +
        'collectd_metric_type0_samples_total{host="localhost",plugin_instance="base",type_instance="base"} 2121\n' +
        '# TYPE collectd_cpu gauge\n' +
        'collectd_cpu{host="h3",plugin_instance="0",type_instance="idle"} 1 1609459200500\n',
    );
    expect(text(true, true)).toBe(
      '# TYPE collectd_metric_type0_samples counter\n' +
        'collectd_metric_type0_samples_total{host="localhost",plugin_instance="base",type_instance="base"} 2121\n' +
        '# TYPE collectd_cpu gauge\n' +
        'collectd_cpu{host="h3",plugin_instance="0",type_instance="idle"} 1 1609459200.500\n# EOF\n',
    );
  });

  it('renames nothing in OpenMetrics', () => {
    const { put, text } = store();
    put({ name: 'ceilometer_cpu', type: 'counter' });
    put({ name: 'x_total', type: 'counter' });
    put({ name: 'x', type: 'gauge' });
    put({ name: 'u', type: 'untyped' });
    const both = [false, true].map((open) =>
      parseExposition(text(open), open).map((sample) => `${sample.name} ${sample.type}`),
    );
    expect(both[0]).toEqual(['ceilometer_cpu counter', 'x_total counter', 'x gauge', 'u untyped']);
    expect(both[1]).toEqual(['ceilometer_cpu unknown', 'x_total unknown', 'x gauge', 'u unknown']);
  });

  it.each([
    [Number.NaN, 'NaN'],
    [Infinity, '+Inf'],
    [-Infinity, '-Inf'],
    [1e21, '1e+21'],
    [-0.5, '-0.5'],
  ])('shows %s as %s', (value, expected) => {
    const { put, text } = store();
    put({ value });
    expect(text()).toContain(`m{host="a"} ${expected}\n`);
  });

  it('is readable for any names, labels and values, each series once', () => {
    const word = fc.oneof(
      fc.string({ unit: 'binary', minLength: 1, maxLength: 6 }),
      fc.constantFrom('a', 'a.b', 'a-b', '__name__', '9', '10', '"', '\n', '\\', '__proto__', '\ud800'),
    );
    const metrics = fc.array(
      fc.record({
        name: word,
        type: fc.constantFrom('counter', 'gauge', 'untyped'),
        value: fc.double(),
        time: fc.integer({ min: 0, max: NOW }),
        labels: fc.dictionary(word, fc.oneof(word, fc.constant('')), { maxKeys: 4 }),
      }),
      { maxLength: 30 },
    );
    fc.assert(
      fc.property(metrics, (list) => {
        const { store: one, put, text } = store();
        const refused = list.filter((metric) => put(metric as Partial<Metric>) !== undefined).length;
        const plain = parseExposition(text(false, true), false);
        const open = parseExposition(text(true, true), true);
        expect(plain).toHaveLength(one.size);
        expect(open.map(({ name, labels, value }) => ({ name, labels, value }))).toEqual(
          plain.map(({ name, labels, value }) => ({ name, labels, value })),
        );
        expect(plain.length).toBeLessThanOrEqual(list.length - refused);
      }),
      { numRuns: 500 },
    );
  });
});

describe('identity', () => {
  it('is name and label pairs, whatever their order', () => {
    const { put, samples } = store();
    put({ labels: { a: '1', b: '2' }, value: 1 });
    put({ labels: { b: '2', a: '1' }, value: 2 });
    put({ labels: { b: '1', a: '2' }, value: 3 });
    put({ labels: { a: '1', c: '2' }, value: 4 });
    put({ labels: { a: '12' }, value: 5 });
    put({ labels: { a: '1', b: '2', c: '' }, value: 6 });
    expect(
      samples()
        .sort((x, y) => x.value - y.value)
        .map((s) => [s.value, s.labels]),
    ).toEqual([
      [3, { a: '2', b: '1' }],
      [4, { a: '1', c: '2' }],
      [5, { a: '12' }],
      [6, { a: '1', b: '2' }],
    ]);
  });

  it('is kept for any labels: a model with JSON as key agrees', () => {
    const part = fc.constantFrom('', 'a', 'b', 'ab', '1', '11', ':', '1:a', '\u0001');
    fc.assert(
      fc.property(
        fc.array(fc.dictionary(fc.constantFrom('a', 'b', 'ab', '1', '10', '9'), part), { maxLength: 40 }),
        (sets) => {
          const { store: one, put } = store();
          const model = new Set<string>();
          for (const labels of sets) {
            put({ labels });
            model.add(
              JSON.stringify(
                Object.entries(labels)
                  .filter(([, value]) => value !== '')
                  .sort(([a], [b]) => (a < b ? -1 : 1)),
              ),
            );
          }
          // '1', '9' and '10' as names are exposed as `_1` …: they stay apart from each other and from the rest.
          expect(one.size).toBe(model.size);
        },
      ),
    );
  });

  it('merges what looks alike once exposed, and reports it once', () => {
    const { put, samples, collisions, store: one } = store();
    put({ name: 'a.b', value: 1 });
    put({ name: 'a-b', value: 2 });
    put({ name: 'a b', value: 3 });
    expect(samples()).toMatchObject([{ name: 'a_b', value: 3 }]);
    put({ name: 'l', labels: { 'x.y': '1' }, value: 1 });
    put({ name: 'l', labels: { x_y: '1' }, value: 2 });
    put({ name: 'l', labels: { 'x-y': '1' }, value: 3 });
    expect(samples().filter((s) => s.name === 'l')).toMatchObject([{ labels: { x_y: '1' }, value: 3 }]);
    put({ name: 'both', labels: { 'x.y': '1', 'x-y': '2' } });
    expect(samples().find((s) => s.name === 'both')?.labels).toEqual({ x_y: '2;1' });
    expect(collisions).toEqual([
      'metrics `a.b` and `a-b` are both exposed as a_b',
      'two label sets of l are both exposed as {x_y="1"}',
    ]);
    expect(one.counts.collisions).toBe(2);
  });

  it('merges a plain label set that came before a changed one', () => {
    const { put, samples } = store();
    put({ labels: { x_y: '1' }, value: 1 });
    put({ labels: { 'x.y': '1' }, value: 2 });
    put({ labels: { x_y: '1' }, value: 3 });
    expect(samples()).toMatchObject([{ value: 3 }]);
  });
});

describe('the last value by time', () => {
  it('wins, however late an older one comes', () => {
    const { put, samples, store: one } = store();
    put({ time: 5000, value: 1 });
    put({ time: 4000, value: 2 });
    put({ time: 5000, value: 3 });
    expect(samples()).toMatchObject([{ value: 3 }]);
    expect(one.counts.stale).toBe(1);
  });

  it('is the time of arrival where upstream gives none', () => {
    const { put, samples, text } = store();
    put({ time: NOW - 10, value: 1 }, NOW);
    put({ time: 0, value: 2 }, NOW);
    put({ time: NOW - 5, value: 3 }, NOW + 1);
    expect(samples()).toMatchObject([{ value: 2 }]);
    expect(text(false, true)).toContain('} 2\n');
  });

  it('is not decided for ever by one from the far future', () => {
    const { put, samples } = store();
    put({ time: NOW + 86_400_000, value: 1 });
    put({ time: NOW, value: 2 });
    expect(samples()).toMatchObject([{ value: 2 }]);
  });
});

describe('types', () => {
  it('the first one of a name stays, the other is refused, the scrape goes on', () => {
    const { put, samples } = store();
    put({ type: 'gauge', value: 1 });
    expect(put({ type: 'counter', value: 2 })).toEqual({
      code: 'PB_PROMETHEUS_TYPE',
      cause: 'm is a gauge here, this one is a counter',
    });
    expect(samples()).toMatchObject([{ type: 'gauge', value: 1 }]);
  });

  it('a name whose series have all expired may come back with another', () => {
    const { put, samples, store: one } = store();
    put({ type: 'gauge' });
    while (!one.expire(30_000, 10));
    expect(put({ type: 'counter' }, NOW, 30_000)).toBeUndefined();
    expect(samples(30_000)).toMatchObject([{ type: 'counter' }]);
  });
});

describe('expiry', () => {
  it('comes after interval × multiple without an update, scraped or not', () => {
    const { put, samples, store: one } = store();
    put({ labels: { host: 'slow' }, interval: 10 });
    put({ labels: { host: 'quick' }, interval: 0.1 });
    put({ labels: { host: 'ever' }, interval: 0 });
    const hosts = (clock: number): (string | undefined)[] => samples(clock).map((s) => s.labels['host']);
    expect(hosts(199)).toEqual(['slow', 'quick', 'ever']);
    expect(hosts(200)).toEqual(['slow', 'ever']);
    expect(one.size).toBe(3);
    one.expire(1999, 100);
    expect(one.size).toBe(2);
    put({ labels: { host: 'slow' } }, NOW, 15_000);
    one.expire(25_000, 100);
    expect(hosts(34_999)).toEqual(['slow', 'ever']);
    one.expire(36_000, 100);
    expect(one.size).toBe(1);
    one.expire(1e9, 100);
    expect(hosts(1e9)).toEqual(['ever']);
    expect(one.counts.expired).toBe(2);
  });

  it('follows an interval that becomes shorter, longer or none', () => {
    const { put, store: one } = store();
    put({ interval: 1000 });
    put({ interval: 1 });
    one.expire(3000, 100);
    expect(one.size).toBe(0);
    put({ interval: 1 }, NOW, 3000);
    put({ interval: 0 }, NOW, 3000);
    one.expire(1e7, 100);
    expect(one.size).toBe(1);
    put({ interval: 1 }, NOW, 1e7);
    one.expire(1e7 + 3000, 100);
    expect(one.size).toBe(0);
  });

  it('agrees with a simple model over any run of updates and ticks', () => {
    const step = fc.record({
      host: fc.constantFrom('a', 'b', 'c'),
      interval: fc.constantFrom(0, 0.5, 1, 5, 700),
      wait: fc.integer({ min: 0, max: 900_000 }),
    });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
        const { put, store: one, samples } = store();
        const deadlines = new Map<string, number>();
        let clock = 0;
        for (const { host, interval, wait } of steps) {
          put({ labels: { host }, interval }, NOW, clock);
          deadlines.set(host, interval === 0 ? Infinity : clock + interval * 2000);
          clock += wait;
          while (!one.expire(clock, 1));
          const live = [...deadlines].filter(([, deadline]) => deadline > clock).map(([name]) => name);
          expect(new Set(samples(clock).map((s) => s.labels['host']))).toEqual(new Set(live));
          // The wheel turns once a second: what has been over for longer is gone.
          const due = [...deadlines].filter(([, deadline]) => deadline > clock - 1000).length;
          expect(one.size).toBeLessThanOrEqual(due);
          for (const [name, deadline] of deadlines) if (deadline <= clock - 1000) deadlines.delete(name);
        }
      }),
    );
  });
});

describe('bounds', () => {
  it('refuse more series than allowed, without leaving a family behind', () => {
    const { put, store: one, text } = store({ maxSeries: 2 });
    put({ name: 'a' });
    put({ name: 'b' });
    expect(put({ name: 'c' })).toMatchObject({ code: 'PB_PROMETHEUS_FULL' });
    expect(put({ name: 'a', value: 9 })).toBeUndefined();
    expect(one.size).toBe(2);
    expect(text()).not.toContain('c');
  });

  it('refuse endless names and labels, and labels that are no text', () => {
    const { put, store: one } = store();
    expect(put({ name: 'x'.repeat(20_000) })).toMatchObject({ code: 'PB_PROMETHEUS_TOO_LONG' });
    expect(put({ labels: { a: 'x'.repeat(20_000) } })).toMatchObject({ code: 'PB_PROMETHEUS_TOO_LONG' });
    expect(put({ labels: { a: 1 } as never })).toMatchObject({ code: 'PB_PROMETHEUS_NOT_A_METRIC' });
    expect([one.size, [...one.families()].length]).toEqual([0, 0]);
  });
});

describe('a scrape', () => {
  it('shows each series once while series come, go and come again', () => {
    const { put, store: one } = store({ maxSeries: 1e5 });
    for (let i = 0; i < 5000; i++)
      put({ name: `m${i % 3}`, interval: i % 2, labels: { host: `a rather long host name ${i}` } });
    const pieces = exposition(one, { openMetrics: false, withTimeStamp: false, clock: 0 });
    let text = '';
    for (const piece of pieces) {
      text += piece;
      while (!one.expire(60_000, 1000));
      for (let i = 0; i < 5000; i++)
        put({ name: `m${i % 4}`, interval: i % 2, labels: { host: `a rather long host name ${i}` } }, NOW, 60_000);
    }
    const samples = parseExposition(text, false);
    // Half of them never expire: those were there throughout.
    expect(new Set(samples.map((s) => s.labels['host'])).size).toBeGreaterThanOrEqual(2500);
    expect(samples.some((s) => s.name === 'm3')).toBe(false);
  });
});
