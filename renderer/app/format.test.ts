import { describe, expect, it } from 'vitest';
import { ago, bytes, clock, count, exactTime, micros, rate, shortCount, span } from './format.ts';

/** Narrow no-break spaces written as `_`. */
const seen = (text: string): string => text.replaceAll('\u202f', '_');

describe('numbers', () => {
  it('groups thousands from five digits on', () => {
    expect(seen(count(10_441_902_113))).toBe('10_441_902_113');
    expect(count(9999)).toBe('9999');
    expect(seen(count(-12345.678, 1))).toBe('−12_345.7');
    expect(count(-0.2)).toBe('0');
    expect(count(Number.NaN)).toBe('–');
  });

  it('writes rates whole from ten on', () => {
    expect(rate(0)).toBe('0');
    expect(rate(0.5)).toBe('0.5');
    expect(rate(9.96)).toBe('10');
    expect(seen(rate(41_312.4))).toBe('41_312');
  });

  it('shortens with SI prefixes and never shows 1000', () => {
    expect(seen(shortCount(40_902))).toBe('40.9_k');
    expect(seen(shortCount(999_960))).toBe('1.0_M');
    expect(shortCount(999)).toBe('999');
    expect(seen(bytes(228))).toBe('228_B');
    expect(seen(bytes(1228))).toBe('1.2_kB');
    expect(seen(bytes(999_960))).toBe('1.0_MB');
    expect(seen(micros(0.8))).toBe('0.8_µs');
    expect(seen(micros(16_800))).toBe('16.8_ms');
    expect(seen(micros(2_000_000))).toBe('2.0_s');
  });
});

describe('times', () => {
  it('writes spans in two units', () => {
    expect(span(0)).toBe('0 s');
    expect(span(130)).toBe('2 min 10 s');
    expect(span(3 * 86_400 + 4 * 3_600 + 59)).toBe('3 d 4 h');
    expect(span(7_200)).toBe('2 h');
  });

  it('writes how long ago in one unit', () => {
    expect(ago(10_000, 11_000)).toBe('just now');
    expect(ago(0, 59_999)).toBe('59 s ago');
    expect(ago(0, 3_600_000)).toBe('1 h ago');
    expect(ago(5_000, 0)).toBe('just now');
  });

  it('writes local time to the millisecond, and the offset in the exact form', () => {
    const time = new Date(2026, 10, 20, 8, 2, 7, 14).getTime();
    expect(clock(time)).toBe('08:02:07.014');
    expect(exactTime(time)).toMatch(/^2026-11-20 08:02:07\.014 [+−]\d\d:\d\d$/);
  });
});
