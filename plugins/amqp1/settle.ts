import { isTaken, type AmqpDelivery, type AmqpIntake, type AmqpOutcome, type Outcomes } from 'patchbay/plugin-api';

const ACCEPTED: AmqpOutcome = { kind: 'accepted' };

/** From best to worst: a delivery of several records is settled by its worst. */
const RANKS = { taken: 0, refused: 1, retry: 2 } as const;

interface Verdict {
  readonly rank: number;
  readonly outcome: AmqpOutcome;
}

const TAKEN: Verdict = { rank: RANKS.taken, outcome: ACCEPTED };

/**
 * Tells the senders what became of a batch. `owners[i]` is the delivery that entry i came from;
 * `giveBack` is how a message is returned that has to be tried again.
 */
export function settleBatch(
  intake: AmqpIntake,
  deliveries: readonly AmqpDelivery[],
  owners: readonly number[] | undefined,
  outcomes: Outcomes,
  giveBack: AmqpOutcome,
): void {
  if (outcomes.exceptions.length === 0) {
    intake.settle(deliveries, ACCEPTED);
    return;
  }
  const verdicts = new Array<Verdict>(deliveries.length).fill(TAKEN);
  for (const { index, outcome } of outcomes.exceptions) {
    const at = owners === undefined ? index : (owners[index] ?? -1);
    const now = verdicts[at];
    if (now === undefined || isTaken(outcome)) continue;
    const verdict: Verdict =
      outcome.kind === 'refused'
        ? {
            rank: RANKS.refused,
            outcome: {
              kind: 'rejected',
              condition: 'amqp:precondition-failed',
              description: `${outcome.code}: ${outcome.cause}`.slice(0, 512),
            },
          }
        : { rank: RANKS.retry, outcome: giveBack };
    if (verdict.rank > now.rank) verdicts[at] = verdict;
  }
  let from = 0;
  for (let to = 1; to <= verdicts.length; to++) {
    const verdict = verdicts[from] as Verdict;
    if (to < verdicts.length && verdicts[to]?.outcome === verdict.outcome) continue;
    intake.settle(deliveries, verdict.outcome, from, to);
    from = to;
  }
}
