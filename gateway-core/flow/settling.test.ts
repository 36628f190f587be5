/** Handlers that remember: told before upstream is, and of nothing that was not so. */
import { MessageChannel } from 'node:worker_threads';
import { describe, expect, it, onTestFinished } from 'vitest';
import { DeadLetters } from '../delivery/dead-letters.ts';
import { NO_EXCEPTIONS, type OutcomeAt } from '../delivery/outcomes.ts';
import type { Target } from '../delivery/target.ts';
import { RemoteHandler, serveHandler } from '../isolation/remote-handler.ts';
import { TapPoint } from '../live/tap-point.ts';
import {
  derive,
  Filtered,
  Refused,
  type Handler,
  type HandlerResult,
  type Message,
  type Outcome,
  type Settled,
} from '../plugin-api/index.ts';
import { createMessage } from '../plugin-api/message.ts';
import { pipelineCounters, stepCounters } from './counters.ts';
import { HandlerStep } from './handler-step.ts';
import { PipelineRun } from './pipeline-run.ts';
import { HandlerSettler } from './settling.ts';
import { SourceFeed } from './source-feed.ts';

const message = (id: string): Message => createMessage('in', 'p', { id, data: id });

/** A sink that answers when it is told to. */
class SlowTarget implements Target {
  readonly name = 'out';
  readonly spools = false;
  readonly got: string[] = [];
  private readonly held: { batch: readonly Message[]; done: (exceptions: readonly OutcomeAt[]) => void }[] = [];

  enqueue(batch: readonly Message[], _pipeline: string, done: (exceptions: readonly OutcomeAt[]) => void): void {
    this.got.push(...batch.map(({ id }) => id));
    this.held.push({ batch, done });
  }

  room(): undefined {
    return undefined;
  }

  /** The oldest batch: `of` by id, the others are delivered. */
  answer(of: Readonly<Record<string, Outcome>> = {}): void {
    const { batch, done } = this.held.shift() as (typeof this.held)[number];
    const exceptions = batch.flatMap(({ id }, index) => {
      const outcome = of[id];
      return outcome === undefined ? [] : [{ index, outcome }];
    });
    done(exceptions.length === 0 ? NO_EXCEPTIONS : exceptions);
  }
}

const BACK: Outcome = { kind: 'retry', code: 'AWAY', cause: 'away', afterMs: 0 };

/** What a message's id says: `x` and then `x again` is a duplicate. */
class Remembering implements Handler {
  readonly told: string[] = [];
  calls = 0;
  /** Calls of `settled` wait while it is set. */
  gate: Promise<void> | undefined;
  failure: Error | undefined;
  private readonly pending = new Map<string, Message>();
  readonly kept = new Set<string>();

  handle(batch: readonly Message[]): HandlerResult[] {
    return batch.map((each) => {
      if (each.id === 'bad') return new Refused('ACME_BAD', 'bad');
      if (each.id === 'two') return [derive(each, {}, 0), derive(each, {}, 1)];
      const key = each.id.split(' ')[0] as string;
      if (this.kept.has(key)) return new Filtered('known');
      const original = this.pending.get(key);
      if (original !== undefined) return new Filtered('under way', { follows: original });
      this.pending.set(key, each);
      return each;
    });
  }

  async settled(results: readonly Settled[]): Promise<void> {
    this.calls++;
    await this.gate;
    for (const { message: each, result } of results) {
      this.told.push(`${each.id}: ${result}`);
      const key = each.id.split(' ')[0] as string;
      if (this.pending.get(key) === each) this.pending.delete(key);
      if (result === 'kept' && this.failure === undefined) this.kept.add(key);
    }
    if (this.failure !== undefined) throw this.failure;
  }
}

function stepOf(name: string, handler: Handler): HandlerStep {
  const settler = new HandlerSettler(name, handler, () => undefined);
  return new HandlerStep(name, handler, stepCounters(), new TapPoint(), settler);
}

function flow(steps: readonly HandlerStep[], atMostOnce = false) {
  const out = new SlowTarget();
  const counters = pipelineCounters();
  const deadLetters = new DeadLetters(
    async () => undefined,
    () => undefined,
  );
  const targets = [{ target: out, counters: stepCounters(), tap: new TapPoint() }];
  const run = new PipelineRun(
    'flow',
    { where: undefined, steps, atMostOnce, targets, flights: undefined },
    counters,
    deadLetters,
  );
  const feed = new SourceFeed('in', stepCounters(), new TapPoint());
  feed.connect([run]);
  /** Kinds of outcome by place, once there are any. */
  const emit = (...ids: string[]): { readonly kinds: Promise<string[]>; readonly told: () => boolean } => {
    let over = false;
    const outcomes = feed.emit(ids.map(message)).outcomes;
    const kinds = outcomes.then(({ exceptions }) => {
      over = true;
      return ids.map((_, i) => exceptions.find(({ index }) => index === i)?.outcome.kind ?? 'delivered');
    });
    return { kinds, told: () => over };
  };
  return { out, counters, emit };
}

const soon = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

/** The same handler here and behind a port. */
const places = {
  'in the same thread': (handler: Handler) => stepOf('h', handler),
  'in another thread': (handler: Handler) => {
    const { port1, port2 } = new MessageChannel();
    onTestFinished(() => port1.close());
    const remote = new RemoteHandler('h', true);
    remote.connect(port1);
    serveHandler(port2, stepOf('h', handler), (text) => text);
    return new HandlerStep('h', remote, stepCounters(), new TapPoint(), remote);
  },
};

describe.each(Object.entries(places))('a handler that remembers, %s', (_, place) => {
  it('is told what became of each input, after the sinks and before upstream', async () => {
    const handler = new Remembering();
    let open = (): void => undefined;
    handler.gate = new Promise((resolve) => (open = resolve));
    const { out, emit, counters } = flow([place(handler)]);
    const batch = emit('a', 'b', 'bad', 'c');
    await expect.poll(() => out.got).toEqual(['a', 'b', 'c']);
    expect(handler.calls).toBe(0);
    out.answer({ b: BACK, c: { kind: 'refused', code: 'X', cause: '', stored: true } });
    await expect.poll(() => handler.calls).toBe(1);
    await soon();
    expect(batch.told()).toBe(false);
    open();
    expect(await batch.kinds).toEqual(['delivered', 'retry', 'refused', 'refused']);
    expect(handler.told).toEqual(['a: kept', 'b: back', 'bad: refused', 'c: refused']);
    expect(counters).toMatchObject({ received: 4, delivered: 1, returned: 1, deadLettered: 2, inFlight: 0 });
  });

  it('that fails to commit gives back what was delivered', async () => {
    const handler = new Remembering();
    handler.failure = new Error('disk full');
    const { out, emit, counters } = flow([place(handler)]);
    const batch = emit('a', 'bad');
    await expect.poll(() => out.got).toEqual(['a']);
    out.answer();
    expect(await batch.kinds).toEqual(['retry', 'retry']);
    expect(counters).toMatchObject({ returned: 2, delivered: 0, deadLettered: 0, inFlight: 0 });
  });

  it('lets a message follow another of its batch, wherever that one goes', async () => {
    const handler = new Remembering();
    const { out, emit } = flow([place(handler)]);
    const batch = emit('a', 'a again', 'b', 'b again');
    await expect.poll(() => out.got).toEqual(['a', 'b']);
    out.answer({ b: BACK });
    expect(await batch.kinds).toEqual(['delivered', 'filtered', 'retry', 'retry']);
    const next = emit('a', 'b');
    await expect.poll(() => out.got).toEqual(['a', 'b', 'b']);
    out.answer();
    expect(await next.kinds).toEqual(['filtered', 'delivered']);
  });

  it('lets a message follow one of an earlier batch: told when that one is, and the same', async () => {
    const handler = new Remembering();
    const { out, emit } = flow([place(handler)]);
    const first = emit('a', 'b');
    await expect.poll(() => out.got).toEqual(['a', 'b']);
    const second = emit('a again', 'c');
    await expect.poll(() => out.got).toEqual(['a', 'b', 'c']);
    const third = emit('b again', 'd');
    await expect.poll(() => out.got).toEqual(['a', 'b', 'c', 'd']);
    // The later ones answer first.
    const held = (out as unknown as { held: unknown[] }).held;
    held.reverse();
    out.answer();
    out.answer();
    await soon();
    expect([second.told(), third.told()]).toEqual([false, false]);
    out.answer({ b: BACK });
    expect(await first.kinds).toEqual(['delivered', 'retry']);
    expect(await second.kinds).toEqual(['filtered', 'delivered']);
    expect(await third.kinds).toEqual(['retry', 'delivered']);
  });

  it('counts a message that was split by the worst of its parts', async () => {
    const handler = new Remembering();
    const { out, emit } = flow([place(handler)]);
    const batch = emit('two');
    await expect.poll(() => out.got).toEqual(['two#0', 'two#1']);
    out.answer({ 'two#1': BACK });
    expect(await batch.kinds).toEqual(['retry']);
    expect(handler.told).toEqual(['two: back']);
  });

  it('gets what comes while it commits in one call after it', async () => {
    const handler = new Remembering();
    let open = (): void => undefined;
    handler.gate = new Promise((resolve) => (open = resolve));
    const { out, emit } = flow([place(handler)]);
    const batches = ['a', 'b', 'c', 'd'].map((id) => emit(id));
    await expect.poll(() => out.got).toHaveLength(4);
    out.answer();
    await expect.poll(() => handler.calls).toBe(1);
    for (let i = 0; i < 3; i++) out.answer();
    await soon();
    await soon();
    open();
    await Promise.all(batches.map(({ kinds }) => kinds));
    expect(handler.calls).toBe(2);
    expect(handler.told).toEqual(['a: kept', 'b: kept', 'c: kept', 'd: kept']);
  });
});

describe('two handlers that remember', () => {
  it('commit from the last to the first, and the first hears when the last could not', async () => {
    const [first, last] = [new Remembering(), new Remembering()];
    last.failure = new Error('no room');
    const { out, emit } = flow([stepOf('first', first), stepOf('last', last)]);
    const batch = emit('a');
    out.answer();
    expect(await batch.kinds).toEqual(['retry']);
    expect(first.told).toEqual(['a: back']);
  });
});

describe('delivery at most once', () => {
  it('tells the handler what became of a message all the same', async () => {
    const handler = new Remembering();
    handler.failure = new Error('no room');
    const { out, emit, counters } = flow([stepOf('h', handler)], true);
    expect(await emit('a').kinds).toEqual(['delivered']);
    out.answer();
    await expect.poll(() => handler.told).toEqual(['a: kept']);
    await expect.poll(() => counters).toMatchObject({ delivered: 1, dropped: 0, inFlight: 0 });
  });
});

describe('a message that follows', () => {
  it('is refused where the handler is not told of outcomes', async () => {
    let original: Message | undefined;
    const handler: Handler = {
      handle: (batch) =>
        batch.map((each) => (original === undefined ? (original = each) : new Filtered('dup', { follows: original }))),
    };
    const { out, emit } = flow([new HandlerStep('h', handler, stepCounters(), new TapPoint())]);
    const batch = emit('a', 'b');
    out.answer();
    expect(await batch.kinds).toEqual(['delivered', 'refused']);
  });

  it('is given back after the deadline when what it follows has no outcome', async () => {
    const handler = new Remembering();
    const settler = new HandlerSettler('h', handler, () => undefined);
    const step = new HandlerStep('h', handler, stepCounters(), new TapPoint(), settler);
    const { out, emit } = flow([step]);
    emit('a');
    const second = emit('a again');
    settler.sweep(performance.now() + 1);
    expect(await second.kinds).toEqual(['retry']);
    expect(out.got).toEqual(['a']);
  });
});

describe('a handler in a thread that dies', () => {
  function link(remote: RemoteHandler, handler: Handler): () => void {
    const { port1, port2 } = new MessageChannel();
    onTestFinished(() => port1.close());
    remote.connect(port1);
    serveHandler(port2, stepOf('h', handler), (text) => text);
    return () => port2.close();
  }

  it('is told in its next life of what its last one had passed on', async () => {
    const remote = new RemoteHandler('h', true);
    const die = link(remote, new Remembering());
    const { out, emit } = flow([new HandlerStep('h', remote, stepCounters(), new TapPoint(), remote)]);
    const batch = emit('a', 'b');
    await expect.poll(() => out.got).toEqual(['a', 'b']);
    die();
    const next = new Remembering();
    link(remote, next);
    out.answer({ b: BACK });
    expect(await batch.kinds).toEqual(['delivered', 'retry']);
    expect(next.told).toEqual(['a: kept', 'b: back']);
  });

  it('takes what was open as given back when the asking thread is gone', async () => {
    const handler = new Remembering();
    const remote = new RemoteHandler('h', true);
    link(remote, handler);
    const { out, emit } = flow([new HandlerStep('h', remote, stepCounters(), new TapPoint(), remote)]);
    emit('a');
    await expect.poll(() => out.got).toEqual(['a']);
    remote.end();
    await expect.poll(() => handler.told).toEqual(['a: back']);
    expect(handler.kept.size).toBe(0);
  });

  it('gives back what follows a message of the life that died', async () => {
    const remote = new RemoteHandler('h', true);
    const die = link(remote, new Remembering());
    const { out, emit } = flow([new HandlerStep('h', remote, stepCounters(), new TapPoint(), remote)]);
    emit('a');
    await expect.poll(() => out.got).toEqual(['a']);
    const second = emit('a again', 'b');
    await expect.poll(() => out.got).toEqual(['a', 'b']);
    die();
    link(remote, new Remembering());
    out.answer();
    out.answer();
    expect(await second.kinds).toEqual(['retry', 'delivered']);
  });

  it('that never comes back gives its messages back after the deadline, and at once when it is removed', async () => {
    const remote = new RemoteHandler('h', true);
    const { emit, out } = flow([new HandlerStep('h', remote, stepCounters(), new TapPoint(), remote)]);
    const late = emit('a', 'b');
    remote.sweep(performance.now() + 1);
    expect(await late.kinds).toEqual(['retry', 'retry']);
    const removed = emit('c', 'd');
    remote.end();
    expect(await removed.kinds).toEqual(['retry', 'retry']);
    expect(await emit('e').kinds).toEqual(['retry']);
    expect(out.got).toEqual([]);
  });
});
