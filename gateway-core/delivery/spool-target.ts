/**
 * A pipeline's way into a spool: a batch is packed, which fixes its ids, and is done when the spool
 * thread has committed it, synced. Where the sink runs in the same worker, the batch is then given
 * to its reader from memory.
 */
import { pack } from '../flow/pack.ts';
import type { Message } from '../plugin-api/index.ts';
import { errorRegistry, fill, type ErrorCode } from '../protocol/errors/index.ts';
import type { Lineage } from '../storage/spool-wire.ts';
import { DROPPED, NO_EXCEPTIONS, type Ended, type OutcomeAt } from './outcomes.ts';
import type { SpoolClient } from './spool-client.ts';
import type { SpoolReader } from './spool-reader.ts';
import type { Target } from './target.ts';
import { Waiters } from './waiters.ts';

/** Bytes on their way to the disk, from one worker to one spool; more wait at the source. */
const MAX_PENDING_BYTES = 32 * 1024 * 1024;

interface Pending {
  readonly size: number;
  readonly bytes: number;
  readonly since: number;
  readonly done: (exceptions: readonly OutcomeAt[]) => void;
}

export class SpoolTarget implements Target {
  readonly name: string;
  readonly spools = true;
  private readonly client: SpoolClient;
  private readonly reader: () => SpoolReader | undefined;
  private readonly deadlineMs: number;
  private readonly pending = new Set<Pending>();
  private bytes = 0;
  private readonly waiters = new Waiters();

  /** `reader`: the sink's, when it runs in this worker now. */
  constructor(name: string, client: SpoolClient, deadlineMs: number, reader: () => SpoolReader | undefined) {
    this.name = name;
    this.client = client;
    this.deadlineMs = deadlineMs;
    this.reader = reader;
  }

  enqueue(
    batch: readonly Message[],
    pipeline: string,
    done: (exceptions: readonly OutcomeAt[]) => void,
    lineage?: Lineage,
  ): void {
    const block = pack(batch);
    const bytes = block.byteLength;
    const pending: Pending = { size: batch.length, bytes, since: performance.now(), done };
    this.pending.add(pending);
    this.bytes += bytes;
    const whole = lineage ?? { flight: this.client.begin(), size: batch.length, spools: 1, roots: undefined };
    this.client.append(this.name, pipeline, whole, batch.length, block, {
      stored: (seq) => {
        this.reader()?.offer(seq, pipeline, batch, bytes);
        this.settle(pending, NO_EXCEPTIONS);
      },
      dropped: () => this.settle(pending, all(pending, DROPPED)),
      failed: (code, details) => this.settle(pending, all(pending, givenBack(code, details))),
    });
  }

  room(): Promise<void> | undefined {
    if (this.bytes >= MAX_PENDING_BYTES) return this.waiters.wait();
    return this.client.room(this.name);
  }

  /** Gives back what has waited for its commit past the deadline. Called once a second. */
  sweep(): void {
    const before = performance.now() - this.deadlineMs;
    for (const pending of this.pending) {
      if (pending.since >= before) break;
      this.settle(pending, all(pending, givenBack('PB_SETTLE_DEADLINE', { seconds: this.deadlineMs / 1000 })));
    }
  }

  private settle(pending: Pending, exceptions: readonly OutcomeAt[]): void {
    if (!this.pending.delete(pending)) return;
    this.bytes -= pending.bytes;
    pending.done(exceptions);
    if (this.bytes < MAX_PENDING_BYTES) this.waiters.wake();
  }
}

function all({ size }: Pending, outcome: Ended): OutcomeAt[] {
  return Array.from({ length: size }, (_, index) => ({ index, outcome }));
}

function givenBack(code: ErrorCode, details: Readonly<Record<string, unknown>>): Ended {
  return { kind: 'retry', code, cause: fill(errorRegistry[code].template, details), afterMs: 0 };
}
