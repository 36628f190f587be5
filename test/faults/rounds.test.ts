/** Seeded rounds of random faults: none accepted and missing, duplicates counted, order per key kept. */
import { afterAll, describe, it } from 'vitest';
import { Random, chosenSeed } from './rounds/random.ts';
import { runRound, type RoundResult } from './rounds/round.ts';
import { summarise } from './rounds/summary.ts';

const ROUNDS = 60;

const seed = chosenSeed();
const random = new Random(seed);
const repeated = process.env['PATCHBAY_SEED'] !== undefined;
const seeds = repeated ? [seed] : Array.from({ length: ROUNDS }, () => random.fork().seed);
const results: RoundResult[] = [];

describe('nothing accepted is missing, whatever is killed, frozen, refused or changed', () => {
  afterAll(() => console.log(summarise(results)));
  it.each(seeds.map((one, index) => ({ round: index + 1, seed: one })))('round $round', async ({ seed: one }) => {
    results.push(await runRound(one));
  });
});
