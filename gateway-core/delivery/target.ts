import type { Message } from '../plugin-api/index.ts';
import type { Lineage } from '../storage/spool-wire.ts';
import type { OutcomeAt } from './outcomes.ts';

/** Where a pipeline hands its messages over: a sink's queue here, one in another thread, or a spool. */
export interface Target {
  readonly name: string;
  /** What it takes is kept on disk until the sink has it: taken is then *spooled*, not delivered. */
  readonly spools: boolean;
  /**
   * Takes the batch in order, always. `done` is called once, when every message has its
   * outcome; before `enqueue` returns when the sink took them on the spot. `lineage` comes with
   * every batch for a target that spools.
   */
  enqueue(
    batch: readonly Message[],
    pipeline: string,
    done: (exceptions: readonly OutcomeAt[]) => void,
    lineage?: Lineage,
  ): void;
  /** Undefined when there is room; else resolves when there is again. */
  room(): Promise<void> | undefined;
}

/** Where batches that went to spools are announced once they are counted. */
export interface FlightBook {
  /** A name no other batch has. */
  begin(): string;
  /** The batch has been counted here: all its roots but `excluded` are in the hands of spools. */
  settle(flight: string, pipeline: string, size: number, excluded: readonly number[]): void;
}
