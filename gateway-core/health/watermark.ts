import type { Level } from '../protocol/model.ts';

const HIGH = { enter: 0.8, leave: 0.7 };
const CRITICAL = { enter: 0.95, leave: 0.9 };
/** So many looks in a row: a heap just before its garbage is collected is not a full one. */
const RISES_AFTER = 3;

/**
 * The level of something that fills up, looked at once a second. Rises when it has been above a
 * mark three times in a row, falls when it is well below it, so that a value at a mark does not
 * make an event every second.
 */
export class Watermark {
  private current: Level = 'ok';
  private above = 0;

  get level(): Level {
    return this.current;
  }

  /** Takes `share` (0 to 1) of the limit; the level from then on. */
  look(share: number): Level {
    const rising = share >= CRITICAL.enter ? 'critical' : share >= HIGH.enter ? 'high' : 'ok';
    if (rank(rising) > rank(this.current)) {
      if (++this.above >= RISES_AFTER) this.set(rising);
      return this.current;
    }
    this.above = 0;
    if (this.current === 'critical' && share < CRITICAL.leave) this.current = 'high';
    if (this.current === 'high' && share < HIGH.leave) this.current = 'ok';
    return this.current;
  }

  private set(level: Level): void {
    this.current = level;
    this.above = 0;
  }
}

function rank(level: Level): number {
  return level === 'ok' ? 0 : level === 'high' ? 1 : 2;
}
