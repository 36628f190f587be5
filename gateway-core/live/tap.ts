/**
 * A tap in the thread where the messages are: counts all, filters and samples before
 * anything is cloned or serialised, and hands over rows ten times a second.
 */
import { compileExpression, type CountingExpression } from '../flow/expression.ts';
import { pack } from '../flow/pack.ts';
import { Filtered, Refused, type HandlerItem, type HandlerResult, type Message } from '../plugin-api/index.ts';
import type { LiveRow } from '../protocol/model.ts';
import { searchable, sizeOf, summarise, verdictOf } from './summary.ts';

export interface TapSpec {
  readonly tap: string;
  readonly instance: string;
  /** CEL; empty: everything. */
  readonly where: string;
  /** Lower-case text; empty: everything. */
  readonly text: string;
  readonly rowsPerSecond: number;
}

/** A row without its number, and the whole message packed: what came in, then what came out. */
export interface TapRow {
  readonly row: Omit<LiveRow, 'seq'>;
  readonly packed: Uint8Array<ArrayBuffer>;
}

/** Counts since the last report. */
export interface TapReport {
  readonly tap: string;
  readonly rows: readonly TapRow[];
  readonly seen: number;
  readonly matched: number;
  readonly filterErrors: number;
  /** Seen while the filter's time was used up, hence not compared. */
  readonly unevaluated: number;
}

/** What a row is made from when its interval ends. */
interface Sample {
  readonly order: number;
  readonly time: number;
  readonly before: Message;
  readonly result: HandlerResult | undefined;
  readonly pipeline: string;
  readonly micros: number | undefined;
}

/** Ten reports a second. */
export const REPORT_MS = 100;
/** A filter may take this share of its thread. */
const FILTER_BUDGET_MS = 25;
const BATCH_FOR_CLOCK = 32;

export class Tap {
  readonly spec: TapSpec;
  private readonly where: CountingExpression | undefined;
  private samples: Sample[] = [];
  /** Rows this interval may still bring, and what the intervals of the last second brought. */
  private room: number;
  private readonly past: number[] = [];
  private seen = 0;
  private matched = 0;
  private faults = 0;
  private unevaluated = 0;
  private filterMs = 0;
  private order = 0;

  /** Throws ConfigError `PB_EXPRESSION`. */
  constructor(spec: TapSpec) {
    this.spec = spec;
    this.where = spec.where === '' ? undefined : compileExpression(spec.where);
    this.room = this.nextRoom(false);
  }

  /** Offers a batch; `results` are the handler's, absent at a source or sink. */
  offer(
    batch: readonly Message[],
    results: readonly HandlerResult[] | undefined,
    pipeline: string,
    micros: number | undefined,
  ): void {
    const time = Date.now();
    this.seen += batch.length;
    const { where } = this;
    const { text } = this.spec;
    if (where === undefined && text === '') {
      for (let i = 0; i < batch.length; i++) this.keep(time, batch[i] as Message, results?.[i], pipeline, micros);
      return;
    }
    for (let from = 0; from < batch.length; from += BATCH_FOR_CLOCK) {
      const to = Math.min(batch.length, from + BATCH_FOR_CLOCK);
      if (this.filterMs > FILTER_BUDGET_MS) {
        this.unevaluated += batch.length - from;
        return;
      }
      const started = performance.now();
      for (let i = from; i < to; i++) {
        const message = batch[i] as Message;
        if (this.matches(message, results?.[i])) this.keep(time, message, results?.[i], pipeline, micros);
      }
      this.filterMs += performance.now() - started;
    }
  }

  /** Rows and counts since the last call; undefined when nothing passed. */
  report(): TapReport | undefined {
    const { seen, matched, unevaluated } = this;
    this.past.push(this.samples.length);
    if (this.past.length >= 1000 / REPORT_MS) this.past.shift();
    this.room = this.nextRoom(matched > this.room);
    if (seen === 0) return undefined;
    const samples = this.samples.sort((a, b) => a.order - b.order);
    const report: TapReport = {
      tap: this.spec.tap,
      rows: samples.map((sample) => rowOf(this.spec.instance, sample)),
      seen,
      matched,
      filterErrors: this.faults,
      unevaluated,
    };
    this.samples = [];
    this.seen = 0;
    this.matched = 0;
    this.unevaluated = 0;
    this.filterMs = 0;
    this.order = 0;
    this.faults = 0;
    return report;
  }

  /**
   * Never more than the budget within a second. A burst after quiet may take half of what is left
   * of it at once; while there is more than fits, every interval gets its even share.
   */
  private nextRoom(crowded: boolean): number {
    const left = this.spec.rowsPerSecond - this.past.reduce((sum, rows) => sum + rows, 0);
    const share = (this.spec.rowsPerSecond * REPORT_MS) / 1000;
    return Math.max(0, Math.min(left, Math.ceil(crowded ? share : Math.max(share, left / 2))));
  }

  /**
   * A handler's message matches by what went in or by what came out. It counts as a fault of the
   * filter only when none of these could be evaluated: fields differ before and after a decoder.
   */
  private matches(message: Message, result: HandlerResult | undefined): boolean {
    const before = this.where?.faults ?? 0;
    let looked = 1;
    if (this.matchesOne(message)) return true;
    if (result !== undefined && result !== message) {
      const parts: readonly HandlerItem[] = Array.isArray(result)
        ? (result as readonly HandlerItem[])
        : [result as HandlerItem];
      for (const part of parts) {
        if (!isPlain(part)) continue;
        looked++;
        if (this.matchesOne(part)) return true;
      }
    }
    if ((this.where?.faults ?? 0) - before === looked) this.faults++;
    return false;
  }

  private matchesOne(message: Message): boolean {
    if (this.where !== undefined && !this.where.test(message)) return false;
    return this.spec.text === '' || searchable(message).includes(this.spec.text);
  }

  /** Reservoir sampling (algorithm R): each matching message of the interval has the same chance. */
  private keep(
    time: number,
    before: Message,
    result: HandlerResult | undefined,
    pipeline: string,
    micros: number | undefined,
  ): void {
    this.matched++;
    const order = this.order++;
    const { room } = this;
    if (order < room) {
      this.samples.push({ order, time, before, result, pipeline, micros });
      return;
    }
    const place = Math.floor(Math.random() * (order + 1));
    if (place < room) this.samples[place] = { order, time, before, result, pipeline, micros };
  }
}

function isPlain(item: HandlerItem): item is Message {
  return !(item instanceof Filtered) && !(item instanceof Refused);
}

function rowOf(instance: string, sample: Sample): TapRow {
  const { before, result, pipeline, micros, time } = sample;
  const parts: readonly HandlerItem[] =
    result === undefined ? [] : Array.isArray(result) ? (result as readonly HandlerItem[]) : [result as HandlerItem];
  const outputs = parts.filter(isPlain);
  const refusal = parts.find((part) => part instanceof Refused);
  const filter = parts.find((part) => part instanceof Filtered);
  const row: Omit<LiveRow, 'seq'> = {
    time,
    instance,
    origin: before.instance,
    pipeline,
    id: before.id,
    kind: before.kind,
    type: before.type,
    summary: summarise(before),
    after: outputs[0] === undefined || outputs[0] === before ? '' : summarise(outputs[0]),
    bytes: sizeOf(before),
    ...(micros === undefined ? {} : { micros }),
    ...(result === undefined ? {} : { verdict: verdictOf(before, result), parts: outputs.length }),
    ...(refusal === undefined ? {} : { code: refusal.code, reason: refusal.cause }),
    ...(refusal !== undefined || filter === undefined ? {} : { reason: filter.reason }),
  };
  // Packing copies bytes; making CloudEvents of them waits until someone opens the message.
  return { row, packed: pack(outputs.length === 1 && outputs[0] === before ? [before] : [before, ...outputs]) };
}
