/**
 * What a source emits into: hands each batch to every pipeline it feeds and combines their
 * outcomes, the worst of which the source is told.
 */
import { CombinedOutcomes, forUpstream, type OutcomeAt } from '../delivery/outcomes.ts';
import {
  ALL_DELIVERED,
  Refused,
  type Emission,
  type Message,
  type Outcomes as EmittedOutcomes,
} from '../plugin-api/index.ts';
import type { TapPoint } from '../live/tap-point.ts';
import type { StepCounters } from './counters.ts';
import type { PipelineRun } from './pipeline-run.ts';
import { StageTime } from './stage-time.ts';
import { Waiters } from '../delivery/waiters.ts';

const AT_ONCE = Promise.resolve();
const DELIVERED: Promise<EmittedOutcomes> = Promise.resolve(ALL_DELIVERED);
const ALL_DONE: Emission = Object.freeze({ admitted: AT_ONCE, outcomes: DELIVERED });

/** A source with this many messages without an outcome gets no more room. */
const MAX_IN_FLIGHT = 32_768;

export class SourceFeed {
  readonly name: string;
  readonly counters: StepCounters;
  readonly tap: TapPoint;
  /** In `emit`: what the pipelines do at once included. */
  readonly time = new StageTime();
  /** Waiting for room. */
  readonly waiting = new StageTime();
  private pipelines: readonly PipelineRun[] = [];
  private inFlight = 0;
  private readonly roomWaiters = new Waiters();
  private readonly idleWaiters = new Waiters();

  constructor(name: string, counters: StepCounters, tap: TapPoint) {
    this.name = name;
    this.counters = counters;
    this.tap = tap;
  }

  /** The pipelines it feeds, from the next batch on. */
  connect(pipelines: readonly PipelineRun[]): void {
    this.pipelines = pipelines;
  }

  /** Resolves when everything emitted has its outcome. */
  async idle(): Promise<void> {
    while (this.inFlight > 0) await this.idleWaiters.wait();
  }

  /** See `Emit` of the plugin API. */
  readonly emit = (batch: readonly (Message | Refused)[]): Emission => {
    const begun = this.time.begin();
    const emission = this.take(batch);
    this.time.end(begun);
    return emission;
  };

  private take(batch: readonly (Message | Refused)[]): Emission {
    const size = batch.length;
    const { counters, pipelines } = this;
    counters.received += size;
    counters.lastMessage = Date.now();
    if (this.tap.active) this.tapBatch(batch);
    if (size === 0) return ALL_DONE;
    if (pipelines.length === 0) {
      counters.returned += size;
      return unconnected(this.name, size);
    }

    let left = pipelines.length;
    let combined: CombinedOutcomes | undefined;
    let single: readonly OutcomeAt[] | undefined;
    let resolve: ((outcomes: EmittedOutcomes) => void) | undefined;
    this.inFlight += size;
    const settle = (exceptions: readonly OutcomeAt[]): void => {
      if (exceptions.length > 0) {
        if (pipelines.length === 1) single = exceptions;
        else {
          combined ??= new CombinedOutcomes(pipelines.length);
          combined.add(exceptions);
        }
      }
      if (--left > 0) return;
      this.inFlight -= size;
      this.settled();
      resolve?.(outcomesOf(single ?? combined?.list()));
    };
    let taken = 0;
    for (const pipeline of pipelines) taken += pipeline.accept(batch, settle);
    // What the pipelines say they took, not what came in: the two must agree.
    counters.emitted += taken / pipelines.length;

    const outcomes =
      left === 0 ? atOnce(single ?? combined?.list()) : new Promise<EmittedOutcomes>((done) => (resolve = done));
    const admitted = this.room();
    if (outcomes === DELIVERED && admitted === AT_ONCE) return ALL_DONE;
    return { admitted, outcomes };
  }

  private room(): Promise<void> {
    let full: Promise<void>[] | undefined;
    for (const pipeline of this.pipelines) {
      const room = pipeline.room();
      if (room !== undefined) (full ??= []).push(room);
    }
    if (this.inFlight >= MAX_IN_FLIGHT) (full ??= []).push(this.roomWaiters.wait());
    if (full === undefined) return AT_ONCE;
    this.waiting.enter();
    return Promise.all(full).then(() => this.waiting.leave());
  }

  private settled(): void {
    if (this.inFlight < MAX_IN_FLIGHT) this.roomWaiters.wake();
    if (this.inFlight === 0) this.idleWaiters.wake();
  }

  private tapBatch(batch: readonly (Message | Refused)[]): void {
    if (!batch.some((item) => item instanceof Refused)) {
      this.tap.passed(batch as readonly Message[], '');
      return;
    }
    for (const item of batch) {
      if (!(item instanceof Refused)) this.tap.passed([item], '');
      else if (item.message !== undefined) this.tap.handled([item.message], [item], '', 0);
    }
  }
}

function outcomesOf(exceptions: readonly OutcomeAt[] | undefined): EmittedOutcomes {
  return exceptions === undefined || exceptions.length === 0 ? ALL_DELIVERED : { exceptions: forUpstream(exceptions) };
}

function atOnce(exceptions: readonly OutcomeAt[] | undefined): Promise<EmittedOutcomes> {
  return exceptions === undefined || exceptions.length === 0 ? DELIVERED : Promise.resolve(outcomesOf(exceptions));
}

/** No pipeline takes it: upstream keeps its messages. */
function unconnected(name: string, size: number): Emission {
  const exceptions = Array.from({ length: size }, (_, index) => ({
    index,
    outcome: {
      kind: 'retry',
      code: 'PB_SOURCE_UNCONNECTED',
      cause: `${name} feeds no pipeline`,
      afterMs: 1000,
    } as const,
  }));
  return { admitted: AT_ONCE, outcomes: Promise.resolve({ exceptions }) };
}
