/** What a bench says: a line per figure, with its goal and whether it is met. */
import { show, type Summary } from './statistics.ts';

const WIDTH = 52;

export function line(what: string, figure: string): void {
  console.log(`${what.padEnd(WIDTH)} ${figure}`);
}

/** The side of the confidence interval that is nearer to the goal decides: "missed" says that all of it is beyond. */
export function verdict(
  what: string,
  value: Summary,
  goal: { readonly atLeast: number } | { readonly atMost: number },
): void {
  const { met, missed, text } =
    'atLeast' in goal
      ? { met: value.low >= goal.atLeast, missed: value.high < goal.atLeast, text: `at least ${goal.atLeast}` }
      : { met: value.high <= goal.atMost, missed: value.low > goal.atMost, text: `at most ${goal.atMost}` };
  const judged = met ? 'met' : missed ? 'MISSED' : 'not decided: too noisy';
  line(what, `${show(value)}   goal: ${text}: ${judged}`);
}
