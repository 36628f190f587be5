/**
 * Seeded rounds of random faults: none accepted and missing, duplicates counted, order per key kept. Always the same
 * rounds here, so that a change is judged by what it changes; `npm run soak -- rounds` takes others each time.
 */
import { afterAll, describe, it } from 'vitest';
import { Random, givenSeed } from './rounds/random.ts';
import { runRound, type RoundResult } from './rounds/round.ts';
import { summarise } from './rounds/summary.ts';

const ROUNDS = 60;

const given = givenSeed();
const random = new Random(20_261_121);
const seeds = given !== undefined ? [given] : Array.from({ length: ROUNDS }, () => random.fork().seed);
const results: RoundResult[] = [];

describe('nothing accepted is missing, whatever is killed, frozen, refused or changed', () => {
  afterAll(() => console.log(summarise(results)));
  it.each(seeds.map((one, index) => ({ round: index + 1, seed: one })))('round $round', async ({ seed: one }) => {
    results.push(await runRound(one));
  });
});
