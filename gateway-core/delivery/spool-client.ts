/**
 * A worker's way to the spool thread. What is sent in one turn travels together. When the thread
 * dies, what it has not answered fails with PB_STORE_LOST; until the next one runs, messages wait here.
 */
import type { MessagePort } from 'node:worker_threads';
import type { ErrorCode } from '../protocol/errors/index.ts';
import type { FromSpool, Lineage, SpoolEnd, SpooledRow, ToSpool } from '../storage/spool-wire.ts';
import type { FreshPort } from '../storage/wire.ts';
import type { FlightBook } from './target.ts';
import { Waiters } from './waiters.ts';

/** What became of an append. */
export interface AppendAnswer {
  stored(seq: number): void;
  dropped(): void;
  failed(code: ErrorCode, details: Readonly<Record<string, unknown>>): void;
}

/** Reads one sink's spool. */
export interface Follower {
  /** There are rows from `first` (0: unchanged) up to `head`. Comes anew when the thread was restarted, with `first`. */
  head(first: number, head: number, window: number): void;
  /** Rows up to `seq` that have not been taken were dropped. */
  gone(seq: number): void;
}

export class SpoolClient implements FlightBook {
  private port: MessagePort | undefined;
  private outbox: ToSpool[] = [];
  private transfers: ArrayBuffer[] = [];
  private scheduled = false;
  private id = 0;
  private flight = 0;
  private readonly prefix = `${process.pid.toString(36)}${Math.floor(Math.random() * 2 ** 40).toString(36)}-`;
  private readonly appends = new Map<number, AppendAnswer>();
  private readonly reads = new Map<number, (rows: readonly SpooledRow[], scanned: number) => void>();
  private readonly purges = new Map<number, (messages: number) => void>();
  private readonly followers = new Map<string, Follower>();
  private readonly full = new Set<string>();
  private readonly waiters = new Map<string, Waiters>();

  /** `way`: from `Spools.port()`, transferred here; the way to the thread that runs now comes through it. */
  constructor(way: MessagePort) {
    way.on('message', ({ port }: FreshPort) => this.attach(port));
    way.unref();
  }

  /** Stores a packed block; `block` is moved and must not be used again. */
  append(
    sink: string,
    pipeline: string,
    lineage: Lineage,
    count: number,
    block: Uint8Array<ArrayBuffer>,
    answer: AppendAnswer,
  ): void {
    const id = this.id++;
    this.appends.set(id, answer);
    this.transfers.push(block.buffer);
    this.post(['append', id, sink, pipeline, lineage, count, block]);
  }

  begin(): string {
    return this.prefix + (this.flight++).toString(36);
  }

  settle(flight: string, pipeline: string, size: number, excluded: readonly number[]): void {
    this.post(['settle', flight, pipeline, size, excluded]);
  }

  done(sink: string, seq: number, indexes: readonly number[] | undefined, end: SpoolEnd, cursor: number): void {
    this.post(['done', sink, seq, indexes, end, cursor]);
  }

  /** Rows from `from` on below `until`. Never rejects; when the thread dies it answers nothing was found. */
  read(
    sink: string,
    from: number,
    until: number,
    maxBytes: number,
    answer: (rows: readonly SpooledRow[], scanned: number) => void,
  ): void {
    const id = this.id++;
    this.reads.set(id, answer);
    this.post(['read', id, sink, from, until, maxBytes]);
  }

  /** Drops all rows but these; how many messages that were. */
  purge(sink: string, keep: readonly number[]): Promise<number> {
    const id = this.id++;
    return new Promise((resolve) => {
      this.purges.set(id, resolve);
      this.post(['purge', id, sink, keep]);
    });
  }

  follow(sink: string, follower: Follower): void {
    this.followers.set(sink, follower);
    this.post(['follow', sink]);
  }

  unfollow(sink: string): void {
    this.followers.delete(sink);
    this.post(['unfollow', sink]);
  }

  /** The follower of the sink in this worker, which may be given batches from memory. */
  followed(sink: string): boolean {
    return this.followers.has(sink);
  }

  /** False while no spool thread runs: none was needed so far, or it is being started again. */
  get connected(): boolean {
    return this.port !== undefined;
  }

  /** Undefined while the spool has room; else resolves when it has again. */
  room(sink: string): Promise<void> | undefined {
    if (!this.full.has(sink)) return undefined;
    let waiters = this.waiters.get(sink);
    if (waiters === undefined) this.waiters.set(sink, (waiters = new Waiters()));
    return waiters.wait();
  }

  private attach(port: MessagePort): void {
    this.port = port;
    port.on('message', (answers: readonly FromSpool[]) => {
      for (const answer of answers) this.take(answer);
    });
    port.on('close', () => {
      if (this.port !== port) return;
      this.port = undefined;
      this.lost();
    });
    port.unref();
    // What waits in the outbox was not sent anywhere; followers begin anew with the new thread.
    const waiting = this.outbox.filter(([what]) => what !== 'follow');
    this.outbox = [...[...this.followers.keys()].map((sink): ToSpool => ['follow', sink]), ...waiting];
    this.flush();
  }

  private lost(): void {
    const waiting = new Set(this.outbox.map((message) => (typeof message[1] === 'number' ? message[1] : -1)));
    for (const [id, answer] of this.appends) {
      if (waiting.has(id)) continue;
      this.appends.delete(id);
      answer.failed('PB_STORE_LOST', {});
    }
    for (const [id, answer] of this.reads) {
      if (waiting.has(id)) continue;
      this.reads.delete(id);
      answer([], 0);
    }
    for (const [id, answer] of this.purges) {
      if (waiting.has(id)) continue;
      this.purges.delete(id);
      answer(0);
    }
  }

  private post(message: ToSpool): void {
    this.outbox.push(message);
    if (this.scheduled) return;
    this.scheduled = true;
    queueMicrotask(() => {
      this.scheduled = false;
      this.flush();
    });
  }

  private flush(): void {
    if (this.port === undefined || this.outbox.length === 0) return;
    const { outbox, transfers } = this;
    this.outbox = [];
    this.transfers = [];
    this.port.postMessage(outbox, transfers);
  }

  private take(message: FromSpool): void {
    switch (message[0]) {
      case 'appended': {
        this.answered(message[1])?.stored(message[2]);
        return;
      }
      case 'dropped': {
        this.answered(message[1])?.dropped();
        return;
      }
      case 'failed': {
        this.answered(message[1])?.failed(message[2], message[3]);
        return;
      }
      case 'rows': {
        const answer = this.reads.get(message[1]);
        this.reads.delete(message[1]);
        answer?.(message[2], message[3]);
        return;
      }
      case 'head':
        this.followers.get(message[1])?.head(message[2], message[3], message[4]);
        return;
      case 'gone':
        this.followers.get(message[1])?.gone(message[2]);
        return;
      case 'room':
        this.roomChanged(message[1], message[2]);
        return;
      case 'purged': {
        const answer = this.purges.get(message[1]);
        this.purges.delete(message[1]);
        answer?.(message[2]);
      }
    }
  }

  private answered(id: number): AppendAnswer | undefined {
    const answer = this.appends.get(id);
    this.appends.delete(id);
    return answer;
  }

  private roomChanged(sink: string, full: boolean): void {
    if (full) {
      this.full.add(sink);
      return;
    }
    this.full.delete(sink);
    this.waiters.get(sink)?.wake();
  }
}
