/**
 * The engine's side of the live view: one tap per subscription, its ring, and what of it goes
 * to the client: at most one batch per 100 ms, under credit, within the bytes agreed.
 */
import { unpack } from '../flow/pack.ts';
import { toCloudEvent } from '../plugin-api/cloud-event.ts';
import type { Message } from '../plugin-api/index.ts';
import { CodedError } from '../engine/error.ts';
import { compileExpression } from '../flow/expression.ts';
import type { LiveItem, Streams } from '../protocol/contract.ts';
import type { StreamOut } from '../protocol/handlers.ts';
import type { CloudEventJson, LiveBudget, LiveCounts, LiveMessage, LiveRow } from '../protocol/model.ts';
import { LiveRing, type RingEntry } from './ring.ts';
import { REPORT_MS, type TapReport, type TapSpec } from './tap.ts';

export const DEFAULT_BUDGET: LiveBudget = { rowsPerSecond: 200, bytesPerSecond: 1 << 20, ringBytes: 16 << 20 };
export const MAX_BUDGET: LiveBudget = { rowsPerSecond: 5000, bytesPerSecond: 16 << 20, ringBytes: 256 << 20 };

/** Opens and closes taps where the messages are. */
export interface TapHost {
  openTap(spec: TapSpec): Promise<boolean>;
  closeTap(tap: string): Promise<void>;
  /** Whether the instance's messages pass anywhere now, and if not why. */
  presence(instance: string): { attached: boolean; reason: string };
}

interface OpenTap {
  readonly spec: TapSpec;
  readonly budget: LiveBudget;
  readonly ring: LiveRing;
  readonly out: StreamOut<LiveItem>;
  readonly full: boolean;
  readonly totals: { seen: number; matched: number; sampled: number; filterErrors: number; unevaluated: number };
  /** Counts of the last second, one entry per report. */
  recent: { time: number; seen: number; matched: number; sampled: number }[];
  sent: number;
  byteTokens: number;
  attached: boolean | undefined;
  changed: boolean;
  timer: NodeJS.Timeout;
}

export class LiveHub {
  private readonly host: TapHost;
  private readonly taps = new Map<string, OpenTap>();
  private count = 0;

  constructor(host: TapHost) {
    this.host = host;
  }

  /** Serves one `live` subscription; the returned function ends it. Throws what a bad filter throws. */
  open(params: Streams['live']['params'], out: StreamOut<LiveItem>): () => void {
    const budget = budgetOf(params.budget);
    const tap = `tap-${++this.count}`;
    const spec: TapSpec = {
      tap,
      instance: params.instance,
      where: params.where?.trim() ?? '',
      text: params.text?.toLowerCase() ?? '',
      rowsPerSecond: budget.rowsPerSecond,
    };
    if (spec.where !== '') compileExpression(spec.where);
    const open: OpenTap = {
      spec,
      budget,
      ring: new LiveRing(budget.ringBytes),
      out,
      full: params.full === true,
      totals: { seen: 0, matched: 0, sampled: 0, filterErrors: 0, unevaluated: 0 },
      recent: [],
      sent: 0,
      byteTokens: budget.bytesPerSecond,
      attached: undefined,
      changed: true,
      timer: setInterval(() => this.tick(open), REPORT_MS),
    };
    this.taps.set(tap, open);
    out.onReady(() => this.flush(open));
    out.send({ kind: 'open', tap, budget });
    void this.host.openTap(spec).catch((error: unknown) => out.end(error));
    return () => {
      clearInterval(open.timer);
      this.taps.delete(tap);
      void this.host.closeTap(tap).catch(() => undefined);
    };
  }

  /** Rows and counts from a worker. */
  report(report: TapReport): void {
    const open = this.taps.get(report.tap);
    if (open === undefined) return;
    const { totals } = open;
    totals.seen += report.seen;
    totals.matched += report.matched;
    totals.sampled += report.rows.length;
    totals.filterErrors += report.filterErrors;
    totals.unevaluated += report.unevaluated;
    open.recent.push({
      time: performance.now(),
      seen: report.seen,
      matched: report.matched,
      sampled: report.rows.length,
    });
    for (const { row, packed } of report.rows) open.ring.push(row, packed);
    open.changed = true;
  }

  /** One whole message. Throws PB_TAP_UNKNOWN or PB_ROW_GONE. */
  message(tap: string, seq: number): LiveMessage {
    const entry = this.tap(tap).ring.at(seq);
    if (entry === undefined) throw new CodedError('PB_ROW_GONE', { seq });
    return wholeOf(entry);
  }

  /** Rows before `before` that are still in the ring, at most `limit`, oldest first. */
  page(tap: string, before: number, limit: number): { rows: readonly LiveRow[]; oldest: number; newest: number } {
    const { ring } = this.tap(tap);
    const rows = ring.slice(Math.max(ring.oldest, before - limit), before).map((entry) => entry.row);
    return { rows, oldest: ring.oldest, newest: ring.newest };
  }

  private tap(id: string): OpenTap {
    const open = this.taps.get(id);
    if (open === undefined) throw new CodedError('PB_TAP_UNKNOWN', { tap: id });
    return open;
  }

  private tick(open: OpenTap): void {
    open.byteTokens = Math.min(
      open.budget.bytesPerSecond,
      open.byteTokens + (open.budget.bytesPerSecond * REPORT_MS) / 1000,
    );
    const since = performance.now() - 1000;
    const before = open.recent.length;
    open.recent = open.recent.filter((entry) => entry.time >= since);
    if (open.recent.length !== before) open.changed = true;
    const { attached, reason } = this.host.presence(open.spec.instance);
    if (attached !== open.attached && open.out.send({ kind: 'state', attached, reason })) open.attached = attached;
    this.flush(open);
  }

  /** Sends what is new: the newest rows the bytes allow, and how many older ones were passed over. */
  private flush(open: OpenTap): void {
    const { out, ring } = open;
    if (!out.ready || (!open.changed && open.sent === ring.newest)) return;
    const fresh = ring.slice(open.sent + 1, ring.newest + 1);
    let from = fresh.length;
    let bytes = 0;
    while (from > 0) {
      const entry = fresh[from - 1] as RingEntry;
      const size =
        300 + entry.row.summary.length + entry.row.after.length + (open.full ? entry.packed.byteLength * 2 : 0);
      if (bytes + size > open.byteTokens && from < fresh.length) break;
      bytes += size;
      from--;
    }
    const entries = fresh.slice(from);
    const counts = countsOf(open);
    const skipped = ring.newest - open.sent - entries.length;
    const sent = open.full
      ? out.send({ kind: 'messages', messages: entries.map(wholeOf), counts })
      : out.send({ kind: 'rows', rows: entries.map((entry) => entry.row), counts, skipped });
    if (!sent) return;
    open.byteTokens -= bytes;
    open.sent = ring.newest;
    open.changed = false;
  }
}

/** The message as CloudEvents, made when someone asks for it. */
function wholeOf({ row, packed }: RingEntry): LiveMessage {
  const [before, ...outputs] = unpack(packed) as [Message, ...Message[]];
  const event = (message: Message): CloudEventJson => toCloudEvent(message);
  const after = row.verdict === 'unchanged' ? [event(before)] : outputs.map(event);
  return { row, before: event(before), attributes: before.attributes, ...(row.verdict === undefined ? {} : { after }) };
}

function countsOf(open: OpenTap): LiveCounts {
  const perSecond = (of: 'seen' | 'matched' | 'sampled'): number =>
    open.recent.reduce((sum, entry) => sum + entry[of], 0);
  return {
    ...open.totals,
    seenPerSecond: perSecond('seen'),
    matchedPerSecond: perSecond('matched'),
    sampledPerSecond: perSecond('sampled'),
    evicted: open.ring.evicted,
  };
}

function budgetOf(wanted: Partial<LiveBudget> | undefined): LiveBudget {
  const bounded = (name: keyof LiveBudget, least: number): number => {
    const value = wanted?.[name] ?? DEFAULT_BUDGET[name];
    return Math.min(MAX_BUDGET[name], Math.max(least, Math.floor(value)));
  };
  return {
    rowsPerSecond: bounded('rowsPerSecond', 1),
    bytesPerSecond: bounded('bytesPerSecond', 16 << 10),
    ringBytes: bounded('ringBytes', 64 << 10),
  };
}
