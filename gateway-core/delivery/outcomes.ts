import type { Outcome, Outcomes as EmittedOutcomes } from '../plugin-api/index.ts';

/** Inside the gateway a message can also be dropped, by the operator's choice; for upstream that is done. */
export type Ended = Outcome | { readonly kind: 'dropped' };

/** An outcome other than delivered, by place in its batch. */
export interface OutcomeAt {
  readonly index: number;
  readonly outcome: Ended;
}

export const DROPPED: Ended = Object.freeze({ kind: 'dropped' });

export const NO_EXCEPTIONS: readonly OutcomeAt[] = Object.freeze([]);

const RANK: Readonly<Record<Ended['kind'], number>> = { delivered: 0, filtered: 1, refused: 2, dropped: 3, retry: 4 };

/** The worse of two: filtered < refused < dropped < retry; an unstored refusal is worse than a stored one, and than a drop. */
export function worse(a: Ended | undefined, b: Ended): Ended {
  if (a === undefined) return b;
  if (a.kind === 'refused' && b.kind === 'refused') return a.stored && !b.stored ? b : a;
  return rank(b) > rank(a) ? b : a;
}

/** What the source is told: of a drop, nothing. */
export function forUpstream(exceptions: readonly OutcomeAt[]): EmittedOutcomes['exceptions'] {
  return exceptions.filter(isToldUpstream);
}

function isToldUpstream(at: OutcomeAt): at is { readonly index: number; readonly outcome: Outcome } {
  return at.outcome.kind !== 'dropped';
}

function rank(outcome: Ended): number {
  return outcome.kind === 'refused' && !outcome.stored ? RANK.dropped + 0.5 : RANK[outcome.kind];
}

/** Collects what became of the messages of one batch; allocates only for those not delivered. */
export class Outcomes {
  private byIndex: Map<number, Ended> | undefined;

  /** True when every message was delivered so far. */
  get empty(): boolean {
    return this.byIndex === undefined || this.byIndex.size === 0;
  }

  add(index: number, outcome: Ended): void {
    if (outcome.kind === 'delivered') return;
    this.byIndex ??= new Map();
    this.byIndex.set(index, worse(this.byIndex.get(index), outcome));
  }

  /** Some part of it goes on: then it does not count as filtered, whatever became of its other parts. */
  goesOn(index: number): void {
    if (this.byIndex?.get(index)?.kind === 'filtered') this.byIndex.delete(index);
  }

  /** Everything not delivered, by rising index. */
  list(): readonly OutcomeAt[] {
    if (this.byIndex === undefined || this.byIndex.size === 0) return NO_EXCEPTIONS;
    return [...this.byIndex].sort((a, b) => a[0] - b[0]).map(([index, outcome]) => ({ index, outcome }));
  }
}

/** Combines what several pipelines say of one batch: filtered only where all of them filtered it. */
export class CombinedOutcomes {
  private readonly pipelines: number;
  private readonly outcomes = new Outcomes();
  private readonly filtered = new Map<number, number>();

  constructor(pipelines: number) {
    this.pipelines = pipelines;
  }

  add(exceptions: readonly OutcomeAt[]): void {
    for (const { index, outcome } of exceptions) {
      if (outcome.kind === 'filtered') {
        const times = (this.filtered.get(index) ?? 0) + 1;
        this.filtered.set(index, times);
        if (times < this.pipelines) continue;
      }
      this.outcomes.add(index, outcome);
    }
  }

  list(): readonly OutcomeAt[] {
    return this.outcomes.list();
  }
}
