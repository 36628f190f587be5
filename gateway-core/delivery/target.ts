import type { Message } from '../plugin-api/index.ts';
import type { OutcomeAt } from './outcomes.ts';

/** Where a pipeline hands its messages over: a sink's queue here, or one in another thread. */
export interface Target {
  readonly name: string;
  /**
   * Takes the batch in order, always. `done` is called once, when every message has its
   * outcome; before `enqueue` returns when the sink took them on the spot.
   */
  enqueue(batch: readonly Message[], pipeline: string, done: (exceptions: readonly OutcomeAt[]) => void): void;
  /** Undefined when there is room; else resolves when there is again. */
  room(): Promise<void> | undefined;
}
