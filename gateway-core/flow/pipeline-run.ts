/**
 * One pipeline in the thread of its source: condition, handlers in order, hand-over to the
 * targets, and from there the outcomes back to the source. Batches go through one after
 * another; as long as every handler answers at once, all of it happens inside `accept`.
 */
import type { DeadLetters } from '../delivery/dead-letters.ts';
import { forUpstream, NO_EXCEPTIONS, Outcomes, type Ended, type OutcomeAt } from '../delivery/outcomes.ts';
import type { FlightBook, Target } from '../delivery/target.ts';
import { Filtered, Refused, type Expression, type HandlerItem, type Message } from '../plugin-api/index.ts';
import type { TapPoint } from '../live/tap-point.ts';
import type { Lineage } from '../storage/spool-wire.ts';
import type { PipelineCounters, StepCounters } from './counters.ts';
import { GivenBack, isMessage, type HandlerStep, type StepResults } from './handler-step.ts';
import { FollowsFate, Settling } from './settling.ts';
import { traceOf } from './traced-refusal.ts';
import { Waiters } from '../delivery/waiters.ts';

/** A target with what is counted and seen of it on this side. */
export interface TargetStep {
  readonly target: Target;
  readonly counters: StepCounters;
  readonly tap: TapPoint;
}

/** What a pipeline consists of; replaced as a whole at a batch boundary. */
export interface PipelineParts {
  readonly where: Expression | undefined;
  readonly steps: readonly HandlerStep[];
  readonly targets: readonly TargetStep[];
  readonly atMostOnce: boolean;
  /** Told of batches that went to spools; needed when a target spools. */
  readonly flights: FlightBook | undefined;
}

/** Where messages enter: a step or target by name, or the beginning. */
export type Entry = { readonly at: 'start' } | { readonly at: 'step' | 'target'; readonly name: string };

const START: Entry = { at: 'start' };

interface Pending {
  readonly batch: readonly (Message | Refused)[];
  readonly entry: Entry;
  /** Put in by an operator: they are told only of what really became of it, also with at most once. */
  readonly injected: boolean;
  readonly since: number;
  readonly settle: (exceptions: readonly OutcomeAt[]) => void;
}

/** A batch between its steps: the messages now, and which root each came from. */
interface Flight {
  readonly pending: Pending;
  readonly outcomes: Outcomes;
  /** Dead letters being stored. */
  stores: Promise<void>[] | undefined;
  /** At most once, and handed over: the source was told already. */
  letGo: boolean;
  /** Given back, since a handler did not answer in time: what it answers later counts no more. */
  abandoned: boolean;
  /** Its name among the spools it went to; empty: none. */
  spooledAs: string;
  /** What handlers that remember are to be told. */
  settling: Settling | undefined;
  items: readonly Message[];
  /** Undefined while item i is root i. */
  roots: readonly number[] | undefined;
}

/** Where a step counts what its target says of a message. */
const COUNTED_AS = {
  delivered: 'emitted',
  filtered: 'filtered',
  refused: 'refused',
  retry: 'returned',
  // It ends at this step by the operator's choice, as what is filtered does.
  dropped: 'filtered',
} as const satisfies Record<Ended['kind'], keyof StepCounters>;
const NOTHING = new Filtered('split into nothing');
const UNFOLLOWED = new Refused('PB_PLUGIN_RESULT', 'the handler lets it follow another message, but has no `settled`');

export class PipelineRun {
  readonly name: string;
  readonly counters: PipelineCounters;
  private parts: PipelineParts;
  private readonly deadLetters: DeadLetters;
  private paused = false;
  private drained = false;
  private flights: FlightBook | undefined;
  private removed = false;
  private busy = false;
  /** The batch that is with a handler. */
  private handled: Flight | undefined;
  private waiting: Pending[] = [];
  private readonly roomWaiters = new Waiters();
  private readonly idleWaiters = new Waiters();

  constructor(name: string, parts: PipelineParts, counters: PipelineCounters, deadLetters: DeadLetters) {
    this.name = name;
    this.parts = parts;
    this.counters = counters;
    this.deadLetters = deadLetters;
  }

  /** New parts from the next batch on; batches on their way finish with the old ones. */
  replace(parts: PipelineParts): void {
    this.parts = parts;
  }

  pause(): void {
    this.paused = true;
  }

  resume(): void {
    this.paused = false;
    this.drained = false;
    this.next();
  }

  /** Pauses, gives back what waits to begin and what still comes, and resolves when nothing is in flight. */
  async drain(): Promise<void> {
    this.paused = true;
    this.drained = true;
    const waiting = this.waiting;
    this.waiting = [];
    for (const pending of waiting) this.giveBack(pending, 'PB_PIPELINE_DRAINING', `${this.name} is being drained`);
    while (this.counters.inFlight > 0) await this.idleWaiters.wait();
  }

  /** Drops what waits to begin, by an operator's choice; for upstream that is done. How many messages. */
  purge(): number {
    let messages = 0;
    for (const { batch, settle } of this.waiting.splice(0)) {
      messages += batch.length;
      this.counters.dropped += batch.length;
      this.counters.inFlight -= batch.length;
      settle(NO_EXCEPTIONS);
    }
    if (this.counters.inFlight === 0) this.wakeIdle();
    if (!this.paused) this.wakeRoom();
    return messages;
  }

  /** It is gone from the config: ends as `drain` does, and holds up no source that waits for its room. */
  remove(): void {
    this.removed = true;
    void this.drain();
    this.wakeRoom();
  }

  /** Gives back batches that have waited to begin, or for a handler's answer, since before `before` (performance.now). */
  giveBackLate(before: number): void {
    const { handled } = this;
    if (handled !== undefined && !handled.abandoned && handled.pending.since < before) {
      handled.abandoned = true;
      this.abandon(handled);
    }
    while (this.waiting[0] !== undefined && this.waiting[0].since < before) {
      this.giveBack(
        this.waiting.shift() as Pending,
        'PB_SETTLE_DEADLINE',
        this.paused ? `${this.name} is paused` : `${this.name} is busy`,
      );
    }
  }

  private abandon(flight: Flight): void {
    const { pending, settling, outcomes } = flight;
    const cause = `a handler of ${this.name} has not answered`;
    this.giveBack(pending, 'PB_SETTLE_DEADLINE', cause);
    if (settling === undefined) return;
    // Handlers that remember must not take what is given back for done.
    const back: Ended = { kind: 'retry', code: 'PB_SETTLE_DEADLINE', cause, afterMs: 0 };
    for (let root = 0; root < pending.batch.length; root++) outcomes.add(root, back);
    void settling.conclude(outcomes, new Set(), false);
  }

  /**
   * Takes a batch, always. `settle` is called once with every outcome other than delivered;
   * before `accept` returns when all of it could be done on the spot. Returns how many messages
   * it has counted as received, for the source's own count.
   */
  accept(batch: readonly (Message | Refused)[], settle: (exceptions: readonly OutcomeAt[]) => void): number {
    return this.take({ batch, entry: START, injected: false, since: performance.now(), settle });
  }

  /**
   * Takes messages that had been refused, always, as new ones of the ledger: at the beginning, at
   * the handler they are to enter (and on from there), or for one sink alone. Each has its outcome
   * only when it is known, whatever the pipeline's delivery. What is to enter where there is
   * nothing of that name (any more) is given back with PB_LETTER_PLACE_GONE.
   */
  inject(batch: readonly Message[], entry: Entry, settle: (exceptions: readonly OutcomeAt[]) => void): void {
    this.take({ batch, entry, injected: true, since: performance.now(), settle });
  }

  private take(pending: Pending): number {
    const { batch } = pending;
    this.counters.received += batch.length;
    this.counters.inFlight += batch.length;
    // The last batches of sources that had been promised room before.
    if (this.drained) this.giveBack(pending, 'PB_PIPELINE_DRAINING', `${this.name} is being drained`);
    else if (this.busy || this.paused || this.waiting.length > 0) this.waiting.push(pending);
    else this.begin(pending);
    return batch.length;
  }

  /** Undefined when there is room for another batch; else resolves when there is. */
  room(): Promise<void> | undefined {
    if (this.removed) return undefined;
    if (this.paused || this.waiting.length > 0) return this.roomWaiters.wait();
    let full: Promise<void>[] | undefined;
    for (const { target } of this.parts.targets) {
      const room = target.room();
      if (room !== undefined) (full ??= []).push(room);
    }
    return full === undefined ? undefined : Promise.all(full).then(() => undefined);
  }

  private next(): void {
    while (!this.busy && !this.paused) {
      const pending = this.waiting.shift();
      if (pending === undefined) break;
      this.begin(pending);
    }
    if (this.waiting.length === 0 && !this.paused) this.wakeRoom();
  }

  private begin(pending: Pending): void {
    const flight: Flight = {
      pending,
      outcomes: new Outcomes(),
      stores: undefined,
      letGo: false,
      abandoned: false,
      spooledAs: '',
      settling: undefined,
      items: [],
      roots: undefined,
    };
    const parts = partsFrom(this.parts, pending.entry);
    if (parts === undefined) {
      const { entry } = pending;
      const name = entry.at === 'start' ? '' : entry.name;
      this.giveBack(pending, 'PB_LETTER_PLACE_GONE', `${name} is not part of ${this.name} any more`);
      return;
    }
    this.admit(flight, parts.where);
    const { steps } = parts;
    for (let i = 0; i < steps.length && flight.items.length > 0; i++) {
      const step = steps[i] as HandlerStep;
      const started = step.tap.active ? performance.now() : 0;
      const results = this.ask(flight, step);
      if (results instanceof Promise) {
        this.busy = true;
        this.handled = flight;
        void this.proceed(flight, parts, i, results, started);
        return;
      }
      this.apply(flight, step, results, started);
    }
    this.handOver(flight, parts);
  }

  /** The rest of the way once a handler answered asynchronously. */
  private async proceed(
    flight: Flight,
    parts: PipelineParts,
    at: number,
    first: Promise<StepResults>,
    firstStarted: number,
  ): Promise<void> {
    let results: StepResults | Promise<StepResults> = first;
    let started = firstStarted;
    for (let i = at; ;) {
      const answer = await results;
      if (flight.abandoned) {
        const { counters } = parts.steps[i] as HandlerStep;
        counters.held -= flight.items.length;
        counters.returned += flight.items.length;
        break;
      }
      this.apply(flight, parts.steps[i] as HandlerStep, answer, started);
      i++;
      const step = parts.steps[i];
      if (step === undefined || flight.items.length === 0) break;
      started = step.tap.active ? performance.now() : 0;
      results = this.ask(flight, step);
    }
    if (!flight.abandoned) this.handOver(flight, parts);
    this.handled = undefined;
    this.busy = false;
    this.next();
  }

  private ask(flight: Flight, step: HandlerStep): StepResults | Promise<StepResults> {
    if (step.settler !== undefined)
      (flight.settling ??= new Settling()).visit(step.name, step.settler, flight.items, flight.roots);
    return give(step, flight.items);
  }

  /** Sets aside what the source itself refused and what `where` does not let through. */
  private admit(flight: Flight, where: Expression | undefined): void {
    const { batch } = flight.pending;
    let plain = where === undefined;
    for (let i = 0; plain && i < batch.length; i++) plain = !(batch[i] instanceof Refused);
    if (plain) {
      flight.items = batch as readonly Message[];
      return;
    }
    const items: Message[] = [];
    const roots: number[] = [];
    for (let i = 0; i < batch.length; i++) {
      const item = batch[i] as Message | Refused;
      if (item instanceof Refused) this.refuse(flight, i, item, item.message, item.message?.instance ?? '', 'source');
      else if (where === undefined || where.test(item)) {
        items.push(item);
        roots.push(i);
      } else flight.outcomes.add(i, { kind: 'filtered', reason: 'where' });
    }
    flight.items = items;
    flight.roots = roots;
  }

  private apply(flight: Flight, step: HandlerStep, results: StepResults, started: number): void {
    const { items, roots } = flight;
    const { counters } = step;
    counters.held -= items.length;
    counters.lastMessage = Date.now();
    if (step.tap.active)
      step.tap.handled(items, results, this.name, ((performance.now() - started) * 1000) / items.length);
    let straight = true;
    for (let i = 0; straight && i < results.length; i++) {
      const result = results[i];
      straight = !Array.isArray(result) && isMessage(result as HandlerItem);
    }
    if (straight) {
      flight.items = results as readonly Message[];
      counters.emitted += flight.items.length;
      return;
    }
    const out: Message[] = [];
    const outRoots: number[] = [];
    for (let i = 0; i < results.length; i++) {
      const root = roots === undefined ? i : (roots[i] as number);
      const result = results[i] as HandlerItem | readonly HandlerItem[];
      const input = items[i] as Message;
      if (Array.isArray(result)) {
        const parts = result as readonly HandlerItem[];
        if (parts.length === 0) this.filter(flight, step, root, NOTHING);
        else counters.created += parts.length - 1;
        for (const part of parts) this.sort(flight, step, root, input, part, out, outRoots);
      } else this.sort(flight, step, root, input, result as HandlerItem, out, outRoots);
    }
    flight.items = out;
    flight.roots = outRoots;
    // From what goes on, not from the results: what gets lost between them must show.
    counters.emitted += flight.items.length;
  }

  private sort(
    flight: Flight,
    step: HandlerStep,
    root: number,
    input: Message,
    item: HandlerItem,
    out: Message[],
    outRoots: number[],
  ): void {
    if (item instanceof Filtered && (item.follows === undefined || step.settler !== undefined))
      this.filter(flight, step, root, item);
    else if (item instanceof Filtered) {
      step.counters.refused++;
      this.refuse(flight, root, UNFOLLOWED, input, step.name, 'handler');
    } else if (item instanceof Refused) {
      step.counters.refused++;
      this.refuse(flight, root, item, item.message ?? input, step.name, 'handler');
    } else if (isMessage(item)) {
      out.push(item);
      outRoots.push(root);
    } else {
      step.counters.refused++;
      this.refuse(
        flight,
        root,
        new Refused('PB_PLUGIN_RESULT', `the handler gave ${item === null ? 'null' : typeof item} for a message`),
        input,
        step.name,
        'handler',
      );
    }
  }

  private filter(flight: Flight, step: HandlerStep, root: number, item: Filtered): void {
    if (item instanceof GivenBack) {
      step.counters.returned++;
      flight.outcomes.add(root, { kind: 'retry', code: item.code, cause: item.reason, afterMs: 0 });
      return;
    }
    step.counters.filtered++;
    if (item.follows === undefined && !(item instanceof FollowsFate))
      flight.outcomes.add(root, { kind: 'filtered', reason: item.reason });
    else flight.settling?.follow(root, item);
  }

  private refuse(
    flight: Flight,
    root: number,
    refused: Refused,
    message: Message | undefined,
    instance: string,
    place: 'source' | 'handler',
  ): void {
    const { code, cause } = refused;
    if (message === undefined) {
      flight.outcomes.add(root, { kind: 'refused', code, cause, stored: false });
      return;
    }
    const stored = this.deadLetters
      .add(message, {
        pipeline: this.name,
        instance,
        place,
        code,
        cause,
        ...traceOf(refused),
      })
      .then((outcome) => flight.outcomes.add(root, outcome));
    (flight.stores ??= []).push(stored);
  }

  private handOver(flight: Flight, parts: PipelineParts): void {
    const { items, roots } = flight;
    let left = 1;
    const part = (): void => {
      if (--left > 0) return;
      if (flight.stores === undefined) this.conclude(flight);
      else void Promise.all(flight.stores).then(() => this.conclude(flight));
    };
    if (items.length > 0) {
      if (roots !== undefined && !flight.outcomes.empty) for (const root of roots) flight.outcomes.goesOn(root);
      left += parts.targets.length;
      if (parts.atMostOnce && !flight.pending.injected) {
        flight.letGo = true;
        flight.pending.settle(NO_EXCEPTIONS);
      }
      const lineage = this.lineageOf(flight, parts);
      for (const { target, counters, tap } of parts.targets) {
        counters.received += items.length;
        counters.held += items.length;
        counters.lastMessage = Date.now();
        if (tap.active) tap.passed(items, this.name);
        const done = (exceptions: readonly OutcomeAt[]): void => {
          counters.held -= items.length;
          for (const { index, outcome } of exceptions) {
            counters[COUNTED_AS[outcome.kind]]++;
            flight.outcomes.add(roots === undefined ? index : (roots[index] as number), outcome);
          }
          counters.emitted += items.length - exceptions.length;
          part();
        };
        target.enqueue(items, this.name, done, target.spools ? lineage : undefined);
      }
    }
    part();
  }

  private lineageOf(flight: Flight, parts: PipelineParts): Lineage | undefined {
    if (parts.flights === undefined) return undefined;
    let spools = 0;
    for (const { target } of parts.targets) if (target.spools) spools++;
    if (spools === 0) return undefined;
    flight.spooledAs = parts.flights.begin();
    this.flights = parts.flights;
    return { flight: flight.spooledAs, size: flight.pending.batch.length, spools, roots: flight.roots };
  }

  /** Everything behind the handlers has answered: those that remember commit before the source is told. */
  private conclude(flight: Flight): void {
    if (flight.settling === undefined) {
      this.finish(flight);
      return;
    }
    const onward = new Set(flight.items.length > 0 ? (flight.roots ?? flight.pending.batch.keys()) : []);
    void flight.settling.conclude(flight.outcomes, onward, flight.letGo).then(() => this.finish(flight));
  }

  private finish(flight: Flight): void {
    const { pending, outcomes } = flight;
    const { counters } = this;
    const exceptions = outcomes.list();
    const size = pending.batch.length;
    for (const { outcome } of exceptions) {
      if (outcome.kind === 'filtered') counters.filtered++;
      else if (outcome.kind === 'refused' && outcome.stored) counters.deadLettered++;
      else if (flight.letGo || outcome.kind === 'dropped') counters.dropped++;
      else counters.returned++;
    }
    if (flight.spooledAs === '') counters.delivered += size - exceptions.length;
    else {
      counters.handed += size - exceptions.length;
      const excluded = exceptions.map(({ index }) => index);
      this.flights?.settle(flight.spooledAs, this.name, size, excluded);
    }
    counters.inFlight -= size;
    if (!flight.letGo)
      pending.settle(exceptions.length === 0 || pending.injected ? exceptions : forUpstream(exceptions));
    if (counters.inFlight === 0) this.wakeIdle();
  }

  private giveBack(pending: Pending, code: string, cause: string): void {
    this.counters.returned += pending.batch.length;
    this.counters.inFlight -= pending.batch.length;
    pending.settle(pending.batch.map((_, index) => ({ index, outcome: { kind: 'retry', code, cause, afterMs: 0 } })));
    if (this.counters.inFlight === 0) this.wakeIdle();
    if (this.waiting.length === 0 && !this.paused) this.wakeRoom();
  }

  private wakeRoom(): void {
    this.roomWaiters.wake();
  }

  private wakeIdle(): void {
    this.idleWaiters.wake();
  }
}

/** What messages go through that enter at `entry`; undefined when there is no such place. */
function partsFrom(parts: PipelineParts, entry: Entry): PipelineParts | undefined {
  if (entry.at === 'start') return parts;
  if (entry.at === 'target') {
    const targets = parts.targets.filter(({ target }) => target.name === entry.name);
    return targets.length === 0 ? undefined : { ...parts, where: undefined, steps: [], targets };
  }
  const at = parts.steps.findIndex(({ name }) => name === entry.name);
  return at < 0 ? undefined : { ...parts, where: undefined, steps: parts.steps.slice(at) };
}

/** Hands items to a step, which holds them until its results are taken in. */
function give(step: HandlerStep, items: readonly Message[]): StepResults | Promise<StepResults> {
  step.counters.received += items.length;
  step.counters.held += items.length;
  return step.handle(items);
}
