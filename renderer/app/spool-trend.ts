/** How fast the spools fill, from the reports of the last minute. */
import type { StatusReport } from '../../gateway-core/protocol/model.ts';

export interface Sample {
  /** ms, the engine's clock. */
  readonly time: number;
  readonly bytes: number;
}

const WINDOW_MS = 60_000;
/** Fewer, or closer together, say nothing about a trend. */
const LEAST_SAMPLES = 4;
const LEAST_SPAN_MS = 3_000;
/** What is further away than that is no news. */
const FARTHEST_SECONDS = 2 * 86_400;

/**
 * Seconds until `bytes` reaches `limit` if it goes on as in these samples (oldest first), by least squares.
 * Undefined: it does not grow, is not known yet, or is more than two days away.
 */
export function secondsToFull(samples: readonly Sample[], limit: number): number | undefined {
  const first = samples[0];
  const last = samples.at(-1);
  if (first === undefined || last === undefined || limit <= 0) return undefined;
  if (samples.length < LEAST_SAMPLES || last.time - first.time < LEAST_SPAN_MS) return undefined;
  const meanTime = mean(samples.map(({ time }) => time));
  const meanBytes = mean(samples.map(({ bytes }) => bytes));
  let above = 0;
  let below = 0;
  for (const { time, bytes } of samples) {
    above += (time - meanTime) * (bytes - meanBytes);
    below += (time - meanTime) ** 2;
  }
  const perSecond = (above / below) * 1000;
  if (perSecond <= 0) return undefined;
  const seconds = Math.max(0, limit - last.bytes) / perSecond;
  return seconds > FARTHEST_SECONDS ? undefined : Math.round(seconds);
}

function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}

/** The samples of every spool. A report that was taken already changes nothing. */
export class SpoolTrends {
  readonly #spools = new Map<string, { limit: number; samples: Sample[] }>();
  #epoch = '';
  #time = 0;

  take({ epoch, time, sinks }: Pick<StatusReport, 'epoch' | 'time' | 'sinks'>): void {
    if (epoch === this.#epoch && time <= this.#time) return;
    if (epoch !== this.#epoch) this.#spools.clear();
    this.#epoch = epoch;
    this.#time = time;
    for (const name of [...this.#spools.keys()]) if (sinks[name] === undefined) this.#spools.delete(name);
    for (const [name, { spooledBytes, spoolLimitBytes }] of Object.entries(sinks)) {
      const known = this.#spools.get(name)?.samples ?? [];
      // Emptied at one stroke: what was before says nothing about what comes.
      const purged = spooledBytes < (known.at(-1)?.bytes ?? 0) / 2;
      const recent = purged ? [] : known.filter((sample) => sample.time > time - WINDOW_MS);
      this.#spools.set(name, { limit: spoolLimitBytes, samples: [...recent, { time, bytes: spooledBytes }] });
    }
  }

  secondsToFull(sink: string): number | undefined {
    const spool = this.#spools.get(sink);
    return spool === undefined ? undefined : secondsToFull(spool.samples, spool.limit);
  }
}
