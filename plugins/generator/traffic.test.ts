import { describe, expect, it } from 'vitest';
import { Traffic } from './traffic.ts';

interface Record_ {
  values: number[];
  dstypes: string[];
  dsnames: string[];
  time: number;
  interval: number;
  host: string;
  plugin: string;
  plugin_instance: string;
  type: string;
  type_instance: string;
}
const options = { hosts: 2, seed: 7, faults: 0, rate: 56 };
const take = (traffic: Traffic, count: number): string[] =>
  Array.from({ length: count }, (_, i) => traffic.next(1_700_000_000_000 + i));
const read = (text: string): Record_ => (JSON.parse(text) as [Record_])[0];

describe('Traffic', () => {
  it('is the same for the same seed and another for another', () => {
    expect(take(new Traffic(options), 200)).toEqual(take(new Traffic(options), 200));
    expect(take(new Traffic(options), 5)).not.toEqual(take(new Traffic({ ...options, seed: 8 }), 5));
  });

  it('goes through every series of every host before it begins again', () => {
    const keys = take(new Traffic(options), 112)
      .map(read)
      .map((r) => [r.host, r.plugin, r.plugin_instance, r.type, r.type_instance].join('/'));
    expect(new Set(keys.slice(0, 56)).size).toBe(56);
    expect(keys.slice(56)).toEqual(keys.slice(0, 56));
    expect(keys.filter((key) => key.startsWith('node-2.demo/'))).toHaveLength(56);
  });

  it('lets counters rise and gauges stay in their range', () => {
    const last = new Map<string, number>();
    let risen = 0;
    for (const r of take(new Traffic(options), 56 * 50).map(read)) {
      expect(r.values.length).toBe(r.dstypes.length);
      expect(r.values.length).toBe(r.dsnames.length);
      expect(r.time).toBeGreaterThanOrEqual(1_700_000_000);
      r.values.forEach((value, i) => {
        const key = [r.host, r.plugin, r.plugin_instance, r.type, r.type_instance, i].join('/');
        if (r.dstypes[i] === 'derive') {
          const before = last.get(key);
          if (before !== undefined) {
            expect(value).toBeGreaterThanOrEqual(before);
            if (value > before) risen++;
          }
          last.set(key, value);
        } else {
          expect(value).toBeGreaterThanOrEqual(0);
          if (r.plugin === 'load') expect(value).toBeLessThanOrEqual(4);
        }
      });
    }
    expect(risen).toBeGreaterThan(500);
  });

  it('names an interval no shorter than its own round', () => {
    expect(read(new Traffic({ ...options, rate: 1 }).next(0)).interval).toBe(56);
    expect(read(new Traffic({ ...options, rate: 1000 }).next(0)).interval).toBe(10);
  });

  it('damages about the share it is told to, in more ways than one', () => {
    const damaged = take(new Traffic({ ...options, faults: 0.1 }), 4000).filter((text) => {
      try {
        const r = read(text);
        return r.host === undefined || r.dsnames.length !== r.values.length || typeof r.values[0] !== 'number';
      } catch {
        return true;
      }
    });
    expect(damaged.length).toBeGreaterThan(300);
    expect(damaged.length).toBeLessThan(500);
    const kinds = new Set(
      damaged.map((text) =>
        !text.endsWith(']')
          ? 'cut'
          : text.includes('"dsnames":[]')
            ? 'lengths'
            : text.includes('[true')
              ? 'value'
              : 'host',
      ),
    );
    expect(kinds.size).toBe(4);
  });
});
