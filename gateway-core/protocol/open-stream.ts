import type { StreamOut } from './handlers.ts';

/** What an open stream needs of its connection. */
export interface StreamWire {
  /** False while too much is unread. */
  readonly writable: boolean;
  sendItem(id: number, value: unknown): void;
  /** Tells the client, unless it is the client that has left. */
  sendEnd(id: number, error: unknown): void;
  /** The stream is over: forget it. */
  forget(id: number): void;
  /** A fault of the producer that nobody else hears of. */
  report(error: unknown): void;
}

/**
 * One subscription on the engine's side: holds its credit and never lets an item pass beyond it.
 * `onReady` fires once after each time the producer was told, by `ready` or `send`, to wait.
 */
export class OpenStream implements StreamOut<unknown> {
  private readonly wire: StreamWire;
  private readonly id: number;
  private credit: number;
  private ended = false;
  /** The producer has been told to wait and is owed a call. */
  private waiting: boolean;
  private listener: (() => void) | undefined;
  private stop: (() => void) | undefined;

  constructor(wire: StreamWire, id: number, credit: number) {
    this.wire = wire;
    this.id = id;
    this.credit = credit;
    this.waiting = credit === 0;
  }

  get ready(): boolean {
    const ready = !this.ended && this.credit > 0 && this.wire.writable;
    if (!ready) this.waiting = true;
    return ready;
  }

  send(item: unknown): boolean {
    if (!this.ready) return false;
    this.credit--;
    try {
      this.wire.sendItem(this.id, item);
    } catch (error) {
      this.end(error);
      return false;
    }
    if (this.credit === 0) this.waiting = true;
    return true;
  }

  onReady(listener: () => void): void {
    this.listener = listener;
  }

  end(error?: unknown): void {
    if (this.ended) return;
    this.wire.sendEnd(this.id, error);
    this.close();
  }

  /** What was given and is not used up. */
  get open(): number {
    return this.credit;
  }

  give(credit: number): void {
    this.credit += credit;
    this.wake();
  }

  /** Calls the producer when it waits and may go on. */
  wake(): void {
    if (!this.waiting || this.ended || this.credit === 0 || !this.wire.writable) return;
    this.waiting = false;
    try {
      this.listener?.();
    } catch (error) {
      this.end(error);
    }
  }

  /** Takes the producer's stop function; runs it at once when the stream is over already. */
  started(stop: () => void): void {
    this.stop = stop;
    if (this.ended) this.runStop();
  }

  /** The end, from whichever side: no more items, the producer is stopped, once. */
  close(): void {
    if (this.ended) return;
    this.ended = true;
    this.listener = undefined;
    this.wire.forget(this.id);
    this.runStop();
  }

  private runStop(): void {
    const stop = this.stop;
    this.stop = undefined;
    try {
      stop?.();
    } catch (error) {
      this.wire.report(error);
    }
  }
}
