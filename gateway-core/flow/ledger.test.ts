import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { DeadLetters } from '../delivery/dead-letters.ts';
import { NO_EXCEPTIONS, type OutcomeAt } from '../delivery/outcomes.ts';
import type { Target } from '../delivery/target.ts';
import { TapPoint } from '../live/tap-point.ts';
import { derive, Filtered, Refused, type HandlerResult, type Message } from '../plugin-api/index.ts';
import { createMessage } from '../plugin-api/message.ts';
import { CounterBlock, counterMemory, readCounters } from './counter-block.ts';
import { copyStep, endedPipeline, endedStep, pipelineCounters, stepCounters, stepDifference } from './counters.ts';
import { HandlerStep } from './handler-step.ts';
import { PipelineRun } from './pipeline-run.ts';
import { SourceFeed } from './source-feed.ts';

const deadLetters = (): DeadLetters =>
  new DeadLetters(
    () => Promise.resolve(),
    () => undefined,
  );
const message = (data: unknown): Message => createMessage('in', 'p', { data });

/** What a handler does with a message, by its number. */
const FATES: readonly ((message: Message) => HandlerResult)[] = [
  (m) => m,
  (m) => derive(m, { data: 0 }),
  () => new Filtered('no'),
  () => new Refused('ACME', 'no'),
  (m) => [derive(m, { data: 0 }, 0), derive(m, { data: 1 }, 1), new Filtered('part')],
  (m) => [derive(m, { data: 0 }, 0), new Refused('ACME', 'part', derive(m, { data: 1 }, 1))],
  () => [],
  () => {
    throw new Error('fell over');
  },
  () => null as unknown as HandlerResult,
];
const fateOf = (m: Message): HandlerResult => (FATES[Number(m.data)] ?? FATES[0])?.(m) as HandlerResult;

/** A sink's end: what becomes of a message is in its number. */
const sink = (answers: (() => void)[] | undefined): Target => ({
  name: 'out',
  spools: false,
  room: () => undefined,
  enqueue(batch, _pipeline, done) {
    const exceptions = batch.flatMap(({ data }, index): OutcomeAt[] =>
      data === 1
        ? [{ index, outcome: { kind: 'retry', code: 'X', cause: '', afterMs: 0 } }]
        : data === 3
          ? [{ index, outcome: { kind: 'refused', code: 'X', cause: '', stored: true } }]
          : [],
    );
    const answer = (): void => done(exceptions.length === 0 ? NO_EXCEPTIONS : exceptions);
    if (answers === undefined) answer();
    else answers.push(answer);
  },
});

function flow(handle: (batch: readonly Message[]) => never | readonly HandlerResult[], answers?: (() => void)[]) {
  const handler = new HandlerStep('h', { handle: handle as never }, stepCounters(), new TapPoint());
  const out = stepCounters();
  const run = new PipelineRun(
    'flow',
    {
      where: undefined,
      steps: [handler],
      atMostOnce: false,
      flights: undefined,
      targets: [{ target: sink(answers), counters: out, tap: new TapPoint() }],
    },
    pipelineCounters(),
    deadLetters(),
  );
  const feed = new SourceFeed('in', stepCounters(), new TapPoint());
  feed.connect([run]);
  return { feed, run, source: feed.counters, handler: handler.counters, out };
}

describe('the ledger of a step', () => {
  it('adds up whatever a handler makes of its messages, at every moment', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.array(fc.nat(FATES.length - 1), { minLength: 1, maxLength: 20 }), { maxLength: 8 }),
        fc.boolean(),
        async (batches, later) => {
          const answers: (() => void)[] = [];
          const { feed, source, handler, out } = flow((batch) => batch.map(fateOf), later ? answers : undefined);
          const sum = (): number[] => [source, handler, out].map(stepDifference);
          const outcomes = batches.map((batch) => {
            const emission = feed.emit(batch.map(message));
            expect(sum()).toEqual([0, 0, 0]);
            return emission.outcomes;
          });
          if (later) expect(out.held).toBe(out.received);
          for (const answer of answers) {
            answer();
            expect(sum()).toEqual([0, 0, 0]);
          }
          await Promise.all(outcomes);
          expect(out.held + handler.held).toBe(0);
          expect(source.emitted).toBe(batches.flat().length);
        },
      ),
      { numRuns: 60 },
    );
  });

  it('counts the parts beyond the first of a split as created, and what a sink gave back as returned', async () => {
    const { feed, handler, out } = flow((batch) => batch.map(fateOf));
    await feed.emit([4, 0, 2].map(message)).outcomes;
    expect(handler).toMatchObject({ received: 3, created: 2, emitted: 3, filtered: 2, refused: 0, held: 0 });
    expect(out).toMatchObject({ received: 3, emitted: 2, returned: 1 });
  });

  it('holds what an asynchronous handler has', async () => {
    let answer = (): void => undefined;
    const { feed, handler } = flow(
      (batch) =>
        new Promise((resolve) => {
          answer = () => resolve([...batch]);
        }) as never,
    );
    const { outcomes } = feed.emit([message(0), message(0)]);
    expect(handler).toMatchObject({ received: 2, emitted: 0, held: 2 });
    expect(stepDifference(handler)).toBe(0);
    answer();
    await outcomes;
    expect(handler).toMatchObject({ received: 2, emitted: 2, held: 0 });
  });

  it('adds up to the last of a hundred thousand messages', async () => {
    const { feed, source, handler, out } = flow((batch) =>
      batch.map((m, i): HandlerResult => (i === 0 ? new Filtered('') : m)),
    );
    for (let n = 0; n < 100; n++) await feed.emit(Array.from({ length: 1000 }, () => message(0))).outcomes;
    expect(handler.received).toBe(100_000);
    expect([source, handler, out].map(stepDifference)).toEqual([0, 0, 0]);
    expect(out.emitted).toBe(99_900);
  });

  it('does not let two faults cancel out: more let go than was held', () => {
    const counters = { ...stepCounters(), received: 10, emitted: 20, held: -10 };
    expect(stepDifference(counters)).toBe(-10);
  });

  it('of a source without a pipeline: all is given back', async () => {
    const feed = new SourceFeed('in', stepCounters(), new TapPoint());
    await feed.emit([message(0)]).outcomes;
    expect(feed.counters).toMatchObject({ received: 1, emitted: 0, returned: 1 });
    expect(stepDifference(feed.counters)).toBe(0);
  });
});

describe('counts of a thread that has died', () => {
  it('are there to the last message, and what was in flight was given back', () => {
    const memory = counterMemory();
    const block = new CounterBlock(memory);
    const handler = block.step('decode');
    const flows = block.pipeline('metrics');
    const other = block.pipeline('decode');
    handler.received += 10;
    handler.emitted += 4;
    handler.held += 6;
    flows.received += 9;
    flows.delivered += 2;
    flows.inFlight += 7;
    other.received++;
    const { instances, pipelines, complete } = readCounters(memory);
    expect(complete).toBe(true);
    expect(endedStep(instances.get('decode') ?? stepCounters())).toEqual({
      ...stepCounters(),
      received: 10,
      emitted: 4,
      returned: 6,
    });
    expect(endedPipeline(pipelines.get('metrics') ?? pipelineCounters())).toEqual({
      ...pipelineCounters(),
      received: 9,
      delivered: 2,
      returned: 7,
    });
    expect(pipelines.get('decode')?.received).toBe(1);
  });

  it('add up even when it died between two of them', () => {
    const step = { ...stepCounters(), received: 10, emitted: 4, held: 2 };
    expect(endedStep(step)).toMatchObject({ returned: 6, held: 0 });
    expect(endedPipeline({ ...pipelineCounters(), received: 5, delivered: 4 })).toMatchObject({ returned: 1 });
  });

  it('a copy of the counters is plain numbers', () => {
    const counters = new CounterBlock(counterMemory()).step('a');
    counters.received = 3;
    const copy = copyStep(counters);
    counters.received = 4;
    expect(copy).toEqual({ ...stepCounters(), received: 3 });
    expect(structuredClone(copy)).toEqual(copy);
  });

  it('says when something found no room, and counts it all the same', () => {
    const memory = counterMemory();
    const block = new CounterBlock(memory);
    const long = block.step('n'.repeat(300));
    long.received += 2;
    expect(long.received).toBe(2);
    expect(readCounters(memory).complete).toBe(false);
    const many = new CounterBlock(counterMemory());
    for (let n = 0; n < 3000; n++) many.step(`n${n}`).received++;
  });

  it('survive a plugin that writes over the memory', () => {
    const memory = counterMemory();
    new CounterBlock(memory).step('a');
    new Uint8Array(memory).fill(255);
    expect(() => readCounters(memory)).not.toThrow();
  });
});
