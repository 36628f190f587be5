/**
 * `npm run soak -- rounds [N] [--seed S]`: seeded rounds of faults, 1 000 unless told; `npm run soak -- steady [MINUTES]`:
 * half of the maximum rate for 30 minutes, with the curve of the gateway's memory. Exit code 1: something is wrong.
 */
import { Random, chosenSeed } from '../test/faults/rounds/random.ts';
import { runRound } from '../test/faults/rounds/round.ts';
import { curveOf, measureMaximum, runSteady, trendOf } from '../test/faults/rounds/steady.ts';
import { summarise } from '../test/faults/rounds/summary.ts';

/** @param {string} text */
const say = (text) => process.stdout.write(`${text}\n`);

/** @param {number} count @param {number} seed */
async function rounds(count, seed) {
  const random = new Random(seed);
  say(`${count} rounds, seed ${seed}`);
  /** @type {import('../test/faults/rounds/round.ts').RoundResult[]} */
  const results = [];
  let failed = 0;
  for (let i = 1; i <= count; i++) {
    try {
      // A single round is repeated by its own seed, as a failure names it.
      const result = await runRound(count === 1 ? seed : random.fork().seed);
      results.push(result);
      say(`${i}: ${result.seconds.toFixed(1)} s, ${result.verdict.accepted} accepted: ${result.acts.join(', ')}`);
    } catch (error) {
      failed++;
      say(`${i}: FAILED: ${error instanceof Error ? error.message : String(error)}`);
    }
  }
  say(summarise(results));
  if (failed > 0) say(`${failed} of ${count} rounds failed`);
  return failed === 0;
}

/** @param {number} minutes */
async function steady(minutes) {
  const maximum = await measureMaximum();
  say(`maximum ${maximum.toFixed(0)}/s, held at half of it for ${minutes} minutes`);
  const samples = await runSteady(minutes, maximum / 2, (sample) => say(curveOf([sample])));
  const { slope, uncertainty, flat } = trendOf(samples);
  say(`\n${curveOf(samples)}\n`);
  say(
    `second half: ${slope.toFixed(1)} MB an hour, give or take ${uncertainty.toFixed(1)}: ${flat ? 'flat' : 'it grows'}`,
  );
  return flat;
}

const [what = '', number] = process.argv.slice(2).filter((argument) => !argument.startsWith('--'));
const seedAt = process.argv.indexOf('--seed');
const seed = seedAt > 0 ? Number(process.argv[seedAt + 1]) >>> 0 : chosenSeed();
if (what === 'rounds') process.exitCode = (await rounds(Number(number ?? 1000), seed)) ? 0 : 1;
else if (what === 'steady') process.exitCode = (await steady(Number(number ?? 30))) ? 0 : 1;
else {
  process.stderr.write('usage: npm run soak -- rounds [N] [--seed S] | steady [MINUTES]\n');
  process.exitCode = 2;
}
