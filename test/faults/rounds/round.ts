import { setTimeout as wait } from 'node:timers/promises';
import { ACTS } from './acts.ts';
import type { Verdict } from './check.ts';
import { Random } from './random.ts';
import { World, type WorldOptions } from './world.ts';

export interface RoundResult {
  readonly seed: number;
  readonly acts: readonly string[];
  readonly verdict: Verdict;
  readonly seconds: number;
}

const ACTS_PER_ROUND = [3, 5] as const;
/** Accepted between two acts, at least. */
const BETWEEN_ACTS = 300;

/**
 * One round: everything started afresh, a few acts under load, all settled and compared. Throws with the seed and
 * what was done when something is wrong; the round's folder then stays.
 */
export async function runRound(seed: number, options: WorldOptions = {}): Promise<RoundResult> {
  const begun = performance.now();
  const random = new Random(seed);
  const acts: string[] = [];
  const world = await World.create(options);
  let done = false;
  try {
    await world.progress(BETWEEN_ACTS);
    const count = random.between(...ACTS_PER_ROUND);
    for (let i = 0; i < count; i++) {
      const act = random.weighted(ACTS);
      acts.push(act.name);
      const own = random.fork();
      await wait(own.between(0, 100));
      await act.run(world, own);
      await world.progress(BETWEEN_ACTS);
    }
    const verdict = await world.settle();
    if (verdict.faults.length > 0) throw new Error(verdict.faults.join('\n'));
    done = true;
    return { seed, acts, verdict, seconds: (performance.now() - begun) / 1000 };
  } catch (error) {
    const what = error instanceof Error ? error.message : String(error);
    throw new Error(
      `round with seed ${seed} (PATCHBAY_SEED=${seed} repeats it), after ${acts.join(', ')}; see ${world.folder}\n${what}`,
      { cause: error },
    );
  } finally {
    await world.end({ keep: !done });
  }
}
