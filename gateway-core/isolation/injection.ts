/** Messages that had been refused, put back into their pipeline in the thread where it runs. */
import type { Entry, PipelineRun } from '../flow/pipeline-run.ts';
import { unpack } from '../flow/pack.ts';
import type { Outcome } from '../plugin-api/index.ts';

export interface Injection {
  readonly pipeline: string;
  readonly entry: Entry;
  /** `flow/pack.ts`; the outcomes are in its order. */
  readonly block: Uint8Array;
}

/** `absent`: the pipeline does not run here. `busy`: it had no room for the whole time; nothing was taken. */
export type Injected = { readonly outcomes: readonly Outcome[] } | { readonly not: 'absent' | 'busy' };

const ROOM_MS = 2000;
const DELIVERED: Outcome = { kind: 'delivered' };
/** What a full buffer dropped is still among the dead letters. */
const NO_ROOM: Outcome = { kind: 'retry', code: 'PB_SPOOL_FULL', cause: 'a full buffer dropped it', afterMs: 0 };

/** Waits for room, at most two seconds, then hands the messages over and resolves with what became of each. */
export async function inject(run: PipelineRun | undefined, { entry, block }: Injection): Promise<Injected> {
  if (run === undefined) return { not: 'absent' };
  const room = run.room();
  if (room !== undefined && !(await inTime(room))) return { not: 'busy' };
  const messages = unpack(block);
  return new Promise((resolve) => {
    run.inject(messages, entry, (exceptions) => {
      const outcomes: Outcome[] = messages.map(() => DELIVERED);
      for (const { index, outcome } of exceptions) outcomes[index] = outcome.kind === 'dropped' ? NO_ROOM : outcome;
      resolve({ outcomes });
    });
  });
}

async function inTime(room: Promise<void>): Promise<boolean> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<boolean>((resolve) => (timer = setTimeout(() => resolve(false), ROOM_MS)));
  try {
    return await Promise.race([room.then(() => true), late]);
  } finally {
    clearTimeout(timer);
  }
}
