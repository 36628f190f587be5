/** A steady load at half of what the gateway can take, with its memory watched: does it grow? */
import { Forward } from './forward.ts';

export interface Sample {
  /** Minutes since the load began. */
  readonly minutes: number;
  readonly residentMb: number;
  readonly acceptedPerSecond: number;
}

export interface Trend {
  /** Megabytes an hour, by least squares over the second half: what comes in at first is not growth. */
  readonly slope: number;
  /** Two standard errors of the slope. */
  readonly uncertainty: number;
  readonly flat: boolean;
}

/** Growth that would not matter within a day. */
const HARMLESS_MB_PER_HOUR = 5;

/** Needs at least six samples. */
export function trendOf(samples: readonly Sample[]): Trend {
  const half = samples.slice(Math.floor(samples.length / 2));
  const n = half.length;
  const hours = half.map(({ minutes }) => minutes / 60);
  const meanX = hours.reduce((sum, x) => sum + x, 0) / n;
  const meanY = half.reduce((sum, { residentMb }) => sum + residentMb, 0) / n;
  let xx = 0;
  let xy = 0;
  half.forEach(({ residentMb }, i) => {
    const x = (hours[i] as number) - meanX;
    xx += x * x;
    xy += x * (residentMb - meanY);
  });
  const slope = xy / xx;
  const rest = half.reduce(
    (sum, { residentMb }, i) => sum + (residentMb - meanY - slope * ((hours[i] as number) - meanX)) ** 2,
    0,
  );
  const uncertainty = 2 * Math.sqrt(rest / Math.max(1, n - 2) / xx);
  return { slope, uncertainty, flat: slope - uncertainty < HARMLESS_MB_PER_HOUR };
}

const WIDTH = 60;

/** A curve of text: one line per sample, at most forty. */
export function curveOf(samples: readonly Sample[]): string {
  const step = Math.max(1, Math.ceil(samples.length / 40));
  const top = Math.max(...samples.map(({ residentMb }) => residentMb));
  return samples
    .filter((_, index) => index % step === 0)
    .map(({ minutes, residentMb, acceptedPerSecond }) => {
      const bar = '#'.repeat(Math.round((residentMb / top) * WIDTH));
      return `${minutes.toFixed(1).padStart(6)} min ${residentMb.toFixed(0).padStart(5)} MB ${acceptedPerSecond.toFixed(0).padStart(7)}/s ${bar}`;
    })
    .join('\n');
}

const KEYS = Object.fromEntries(Array.from({ length: 64 }, (_, n) => [`k${n}`, 60]));
const MEASURE_SECONDS = 15;

const wait = (seconds: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, seconds * 1000));

async function loaded(rate: number): Promise<Forward> {
  const forward = await Forward.create({ sender: { keys: KEYS, rate, padding: 200, forget: true } });
  await forward.receiver.start();
  forward.receiver.answer({ quiet: true });
  forward.sender.start();
  return forward;
}

/** Messages a second that are accepted when the sender holds nothing back. */
export async function measureMaximum(): Promise<number> {
  const forward = await loaded(1_000_000);
  try {
    await wait(MEASURE_SECONDS / 3);
    const before = forward.journal.accepted;
    const begun = performance.now();
    await wait(MEASURE_SECONDS);
    return ((forward.journal.accepted - before) * 1000) / (performance.now() - begun);
  } finally {
    await forward.end();
  }
}

/** Runs the load; `onSample` hears of each sample. Throws when messages were lost or the counts do not add up. */
export async function runSteady(
  minutes: number,
  rate: number,
  onSample: (sample: Sample) => void,
): Promise<readonly Sample[]> {
  const forward = await loaded(rate);
  const samples: Sample[] = [];
  try {
    const every = Math.min(30, Math.max(2, (minutes * 60) / 60));
    const begun = performance.now();
    let last = { at: begun, accepted: 0 };
    while (performance.now() - begun < minutes * 60_000) {
      await wait(every);
      const now = performance.now();
      const { accepted } = forward.journal;
      const sample: Sample = {
        minutes: (now - begun) / 60_000,
        residentMb: forward.engine.residentMb(),
        acceptedPerSecond: ((accepted - last.accepted) * 1000) / (now - last.at),
      };
      last = { at: now, accepted };
      samples.push(sample);
      onSample(sample);
    }
    await forward.quiet();
    await forward.drained();
    const { pipelines, sinks } = await forward.engine.status();
    const flow = pipelines['flow'];
    const delivered = sinks['away']?.delivered ?? 0;
    if (flow?.addsUp !== true || delivered < forward.journal.accepted)
      throw new Error(`${forward.journal.accepted} accepted, ${delivered} delivered: ${JSON.stringify(flow)}`);
    return samples;
  } finally {
    await forward.end();
  }
}
