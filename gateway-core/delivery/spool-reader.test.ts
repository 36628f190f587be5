import { describe, expect, it, vi } from 'vitest';
import { pack } from '../flow/pack.ts';
import type { Message, Sink, WriteResult } from '../plugin-api/index.ts';
import { createMessage } from '../plugin-api/message.ts';
import type { SpoolEnd, SpooledRow } from '../storage/spool-wire.ts';
import { DeadLetters } from './dead-letters.ts';
import { SinkQueue } from './sink-queue.ts';
import type { Follower, SpoolClient } from './spool-client.ts';
import { SpoolReader } from './spool-reader.ts';

const message = (data: string): Message => createMessage('in', 'p', { data });
type Answer = (rows: readonly SpooledRow[], scanned: number) => void;

/** A spool thread's rows in memory, with what it is asked and told. */
class FakeSpool {
  readonly rows = new Map<number, { texts: string[]; done?: Uint8Array }>();
  readonly reads: { from: number; until: number }[] = [];
  readonly told: [seq: number, indexes: readonly number[] | undefined, end: SpoolEnd][] = [];
  follower: Follower | undefined;
  head = 0;
  held: (() => void)[] | undefined;

  add(...texts: string[]): number {
    this.rows.set(++this.head, { texts });
    return this.head;
  }

  readonly client = {
    follow: (_sink: string, follower: Follower) => {
      this.follower = follower;
      follower.head([...this.rows.keys()][0] ?? this.head + 1, this.head, 1 << 20);
    },
    unfollow: () => (this.follower = undefined),
    read: (_sink: string, from: number, until: number, _bytes: number, answer: Answer) => {
      this.reads.push({ from, until });
      const rows = [...this.rows]
        .filter(([seq]) => seq >= from && seq < until)
        .map(([seq, { texts, done }]) => ({ seq, pipeline: 'flow', done, block: pack(texts.map(message)) }));
      const reply = (): void => answer(rows, Math.min(until - 1, this.head));
      if (this.held === undefined) reply();
      else this.held.push(reply);
    },
    done: (_sink: string, seq: number, indexes: readonly number[] | undefined, end: SpoolEnd) => {
      this.told.push([seq, indexes, end]);
      if (end === 'dropped') this.rows.delete(seq);
    },
    purge: async (_sink: string, keep: readonly number[]) => {
      let dropped = 0;
      for (const [seq, { texts }] of this.rows) {
        if (keep.includes(seq)) continue;
        this.rows.delete(seq);
        dropped += texts.length;
      }
      return dropped;
    },
  } as unknown as SpoolClient;
}

async function rig(
  answer: (batch: readonly Message[]) => WriteResult | Promise<WriteResult> = () => undefined,
  store = true,
) {
  const spool = new FakeSpool();
  const got: string[] = [];
  const sink: Sink = {
    open: () => undefined,
    close: () => undefined,
    write(batch) {
      const result = answer(batch);
      got.push(...batch.map(({ data }) => String(data)));
      return result;
    },
  };
  const queue = new SinkQueue({
    name: 'out',
    concurrency: 1,
    maxMessages: Infinity,
    maxBytes: Infinity,
    whenFull: 'block',
    deadlineMs: Infinity,
    writeMs: 30_000,
    deadLetters: new DeadLetters(
      async () => {
        if (!store) throw new Error('full');
      },
      () => undefined,
    ),
    onState: () => undefined,
  });
  await queue.attach(sink);
  const reader = new SpoolReader('out', spool.client, queue, () => undefined);
  return { spool, got, queue, reader };
}

describe('the reader of a spool', () => {
  it('hands over what lies there, in order, and tells what is done', async () => {
    const { spool, got, reader } = await rig();
    spool.add('a', 'b');
    spool.add('c');
    reader.start();
    expect(got).toEqual(['a', 'b', 'c']);
    expect(spool.told).toEqual([
      [1, undefined, 'delivered'],
      [2, undefined, 'delivered'],
    ]);
    await reader.drained();
  });

  it('takes rows of its own worker from memory, and keeps the order with those of others', async () => {
    const { spool, got, reader } = await rig();
    reader.start();
    spool.held = [];
    const first = spool.add('a');
    spool.follower?.head(0, first, 0);
    const second = spool.add('b');
    reader.offer(second, 'flow', [message('b')], 10);
    expect(got).toEqual([]);
    for (const reply of spool.held.splice(0)) reply();
    expect(got).toEqual(['a', 'b']);
    expect(spool.reads).toEqual([{ from: 1, until: 2 }]);
  });

  it('skips messages of a row that were done in an earlier life', async () => {
    const { spool, got, reader } = await rig();
    spool.rows.set(++spool.head, { texts: ['a', 'b', 'c'], done: Uint8Array.from([1, 0, 1]) });
    reader.start();
    expect(got).toEqual(['b']);
    expect(spool.told).toEqual([[1, undefined, 'delivered']]);
  });

  it('tells a refused message apart from those that were delivered', async () => {
    const { spool, reader } = await rig((batch) =>
      batch.flatMap(({ data }, index) =>
        data === 'bad' ? [{ index, kind: 'refuse' as const, code: 'X', cause: '' }] : [],
      ),
    );
    spool.add('a', 'bad', 'c');
    reader.start();
    await reader.drained();
    const ends = spool.told.flatMap(([, indexes, end]) => (indexes ?? []).map((index) => `${index} ${end}`));
    expect(ends.toSorted()).toEqual(['0 delivered', '1 deadLettered', '2 delivered']);
  });

  it('keeps a refused message that could not be stored, and tries again', async () => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'setInterval', 'clearInterval', 'performance'] });
    try {
      let refuses = true;
      const { spool, got, reader } = await rig(
        (batch) => (refuses ? batch.map((_, index) => ({ index, kind: 'refuse', code: 'X', cause: '' })) : undefined),
        false,
      );
      spool.add('a');
      reader.start();
      await vi.advanceTimersByTimeAsync(100);
      expect(spool.told).toEqual([]);
      refuses = false;
      await vi.advanceTimersByTimeAsync(6000);
      expect(got).toEqual(['a', 'a']);
      expect(spool.told.map(([seq, , end]) => [seq, end])).toEqual([[1, 'delivered']]);
    } finally {
      vi.useRealTimers();
    }
  });

  it('leaves in the spool what the queue gives back when it ends', async () => {
    const { spool, queue, reader } = await rig();
    queue.pause();
    spool.add('a');
    reader.start();
    reader.end();
    await queue.end();
    expect(spool.told).toEqual([]);
  });

  it('goes on after the spool thread was started again, without handing over twice what it has in hand', async () => {
    const { spool, got, queue, reader } = await rig();
    queue.pause();
    spool.add('a');
    reader.start();
    spool.add('b');
    spool.follower?.head(1, 2, 1 << 20);
    queue.resume();
    await reader.drained();
    expect(got).toEqual(['a', 'b']);
  });

  it('purges what waits in the queue, in memory and on disk', async () => {
    const { spool, got, queue, reader } = await rig();
    queue.pause();
    spool.add('a');
    reader.start();
    for (let i = 0; i < 3; i++) spool.add('x', 'y');
    expect(await reader.purge()).toBe(7);
    spool.told.splice(0);
    queue.resume();
    const seq = spool.add('z');
    spool.follower?.head(0, seq, 0);
    await vi.waitFor(() => expect(got).toContain('z'));
    expect(got).not.toContain('a');
  });
});
