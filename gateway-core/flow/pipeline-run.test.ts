import fc from 'fast-check';
import { describe, expect, it, vi } from 'vitest';
import { DeadLetters } from '../delivery/dead-letters.ts';
import { NO_EXCEPTIONS, type OutcomeAt } from '../delivery/outcomes.ts';
import type { Target } from '../delivery/target.ts';
import { TapPoint } from '../live/tap-point.ts';
import { derive, Filtered, Refused, type Handler, type HandlerResult, type Message } from '../plugin-api/index.ts';
import { createMessage } from '../plugin-api/message.ts';
import type { DeadLetter } from '../storage/storage.ts';
import { pipelineCounters, stepCounters, type PipelineCounters } from './counters.ts';
import { compileExpression } from './expression.ts';
import { HandlerStep } from './handler-step.ts';
import { PipelineRun, type Entry, type PipelineParts } from './pipeline-run.ts';
import { SourceFeed } from './source-feed.ts';

const message = (data: unknown): Message => createMessage('in', 'p', { data });
const step = (handler: Pick<Handler, 'handle'>): HandlerStep =>
  new HandlerStep('h', handler, stepCounters(), new TapPoint());
const each =
  (one: (message: Message) => HandlerResult): Handler['handle'] =>
  (batch) =>
    batch.map(one);

interface TestTarget extends Target {
  readonly got: unknown[];
  /** Outcomes to give, by data. */
  refuse: Set<unknown>;
  held: (() => void)[];
  hold: boolean;
}

function target(): TestTarget {
  return {
    name: 'out',
    spools: false,
    got: [],
    refuse: new Set(),
    held: [],
    hold: false,
    enqueue(batch, _pipeline, done) {
      this.got.push(...batch.map(({ data }) => data));
      const exceptions: OutcomeAt[] = batch.flatMap(({ data }, index) =>
        this.refuse.has(data) ? [{ index, outcome: { kind: 'refused', code: 'X', cause: '', stored: true } }] : [],
      );
      const answer = (): void => done(exceptions.length === 0 ? NO_EXCEPTIONS : exceptions);
      if (this.hold) this.held.push(answer);
      else answer();
    },
    room: () => undefined,
  };
}

function flow(
  parts: Partial<PipelineParts> & { to: readonly Target[] },
  store: (codes: readonly string[]) => Promise<void> = async () => undefined,
) {
  const counters = pipelineCounters();
  const deadLetters = new DeadLetters(
    (letters) => store(letters.map(({ code }) => code)),
    () => undefined,
  );
  const run = new PipelineRun(
    'flow',
    {
      where: undefined,
      steps: [],
      atMostOnce: false,
      flights: undefined,
      ...parts,
      targets: parts.to.map((each) => ({ target: each, counters: stepCounters(), tap: new TapPoint() })),
    },
    counters,
    deadLetters,
  );
  const feed = new SourceFeed('in', stepCounters(), new TapPoint());
  feed.connect([run]);
  return { run, feed, counters };
}

const addsUp = (c: PipelineCounters): boolean =>
  c.received === c.delivered + c.filtered + c.deadLettered + c.dropped + c.returned + c.inFlight;

describe('a pipeline', () => {
  it('delivers on the spot when every step answers at once', async () => {
    const out = target();
    const { feed, counters } = flow({
      to: [out],
      steps: [step({ handle: each((m) => derive(m, { data: `${String(m.data)}!` })) })],
    });
    const { outcomes } = feed.emit([message('a'), message('b')]);
    expect(out.got).toEqual(['a!', 'b!']);
    expect((await outcomes).exceptions).toEqual([]);
    expect(counters).toMatchObject({ received: 2, delivered: 2, inFlight: 0 });
  });

  it('tells apart what was filtered, refused, split and delivered, by root message', async () => {
    const out = target();
    const stored: string[] = [];
    const handler = step({
      handle: each((m) => {
        if (m.data === 'no') return new Filtered('not mine');
        if (m.data === 'bad') return new Refused('ACME_BAD', 'broken');
        if (m.data === 'two') return [derive(m, { data: 'x' }, 0), derive(m, { data: 'y' }, 1)];
        if (m.data === 'half')
          return [derive(m, { data: 'z' }, 0), new Refused('ACME_HALF', 'part', derive(m, { data: 'part' }, 1))];
        return m;
      }),
    });
    const { feed, counters } = flow({ to: [out], steps: [handler] }, async (codes) => void stored.push(...codes));
    const { outcomes } = feed.emit(['ok', 'no', 'bad', 'two', 'half'].map(message));
    expect((await outcomes).exceptions).toEqual([
      { index: 1, outcome: { kind: 'filtered', reason: 'not mine' } },
      { index: 2, outcome: { kind: 'refused', code: 'ACME_BAD', cause: 'broken', stored: true } },
      { index: 4, outcome: { kind: 'refused', code: 'ACME_HALF', cause: 'part', stored: true } },
    ]);
    expect(out.got).toEqual(['ok', 'x', 'y', 'z']);
    expect(stored).toEqual(['ACME_BAD', 'ACME_HALF']);
    expect(counters).toMatchObject({ received: 5, delivered: 2, filtered: 1, deadLettered: 2, inFlight: 0 });
  });

  it('that ends lets go whoever waits for room in it, and gives back what waits', async () => {
    const out = target();
    const { run, feed } = flow({ to: [out] });
    run.pause();
    const { admitted, outcomes } = feed.emit([message('a')]);
    run.remove();
    await admitted;
    expect((await outcomes).exceptions).toMatchObject([{ index: 0, outcome: { kind: 'retry' } }]);
  });

  it('settles nothing before every sink has answered', async () => {
    const fast = target();
    const slow = target();
    slow.hold = true;
    const { feed, counters } = flow({ to: [fast, slow] });
    const { outcomes } = feed.emit([message('a')]);
    let settled = false;
    void outcomes.then(() => (settled = true));
    await Promise.resolve();
    expect([settled, counters.inFlight]).toEqual([false, 1]);
    slow.held.forEach((answer) => answer());
    await outcomes;
    expect(counters).toMatchObject({ delivered: 1, inFlight: 0 });
  });

  it('settles nothing before a refused message is stored, and says when it is not', async () => {
    let fail = (_error: Error): void => undefined;
    const { feed, counters } = flow(
      { to: [target()], steps: [step({ handle: each(() => new Refused('X', 'y')) })] },
      () => new Promise((_resolve, reject) => (fail = reject)),
    );
    const { outcomes } = feed.emit([message('a')]);
    await new Promise((resolve) => setImmediate(resolve));
    expect(counters.inFlight).toBe(1);
    fail(new Error('disk full'));
    expect((await outcomes).exceptions).toMatchObject([{ index: 0, outcome: { kind: 'refused', stored: false } }]);
    expect(counters).toMatchObject({ deadLettered: 0, returned: 1 });
  });

  it('lets through only what its condition holds for', async () => {
    const out = target();
    const { feed } = flow({ to: [out], where: compileExpression('data.n > 1') });
    const { outcomes } = feed.emit([message({ n: 1 }), message({ n: 2 })]);
    expect(out.got).toEqual([{ n: 2 }]);
    expect((await outcomes).exceptions).toEqual([{ index: 0, outcome: { kind: 'filtered', reason: 'where' } }]);
  });

  it('finds the one message that makes a handler throw', async () => {
    const out = target();
    const handler = step({
      handle: each((m) => {
        if (m.data === 'poison') throw new TypeError('boom');
        return m;
      }),
    });
    const { feed } = flow({ to: [out], steps: [handler] });
    const { outcomes } = feed.emit(['a', 'poison', 'b'].map(message));
    expect((await outcomes).exceptions).toMatchObject([
      { index: 1, outcome: { code: 'PB_PLUGIN_THREW', cause: 'boom' } },
    ]);
    expect(out.got).toEqual(['a', 'b']);
  });

  it.each([
    ['too few results', () => []],
    ['no array', () => 7],
    ['results that are no messages', (batch: readonly Message[]) => batch.map(() => null)],
  ])('refuses a batch a handler answers with %s', async (_name, handle) => {
    const out = target();
    const { feed, counters } = flow({ to: [out], steps: [step({ handle: handle as never })] });
    const { outcomes } = feed.emit(['a', 'b'].map(message));
    expect((await outcomes).exceptions.map(({ outcome }) => outcome.kind)).toEqual(['refused', 'refused']);
    expect(out.got).toEqual([]);
    expect(counters.deadLettered).toBe(2);
  });

  it('keeps the order of batches when a handler takes its time', async () => {
    const out = target();
    const waits: (() => void)[] = [];
    const handler = step({ handle: (batch) => new Promise((resolve) => waits.push(() => resolve(batch))) });
    const { feed } = flow({ to: [out], steps: [handler] });
    const all = [feed.emit([message(1)]), feed.emit([message(2)]), feed.emit([message(3)])];
    for (let i = 0; i < 3; i++) {
      await new Promise((resolve) => setImmediate(resolve));
      expect(waits).toHaveLength(i + 1);
      waits[i]?.();
    }
    await Promise.all(all.map(({ outcomes }) => outcomes));
    expect(out.got).toEqual([1, 2, 3]);
  });

  it('holds batches while paused, without room, and goes on in order', async () => {
    const out = target();
    const { run, feed } = flow({ to: [out] });
    run.pause();
    const first = feed.emit([message(1)]);
    let admitted = false;
    void first.admitted.then(() => (admitted = true));
    void feed.emit([message(2)]);
    await new Promise((resolve) => setImmediate(resolve));
    expect([out.got, admitted]).toEqual([[], false]);
    run.resume();
    await first.outcomes;
    await first.admitted;
    expect(out.got).toEqual([1, 2]);
  });

  it('gives back what a handler has not answered in time, and takes no late answer', async () => {
    const out = target();
    let answer: (results: readonly HandlerResult[]) => void = () => undefined;
    const slow = step({ handle: () => new Promise((resolve) => (answer = resolve)) });
    const { feed, counters, run } = flow({ to: [out], steps: [slow] });
    const late = message('late');
    const { outcomes } = feed.emit([late]);
    run.giveBackLate(performance.now() + 1);
    expect((await outcomes).exceptions).toMatchObject([{ outcome: { kind: 'retry', code: 'PB_SETTLE_DEADLINE' } }]);
    expect(counters).toMatchObject({ returned: 1, inFlight: 0 });
    answer([late]);
    const next = message('next');
    const second = feed.emit([next]);
    await vi.waitFor(() => expect(run.room()).toBeUndefined());
    answer([next]);
    expect((await second.outcomes).exceptions).toEqual([]);
    expect(out.got).toEqual(['next']);
    expect(counters).toMatchObject({ received: 2, delivered: 1, returned: 1, inFlight: 0 });
  });

  it('drops what waits to begin when it is purged, and tells upstream that it is done', async () => {
    const out = target();
    const { feed, run, counters } = flow({ to: [out] });
    run.pause();
    const first = feed.emit([message('a'), message('b')]);
    expect(run.purge()).toBe(2);
    expect((await first.outcomes).exceptions).toEqual([]);
    expect(counters).toMatchObject({ received: 2, dropped: 2, delivered: 0, inFlight: 0 });
    run.resume();
    feed.emit([message('c')]);
    expect(out.got).toEqual(['c']);
  });

  it('gives back what waits when it is drained, and ends with nothing in flight', async () => {
    const out = target();
    out.hold = true;
    const { run, feed, counters } = flow({ to: [out] });
    const underWay = feed.emit([message(1)]);
    run.pause();
    const waiting = feed.emit([message(2)]);
    const drained = run.drain();
    expect((await waiting.outcomes).exceptions).toMatchObject([
      { outcome: { kind: 'retry', code: 'PB_PIPELINE_DRAINING' } },
    ]);
    out.held.forEach((answer) => answer());
    await drained;
    expect((await underWay.outcomes).exceptions).toEqual([]);
    expect(counters).toMatchObject({ delivered: 1, returned: 1, inFlight: 0 });
  });

  it('gives back at once what still comes after it was drained, until it is resumed', async () => {
    const out = target();
    const { run, feed, counters } = flow({ to: [out] });
    await run.drain();
    const late = feed.emit([message(1)]);
    expect((await late.outcomes).exceptions).toMatchObject([
      { outcome: { kind: 'retry', code: 'PB_PIPELINE_DRAINING' } },
    ]);
    expect(counters).toMatchObject({ received: 1, returned: 1, inFlight: 0 });
    run.resume();
    expect((await feed.emit([message(2)]).outcomes).exceptions).toEqual([]);
    expect(out.got).toEqual([2]);
  });

  it('at most once: tells the source at hand-over and counts what fails later as dropped', async () => {
    const out = target();
    out.hold = true;
    out.refuse.add('a');
    const { feed, counters } = flow({ to: [out], atMostOnce: true });
    expect((await feed.emit([message('a')]).outcomes).exceptions).toEqual([]);
    expect(counters.inFlight).toBe(1);
    out.held.forEach((answer) => answer());
    expect(counters.inFlight).toBe(0);
    expect(addsUp(counters)).toBe(true);
  });

  it('tells the source the worst of several pipelines, and filtered only when all filtered it', async () => {
    const open = flow({ to: [target()] });
    const shut = (result: (m: Message) => HandlerResult): PipelineRun =>
      flow({ to: [target()], steps: [step({ handle: each(result) })] }).run;
    const no = (): Filtered => new Filtered('no');
    open.feed.connect([open.run, shut(no)]);
    expect((await open.feed.emit([message(1)]).outcomes).exceptions).toEqual([]);
    open.feed.connect([shut(no), shut(no)]);
    expect((await open.feed.emit([message(1)]).outcomes).exceptions).toEqual([
      { index: 0, outcome: { kind: 'filtered', reason: 'no' } },
    ]);
    open.feed.connect([open.run, shut(no), shut(() => new Refused('X', 'y'))]);
    expect((await open.feed.emit([message(1)]).outcomes).exceptions).toMatchObject([
      { index: 0, outcome: { kind: 'refused' } },
    ]);
  });

  it('counts a message of which one part went on as delivered, not as filtered', async () => {
    const handler = step({
      handle: each((m) => [derive(m, { data: 'keep' }, 0), new Filtered('rest'), new Filtered('rest')]),
    });
    const { feed, counters } = flow({ to: [target()], steps: [handler] });
    await feed.emit([message(1)]).outcomes;
    expect(counters).toMatchObject({ delivered: 1, filtered: 0 });
  });

  it('keeps upstream what no pipeline takes', async () => {
    const feed = new SourceFeed('in', stepCounters(), new TapPoint());
    expect((await feed.emit([message(1)]).outcomes).exceptions).toMatchObject([
      { outcome: { kind: 'retry', code: 'PB_SOURCE_UNCONNECTED' } },
    ]);
  });

  it('counts every root message exactly once, whatever the handlers do', async () => {
    const verdict = fc.constantFrom('pass', 'replace', 'split', 'filter', 'refuse', 'empty', 'mixed', 'throw');
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.array(verdict, { minLength: 1, maxLength: 5 }), { minLength: 1, maxLength: 6 }),
        fc.boolean(),
        async (batches, later) => {
          const out = target();
          const handle = each((m) => {
            switch (m.data) {
              case 'replace':
                return derive(m, { data: 'r' });
              case 'split':
                return [derive(m, { data: 'r' }, 0), derive(m, { data: 'r' }, 1)];
              case 'filter':
                return new Filtered('f');
              case 'refuse':
                return new Refused('X', 'x');
              case 'empty':
                return [];
              case 'mixed':
                return [derive(m, { data: 'r' }, 0), new Filtered('f'), new Refused('X', 'x')];
              case 'throw':
                throw new Error('t');
              default:
                return m;
            }
          });
          const handler = step({ handle: (batch) => (later ? Promise.resolve(batch).then(handle) : handle(batch)) });
          const { feed, counters } = flow({ to: [out], steps: [handler] });
          const emitted = batches.map((batch) => feed.emit(batch.map(message)));
          await Promise.all(emitted.map(({ outcomes }) => outcomes));
          const of = (...kinds: string[]): number => batches.flat().filter((each) => kinds.includes(each)).length;
          expect(counters).toEqual({
            received: batches.flat().length,
            delivered: of('pass', 'replace', 'split'),
            filtered: of('filter', 'empty'),
            deadLettered: of('refuse', 'mixed', 'throw'),
            dropped: 0,
            handed: 0,
            returned: 0,
            inFlight: 0,
          });
        },
      ),
      { numRuns: 200 },
    );
  });

  it('that is removed holds up no source that waits for its room', async () => {
    const out = target();
    let answer: (results: HandlerResult[]) => void = () => undefined;
    const slow = step({ handle: () => new Promise<HandlerResult[]>((resolve) => (answer = resolve)) });
    const { feed, run, counters } = flow({ to: [out], steps: [slow] });
    const first = feed.emit([message('a')]);
    const second = feed.emit([message('b')]);
    let admitted = false;
    void second.admitted.then(() => (admitted = true));
    await new Promise((resolve) => setImmediate(resolve));
    expect(admitted).toBe(false);
    run.remove();
    await second.admitted;
    expect((await second.outcomes).exceptions).toMatchObject([{ outcome: { kind: 'retry' } }]);
    answer([message('a')]);
    expect((await first.outcomes).exceptions).toEqual([]);
    expect(counters).toMatchObject({ delivered: 1, returned: 1, inFlight: 0 });
  });
});

describe('what is put back', () => {
  const upper = (name: string): HandlerStep =>
    new HandlerStep(
      name,
      { handle: each((m) => derive(m, { data: `${String(m.data)}${name}` })) },
      stepCounters(),
      new TapPoint(),
    );
  const inject = (run: PipelineRun, data: readonly unknown[], entry: Entry): Promise<readonly OutcomeAt[]> =>
    new Promise((resolve) => run.inject(data.map(message), entry, resolve));

  it('from the start meets the condition and every handler, as a new entry of the ledger', async () => {
    const out = target();
    const { run, counters } = flow({
      to: [out],
      where: compileExpression('data != "left out"'),
      steps: [upper('1'), upper('2')],
    });
    expect(await inject(run, ['a', 'left out'], { at: 'start' })).toEqual([
      { index: 1, outcome: { kind: 'filtered', reason: 'where' } },
    ]);
    expect(out.got).toEqual(['a12']);
    expect(counters).toMatchObject({ received: 2, delivered: 1, filtered: 1, inFlight: 0 });
    expect(addsUp(counters)).toBe(true);
  });

  it('at a handler enters there and goes on from there, whatever the condition says', async () => {
    const out = target();
    const { run } = flow({ to: [out], where: compileExpression('false'), steps: [upper('1'), upper('2'), upper('3')] });
    expect(await inject(run, ['a'], { at: 'step', name: '2' })).toEqual([]);
    expect(out.got).toEqual(['a23']);
  });

  it('for a sink goes to that one alone', async () => {
    const one = { ...target(), name: 'one' };
    const two = { ...target(), name: 'two' };
    const { run } = flow({ to: [one, two], where: compileExpression('false'), steps: [upper('1')] });
    expect(await inject(run, ['a'], { at: 'target', name: 'two' })).toEqual([]);
    expect([one.got, two.got]).toEqual([[], ['a']]);
  });

  it('where there is nothing of that name is given back, and counted so', async () => {
    const { run, counters } = flow({ to: [target()] });
    for (const at of ['step', 'target'] as const)
      expect(await inject(run, ['a'], { at, name: 'gone' })).toMatchObject([
        { outcome: { kind: 'retry', code: 'PB_LETTER_PLACE_GONE' } },
      ]);
    expect(counters).toMatchObject({ received: 2, returned: 2, inFlight: 0 });
  });

  it('at most once too has no outcome before the sink has answered', async () => {
    const out = target();
    out.hold = true;
    out.refuse.add('a');
    const { run, counters } = flow({ to: [out], atMostOnce: true });
    let outcomes: readonly OutcomeAt[] | undefined;
    run.inject([message('a')], { at: 'start' }, (exceptions) => (outcomes = exceptions));
    expect(outcomes).toBeUndefined();
    out.held[0]?.();
    expect(outcomes).toMatchObject([{ index: 0, outcome: { kind: 'refused' } }]);
    expect(counters).toMatchObject({ received: 1, deadLettered: 1, dropped: 0 });
  });
});

describe('a refusal', () => {
  it('is stored with its place, and what was thrown with its stack, secrets masked', async () => {
    const stored: DeadLetter[] = [];
    const letters = new DeadLetters(
      async (batch) => void stored.push(...batch),
      () => undefined,
      (text) => text.replaceAll('s3cret', '***'),
    );
    const fails = (m: Message): HandlerResult => {
      if (m.data === 'plain') return new Refused('ACME', 'told s3cret');
      throw new TypeError('broken s3cret');
    };
    const run = new PipelineRun(
      'flow',
      { where: undefined, steps: [step({ handle: each(fails) })], targets: [], atMostOnce: false, flights: undefined },
      pipelineCounters(),
      letters,
    );
    await new Promise<void>((resolve) =>
      run.accept([message('plain'), message('thrown'), new Refused('SOURCE', 'bad', message('x'))], () => resolve()),
    );
    const by = (code: string): DeadLetter | undefined => stored.find((letter) => letter.code === code);
    expect(by('ACME')).toMatchObject({ place: 'handler', instance: 'h', cause: 'told ***', stack: '', attempts: 1 });
    expect(by('PB_PLUGIN_THREW')).toMatchObject({ place: 'handler', cause: 'broken ***', attempts: 2 });
    expect(by('PB_PLUGIN_THREW')?.stack).toMatch(/^TypeError: broken \*\*\*/);
    expect(by('SOURCE')).toMatchObject({ place: 'source', instance: 'in', attempts: 1 });
  });
});
