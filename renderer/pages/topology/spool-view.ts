/** What the canvas and the inspector say of what waits before sinks. Pure. */
import type { NeedsYou, SinkStatus, StatusReport } from '../../../gateway-core/protocol/model.ts';
import { fillTone, type Fill } from './graph.ts';

export interface BufferFill {
  /** 0 to 1. */
  readonly share: number;
  readonly tone: Fill;
}

/**
 * How full the buffer is by the bound that holds: bytes of a spool, messages of a window in memory.
 * Before a spool the window is full whenever anything waits, which is no news.
 */
export function bufferFill(sink: SinkStatus): BufferFill | undefined {
  const [used, limit] =
    sink.buffer === 'disk' ? [sink.spooledBytes, sink.spoolLimitBytes] : [sink.queued, sink.queueLimit];
  if (limit <= 0) return undefined;
  return { share: Math.min(1, used / limit), tone: sink.fullSince > 0 ? 'bad' : fillTone(used, limit) };
}

/** Messages before it: on disk, those in memory among them; without a spool, those in memory. */
export function waitingBefore(sink: SinkStatus): number {
  return sink.buffer === 'disk' ? sink.spooled : sink.queued;
}

/** Everything passes through a spool: only what stays there is worth a word, s. */
const STAYS = 5;

/** `full`, `waiting` when messages stay before it, '' when it keeps up. */
export function backlog(sink: SinkStatus): 'full' | 'waiting' | '' {
  if (sink.fullSince > 0) return 'full';
  if (waitingBefore(sink) === 0) return '';
  const held = sink.paused || sink.circuit !== 'closed' || (bufferFill(sink)?.share ?? 0) > 0.6;
  return held || sink.oldestSeconds >= STAYS ? 'waiting' : '';
}

/** Where the bar will be in ten minutes, or at its end if it is full before; for the tick on it. */
export function predictedShare(share: number, secondsToFull: number | undefined): number | undefined {
  if (secondsToFull === undefined) return undefined;
  return secondsToFull <= 600 ? 1 : share + ((1 - share) * 600) / secondsToFull;
}

export type BlockCause = 'spoolFull' | 'spoolFailing' | 'diskLow' | 'memoryFull';

export interface Block {
  readonly sink: string;
  readonly cause: BlockCause;
  /** ms since the epoch; 0: not known. */
  readonly since: number;
  /** Which of the pipelines wait for it. */
  readonly pipelines: readonly string[];
}

const CAUSES: Readonly<Partial<Record<string, BlockCause>>> = {
  PB_SPOOL_FAILING: 'spoolFailing',
  PB_SPOOL_LOW_DISK: 'diskLow',
};

/** Sinks for which these pipelines wait, by name. */
export function blocksOf(report: StatusReport | undefined, pipelines: readonly string[]): readonly Block[] {
  if (report === undefined) return [];
  const waiting = new Map<string, string[]>();
  for (const name of pipelines) {
    for (const sink of blockersOf(report, name)) waiting.set(sink, [...(waiting.get(sink) ?? []), name]);
  }
  return [...waiting]
    .sort(([a], [b]) => a.localeCompare(b))
    .map(([sink, names]) => ({
      sink,
      cause: causeOf(sink, report.sinks[sink], report.needsYou),
      since: report.sinks[sink]?.fullSince ?? 0,
      pipelines: names,
    }));
}

/** A paused or disabled pipeline waits for nobody. */
function blockersOf(report: StatusReport, pipeline: string): readonly string[] {
  const status = report.pipelines[pipeline];
  return status?.state === 'blocked' ? status.blockedBy : [];
}

function causeOf(name: string, sink: SinkStatus | undefined, needs: readonly NeedsYou[]): BlockCause {
  const told = needs.find(({ code, subject }) => subject === name && CAUSES[code] !== undefined);
  return CAUSES[told?.code ?? ''] ?? (sink?.buffer === 'disk' ? 'spoolFull' : 'memoryFull');
}

/** Equal texts, equal blocks: so that a component renders anew only when something changed. */
export function blockKey(blocks: readonly Block[]): string {
  return blocks.length === 0 ? '' : JSON.stringify(blocks);
}

export function blocksFrom(key: string): readonly Block[] {
  return key === '' ? [] : (JSON.parse(key) as readonly Block[]);
}
