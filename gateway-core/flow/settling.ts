/**
 * Handlers that remember are told what became of their inputs before upstream is, so that their
 * state commits with the outcome downstream. Here too: messages whose outcome another one decides.
 */
import { Waiters } from '../delivery/waiters.ts';
import { isKept, type Outcomes } from '../delivery/outcomes.ts';
import { Filtered, type Handler, type Message, type Outcome, type Settled } from '../plugin-api/index.ts';

/** By index of the input: what was neither delivered nor filtered. */
export type Exceptions = ReadonlyMap<number, Outcome>;

const ALL_KEPT: Exceptions = new Map();

const DELIVERED: Outcome = Object.freeze({ kind: 'delivered' });

/** Where the outcomes of a handler's inputs are told. */
export interface Settler {
  /** Resolves when the handler has committed what it remembers of them; rejects when it could not. */
  settle(inputs: readonly Message[], exceptions: Exceptions): Promise<void>;
  /** What will become of an input that was not settled yet. */
  fateOf(input: Message): Fate;
}

/** What becomes of a message, known later. */
export class Fate {
  readonly since = performance.now();
  readonly known: Promise<Outcome>;
  /** The first call counts. */
  readonly settle: (outcome: Outcome) => void;

  constructor() {
    let settle: ((outcome: Outcome) => void) | undefined;
    this.known = new Promise((resolve) => (settle = resolve));
    this.settle = settle as unknown as (outcome: Outcome) => void;
  }
}

/** A result of a handler in another thread: filtered, done only if a message over there is. */
export class FollowsFate extends Filtered {
  readonly fate: Fate;
  constructor(reason: string, fate: Fate) {
    super(reason);
    this.fate = fate;
  }
}

/** What the handler could not commit goes back upstream. */
export function uncommitted(handler: string, error: unknown): Outcome {
  const cause = error instanceof Error ? error.message : String(error);
  return {
    kind: 'retry',
    code: 'PB_HANDLER_STATE',
    cause: `${handler} could not keep its state: ${cause}`,
    afterMs: 0,
  };
}

interface Waiting {
  readonly inputs: readonly Message[];
  readonly exceptions: Exceptions;
  readonly resolve: () => void;
  readonly reject: (error: unknown) => void;
}

/** Tells a handler of this thread: one call at a time; what comes meanwhile shares the next one, and so its commit. */
export class HandlerSettler implements Settler {
  private readonly name: string;
  private readonly onResult: (error: unknown) => void;
  private handler: Pick<Handler, 'settled'>;
  private waiting: Waiting[] = [];
  private running = false;
  private gate: Promise<void> | undefined;
  private open: () => void = () => undefined;
  private readonly idleWaiters = new Waiters();
  private readonly fates = new Map<Message, Fate>();

  /** `onResult` hears of every call: undefined when it went well. */
  constructor(name: string, handler: Pick<Handler, 'settled'>, onResult: (error: unknown) => void) {
    this.name = name;
    this.handler = handler;
    this.onResult = onResult;
  }

  replace(handler: Pick<Handler, 'settled'>): void {
    this.handler = handler;
  }

  /** Resolves when no call is under way; later ones wait for `release`. */
  async hold(): Promise<void> {
    this.gate ??= new Promise((resolve) => (this.open = resolve));
    while (this.running) await this.idleWaiters.wait();
  }

  release(): void {
    this.gate = undefined;
    this.open();
    if (this.waiting.length > 0 && !this.running) void this.run();
  }

  settle(inputs: readonly Message[], exceptions: Exceptions): Promise<void> {
    return new Promise((resolve, reject) => {
      this.waiting.push({ inputs, exceptions, resolve, reject });
      if (!this.running && this.gate === undefined) void this.run();
    });
  }

  fateOf(input: Message): Fate {
    let fate = this.fates.get(input);
    if (fate === undefined) this.fates.set(input, (fate = new Fate()));
    return fate;
  }

  /** Gives back what follows a message that has had no outcome since `before` (performance.now). */
  sweep(before: number): void {
    for (const [message, fate] of this.fates) {
      if (fate.since >= before) break;
      this.fates.delete(message);
      fate.settle({
        kind: 'retry',
        code: 'PB_SETTLE_DEADLINE',
        cause: `the message that it follows in ${this.name} has no outcome`,
        afterMs: 0,
      });
    }
  }

  private async run(): Promise<void> {
    this.running = true;
    while (this.waiting.length > 0 && this.gate === undefined) {
      const group = this.waiting;
      this.waiting = [];
      let failure: Outcome | undefined;
      try {
        await this.handler.settled?.(group.flatMap(resultsOf));
        this.onResult(undefined);
        for (const { resolve } of group) resolve();
      } catch (error) {
        failure = uncommitted(this.name, error);
        this.onResult(error);
        for (const { reject } of group) reject(error);
      }
      if (this.fates.size > 0) for (const each of group) this.decide(each, failure);
    }
    this.running = false;
    this.idleWaiters.wake();
  }

  private decide({ inputs, exceptions }: Waiting, failure: Outcome | undefined): void {
    for (let i = 0; i < inputs.length; i++) {
      const fate = this.fates.get(inputs[i] as Message);
      if (fate === undefined) continue;
      this.fates.delete(inputs[i] as Message);
      fate.settle(exceptions.get(i) ?? failure ?? DELIVERED);
    }
  }
}

function resultsOf({ inputs, exceptions }: Waiting): Settled[] {
  return inputs.map((message, i) => ({ message, result: resultOf(exceptions.get(i)) }));
}

function resultOf(outcome: Outcome | undefined): Settled['result'] {
  if (outcome === undefined) return 'kept';
  if (!isKept(outcome)) return 'back';
  return outcome.kind === 'refused' ? 'refused' : 'kept';
}

/** A batch that went into a handler that wants to know. */
interface Visit {
  readonly name: string;
  readonly settler: Settler;
  readonly inputs: readonly Message[];
  /** Undefined while input i is root i. */
  readonly roots: readonly number[] | undefined;
  places: Map<Message, number> | undefined;
}

interface Follow {
  readonly visit: Visit;
  readonly root: number;
  readonly reason: string;
  /** A root of the same batch, or a message elsewhere. */
  readonly of: number | Fate;
}

/** What one batch of a pipeline owes the handlers that remember. */
export class Settling {
  private readonly visits: Visit[] = [];
  private follows: Follow[] = [];

  /** To be called before the handler gets `inputs`. */
  visit(name: string, settler: Settler, inputs: readonly Message[], roots: readonly number[] | undefined): void {
    this.visits.push({ name, settler, inputs, roots, places: undefined });
  }

  /** The last visited handler filtered (a part of) `root`, and another message decides for it. */
  follow(root: number, item: Filtered): void {
    const visit = this.visits.at(-1);
    if (visit === undefined) return;
    const { reason } = item;
    if (item instanceof FollowsFate) this.follows.push({ visit, root, reason, of: item.fate });
    else if (item.follows !== undefined) {
      const place = placeOf(visit, item.follows);
      const of = place === undefined ? visit.settler.fateOf(item.follows) : rootOf(visit, place);
      this.follows.push({ visit, root, reason, of });
    }
  }

  /**
   * When everything behind the handlers has answered: decides what follows another message, then lets the handlers
   * commit, the last one first. What can't be committed is given back, and the handlers before are told so.
   * `onward`: roots of which something went on to the sinks. `told`: upstream was told already, nothing can go back.
   */
  async conclude(outcomes: Outcomes, onward: ReadonlySet<number>, told: boolean): Promise<void> {
    for (const visit of this.visits.toReversed()) {
      for (const follow of this.follows) {
        if (follow.visit !== visit) continue;
        const { root, of, reason } = follow;
        const decided = typeof of === 'number' ? outcomes.get(of) : await of.known;
        if (decided !== undefined && !isKept(decided)) outcomes.add(root, decided);
        else if (!onward.has(root)) outcomes.add(root, { kind: 'filtered', reason });
      }
    }
    for (const visit of this.visits.toReversed()) {
      try {
        await visit.settler.settle(visit.inputs, exceptionsOf(visit, outcomes));
      } catch (error) {
        if (told) continue;
        const outcome = uncommitted(visit.name, error);
        for (let i = 0; i < visit.inputs.length; i++) outcomes.add(rootOf(visit, i), outcome);
      }
    }
  }
}

function placeOf(visit: Visit, message: Message): number | undefined {
  visit.places ??= new Map(visit.inputs.map((input, i) => [input, i]));
  return visit.places.get(message);
}

function rootOf({ roots }: Visit, input: number): number {
  return roots === undefined ? input : (roots[input] as number);
}

function exceptionsOf(visit: Visit, outcomes: Outcomes): Exceptions {
  if (outcomes.empty) return ALL_KEPT;
  const exceptions = new Map<number, Outcome>();
  for (let i = 0; i < visit.inputs.length; i++) {
    const outcome = outcomes.get(rootOf(visit, i));
    if (outcome !== undefined && outcome.kind !== 'filtered' && outcome.kind !== 'dropped') exceptions.set(i, outcome);
  }
  return exceptions;
}
