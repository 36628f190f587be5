import type { MessagePort } from 'node:worker_threads';
import { CodedError } from '../engine/error.ts';
import type { ErrorCode } from '../protocol/errors/index.ts';
import type { Reply, Request } from './wire.ts';

/** Bounds of what one client may have waiting. */
export const MAX_REQUESTS = 10_000;
export const MAX_BYTES = 64 * 1024 * 1024;

interface Pending {
  readonly resolve: (value: unknown) => void;
  readonly reject: (error: CodedError) => void;
  readonly bytes: number;
  /** Where it was sent; undefined until then. */
  via: MessagePort | undefined;
}

/**
 * One end of a port to the storage thread. Requests of one turn travel together, in order.
 * Without a port (the thread is being restarted) they wait; beyond the bounds they are
 * rejected with PB_STORE_BUSY.
 */
export class StoreClient {
  private port: MessagePort | undefined;
  private readonly pending = new Map<number, Pending>();
  private outbox: Request[] = [];
  private transfers: ArrayBuffer[] = [];
  private nextId = 1;
  private bytes = 0;
  private scheduled = false;
  private closed = false;
  private idle: (() => void)[] = [];

  /** `bytes`: about what the arguments take. `transfer`: buffers that are moved and must not be used again. */
  call(op: string, args: readonly unknown[], bytes = 0, transfer?: ArrayBuffer): Promise<unknown> {
    if (this.closed) return Promise.reject(new CodedError('PB_STORE_CLOSED'));
    const waiting = this.pending.size;
    // A single request larger than the bound is let through when nothing else waits.
    if (waiting >= MAX_REQUESTS || (waiting > 0 && this.bytes + bytes > MAX_BYTES)) {
      return Promise.reject(new CodedError('PB_STORE_BUSY', { requests: waiting }));
    }
    const id = this.nextId++;
    return new Promise((resolve, reject) => {
      this.pending.set(id, { resolve, reject, bytes, via: undefined });
      this.bytes += bytes;
      this.outbox.push([id, op, args]);
      if (transfer !== undefined) this.transfers.push(transfer);
      if (this.scheduled) return;
      this.scheduled = true;
      queueMicrotask(() => this.send());
    });
  }

  /**
   * Takes the way to a storage thread just started. When a way closes, because its thread has
   * ended, what was sent on it and not answered is rejected with PB_STORE_LOST.
   */
  attach(port: MessagePort): void {
    if (this.closed) {
      port.close();
      return;
    }
    this.port = port;
    port.on('message', (replies: readonly Reply[]) => this.receive(replies));
    // Comes after the last message. (Never receiveMessageOnPort on a closed port: Node 24 crashes.)
    port.on('close', () => {
      if (this.port === port) this.port = undefined;
      for (const [id, pending] of this.pending) {
        if (pending.via === port) this.take(id)?.reject(new CodedError('PB_STORE_LOST'));
      }
    });
    port.unref();
    this.send();
  }

  /** Takes no more; resolves when all that was sent is answered. What has no thread to go to is rejected. */
  finish(): Promise<void> {
    this.closed = true;
    if (this.port === undefined) this.close();
    else this.send();
    if (this.pending.size === 0) return Promise.resolve();
    return new Promise((resolve) => this.idle.push(resolve));
  }

  /** Takes no more; what waits is rejected with PB_STORE_CLOSED. */
  close(): void {
    this.closed = true;
    this.outbox = [];
    this.transfers = [];
    this.port?.close();
    this.port = undefined;
    for (const id of this.pending.keys()) this.take(id)?.reject(new CodedError('PB_STORE_CLOSED'));
  }

  private send(): void {
    this.scheduled = false;
    if (this.port === undefined || this.outbox.length === 0) return;
    const requests = this.outbox;
    const transfers = this.transfers;
    this.outbox = [];
    this.transfers = [];
    for (const [id] of requests) {
      const pending = this.pending.get(id);
      if (pending !== undefined) pending.via = this.port;
    }
    // Only what waits for an answer keeps the process alive.
    this.port.ref();
    this.port.postMessage(requests, transfers);
  }

  private receive(replies: readonly Reply[]): void {
    for (const reply of replies) {
      const [id, value] = reply;
      const pending = this.take(id);
      if (pending === undefined) continue;
      const [, , code, details] = reply as readonly [number, unknown, ErrorCode?, Readonly<Record<string, unknown>>?];
      if (code === undefined) pending.resolve(value);
      else pending.reject(new CodedError(code, details));
    }
  }

  private take(id: number): Pending | undefined {
    const pending = this.pending.get(id);
    if (pending === undefined) return undefined;
    this.pending.delete(id);
    this.bytes -= pending.bytes;
    if (this.pending.size === 0) {
      this.port?.unref();
      for (const resolve of this.idle.splice(0)) resolve();
    }
    return pending;
  }
}
