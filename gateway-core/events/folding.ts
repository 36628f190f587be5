import type { EventReport } from './report.ts';

/** Most different events whose repeats are watched at a time; more pass unfolded. */
const MAX_WATCHED = 1000;

interface Watched {
  repeats: number;
  last: EventReport;
}

/**
 * Folds repeats: the first event of a kind passes at once; what repeats it (same code, type,
 * severity and subject) within the window is counted, and one event at the end of the window,
 * the last of them, says how often: `details.repeated`.
 */
export class Folding {
  private readonly windowMs: number;
  private readonly emit: (report: EventReport) => void;
  private readonly watched = new Map<string, Watched>();
  private timer: NodeJS.Timeout | undefined;

  constructor(windowMs: number, emit: (report: EventReport) => void) {
    this.windowMs = windowMs;
    this.emit = emit;
  }

  /** True when the event is to pass now; false when it was counted as a repeat. */
  admit(report: EventReport): boolean {
    if (this.windowMs <= 0 || report.act === true) return true;
    const key = JSON.stringify([report.code, report.type, report.severity, report.subject]);
    const known = this.watched.get(key);
    if (known !== undefined) {
      known.repeats++;
      known.last = report;
      return false;
    }
    if (this.watched.size < MAX_WATCHED) this.watched.set(key, { repeats: 0, last: report });
    if (this.timer === undefined) {
      this.timer = setInterval(() => this.sweep(), this.windowMs);
      this.timer.unref();
    }
    return true;
  }

  /** Emits what has been counted, and stops. */
  close(): void {
    this.sweep();
    this.watched.clear();
    clearInterval(this.timer);
    this.timer = undefined;
  }

  /** One clock for all: a window is at most `windowMs` long, the first one often shorter. */
  private sweep(): void {
    for (const [key, known] of this.watched) {
      if (known.repeats === 0) {
        this.watched.delete(key);
        continue;
      }
      const { last, repeats } = known;
      known.repeats = 0;
      const times = repeats === 1 ? 'once more' : `${repeats} more times`;
      this.emit({ ...last, message: `${last.message} (${times})`, details: { ...last.details, repeated: repeats } });
    }
    if (this.watched.size > 0) return;
    clearInterval(this.timer);
    this.timer = undefined;
  }
}
