import { describe, expect, it } from 'vitest';
import type { ResolvedConfig } from '../config/resolved.ts';
import { pack, unpack } from '../flow/pack.ts';
import type { Injected, Injection } from '../isolation/injection.ts';
import type { Outcome } from '../plugin-api/index.ts';
import { createMessage } from '../plugin-api/message.ts';
import type { LetterResult, LetterStorage, WholeLetter } from '../storage/storage.ts';
import { LetterRetry, type RetryOptions } from './letter-retry.ts';

const letter = (id: number, more: Partial<WholeLetter> = {}): WholeLetter => ({
  id,
  stored: 0,
  pipeline: 'p',
  instance: 'h',
  place: 'handler',
  origin: 'in',
  messageId: `m${id}`,
  code: 'X',
  cause: '',
  attempts: 1,
  bytes: 10,
  retries: 0,
  edited: false,
  revision: 0,
  stack: '',
  history: [],
  packed: pack([createMessage('in', '', { id: `m${id}`, data: id })]),
  original: undefined,
  ...more,
});

const config = {
  pipelines: new Map([['p', { name: 'p', from: ['in'], where: '', through: ['h'], to: ['out'], enabled: true }]]),
  instances: new Map([['out', { enabled: true }]]),
} as unknown as ResolvedConfig;

interface Bench {
  readonly retry: LetterRetry;
  readonly settled: LetterResult[];
  readonly injected: Injection[];
  readonly inHand: Set<number>;
}

/** `answer` is asked with the ids of the messages that were put in. */
function bench(
  letters: readonly WholeLetter[],
  answer: (ids: readonly string[], settled: readonly LetterResult[]) => Promise<Injected> | Injected,
  options: Partial<RetryOptions> = {},
): Bench {
  const settled: LetterResult[] = [];
  const injected: Injection[] = [];
  const inHand = new Set<number>();
  const storage = {
    take: async (_selection: unknown, after: number, limit: number) =>
      letters.filter(({ id }) => id > after).slice(0, limit),
    settle: async (results: readonly LetterResult[]) => void settled.push(...results),
  } as unknown as LetterStorage;
  const retry = new LetterRetry({
    id: 'job',
    by: 'me',
    to: 'place',
    selection: { filter: {} },
    total: letters.length,
    watermark: 1000,
    perSecond: undefined,
    letters: storage,
    inHand,
    ways: () => ({ config, idleReason: () => undefined, isPaused: () => false }),
    inject: async (_origin, injection) => {
      injected.push(injection);
      return answer(
        unpack(injection.block).map(({ id }) => id),
        settled,
      );
    },
    ...options,
  });
  return { retry, settled, injected, inHand };
}

const all =
  (outcome: Outcome) =>
  (ids: readonly string[]): Injected => ({ outcomes: ids.map(() => outcome) });
const DELIVERED: Outcome = { kind: 'delivered' };
const BACK: Outcome = { kind: 'retry', code: 'PB_SETTLE_DEADLINE', cause: 'late', afterMs: 0 };

describe('a retry', () => {
  it('removes no letter before its outcome is known', async () => {
    let answer: ((injected: Injected) => void) | undefined;
    const { retry, settled, inHand } = bench(
      [letter(1), letter(2)],
      () => new Promise((resolve) => (answer = resolve)),
    );
    const ended = retry.run();
    while (answer === undefined) await new Promise((resolve) => setImmediate(resolve));
    expect(settled).toEqual([]);
    expect([...inHand]).toEqual([1, 2]);
    answer({ outcomes: [DELIVERED, { kind: 'filtered', reason: 'where' }] });
    expect(await ended).toMatchObject({ state: 'done', done: 2, delivered: 1, filtered: 1 });
    expect(settled).toEqual([
      { id: 1, result: 'taken' },
      { id: 2, result: 'taken' },
    ]);
    expect(inHand.size).toBe(0);
  });

  it('keeps what was given back, or refused and not stored, and says how each ended', async () => {
    const outcomes: Outcome[] = [
      DELIVERED,
      BACK,
      { kind: 'refused', code: 'Y', cause: 'no', stored: true },
      { kind: 'refused', code: 'Z', cause: 'no disk', stored: false },
    ];
    const { retry, settled } = bench(
      [1, 2, 3, 4].map((id) => letter(id)),
      () => ({ outcomes }),
    );
    expect(await retry.run()).toMatchObject({ state: 'done', done: 4, delivered: 1, refused: 1, kept: 2 });
    expect(settled).toMatchObject([
      { id: 1, result: 'taken' },
      { id: 2, result: 'kept', act: { ended: 'returned', code: 'PB_SETTLE_DEADLINE', by: 'me' } },
      { id: 3, result: 'refused', act: { ended: 'refused', code: 'Y' } },
      { id: 4, result: 'kept', act: { ended: 'refused', code: 'Z' } },
    ]);
  });

  it('keeps everything when the thread dies with the messages', async () => {
    const { retry, settled, inHand } = bench([letter(1)], () => Promise.reject(new Error('worker died')));
    expect(await retry.run()).toMatchObject({ done: 1, kept: 1, error: { message: 'worker died' } });
    expect(settled).toEqual([]);
    expect(inHand.size).toBe(0);
  });

  it('goes in the order of storing, and waits for each batch before the next', async () => {
    const letters = Array.from({ length: 250 }, (_, i) => letter(i + 1));
    const seen: string[] = [];
    const { retry, injected } = bench(letters, (ids, settled) => {
      expect(settled).toHaveLength(seen.length);
      seen.push(...ids);
      return all(DELIVERED)(ids);
    });
    await retry.run();
    expect(seen).toEqual(letters.map(({ messageId }) => messageId));
    expect(injected).toHaveLength(3);
  });

  it('enters where each was refused, or at the start', async () => {
    const letters = [
      letter(1),
      letter(2, { instance: 'out', place: 'sink' }),
      letter(3, { instance: 'in', place: 'source' }),
      letter(4, { instance: 'out', place: '' }),
    ];
    const here = bench(letters, all(DELIVERED));
    await here.retry.run();
    expect(here.injected.map(({ entry, block }) => [entry, unpack(block).map(({ data }) => data)])).toEqual([
      [{ at: 'step', name: 'h' }, [1]],
      [{ at: 'target', name: 'out' }, [2, 4]],
      [{ at: 'start' }, [3]],
    ]);
    const start = bench(letters, all(DELIVERED), { to: 'start' });
    await start.retry.run();
    expect(start.injected.map(({ entry }) => entry)).toEqual([{ at: 'start' }]);
  });

  it('leaves alone what another retry has in hand, cannot be read, or has nowhere to go', async () => {
    const letters = [
      letter(1),
      letter(2, { packed: new Uint8Array([1]) }),
      letter(3, { pipeline: 'gone' }),
      letter(4, { instance: 'removed' }),
      letter(5),
    ];
    const { retry, settled, inHand } = bench(letters, all(DELIVERED));
    inHand.add(1);
    expect(await retry.run()).toMatchObject({ state: 'done', done: 5, delivered: 1, kept: 4 });
    expect(settled).toEqual([{ id: 5, result: 'taken' }]);
    expect([...inHand]).toEqual([1]);
  });

  it('stops when a whole batch came back: the rest would wait for nothing', async () => {
    const { retry, injected } = bench(
      Array.from({ length: 250 }, (_, i) => letter(i + 1)),
      all(BACK),
    );
    expect(await retry.run()).toMatchObject({
      state: 'stopped',
      done: 100,
      kept: 100,
      error: { code: 'PB_RETRY_STOPPED' },
    });
    expect(injected).toHaveLength(1);
  });

  it('waits for room, and can be cancelled meanwhile', async () => {
    let asked = 0;
    const { retry } = bench([letter(1)], () => {
      if (++asked === 3) retry.cancel();
      return { not: 'busy' };
    });
    const job = await retry.run();
    expect(job).toMatchObject({ state: 'cancelled', done: 0 });
    expect(asked).toBe(3);
  });

  it('takes nothing that was stored after it began', async () => {
    const { retry, injected } = bench([letter(1), letter(11)], all(DELIVERED), { watermark: 10 });
    expect(await retry.run()).toMatchObject({ state: 'done', done: 1 });
    expect(injected).toHaveLength(1);
  });
});
