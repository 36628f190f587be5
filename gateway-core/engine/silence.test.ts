import { describe, expect, it } from 'vitest';
import type { ResolvedConfig } from '../config/resolved.ts';
import { stepCounters } from '../flow/counters.ts';
import type { Totals } from './fleet.ts';
import { SilenceWatch } from './silence.ts';

const config = (everyMs: number, enabled = true): ResolvedConfig =>
  ({ instances: new Map([['in', { name: 'in', enabled, expectEveryMs: everyMs }]]) }) as unknown as ResolvedConfig;
const heard = (at: number): Totals =>
  ({ instances: new Map([['in', { ...stepCounters(), lastMessage: at }]]) }) as unknown as Totals;

describe('watching for silence', () => {
  it('tells once when a source falls silent, and once when it speaks again', () => {
    const watch = new SilenceWatch();
    expect(watch.look(1000, config(500), heard(0))).toEqual({ fell: [], spoke: [] });
    expect(watch.look(1400, config(500), heard(0))).toEqual({ fell: [], spoke: [] });
    expect(watch.look(1600, config(500), heard(0))).toEqual({ fell: ['in'], spoke: [] });
    expect(watch.silent.get('in')).toBe(1000);
    expect(watch.look(1700, config(500), heard(0))).toEqual({ fell: [], spoke: [] });
    expect(watch.look(1800, config(500), heard(1790))).toEqual({ fell: [], spoke: ['in'] });
  });

  it('expects nothing of a disabled source, nor of one without `expect`', () => {
    const watch = new SilenceWatch();
    watch.look(0, config(500, false), heard(0));
    expect(watch.look(10_000, config(500, false), heard(0)).fell).toEqual([]);
    expect(watch.look(10_000, config(0), heard(0)).fell).toEqual([]);
  });

  it('forgets a source that is no longer watched', () => {
    const watch = new SilenceWatch();
    watch.look(0, config(500), heard(0));
    watch.look(1000, config(500), heard(0));
    expect(watch.silent.size).toBe(1);
    watch.look(1001, config(0), heard(0));
    expect(watch.silent.size).toBe(0);
  });
});
