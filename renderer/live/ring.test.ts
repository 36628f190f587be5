import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { LiveRow } from '../../gateway-core/protocol/model.ts';
import { LiveRing, missing, type Entry, type GapEntry } from './ring.ts';

function row(seq: number): LiveRow {
  return {
    seq,
    time: seq,
    instance: 'decode',
    origin: 'in',
    pipeline: 'p',
    id: `id-${seq}`,
    kind: 'raw',
    type: 't',
    summary: '',
    after: '',
    bytes: 1,
  };
}
const rows = (from: number, to: number): LiveRow[] => Array.from({ length: to - from + 1 }, (_, i) => row(from + i));
const entries = (ring: LiveRing): Entry[] =>
  Array.from({ length: ring.length }, (_, i) => ring.at(i)).filter((entry) => entry !== undefined);
/** `1 2 [3-9] 10`; lost gaps in parentheses, breaks as `|`. */
const shown = (ring: LiveRing): string =>
  entries(ring)
    .map((entry) => {
      if (entry.kind === 'row') return String(entry.row.seq);
      if (entry.kind === 'break') return '|';
      const text = `${entry.after + 1}-${entry.before - 1}`;
      return entry.lost ? `(${text})` : `[${text}]`;
    })
    .join(' ');
function gapOf(ring: LiveRing): GapEntry {
  const gap = entries(ring).find((entry) => entry.kind === 'gap');
  if (gap?.kind !== 'gap') throw new Error('no gap');
  return gap;
}

describe('LiveRing', () => {
  it('keeps the newest rows up to its capacity', () => {
    const ring = new LiveRing(3);
    ring.append(rows(1, 5), 'a');
    expect(shown(ring)).toBe('3 4 5');
    expect(ring.firstRow()?.row.seq).toBe(3);
    expect(ring.lastRow()?.row.seq).toBe(5);
    expect(ring.at(-1)).toBeUndefined();
    expect(ring.at(3)).toBeUndefined();
  });

  it('marks missing rows and leaves out those it has', () => {
    const ring = new LiveRing(10);
    ring.append(rows(1, 2), 'a');
    ring.append([row(2), row(6)], 'a');
    expect(shown(ring)).toBe('1 2 [3-5] 6');
    expect(missing(gapOf(ring))).toBe(3);
  });

  it('begins anew with another tap, after a break', () => {
    const ring = new LiveRing(10);
    ring.append(rows(7, 8), 'a');
    ring.appendBreak(1);
    ring.appendBreak(2);
    ring.append(rows(1, 2), 'b');
    expect(shown(ring)).toBe('7 8 | 1 2');
    expect(ring.find(1, 'id-1')).toBe(3);
    expect(ring.find(1, 'other')).toBe(-1);
  });

  it('takes older rows in front and lets the newest go', () => {
    const ring = new LiveRing(5);
    ring.append(rows(10, 13), 'a');
    expect(ring.prepend(rows(7, 10), 'a')).toBe(3);
    expect(shown(ring)).toBe('7 8 9 10 11');
    ring.append(rows(14, 14), 'a');
    expect(shown(ring)).toBe('9 10 11 [12-13] 14');
  });

  it('fills a gap from its newer end and says what is lost', () => {
    const ring = new LiveRing(50);
    ring.append([row(1), row(10)], 'a');
    expect(ring.fill(gapOf(ring), rows(6, 9), 2)).toBe(4);
    expect(shown(ring)).toBe('1 [2-5] 6 7 8 9 10');
    ring.fill(gapOf(ring), rows(4, 5), 4);
    expect(shown(ring)).toBe('1 (2-3) 4 5 6 7 8 9 10');
    expect(ring.fill({ kind: 'gap', tap: 'a', after: 1, before: 4, lost: false }, rows(2, 3), 1)).toBe(0);
  });

  it('closes a gap without a trace when all rows came', () => {
    const ring = new LiveRing(50);
    ring.append([row(1), row(4)], 'a');
    ring.fill(gapOf(ring), rows(2, 3), 1);
    expect(shown(ring)).toBe('1 2 3 4');
  });

  it('joins what was held back without losing a row', () => {
    const view = new LiveRing(50);
    const held = new LiveRing(50);
    view.append(rows(1, 3), 'a');
    held.append(rows(4, 5), 'a');
    held.appendBreak(9);
    held.append(rows(1, 1), 'b');
    view.appendAll(held);
    expect(shown(view)).toBe('1 2 3 4 5 | 1');
  });

  it('accounts for every row of a tap, whatever arrives', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 40 }),
        fc.array(fc.integer({ min: 1, max: 6 }), { maxLength: 60 }),
        (capacity, steps) => {
          const ring = new LiveRing(capacity);
          let seq = 0;
          for (const step of steps) ring.append([row((seq += step))], 'a');
          expect(ring.length).toBeLessThanOrEqual(capacity);
          const list = entries(ring);
          let next: number | undefined;
          for (const entry of list) {
            if (entry.kind === 'row') {
              if (next !== undefined) expect(entry.row.seq).toBe(next);
              next = entry.row.seq + 1;
            } else if (entry.kind === 'gap') {
              if (next !== undefined) expect(entry.after + 1).toBe(next);
              next = entry.before;
            }
          }
          if (seq > 0) expect(next).toBe(seq + 1);
        },
      ),
    );
  });
});
