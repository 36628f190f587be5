import {
  Filtered,
  Refused,
  type Handler,
  type HandlerItem,
  type HandlerResult,
  type Message,
} from '../plugin-api/index.ts';
import type { TapPoint } from '../live/tap-point.ts';
import type { StepCounters } from './counters.ts';
import { refusalOf } from './traced-refusal.ts';

/** One result per input; what a step of a pipeline answers. */
export type StepResults = readonly HandlerResult[];

/**
 * A handler as pipelines call it: one batch at a time even when several pipelines share it,
 * faults turned into refusals of single messages, results checked for their shape.
 */
export class HandlerStep {
  readonly name: string;
  readonly counters: StepCounters;
  readonly tap: TapPoint;
  private handler: Pick<Handler, 'handle'>;
  private turn: Promise<unknown> | undefined;

  constructor(name: string, handler: Pick<Handler, 'handle'>, counters: StepCounters, tap: TapPoint) {
    this.name = name;
    this.handler = handler;
    this.counters = counters;
    this.tap = tap;
  }

  /** Calls go to `handler` from the next batch on. */
  replace(handler: Pick<Handler, 'handle'>): void {
    this.handler = handler;
  }

  /** Resolves when no call is under way. */
  async idle(): Promise<void> {
    while (this.turn !== undefined) await this.turn;
  }

  /** Never throws and never rejects; synchronous when the handler is. */
  handle(batch: readonly Message[]): StepResults | Promise<StepResults> {
    if (this.turn !== undefined) return this.turn.then(() => this.handle(batch));
    const answer = this.call(batch);
    if (!(answer instanceof Promise)) return answer;
    const turn = answer.finally(() => {
      if (this.turn === turn) this.turn = undefined;
    });
    this.turn = turn;
    return turn;
  }

  private call(batch: readonly Message[]): StepResults | Promise<StepResults> {
    try {
      const answer = this.handler.handle(batch);
      if (answer instanceof Promise) {
        return answer.then(
          (results) => checked(batch, results),
          (error: unknown) => this.oneByOne(batch, error),
        );
      }
      return checked(batch, answer);
    } catch (error) {
      return this.oneByOne(batch, error);
    }
  }

  /** After a batch failed as a whole: finds the messages that make it fail. */
  private oneByOne(batch: readonly Message[], error: unknown): StepResults | Promise<StepResults> {
    if (batch.length === 1) return [refusalOf(error, 1)];
    const results: HandlerResult[] = [];
    for (let i = 0; i < batch.length; i++) {
      const single = this.single(batch[i] as Message);
      if (single instanceof Promise) return this.restOneByOne(batch, i, results, single);
      results.push(single);
    }
    return results;
  }

  private async restOneByOne(
    batch: readonly Message[],
    from: number,
    results: HandlerResult[],
    first: Promise<HandlerResult>,
  ): Promise<StepResults> {
    results.push(await first);
    for (let i = from + 1; i < batch.length; i++) results.push(await this.single(batch[i] as Message));
    return results;
  }

  /** Its second try: it was in the batch that failed. */
  private single(message: Message): HandlerResult | Promise<HandlerResult> {
    try {
      const answer = this.handler.handle([message]);
      if (answer instanceof Promise) {
        return answer.then(
          (results) => checked([message], results)[0] as HandlerResult,
          (error: unknown) => refusalOf(error, 2),
        );
      }
      return checked([message], answer)[0] as HandlerResult;
    } catch (error) {
      return refusalOf(error, 2);
    }
  }
}

/** Lineage can't be kept with a wrong number of results: then the whole batch is refused. */
function checked(batch: readonly Message[], results: unknown): StepResults {
  if (Array.isArray(results) && results.length === batch.length) return results as StepResults;
  const got = Array.isArray(results) ? `${results.length} results` : typeof results;
  return batch.map(() => new Refused('PB_PLUGIN_LINEAGE', `the handler answered ${batch.length} messages with ${got}`));
}

/** True for what a handler may give for one message or part: anything else is a fault of the plugin. */
export function isMessage(item: HandlerItem | undefined): item is Message {
  return (
    typeof item === 'object' &&
    item !== null &&
    !(item instanceof Filtered) &&
    !(item instanceof Refused) &&
    'attributes' in item
  );
}
