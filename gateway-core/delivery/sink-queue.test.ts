import fc from 'fast-check';
import { beforeEach, describe, expect, it, vi } from 'vitest';
import { BackOffError, ConfigError, NotConnectedError, RefuseError } from '../plugin-api/errors.ts';
import { createMessage } from '../plugin-api/message.ts';
import type { Message, Sink, WriteResult } from '../plugin-api/index.ts';
import { DeadLetters } from './dead-letters.ts';
import type { OutcomeAt } from './outcomes.ts';
import { SinkQueue, type SinkQueueOptions } from './sink-queue.ts';

const message = (data: string, partitionkey = ''): Message => createMessage('in', 'p', { data, partitionkey });
const batchOf = (...data: string[]): Message[] => data.map((each) => message(each));

interface Rig {
  readonly queue: SinkQueue;
  readonly states: string[];
  readonly stored: string[];
  settled(batch: readonly Message[]): Promise<readonly OutcomeAt[]>;
}

function rig(options: Partial<SinkQueueOptions> = {}, store = true): Rig {
  const states: string[] = [];
  const stored: string[] = [];
  const queue = new SinkQueue({
    name: 'out',
    concurrency: 1,
    maxMessages: 100,
    maxBytes: 1 << 20,
    whenFull: 'block',
    deadlineMs: 60_000,
    writeMs: 30_000,
    deadLetters: new DeadLetters(
      async (letters) => {
        if (!store) throw new Error('disk full');
        stored.push(...letters.map(({ code }) => code));
      },
      () => undefined,
    ),
    onState: (state) => states.push(state),
    ...options,
  });
  return { queue, states, stored, settled: (batch) => new Promise((resolve) => queue.enqueue(batch, 'flow', resolve)) };
}

/** A sink that records what it was given and answers as told. */
function recorder(
  answer: (batch: readonly Message[]) => WriteResult | Promise<WriteResult> = () => undefined,
): Sink & { readonly got: string[]; opened: number; closed: number } {
  return {
    got: [],
    opened: 0,
    closed: 0,
    open() {
      this.opened++;
    },
    write(batch) {
      const result = answer(batch);
      this.got.push(...batch.map(({ data }) => String(data)));
      return result;
    },
    close() {
      this.closed++;
    },
  };
}

describe('the queue before a sink', () => {
  beforeEach(() => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'setInterval', 'clearTimeout', 'clearInterval', 'performance'] });
    return () => vi.useRealTimers();
  });

  it('writes at once when the sink answers at once', async () => {
    const { queue } = rig();
    const sink = recorder();
    await queue.attach(sink);
    const done = vi.fn();
    queue.enqueue(batchOf('a', 'b'), 'flow', done);
    expect(done).toHaveBeenCalledWith([]);
    expect(queue.queued).toBe(0);
  });

  it('keeps what comes before the sink is there, in order', async () => {
    const { queue, settled } = rig();
    const first = settled(batchOf('a', 'b'));
    const second = settled(batchOf('c'));
    const sink = recorder();
    await queue.attach(sink);
    expect(await first).toEqual([]);
    expect(await second).toEqual([]);
    expect(sink.got).toEqual(['a', 'b', 'c']);
  });

  it('reopens a sink whose peer went away and writes the same batch again, first', async () => {
    const { queue, settled, states } = rig();
    let away = true;
    const sink = recorder(() => {
      if (away) throw new NotConnectedError('gone');
    });
    await queue.attach(sink);
    const first = settled(batchOf('a', 'b'));
    const second = settled(batchOf('c'));
    await vi.advanceTimersByTimeAsync(50);
    expect(states.at(-1)).toBe('retrying');
    away = false;
    await vi.advanceTimersByTimeAsync(1000);
    expect(await first).toEqual([]);
    expect(await second).toEqual([]);
    expect(sink.got).toEqual(['a', 'b', 'c']);
    expect([sink.opened, sink.closed]).toEqual([2, 1]);
    expect(states.at(-1)).toBe('running');
  });

  it('refuses only the message that the sink cannot take, and stores it', async () => {
    const { queue, settled, stored } = rig();
    const sink = recorder((batch) => {
      if (batch.some(({ data }) => data === 'bad')) throw new RefuseError('ACME_BAD', 'no');
    });
    await queue.attach(sink);
    const outcomes = await settled(batchOf('a', 'bad', 'c'));
    expect(outcomes).toEqual([{ index: 1, outcome: { kind: 'refused', code: 'ACME_BAD', cause: 'no', stored: true } }]);
    expect(stored).toEqual(['ACME_BAD']);
    expect(sink.got.toSorted()).toEqual(['a', 'c']);
  });

  it('says when a refused message could not be stored', async () => {
    const { queue, settled } = rig({}, false);
    await queue.attach(recorder(() => [{ index: 0, kind: 'refuse', code: 'X', cause: 'y' }]));
    expect(await settled(batchOf('a'))).toEqual([
      { index: 0, outcome: { kind: 'refused', code: 'X', cause: 'y', stored: false } },
    ]);
  });

  it('gives up on a message that makes the plugin throw again and again', async () => {
    const { queue, settled, stored } = rig();
    await queue.attach(
      recorder((batch) => {
        if (batch.some(({ data }) => data === 'bad')) throw new TypeError('boom');
      }),
    );
    const outcome = settled(batchOf('bad', 'good'));
    await vi.advanceTimersByTimeAsync(10_000);
    expect(await outcome).toMatchObject([{ index: 0, outcome: { kind: 'refused', code: 'PB_PLUGIN_THREW' } }]);
    expect(stored).toEqual(['PB_PLUGIN_THREW']);
  });

  it('retries single messages, holding up only those of the same key', async () => {
    const { queue, settled } = rig();
    let failing = true;
    const sink = recorder((batch) =>
      batch.flatMap(({ data }, index) =>
        failing && data === 'k1-a' ? [{ index, kind: 'retry' as const, code: 'X', cause: 'later' }] : [],
      ),
    );
    const taken: string[] = [];
    const seen: Sink = {
      open: () => undefined,
      close: () => undefined,
      write(batch) {
        const exceptions = sink.write(batch) as readonly { index: number }[];
        batch.forEach(({ data }, index) => {
          if (!exceptions.some((each) => each.index === index)) taken.push(String(data));
        });
        return exceptions as WriteResult;
      },
    };
    await queue.attach(seen);
    const first = settled([message('k1-a', 'k1'), message('k2-a', 'k2')]);
    const second = settled([message('k1-b', 'k1'), message('k2-b', 'k2')]);
    await vi.advanceTimersByTimeAsync(10);
    expect(taken).toEqual(['k2-a', 'k2-b']);
    failing = false;
    await vi.advanceTimersByTimeAsync(2000);
    expect(await first).toEqual([]);
    expect(await second).toEqual([]);
    expect(taken).toEqual(['k2-a', 'k2-b', 'k1-a', 'k1-b']);
  });

  it('keeps the order of a key though a full write of it fails again and again', async () => {
    const { queue, settled } = rig({ maxMessages: 10_000 });
    let failures = 3;
    const taken: string[] = [];
    await queue.attach({
      open: () => undefined,
      close: () => undefined,
      write(batch) {
        if (failures-- > 0) return batch.map((_, index) => ({ index, kind: 'retry', code: 'X', cause: 'cut off' }));
        taken.push(...batch.map(({ data }) => String(data)));
        return undefined;
      },
    });
    // As many as one write takes, so that the later ones of the key do not go with them.
    const first = settled(Array.from({ length: 512 }, (_, n) => message(`a${n}`, 'k')));
    const second = settled([message('b', 'k'), message('c', 'k')]);
    await vi.advanceTimersByTimeAsync(120_000);
    await Promise.all([first, second]);
    expect(taken.at(0)).toBe('a0');
    expect(taken.slice(-2)).toEqual(['b', 'c']);
  });

  it('waits as long as the peer asks', async () => {
    const { queue, settled } = rig();
    let busy = true;
    await queue.attach(
      recorder(() => {
        if (busy) throw new BackOffError('slow down', 5000);
      }),
    );
    const outcome = settled(batchOf('a'));
    busy = false;
    await vi.advanceTimersByTimeAsync(4900);
    expect(queue.queued).toBe(1);
    await vi.advanceTimersByTimeAsync(200);
    expect(await outcome).toEqual([]);
  });

  it('gives back upstream what has waited past the deadline', async () => {
    const { queue, settled } = rig({ deadlineMs: 5000 });
    const outcome = settled(batchOf('a', 'b'));
    await vi.advanceTimersByTimeAsync(7000);
    expect(await outcome).toMatchObject([
      { index: 0, outcome: { kind: 'retry', code: 'PB_SETTLE_DEADLINE' } },
      { index: 1, outcome: { kind: 'retry' } },
    ]);
    expect(queue.queued).toBe(0);
  });

  it('has no room beyond its bound, and says when there is again', async () => {
    const { queue, settled } = rig({ maxMessages: 2 });
    void settled(batchOf('a', 'b'));
    const room = queue.room();
    expect(room).toBeInstanceOf(Promise);
    await queue.attach(recorder());
    await room;
    expect(queue.room()).toBeUndefined();
  });

  it('changes sinks without losing what waits', async () => {
    const { queue, settled } = rig();
    let release = (): void => undefined;
    const first = recorder(() => new Promise<undefined>((resolve) => (release = () => resolve(undefined))));
    await queue.attach(first);
    const underWay = settled(batchOf('a'));
    const waiting = settled(batchOf('b'));
    const detached = queue.detach();
    release();
    await detached;
    expect(await underWay).toEqual([]);
    const second = recorder();
    await queue.attach(second);
    expect(await waiting).toEqual([]);
    expect(second.got).toEqual(['b']);
  });

  it('rejects an attach that can never work, and keeps the messages', async () => {
    const { queue, settled } = rig();
    const outcome = settled(batchOf('a'));
    const broken: Sink = {
      open: () => {
        throw new ConfigError('PB_X', 'port', 'taken');
      },
      write: () => undefined,
      close: () => undefined,
    };
    await expect(queue.attach(broken)).rejects.toMatchObject({ code: 'PB_X' });
    await queue.attach(recorder());
    expect(await outcome).toEqual([]);
  });

  it('opens the circuit after failures in a row, probes with one write, and closes it when that succeeds', async () => {
    const { queue, settled, states } = rig({ concurrency: 4 });
    let failing = true;
    const writes: number[] = [];
    await queue.attach(
      recorder((batch) => {
        writes.push(batch.length);
        return failing
          ? batch.map((_, index) => ({ index, kind: 'retry', code: 'X', cause: 'overloaded' }))
          : undefined;
      }),
    );
    const outcomes = [settled(batchOf('a')), settled(batchOf('b')), settled(batchOf('c', 'd'))];
    for (let i = 0; i < 20_000 && queue.circuit === 'closed'; i++) await vi.advanceTimersByTimeAsync(1);
    expect(queue.circuit).toBe('open');
    expect(states.at(-1)).toBe('retrying');
    const before = writes.length;
    void settled(batchOf('e'));
    await vi.advanceTimersByTimeAsync(60);
    expect(writes).toHaveLength(before);
    failing = false;
    await vi.advanceTimersByTimeAsync(40_000);
    expect(await Promise.all(outcomes)).toEqual([[], [], []]);
    expect(queue.circuit).toBe('closed');
    expect(states.at(-1)).toBe('running');
  });

  it('leaves a peer alone for longer and longer that opens but takes nothing', async () => {
    const { queue, settled } = rig({ deadlineMs: Infinity });
    const sink = recorder(() => {
      throw new NotConnectedError('gone');
    });
    await queue.attach(sink);
    void settled(batchOf('a'));
    await vi.advanceTimersByTimeAsync(120_000);
    // Were the back-off reset by every opening, there would be hundreds.
    expect(sink.opened).toBeLessThan(20);
    expect(sink.opened).toBeGreaterThan(5);
  });

  it('takes a write without an answer for a lost connection, and does not listen to a late one', async () => {
    const { queue, settled, states } = rig({ writeMs: 1000, deadlineMs: Infinity });
    const late: (() => void)[] = [];
    let hangs = true;
    const sink = recorder(() =>
      hangs ? new Promise<undefined>((resolve) => late.push(() => resolve(undefined))) : undefined,
    );
    await queue.attach(sink);
    const outcome = settled(batchOf('a'));
    await vi.advanceTimersByTimeAsync(900);
    expect(states.at(-1)).toBe('running');
    hangs = false;
    await vi.advanceTimersByTimeAsync(200);
    expect(states).toContain('retrying');
    late[0]?.();
    await vi.advanceTimersByTimeAsync(2000);
    expect(await outcome).toEqual([]);
    expect(sink.got).toEqual(['a', 'a']);
    expect(queue.counts).toMatchObject({ delivered: 1, retried: 1 });
  });

  it('writes nothing while it is paused, and goes on where it was', async () => {
    const { queue, settled } = rig();
    const sink = recorder();
    await queue.attach(sink);
    queue.pause();
    const outcome = settled(batchOf('a', 'b'));
    await vi.advanceTimersByTimeAsync(1000);
    expect(sink.got).toEqual([]);
    queue.resume();
    expect(await outcome).toEqual([]);
    expect(sink.got).toEqual(['a', 'b']);
  });

  it('purges what waits, not what is being written', async () => {
    const { queue, settled } = rig();
    let release = (): void => undefined;
    const sink = recorder(() => new Promise<undefined>((resolve) => (release = () => resolve(undefined))));
    await queue.attach(sink);
    const underWay = settled(batchOf('a'));
    const waiting = settled(batchOf('b', 'c'));
    expect(queue.purge()).toBe(2);
    expect(await waiting).toMatchObject([{ outcome: { kind: 'dropped' } }, { outcome: { kind: 'dropped' } }]);
    release();
    expect(await underWay).toEqual([]);
    expect(queue.counts).toMatchObject({ delivered: 1, dropped: 2 });
  });

  it.each([
    ['dropNewest', ['a', 'b']],
    ['dropOldest', ['b', 'c']],
  ] as const)('without room it drops as told: %s', async (whenFull, kept) => {
    const { queue, settled } = rig({ maxMessages: 2, whenFull });
    const outcomes = [settled(batchOf('a')), settled(batchOf('b')), settled(batchOf('c'))];
    expect(queue.room()).toBeUndefined();
    const sink = recorder();
    await queue.attach(sink);
    expect((await Promise.all(outcomes)).flat().map(({ outcome }) => outcome.kind)).toEqual(['dropped']);
    expect(sink.got).toEqual(kept);
    expect(queue.counts).toMatchObject({ delivered: 2, dropped: 1 });
  });

  it('tells of single messages that are done before the rest of their batch', async () => {
    const { queue } = rig();
    let failing = true;
    await queue.attach(
      recorder((batch) =>
        batch.flatMap(({ data }, index) =>
          failing && data === 'b' ? [{ index, kind: 'retry' as const, code: 'X', cause: 'later' }] : [],
        ),
      ),
    );
    const early: number[] = [];
    const done = vi.fn();
    queue.enqueue(batchOf('a', 'b', 'c'), 'flow', done, (index) => early.push(index));
    expect(early).toEqual([0, 2]);
    expect(done).not.toHaveBeenCalled();
    failing = false;
    await vi.advanceTimersByTimeAsync(1000);
    expect(early).toEqual([0, 2, 1]);
    expect(done).toHaveBeenCalledExactlyOnceWith([]);
  });

  it('settles every message exactly once, whatever the sink does', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.record({ size: fc.integer({ min: 1, max: 6 }), key: fc.constantFrom('', 'k1', 'k2') }), {
          minLength: 1,
          maxLength: 12,
        }),
        fc.array(fc.constantFrom('ok', 'later', 'away', 'throw', 'retry-some', 'refuse-some', 'pause'), {
          maxLength: 25,
        }),
        async (chunks, answers) => {
          const { queue } = rig({ deadlineMs: 1e9 });
          let turn = 0;
          const taken: string[] = [];
          const write = (batch: readonly Message[]): WriteResult | Promise<WriteResult> => {
            const answer = answers[turn++] ?? 'ok';
            if (answer === 'away') throw new NotConnectedError('x');
            if (answer === 'throw') throw new RefuseError('X', 'x');
            if (answer === 'pause') throw new BackOffError('x', 100);
            const exceptions =
              answer === 'retry-some' || answer === 'refuse-some'
                ? batch.flatMap((_, index) =>
                    index % 2 === 0
                      ? [
                          {
                            index,
                            kind: answer === 'retry-some' ? ('retry' as const) : ('refuse' as const),
                            code: 'X',
                            cause: '',
                          },
                        ]
                      : [],
                  )
                : [];
            batch.forEach(({ data }, index) => {
              if (!exceptions.some((each) => each.index === index)) taken.push(String(data));
            });
            return answer === 'later' ? Promise.resolve(exceptions) : exceptions;
          };
          await queue.attach({ open: () => undefined, write, close: () => undefined });
          let number = 0;
          const settledCounts: number[] = chunks.map(() => 0);
          const refused = new Set<string>();
          const sent: string[] = [];
          chunks.forEach(({ size, key }, place) => {
            const batch = Array.from({ length: size }, () => message(`${number++}`, key));
            sent.push(...batch.map(({ data }) => String(data)));
            queue.enqueue(batch, 'flow', (exceptions) => {
              settledCounts[place] = (settledCounts[place] ?? 0) + 1;
              for (const { index, outcome } of exceptions)
                if (outcome.kind === 'refused') refused.add(String(batch[index]?.data));
            });
          });
          for (let i = 0; i < 300 && queue.queued > 0; i++) await vi.advanceTimersByTimeAsync(1000);
          expect(queue.queued).toBe(0);
          expect(settledCounts).toEqual(chunks.map(() => 1));
          expect([...taken, ...refused].toSorted()).toEqual(sent.toSorted());
        },
      ),
      { numRuns: 150 },
    );
  });
});
