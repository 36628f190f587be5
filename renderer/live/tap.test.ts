import { describe, expect, it } from 'vitest';
import { createClient } from '../../gateway-core/protocol/client.ts';
import type { LiveItem } from '../../gateway-core/protocol/contract.ts';
import type { LiveRow } from '../../gateway-core/protocol/model.ts';
import type { Client } from '../../gateway-core/protocol/client.ts';
import type { SubscribeOptions, Subscription } from '../../gateway-core/protocol/subscription.ts';
import type { PumpClock } from './pump.ts';
import { LiveTap } from './tap.ts';

const COUNTS = {
  seen: 0,
  matched: 0,
  sampled: 0,
  seenPerSecond: 0,
  matchedPerSecond: 0,
  sampledPerSecond: 0,
  evicted: 0,
  filterErrors: 0,
};
const BUDGET = { rowsPerSecond: 200, bytesPerSecond: 1, ringBytes: 1 };

function row(seq: number): LiveRow {
  return {
    seq,
    time: seq,
    instance: 'd',
    origin: 'i',
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

/** An engine with one tap, and a window whose frames come when asked for. */
function stage(capacity: number) {
  let frame: (() => void) | undefined;
  const clock: PumpClock = {
    now: () => 0,
    soon: (callback) => {
      frame = callback;
      return () => undefined;
    },
  };
  let onItem: (item: LiveItem) => void | Promise<void> = () => undefined;
  const engine: { ring: LiveRow[] } = { ring: [] };
  const never = createClient(() => new Promise(() => undefined), { client: 'test' });
  const client: Client = Object.assign(Object.create(never) as Client, {
    subscribe: (
      _name: string,
      _params: unknown,
      listener: typeof onItem,
      _options?: SubscribeOptions,
    ): Subscription => {
      onItem = listener;
      return { state: { name: 'ended' }, more: () => undefined, close: () => undefined };
    },
    call: async (_name: string, { before, limit }: { before: number; limit: number }) => ({
      rows: engine.ring.filter(({ seq }) => seq < before).slice(-limit),
      oldest: engine.ring[0]?.seq ?? 0,
      newest: engine.ring.at(-1)?.seq ?? 0,
    }),
  });
  const tap = new LiveTap(client, { instance: 'd', where: '', text: '', budget: {} }, { capacity, clock });
  never.close();
  const seqs = (): string =>
    Array.from({ length: tap.ring.length }, (_, i) => {
      const entry = tap.ring.at(i);
      return entry?.kind === 'row' ? String(entry.row.seq) : entry?.kind === 'gap' ? '…' : '|';
    }).join(' ');
  return {
    tap,
    engine,
    seqs,
    flush: () => {
      const run = frame;
      frame = undefined;
      run?.();
    },
    open: (name: string) => void onItem({ kind: 'open', tap: name, budget: BUDGET }),
    send: (from: number, to: number) => {
      engine.ring.push(...rows(from, to));
      return onItem({ kind: 'rows', rows: rows(from, to), counts: COUNTS, skipped: 0 });
    },
  };
}

describe('LiveTap', () => {
  it('shows rows once per frame', () => {
    const { tap, open, send, flush, seqs } = stage(10);
    let told = 0;
    tap.subscribe(() => told++);
    open('t1');
    void send(1, 2);
    void send(3, 3);
    expect(seqs()).toBe('');
    flush();
    expect(seqs()).toBe('1 2 3');
    expect(told).toBe(1);
    expect(tap.snapshot()).toMatchObject({ open: true, budget: BUDGET });
  });

  it('holds rows back, counts them, and gives all of them on release', () => {
    const { tap, open, send, flush, seqs } = stage(10);
    open('t1');
    void send(1, 2);
    flush();
    tap.hold();
    void send(3, 6);
    flush();
    expect(seqs()).toBe('1 2');
    expect(tap.snapshot().news).toBe(4);
    tap.release();
    expect(seqs()).toBe('1 2 3 4 5 6');
    expect(tap.snapshot()).toMatchObject({ held: false, news: 0 });
  });

  it('shows a gap for what it could not hold back, and loads it from the engine', async () => {
    const { tap, open, send, flush, seqs } = stage(4);
    open('t1');
    void send(1, 2);
    flush();
    tap.hold();
    void send(3, 9);
    flush();
    expect(tap.snapshot().news).toBe(7);
    tap.release();
    // The four newest fit; the mark for what lies before them has left with the former rows.
    expect(seqs()).toBe('6 7 8 9');
    tap.hold();
    await tap.loadOlder();
    expect(seqs()).toBe('2 3 4 5');
    await tap.loadOlder();
    expect(seqs()).toBe('1 2 3 4');
    expect(tap.snapshot()).toMatchObject({ atBeginning: true, lostBefore: 0, held: true });
  });

  it('says how many rows are gone for good', async () => {
    const { tap, engine, open, send, flush } = stage(10);
    open('t1');
    void send(1, 3);
    flush();
    engine.ring = rows(3, 3);
    tap.ring.clear();
    tap.ring.append(rows(4, 5), 't1');
    await tap.loadOlder();
    expect(tap.snapshot()).toMatchObject({ atBeginning: true, lostBefore: 2 });
  });

  it('goes on after a restart of the engine, with a mark, also while held', () => {
    const { tap, open, send, flush, seqs } = stage(10);
    open('t1');
    void send(1, 2);
    flush();
    tap.hold();
    void send(3, 3);
    open('t1');
    void send(1, 2);
    flush();
    expect(seqs()).toBe('1 2');
    expect(tap.snapshot().news).toBe(3);
    tap.release();
    expect(seqs()).toBe('1 2 3 | 1 2');
  });

  it('gives credit only for what was taken in', async () => {
    const { open, send, flush } = stage(10);
    open('t1');
    let credited = false;
    const sent = Promise.resolve(send(1, 1)).then(() => (credited = true));
    await Promise.resolve();
    expect(credited).toBe(false);
    flush();
    await sent;
    expect(credited).toBe(true);
  });
});
