/**
 * Feeds a sink's queue from its spool, row by row in their order, and tells the spool what the
 * sink has done. Rows appended by this worker come from memory, as long as there is room; the
 * rest is read from disk.
 */
import { unpack } from '../flow/pack.ts';
import type { Message } from '../plugin-api/index.ts';
import type { SpoolEnd, SpooledRow } from '../storage/spool-wire.ts';
import type { Ended, OutcomeAt } from './outcomes.ts';
import type { SinkQueue } from './sink-queue.ts';
import type { Follower, SpoolClient } from './spool-client.ts';
import { Waiters } from './waiters.ts';

/** What may be in the queue at a time, beside the bytes; as much again may wait in memory behind it. */
const WINDOW_MESSAGES = 8192;
const READ_BYTES = 2 * 1024 * 1024;
/** A refused message that could not be stored as a dead letter is tried again after this. */
const UNSTORED_RETRY_MS = 5000;

interface Row {
  readonly pipeline: string;
  readonly batch: readonly Message[];
  /** Place of each message in the row; undefined: the same. */
  readonly places: readonly number[] | undefined;
  readonly bytes: number;
}

interface Outstanding {
  /** Messages without an end. */
  left: number;
  readonly bytes: number;
  /** Those done since the spool was last told, by place in the row. */
  delivered: number[];
}

export class SpoolReader implements Follower {
  private readonly sink: string;
  private readonly client: SpoolClient;
  private readonly queue: SinkQueue;
  private readonly onTrouble: (error: unknown) => void;
  /** All rows up to it have been handed to the queue. */
  private cursor = 0;
  /** The highest row known. */
  private last = 0;
  private readonly cache = new Map<number, Row>();
  private cachedBytes = 0;
  private readonly outstanding = new Map<number, Outstanding>();
  private messages = 0;
  private windowBytes = 0;
  private bytes = 0;
  private reading = false;
  private started = false;
  private ended = false;
  private telling = false;
  private readonly emptyWaiters = new Waiters();

  constructor(sink: string, client: SpoolClient, queue: SinkQueue, onTrouble: (error: unknown) => void) {
    this.sink = sink;
    this.client = client;
    this.queue = queue;
    this.onTrouble = onTrouble;
  }

  /** Begins with the oldest row there is. */
  start(): void {
    this.client.follow(this.sink, this);
  }

  /** Hands nothing more over. What the queue has not done stays in the spool. */
  end(): void {
    this.ended = true;
    this.tell();
    this.client.unfollow(this.sink);
    this.cache.clear();
    this.wakeEmpty();
  }

  head(first: number, head: number, window: number): void {
    if (first > 0) {
      this.begin(first);
      this.windowBytes = window;
    }
    this.last = Math.max(this.last, head);
    this.pump();
  }

  gone(seq: number): void {
    for (const cached of this.cache.keys()) if (cached <= seq) this.uncache(cached);
  }

  /** A row that this worker has just stored. */
  offer(seq: number, pipeline: string, batch: readonly Message[], bytes: number): void {
    this.last = Math.max(this.last, seq);
    if (seq > this.cursor && this.cachedBytes < this.windowBytes && this.cache.size < WINDOW_MESSAGES) {
      this.cache.set(seq, { pipeline, batch, places: undefined, bytes });
      this.cachedBytes += bytes;
    }
    this.pump();
  }

  /** Drops everything but what is being written now; how many messages that were. */
  async purge(): Promise<number> {
    let dropped = 0;
    for (const seq of this.cache.keys()) this.uncache(seq);
    // First: whatever leaves the queue makes room, which must not be filled from what is to go.
    this.cursor = this.last;
    dropped += this.queue.purge();
    this.tell();
    if (!this.started) return dropped;
    return dropped + (await this.client.purge(this.sink, [...this.outstanding.keys()]));
  }

  /** Resolves when the spool is empty, or the reader has ended. */
  async drained(): Promise<void> {
    const unknown = (): boolean => !this.started && this.client.connected;
    while (!this.ended && (unknown() || this.cursor < this.last || this.outstanding.size > 0))
      await this.emptyWaiters.wait();
  }

  /** Also after a restart of the spool thread: what it had not committed as done is there again. */
  private begin(first: number): void {
    this.started = true;
    this.reading = false;
    if (first <= this.cursor) for (const seq of this.cache.keys()) this.uncache(seq);
    this.cursor = first - 1;
  }

  private pump(): void {
    if (!this.started || this.ended) return;
    while (this.messages < WINDOW_MESSAGES && this.bytes < this.windowBytes && this.cursor < this.last) {
      const next = this.cursor + 1;
      const row = this.uncache(next);
      if (row === undefined) {
        this.readMore(next);
        return;
      }
      this.cursor = next;
      this.hand(next, row);
    }
  }

  private readMore(from: number): void {
    if (this.reading) return;
    this.reading = true;
    let until = this.last + 1;
    for (const seq of this.cache.keys()) {
      if (seq < from) this.uncache(seq);
      else until = Math.min(until, seq);
    }
    this.client.read(this.sink, from, until, READ_BYTES, (rows, scanned) => {
      this.reading = false;
      if (this.ended) return;
      for (const row of rows) if (row.seq > this.cursor) this.fromDisk(row);
      if (scanned <= this.cursor && rows.length === 0) {
        // It can't be read just now; the next append, or the thread's next word, tries again.
        setTimeout(() => this.pump(), 500).unref();
        return;
      }
      this.cursor = Math.max(this.cursor, scanned);
      this.pump();
      this.wakeEmpty();
    });
  }

  private fromDisk({ seq, pipeline, done, block }: SpooledRow): void {
    this.cursor = seq;
    let batch: Message[];
    try {
      batch = unpack(block);
    } catch (error) {
      // Its checksum was right, so it was packed wrongly, or by a version that packed otherwise.
      this.onTrouble(error);
      this.client.done(this.sink, seq, undefined, 'dropped', this.cursor);
      return;
    }
    if (done === undefined) {
      this.hand(seq, { pipeline, batch, places: undefined, bytes: block.byteLength });
      return;
    }
    const places: number[] = [];
    for (let i = 0; i < batch.length; i++) if (done[i] !== 1) places.push(i);
    this.hand(seq, { pipeline, batch: places.map((i) => batch[i] as Message), places, bytes: block.byteLength });
  }

  private hand(seq: number, row: Row): void {
    // After a restart of the spool thread: the queue has it still.
    if (this.outstanding.has(seq)) return;
    const { batch, bytes } = row;
    this.outstanding.set(seq, { left: batch.length, bytes, delivered: [] });
    this.messages += batch.length;
    this.bytes += bytes;
    this.enqueue(seq, row.pipeline, batch, row.places);
  }

  private enqueue(
    seq: number,
    pipeline: string,
    batch: readonly Message[],
    places: readonly number[] | undefined,
  ): void {
    // Told early, the queue reports messages one by one once some of their batch were not taken.
    const early = new Set<number>();
    this.queue.enqueue(
      batch,
      pipeline,
      (exceptions) => this.settle(seq, pipeline, batch, places, exceptions, early),
      (index) => {
        early.add(index);
        this.left(seq, 'delivered', [places?.[index] ?? index]);
      },
    );
  }

  private settle(
    seq: number,
    pipeline: string,
    batch: readonly Message[],
    places: readonly number[] | undefined,
    exceptions: readonly OutcomeAt[],
    early: ReadonlySet<number>,
  ): void {
    const row = this.outstanding.get(seq);
    if (row === undefined) return;
    if (exceptions.length === 0 && early.size === 0) {
      if (row.left === batch.length) this.left(seq, 'delivered', undefined);
      else
        this.left(
          seq,
          'delivered',
          batch.map((_, index) => places?.[index] ?? index),
        );
      return;
    }
    const other = new Map(exceptions.map(({ index, outcome }) => [index, outcome]));
    const ends: Record<SpoolEnd, number[]> = { delivered: [], deadLettered: [], dropped: [] };
    const again: number[] = [];
    for (let index = 0; index < batch.length; index++) {
      if (early.has(index)) continue;
      const place = places?.[index] ?? index;
      const end = endOf(other.get(index));
      if (end === 'unstored') again.push(index);
      else if (end !== 'stays') ends[end].push(place);
    }
    for (const end of ['delivered', 'deadLettered', 'dropped'] as const)
      if (ends[end].length > 0) this.left(seq, end, ends[end]);
    if (again.length > 0) this.laterAgain(seq, pipeline, batch, places, again);
  }

  /** Nothing stored it, so the spool must keep it, and it must not be forgotten. */
  private laterAgain(
    seq: number,
    pipeline: string,
    batch: readonly Message[],
    places: readonly number[] | undefined,
    indexes: readonly number[],
  ): void {
    setTimeout(() => {
      if (this.ended) return;
      this.enqueue(
        seq,
        pipeline,
        indexes.map((index) => batch[index] as Message),
        indexes.map((index) => places?.[index] ?? index),
      );
    }, UNSTORED_RETRY_MS).unref();
  }

  /** `places` undefined: the whole row, none of which had left before. */
  private left(seq: number, end: SpoolEnd, places: readonly number[] | undefined): void {
    const row = this.outstanding.get(seq);
    if (row === undefined) return;
    const count = places?.length ?? row.left;
    row.left -= count;
    this.messages -= count;
    if (places !== undefined && end === 'delivered') {
      row.delivered.push(...places);
      this.tellSoon();
    } else this.client.done(this.sink, seq, places, end, this.cursor);
    if (row.left === 0) {
      this.bytes -= row.bytes;
      if (row.delivered.length > 0) this.client.done(this.sink, seq, row.delivered, 'delivered', this.cursor);
      this.outstanding.delete(seq);
      this.wakeEmpty();
    }
    this.pump();
  }

  /** Single messages of a row are told together. */
  private tellSoon(): void {
    if (this.telling) return;
    this.telling = true;
    setTimeout(() => {
      this.telling = false;
      this.tell();
    }, 20);
  }

  private tell(): void {
    for (const [seq, row] of this.outstanding) {
      if (row.delivered.length === 0) continue;
      this.client.done(this.sink, seq, row.delivered, 'delivered', this.cursor);
      row.delivered = [];
    }
  }

  private uncache(seq: number): Row | undefined {
    const row = this.cache.get(seq);
    if (row === undefined) return undefined;
    this.cache.delete(seq);
    this.cachedBytes -= row.bytes;
    return row;
  }

  private wakeEmpty(): void {
    this.emptyWaiters.wake();
  }
}

function endOf(outcome: Ended | undefined): SpoolEnd | 'stays' | 'unstored' {
  if (outcome === undefined || outcome.kind === 'delivered' || outcome.kind === 'filtered') return 'delivered';
  if (outcome.kind === 'refused') return outcome.stored ? 'deadLettered' : 'unstored';
  return outcome.kind === 'dropped' ? 'dropped' : 'stays';
}
