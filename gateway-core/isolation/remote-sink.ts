/** A sink that runs in another thread: batches cross as packed blocks, outcomes come back by number. */
import type { MessagePort } from 'node:worker_threads';
import type { OutcomeAt } from '../delivery/outcomes.ts';
import type { Target } from '../delivery/target.ts';
import { pack, unpack } from '../flow/pack.ts';
import type { Message } from '../plugin-api/index.ts';
import { Waiters } from '../delivery/waiters.ts';

type ToSink = { readonly seq: number; readonly pipeline: string; readonly block: Uint8Array<ArrayBuffer> };
type FromSink = { readonly seq: number; readonly exceptions: readonly OutcomeAt[] };

interface Sent {
  readonly batch: readonly Message[];
  readonly pipeline: string;
  readonly since: number;
  readonly done: (exceptions: readonly OutcomeAt[]) => void;
}

const WINDOW = 8192;

/** The near end. Keeps every batch until its outcome, and sends it again over a new link when the old one broke. */
export class RemoteSink implements Target {
  readonly name: string;
  readonly spools = false;
  private readonly deadlineMs: number;
  private port: MessagePort | undefined;
  private seq = 0;
  private readonly sent = new Map<number, Sent>();
  private count = 0;
  private readonly roomWaiters = new Waiters();

  constructor(name: string, deadlineMs: number) {
    this.name = name;
    this.deadlineMs = deadlineMs;
  }

  get queued(): number {
    return this.count;
  }

  /** Uses this link from now on; what has no outcome yet goes over it first, in order. */
  connect(port: MessagePort): void {
    this.port?.close();
    this.port = port;
    port.on('message', (answer: FromSink) => this.settle(answer.seq, answer.exceptions));
    port.on('close', () => {
      if (this.port === port) this.port = undefined;
    });
    for (const [seq, { batch, pipeline }] of this.sent) this.post(seq, batch, pipeline);
  }

  enqueue(batch: readonly Message[], pipeline: string, done: (exceptions: readonly OutcomeAt[]) => void): void {
    const seq = this.seq++;
    this.sent.set(seq, { batch, pipeline, since: performance.now(), done });
    this.count += batch.length;
    this.post(seq, batch, pipeline);
  }

  room(): Promise<void> | undefined {
    if (this.count < WINDOW) return undefined;
    return this.roomWaiters.wait();
  }

  /** While there is no link: gives back what has waited past the deadline. Called once a second. */
  sweep(): void {
    if (this.port !== undefined) return;
    this.giveBack(performance.now() - this.deadlineMs, 'PB_SETTLE_DEADLINE', `${this.name} did not come back in time`);
  }

  /** Ends the link and gives everything back. */
  end(): void {
    this.port?.close();
    this.port = undefined;
    this.giveBack(Infinity, 'PB_SINK_STOPPED', `${this.name} was stopped`);
  }

  private giveBack(before: number, code: string, cause: string): void {
    for (const [seq, { batch, since }] of this.sent) {
      if (since >= before) break;
      this.settle(
        seq,
        batch.map((_, index) => ({ index, outcome: { kind: 'retry', code, cause, afterMs: 0 } })),
      );
    }
  }

  private post(seq: number, batch: readonly Message[], pipeline: string): void {
    if (this.port === undefined) return;
    const block = pack(batch);
    this.port.postMessage({ seq, pipeline, block } satisfies ToSink, [block.buffer]);
  }

  private settle(seq: number, exceptions: readonly OutcomeAt[]): void {
    const sent = this.sent.get(seq);
    if (sent === undefined) return;
    this.sent.delete(seq);
    this.count -= sent.batch.length;
    sent.done(exceptions);
    if (this.count < WINDOW) this.roomWaiters.wake();
  }
}

/** The far end: hands what comes over `port` to the sink's queue. */
export function serveSink(port: MessagePort, target: Target): void {
  port.on('message', ({ seq, pipeline, block }: ToSink) => {
    target.enqueue(unpack(block), pipeline, (exceptions) => port.postMessage({ seq, exceptions } satisfies FromSink));
  });
}
