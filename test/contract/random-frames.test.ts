/**
 * Whatever a client sends, in whatever order: the server never throws, answers every call once, sends
 * no item beyond credit, holds no more than its limits, and lets go of everything at the end.
 */
import fc from 'fast-check';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { serve } from '../../gateway-core/control/serve.ts';
import type { EngineFrame } from '../../gateway-core/protocol/frames.ts';
import { memoryPair } from '../../gateway-core/protocol/memory-carrier.ts';
import { parseClientFrame, parseEngineFrame } from '../../gateway-core/protocol/parse-frame.ts';
import { testEngine } from './engine.ts';

const LIMITS = {
  calls: 3,
  subscriptions: 3,
  credit: 20,
  faults: 1000,
  frame: 10_000,
  highWater: 200_000,
  unread: 400_000,
};

const id = fc.integer({ min: 0, max: 6 });
const method = fc.constantFrom(
  'flow.pause',
  'flow.drain',
  'config.version',
  'config.validate',
  'status.get',
  'nope',
  '__proto__',
  'toString',
);
const stream = fc.constantFrom('events', 'logs', 'status', 'nope', 'hasOwnProperty');
const params = fc.oneof(
  fc.constantFrom({ name: 'a' }, { name: 'coded' }, { version: 10 }, { yaml: 'x' }, {}, null),
  fc.jsonValue({ maxDepth: 3 }),
);
const credit = fc.oneof(fc.integer({ min: 0, max: 8 }), fc.constantFrom(-1, 0.5, 1e9, 'x' as unknown as number));
const frame = fc.oneof(
  fc.record({ t: fc.constant('call'), id, method, params }),
  fc.record({ t: fc.constant('cancel'), id }),
  fc.record({
    t: fc.constant('subscribe'),
    id,
    stream,
    params: fc.constantFrom({}, { instance: 'ends' }, { instance: 7 }),
    credit,
  }),
  fc.record({ t: fc.constant('credit'), id, credit }),
  fc.record({ t: fc.constant('unsubscribe'), id }),
  fc.record({
    t: fc.constantFrom('call', 'subscribe', 'hello', 'welcome', 7, null),
    id: fc.jsonValue(),
    extra: fc.jsonValue(),
  }),
);
const text = fc.oneof(
  { weight: 8, arbitrary: frame.map((value) => JSON.stringify(value)) },
  { weight: 1, arbitrary: fc.string() },
  { weight: 1, arbitrary: fc.json() },
);
type Step = { readonly send: string } | { readonly hold: boolean } | { readonly wait: true };
const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 10, arbitrary: text.map((send) => ({ send })) },
  { weight: 1, arbitrary: fc.boolean().map((hold) => ({ hold })) },
  { weight: 3, arbitrary: fc.constant({ wait: true as const }) },
);

let unhandled: unknown[] = [];
const catchUnhandled = (error: unknown): void => void unhandled.push(error);

beforeEach(() => {
  unhandled = [];
  process.on('unhandledRejection', catchUnhandled);
});
afterEach(() => {
  process.off('unhandledRejection', catchUnhandled);
});

const settle = (): Promise<void> => new Promise((resolve) => setTimeout(resolve, 4));

it('survives random sequences of frames and garbage, within its limits', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 60 }), fc.boolean(), async (steps, abrupt) => {
      const engine = testEngine();
      const [ours, theirs] = memoryPair();
      const connection = serve(ours, engine, { access: 'full', limits: LIMITS });
      const answers = new Map<number, number>();
      let given = 0;
      let items = 0;
      theirs.onFrame((frameText) => {
        const answer = parseEngineFrame(frameText) as EngineFrame;
        if ('fault' in answer) throw new Error(`the server sent no frame: ${frameText}`);
        if (answer.t === 'item') items++;
        if (answer.t === 'result' || (answer.t === 'error' && answer.id !== undefined)) {
          answers.set(answer.id ?? -1, (answers.get(answer.id ?? -1) ?? 0) + 1);
        }
        expect(items).toBeLessThanOrEqual(given);
      });
      theirs.send(JSON.stringify({ t: 'hello', versions: [1], client: 'random' }));
      const asked = new Map<number, number>();
      for (const one of steps) {
        if ('send' in one) {
          const parsed = parseClientFrame(one.send, 100);
          if ('id' in parsed && parsed.id !== undefined) asked.set(parsed.id, (asked.get(parsed.id) ?? 0) + 1);
          if ('credit' in parsed && parsed.credit > 0 && parsed.credit <= LIMITS.credit) given += parsed.credit;
          theirs.send(one.send);
        } else if ('hold' in one) theirs.hold(one.hold);
        else await settle();
        expect(engine.running.size).toBeLessThanOrEqual(LIMITS.subscriptions);
        expect(engine.pending).toBeLessThanOrEqual(LIMITS.calls);
        expect(ours.buffered).toBeLessThanOrEqual(LIMITS.unread + 100_000);
      }
      await settle();
      theirs.hold(false);
      await settle();
      // No frame brings more than one answer to its id; a stream adds one for its own end.
      for (const [answered, count] of answers) expect(count).toBeLessThanOrEqual((asked.get(answered) ?? 0) * 2);
      if (abrupt) theirs.close();
      else connection.close();
      await connection.closed;
      await settle();
      expect([engine.running.size, engine.pending]).toEqual([0, 0]);
      expect(unhandled).toEqual([]);
    }),
    { numRuns: 150 },
  );
}, 60_000);

it('reads any text without throwing, on both sides', () => {
  fc.assert(
    fc.property(fc.oneof(fc.string(), fc.json(), text), (any) => {
      for (const parsed of [parseClientFrame(any, 50), parseEngineFrame(any)]) {
        expect('fault' in parsed ? typeof parsed.fault : typeof parsed.t).toBe('string');
      }
    }),
    { numRuns: 2000 },
  );
});

it('answers each of many calls exactly once, cancelled or not', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.record({ drain: fc.boolean(), cancel: fc.boolean() }), { minLength: 1, maxLength: 40 }),
      async (calls) => {
        const engine = testEngine();
        const [ours, theirs] = memoryPair();
        const connection = serve(ours, engine, { access: 'full', limits: { calls: 5 } });
        const answers: number[] = [];
        theirs.onFrame((frameText) => {
          const answer = JSON.parse(frameText) as EngineFrame;
          if (answer.t === 'result' || answer.t === 'error') answers.push(answer.id ?? -1);
        });
        const send = (value: object): void => theirs.send(JSON.stringify(value));
        send({ t: 'hello', versions: [1], client: 'random' });
        calls.forEach(({ drain, cancel }, index) => {
          send({ t: 'call', id: index, method: drain ? 'flow.drain' : 'flow.pause', params: { name: 'a' } });
          if (cancel || drain) send({ t: 'cancel', id: index });
        });
        await vi.waitFor(() => expect(answers.toSorted((a, b) => a - b)).toEqual(calls.map((_, index) => index)), {
          interval: 2,
        });
        expect(engine.pending).toBe(0);
        connection.close();
      },
    ),
    { numRuns: 50 },
  );
}, 60_000);
