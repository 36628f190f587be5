import type { CommitTimes } from '../protocol/model.ts';

/** Seconds: from a fast SSD without syncing to a disk that hangs. */
export const COMMIT_BOUNDS = [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 10] as const;

/** How long the commits of one file take. */
export class CommitClock {
  private readonly counts = new Array<number>(COMMIT_BOUNDS.length + 1).fill(0);
  private sumSeconds = 0;
  private max = 0;

  /** Takes one commit that took `ms`. */
  took(ms: number): void {
    const seconds = ms / 1000;
    const at = COMMIT_BOUNDS.findIndex((bound) => seconds <= bound);
    const slot = at === -1 ? COMMIT_BOUNDS.length : at;
    this.counts[slot] = (this.counts[slot] ?? 0) + 1;
    this.sumSeconds += seconds;
    this.max = Math.max(this.max, seconds);
  }

  /** So far; `lastMaxSeconds` is of the time since the last call. */
  times(): CommitTimes {
    const lastMaxSeconds = this.max;
    this.max = 0;
    return { counts: [...this.counts], sumSeconds: this.sumSeconds, lastMaxSeconds };
  }
}
