import type { Outcome } from '../plugin-api/index.ts';

/** An outcome other than delivered, by place in its batch. */
export interface OutcomeAt {
  readonly index: number;
  readonly outcome: Outcome;
}

export const NO_EXCEPTIONS: readonly OutcomeAt[] = Object.freeze([]);

const RANK: Readonly<Record<Outcome['kind'], number>> = { delivered: 0, filtered: 1, refused: 2, retry: 3 };

/** The worse of two: delivered < filtered < refused < retry; an unstored refusal is worse than a stored one. */
export function worse(a: Outcome | undefined, b: Outcome): Outcome {
  if (a === undefined) return b;
  if (a.kind === 'refused' && b.kind === 'refused') return a.stored && !b.stored ? b : a;
  return RANK[b.kind] > RANK[a.kind] ? b : a;
}

/** Collects what became of the messages of one batch; allocates only for those not delivered. */
export class Outcomes {
  private byIndex: Map<number, Outcome> | undefined;

  add(index: number, outcome: Outcome): void {
    if (outcome.kind === 'delivered') return;
    this.byIndex ??= new Map();
    this.byIndex.set(index, worse(this.byIndex.get(index), outcome));
  }

  /** Everything not delivered, by rising index. */
  list(): readonly OutcomeAt[] {
    if (this.byIndex === undefined) return NO_EXCEPTIONS;
    return [...this.byIndex].sort((a, b) => a[0] - b[0]).map(([index, outcome]) => ({ index, outcome }));
  }
}
