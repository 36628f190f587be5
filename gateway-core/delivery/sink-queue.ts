/**
 * The queue before a sink: holds what was handed over until the sink has done it, retries
 * with back-off, reopens a sink whose peer went away, isolates the message that a sink
 * can't take, and gives back what has waited past the deadline.
 *
 * A circuit breaker spares a peer that fails: after some failures in a row nothing is written for a
 * while that grows, then one write alone is the probe that decides.
 *
 * Order: first deliveries keep theirs. A message that must be tried again holds up only
 * later ones with the same `partitionkey`, if it has one.
 */
import { BackOffError, ConfigError, NotConnectedError, PatchbayError, RefuseError } from '../plugin-api/errors.ts';
import { stackOf } from '../flow/traced-refusal.ts';
import type { Message, Sink, WriteException, WriteResult } from '../plugin-api/index.ts';
import type { InstanceState } from '../protocol/model.ts';
import { BackOff } from './back-off.ts';
import type { DeadLetters } from './dead-letters.ts';
import { DROPPED, NO_EXCEPTIONS, type Ended, type OutcomeAt } from './outcomes.ts';
import type { Lineage } from '../storage/spool-wire.ts';
import type { Target } from './target.ts';
import { Waiters } from './waiters.ts';

export interface SinkQueueOptions {
  readonly name: string;
  /** `write` calls at once. */
  readonly concurrency: number;
  /** Bounds of what waits; room ends when either is reached. */
  readonly maxMessages: number;
  readonly maxBytes: number;
  /** Without room: `block` says so by `room()`; the others drop, counted. */
  readonly whenFull: 'block' | 'dropNewest' | 'dropOldest';
  /** What waited longer is given back upstream; Infinity where something else keeps it. */
  readonly deadlineMs: number;
  /** A `write` that takes longer counts as a lost connection. */
  readonly writeMs: number;
  readonly deadLetters: DeadLetters;
  /** Told of every change; `reason` is for people. */
  onState(state: InstanceState, reason: string, error?: unknown): void;
}

const MAX_WRITE = 512;
const THROWS_BEFORE_REFUSAL = 3;
const FIRST_RETRY_MS = 200;
const MAX_RETRY_MS = 30_000;
/** Failed writes in a row before the circuit opens. */
const FAILURES_BEFORE_OPEN = 5;

/** One `enqueue`. */
interface Chunk {
  readonly items: readonly Message[];
  readonly pipeline: string;
  readonly done: (exceptions: readonly OutcomeAt[]) => void;
  readonly delivered: ((index: number) => void) | undefined;
  readonly since: number;
  readonly bytes: number;
  left: number;
  exceptions: OutcomeAt[] | undefined;
}

/** One message of a chunk, on its way alone: it was tried before, or waits for one that was. */
interface Entry {
  readonly chunk: Chunk;
  readonly index: number;
  attempts: number;
  /** Not before this time (performance.now). */
  due: number;
  /** To be written in a batch of its own, since a batch with it failed. */
  alone: boolean;
}

/** What one `write` call was given. */
interface Write {
  readonly items: readonly Message[];
  /** Whole fresh chunks in order, or entries; never both. */
  readonly chunks: readonly Chunk[];
  readonly entries: readonly Entry[];
}

export class SinkQueue implements Target {
  readonly name: string;
  readonly spools = false;
  private readonly options: SinkQueueOptions;
  private sink: Sink | undefined;
  private isOpen = false;
  private ended = false;
  private held = false;
  private paused = false;
  private breaker: 'closed' | 'open' | 'probing' = 'closed';
  private failures = 0;
  private generation = 0;
  private fresh: Chunk[] = [];
  private freshHead = 0;
  private again: Entry[] = [];
  private keysAgain = new Map<string, number>();
  private writing = 0;
  private count = 0;
  private bytes = 0;
  private oldest: number[] = [];
  private pausedUntil = 0;
  private readonly backOff = new BackOff(FIRST_RETRY_MS, MAX_RETRY_MS);
  private wakeTimer: NodeJS.Timeout | undefined;
  private reopenTimer: NodeJS.Timeout | undefined;
  private sweepTimer: NodeJS.Timeout | undefined;
  private readonly roomWaiters = new Waiters();
  private readonly idleWaiters = new Waiters();
  /** Messages done, refused, given back, tried again and dropped since the start. */
  readonly counts = { delivered: 0, refused: 0, returned: 0, retried: 0, dropped: 0 };

  constructor(options: SinkQueueOptions) {
    this.name = options.name;
    this.options = options;
  }

  /** Messages waiting or being written. */
  get queued(): number {
    return this.count;
  }

  /** Seconds the oldest message has waited; 0 when none does. */
  get oldestSeconds(): number {
    const first = this.oldestSince();
    return first === undefined ? 0 : (performance.now() - first) / 1000;
  }

  get full(): boolean {
    return this.count >= this.options.maxMessages || this.bytes >= this.options.maxBytes;
  }

  get isPaused(): boolean {
    return this.paused;
  }

  /** `open`: nothing is written until the next probe; `probing`: one write decides. */
  get circuit(): 'closed' | 'open' | 'probing' {
    return this.sink !== undefined && !this.isOpen && this.backOff.failures > 0 ? 'open' : this.breaker;
  }

  /** Writes nothing more until `resume`; writes under way end. */
  pause(): void {
    this.paused = true;
  }

  resume(): void {
    this.paused = false;
    this.pump();
  }

  /** Drops what waits and is not being written; how many messages that were. */
  purge(): number {
    const before = this.counts.dropped;
    for (let chunk = this.takeFresh(); chunk !== undefined; chunk = this.takeFresh()) this.drop(chunk);
    const waiting = this.again;
    this.again = [];
    for (const entry of waiting) {
      this.forgetKey(entry);
      this.counts.dropped++;
      this.except(entry.chunk, entry.index, DROPPED);
    }
    return this.counts.dropped - before;
  }

  /**
   * Opens `sink` and writes to it from now on. Resolves when it is open; when its peer is
   * away it resolves too, and opening goes on in the background. Rejects with whatever else
   * `open` threw; the queue is then without a sink.
   */
  async attach(sink: Sink): Promise<void> {
    this.sink = sink;
    this.held = false;
    this.backOff.reset();
    this.options.onState('starting', 'opening');
    const generation = ++this.generation;
    try {
      await sink.open();
      if (generation !== this.generation) return;
      this.opened();
    } catch (error) {
      if (generation !== this.generation) return;
      if (isTransient(error)) {
        this.reopenLater(error);
        return;
      }
      this.sink = undefined;
      throw error;
    }
  }

  /** Stops writing, waits for writes under way, closes the sink. What waits goes on waiting. */
  async detach(): Promise<void> {
    this.held = true;
    clearTimeout(this.reopenTimer);
    await this.idle();
    const { sink } = this;
    this.generation++;
    this.sink = undefined;
    this.isOpen = false;
    if (sink !== undefined) await sink.close();
  }

  /** Ends the queue: closes the sink and gives everything back that was not done. */
  async end(): Promise<void> {
    if (this.ended) return;
    try {
      await this.detach();
    } finally {
      this.ended = true;
      clearTimeout(this.wakeTimer);
      clearInterval(this.sweepTimer);
      this.giveBack(Infinity, 'PB_SINK_STOPPED', `${this.name} was stopped`);
      this.wakeRoom();
    }
  }

  /** Resolves when nothing waits and nothing is being written. */
  async drained(): Promise<void> {
    while (this.count > 0 && !this.ended) await this.idleWaiters.wait();
  }

  /** A fault reported from outside a call: the sink is closed and reopened with back-off. */
  fault(error: unknown): void {
    if (this.isOpen) this.disconnect(error);
  }

  /** `delivered`: told of single messages that are done before others of their batch. */
  enqueue(
    batch: readonly Message[],
    pipeline: string,
    done: (exceptions: readonly OutcomeAt[]) => void,
    delivered?: ((index: number) => void) | Lineage,
  ): void {
    if (this.ended) {
      done(batch.map((_, index) => ({ index, outcome: givenBack('PB_SINK_STOPPED', `${this.name} was stopped`) })));
      return;
    }
    const early = typeof delivered === 'function' ? delivered : undefined;
    if (
      this.isOpen &&
      !this.held &&
      !this.paused &&
      this.count === 0 &&
      this.pausedUntil === 0 &&
      this.breaker === 'closed'
    ) {
      this.writeAtOnce(batch, pipeline, done, early);
      return;
    }
    if (this.full && this.options.whenFull !== 'block' && !this.makeRoom(batch.length)) {
      this.counts.dropped += batch.length;
      done(batch.map((_, index) => ({ index, outcome: DROPPED })));
      return;
    }
    this.add(batch, pipeline, done, early);
    this.pump();
  }

  room(): Promise<void> | undefined {
    if (!this.full || this.ended || this.options.whenFull !== 'block') return undefined;
    return this.roomWaiters.wait();
  }

  /** The common case without bookkeeping: nothing waits, and the sink answers in the same turn. */
  private writeAtOnce(
    batch: readonly Message[],
    pipeline: string,
    done: (exceptions: readonly OutcomeAt[]) => void,
    delivered: ((index: number) => void) | undefined,
  ): void {
    let answer: WriteResult | Promise<WriteResult>;
    try {
      answer = (this.sink as Sink).write(batch);
    } catch (error) {
      const chunk = this.add(batch, pipeline, done, delivered);
      this.takeFresh();
      this.failed({ items: batch, chunks: [chunk], entries: [] }, error);
      this.pump();
      return;
    }
    if (answer === undefined) {
      this.counts.delivered += batch.length;
      this.succeeded();
      done(NO_EXCEPTIONS);
      return;
    }
    const chunk = this.add(batch, pipeline, done, delivered);
    this.takeFresh();
    this.follow({ items: batch, chunks: [chunk], entries: [] }, answer);
    this.pump();
  }

  private add(
    batch: readonly Message[],
    pipeline: string,
    done: (exceptions: readonly OutcomeAt[]) => void,
    delivered: ((index: number) => void) | undefined,
  ): Chunk {
    let bytes = 0;
    for (const message of batch) bytes += weight(message);
    const chunk: Chunk = {
      items: batch,
      pipeline,
      done,
      delivered,
      since: performance.now(),
      bytes,
      left: batch.length,
      exceptions: undefined,
    };
    this.fresh.push(chunk);
    this.count += batch.length;
    this.bytes += bytes;
    this.sweepTimer ??= setInterval(() => this.sweep(), 1000).unref();
    return chunk;
  }

  private takeFresh(): Chunk | undefined {
    const chunk = this.fresh[this.freshHead];
    if (chunk === undefined) return undefined;
    this.freshHead++;
    if (this.freshHead > 64 && this.freshHead * 2 > this.fresh.length) {
      this.fresh = this.fresh.slice(this.freshHead);
      this.freshHead = 0;
    }
    return chunk;
  }

  private get freshCount(): number {
    return this.fresh.length - this.freshHead;
  }

  /** Drops the oldest that wait, when that is the policy; false when it is not, or frees nothing. */
  private makeRoom(messages: number): boolean {
    if (this.options.whenFull !== 'dropOldest') return false;
    while (this.full || this.count + messages > this.options.maxMessages) {
      const chunk = this.takeFresh();
      if (chunk === undefined) break;
      this.drop(chunk);
    }
    return !this.full;
  }

  private drop(chunk: Chunk): void {
    const { left } = chunk;
    this.counts.dropped += left;
    chunk.exceptions = chunk.items.map((_, index) => ({ index, outcome: DROPPED }));
    this.finish(chunk, left);
  }

  private pump(): void {
    while (
      this.isOpen &&
      !this.held &&
      !this.paused &&
      !this.ended &&
      this.writing < (this.breaker === 'closed' ? this.options.concurrency : 1)
    ) {
      const now = performance.now();
      if (this.pausedUntil > now) {
        this.wakeAt(this.pausedUntil);
        return;
      }
      this.pausedUntil = 0;
      if (this.breaker === 'open') this.breaker = 'probing';
      const write = this.gather(now);
      if (write === undefined) {
        if (this.again.length > 0) this.wakeAt(Math.min(...this.again.map((entry) => entry.due)));
        return;
      }
      this.start(write);
    }
  }

  private gather(now: number): Write | undefined {
    if (this.again.length > 0) {
      const due = this.dueEntries(now);
      if (due.length > 0)
        return { items: due.map((entry) => entry.chunk.items[entry.index] as Message), chunks: [], entries: due };
    }
    if (this.freshCount === 0) return undefined;
    if (this.keysAgain.size > 0) return this.gatherUnblocked();
    const first = this.takeFresh() as Chunk;
    if (first.items.length >= MAX_WRITE || this.freshCount === 0 || this.breaker === 'probing')
      return { items: first.items, chunks: [first], entries: [] };
    const chunks = [first];
    let size = first.items.length;
    for (
      let next = this.fresh[this.freshHead];
      next !== undefined && size + next.items.length <= MAX_WRITE;
      next = this.fresh[this.freshHead]
    ) {
      this.takeFresh();
      chunks.push(next);
      size += next.items.length;
    }
    return { items: chunks.length === 1 ? first.items : chunks.flatMap((chunk) => chunk.items), chunks, entries: [] };
  }

  /** Due entries in order; of one key only up to the first that is not due. */
  private dueEntries(now: number): Entry[] {
    const due: Entry[] = [];
    const rest: Entry[] = [];
    const waitingKeys = new Set<string>();
    for (const entry of this.again) {
      const key = keyOf(entry.chunk.items[entry.index] as Message);
      const free = key === undefined || !waitingKeys.has(key);
      const fits = due.length < MAX_WRITE && !(due[0]?.alone === true) && !(entry.alone && due.length > 0);
      if (entry.due <= now && free && fits) due.push(entry);
      else {
        rest.push(entry);
        if (key !== undefined) waitingKeys.add(key);
      }
    }
    if (due.length > 0) {
      this.again = rest;
      for (const entry of due) this.forgetKey(entry);
    }
    return due;
  }

  /** While keys wait, fresh messages go one by one: those of a waiting key line up behind it. */
  private gatherUnblocked(): Write | undefined {
    for (let chunk = this.takeFresh(); chunk !== undefined; chunk = this.takeFresh()) {
      const entries: Entry[] = [];
      for (let index = 0; index < chunk.items.length; index++) {
        const entry: Entry = { chunk, index, attempts: 0, due: 0, alone: false };
        const key = keyOf(chunk.items[index] as Message);
        if (key !== undefined && this.keysAgain.has(key)) this.putAgain(entry);
        else entries.push(entry);
      }
      if (entries.length > 0)
        return { items: entries.map((entry) => chunk.items[entry.index] as Message), chunks: [], entries };
    }
    return undefined;
  }

  private start(write: Write): void {
    let answer: WriteResult | Promise<WriteResult>;
    try {
      answer = (this.sink as Sink).write(write.items);
    } catch (error) {
      this.failed(write, error);
      return;
    }
    this.follow(write, answer);
  }

  private follow(write: Write, answer: WriteResult | Promise<WriteResult>): void {
    if (!(answer instanceof Promise)) {
      this.wrote(write, answer ?? []);
      return;
    }
    this.writing++;
    let over = false;
    const end = (act: () => void): void => {
      // A late answer of a write that was given up says nothing any more: it has been put back.
      if (over) return;
      over = true;
      clearTimeout(limit);
      act();
      this.writing--;
      this.wakeIdle();
      this.pump();
    };
    const { writeMs } = this.options;
    const limit = setTimeout(
      () => end(() => this.failed(write, new NotConnectedError(`no answer to a write within ${writeMs / 1000} s`))),
      writeMs,
    );
    answer.then(
      (exceptions) => end(() => this.wrote(write, exceptions ?? [])),
      (error: unknown) => end(() => this.failed(write, error)),
    );
  }

  /** The peer took something. */
  private succeeded(): void {
    this.failures = 0;
    if (this.breaker === 'closed' && this.backOff.failures === 0) return;
    this.breaker = 'closed';
    this.backOff.reset();
    this.options.onState('running', '');
  }

  /** The peer took nothing of a write. `reason` is for people. */
  private unsuccessful(reason: string): void {
    if (this.breaker === 'closed' && ++this.failures < FAILURES_BEFORE_OPEN) return;
    this.breaker = 'open';
    const delay = this.backOff.next();
    this.pausedUntil = Math.max(this.pausedUntil, performance.now() + delay);
    this.options.onState('retrying', `${reason}; next try in ${Math.max(1, Math.round(delay / 1000))} s`);
  }

  private wrote(write: Write, exceptions: readonly WriteException[]): void {
    if (exceptions.length === 0) {
      this.counts.delivered += write.items.length;
      this.succeeded();
      for (const chunk of write.chunks) this.finish(chunk, chunk.left);
      for (const { chunk, index } of write.entries) {
        chunk.delivered?.(index);
        this.finish(chunk, 1);
      }
      return;
    }
    const now = performance.now();
    const firstRetry = exceptions.find(({ kind }) => kind === 'retry');
    if (exceptions.length < write.items.length || firstRetry === undefined) this.succeeded();
    else this.unsuccessful(firstRetry.cause);
    const byIndex = new Map(exceptions.map((exception) => [exception.index, exception]));
    const retries: Entry[] = [];
    this.entriesOf(write).forEach((entry, index) => {
      const exception = byIndex.get(index);
      if (exception === undefined) {
        this.counts.delivered++;
        entry.chunk.delivered?.(entry.index);
        this.finish(entry.chunk, 1);
      } else if (exception.kind === 'refuse') this.refuse(entry, exception.code, exception.cause);
      else {
        entry.due = now + (exception.afterMs ?? retryDelay(entry.attempts));
        retries.push(entry);
      }
    });
    this.putBack(retries);
  }

  private failed(write: Write, error: unknown): void {
    const entries = this.entriesOf(write);
    if (error instanceof RefuseError && entries.length === 1) {
      this.succeeded();
      this.refuse(entries[0] as Entry, error.code, error.message, stackOf(error));
      return;
    }
    if (error instanceof NotConnectedError) {
      this.putBack(entries, 0);
      this.disconnect(error);
      return;
    }
    if (error instanceof BackOffError) {
      this.pausedUntil = performance.now() + error.afterMs;
      this.options.onState('retrying', error.message, error);
      this.putBack(entries, 0);
      return;
    }
    const only = entries.length === 1 ? (entries[0] as Entry) : undefined;
    if (only !== undefined && !(error instanceof PatchbayError) && only.attempts + 1 >= THROWS_BEFORE_REFUSAL) {
      this.refuse(only, 'PB_PLUGIN_THREW', error instanceof Error ? error.message : String(error), stackOf(error));
      return;
    }
    const reason = error instanceof Error ? error.message : String(error);
    this.options.onState('degraded', reason, error);
    // With several messages the next writes, one by one, show whether it is one of them or the peer.
    if (entries.length === 1) this.unsuccessful(reason);
    const due = entries.length === 1 ? performance.now() + retryDelay((entries[0] as Entry).attempts) : 0;
    for (const entry of entries) entry.alone = true;
    this.putBack(entries, due);
  }

  private entriesOf(write: Write): readonly Entry[] {
    if (write.entries.length > 0) return write.entries;
    return write.chunks.flatMap((chunk) =>
      chunk.items.map((_, index): Entry => ({ chunk, index, attempts: 0, due: 0, alone: false })),
    );
  }

  /** Puts entries before all others that wait, in their order: others of their keys may have lined up behind them. */
  private putBack(entries: readonly Entry[], due?: number): void {
    for (const entry of entries) {
      entry.attempts++;
      if (due !== undefined) entry.due = due;
      this.rememberKey(entry);
    }
    this.counts.retried += entries.length;
    this.again = [...entries, ...this.again];
  }

  private putAgain(entry: Entry): void {
    this.rememberKey(entry);
    this.again.push(entry);
  }

  private rememberKey(entry: Entry): void {
    const key = keyOf(entry.chunk.items[entry.index] as Message);
    if (key !== undefined) this.keysAgain.set(key, (this.keysAgain.get(key) ?? 0) + 1);
  }

  private forgetKey(entry: Entry): void {
    const key = keyOf(entry.chunk.items[entry.index] as Message);
    if (key === undefined) return;
    const left = (this.keysAgain.get(key) ?? 1) - 1;
    if (left === 0) this.keysAgain.delete(key);
    else this.keysAgain.set(key, left);
  }

  private refuse(entry: Entry, code: string, cause: string, stack = ''): void {
    const { chunk, index } = entry;
    this.counts.refused++;
    void this.options.deadLetters
      .add(chunk.items[index] as Message, {
        pipeline: chunk.pipeline,
        instance: this.name,
        code,
        cause,
        attempts: entry.attempts + 1,
        stack,
      })
      .then((outcome) => this.except(chunk, index, outcome));
  }

  private except(chunk: Chunk, index: number, outcome: Ended): void {
    (chunk.exceptions ??= []).push({ index, outcome });
    this.finish(chunk, 1);
  }

  private finish(chunk: Chunk, messages: number): void {
    chunk.left -= messages;
    this.count -= messages;
    if (chunk.left === 0) {
      this.bytes -= chunk.bytes;
      chunk.done(chunk.exceptions ?? NO_EXCEPTIONS);
    }
    if (!this.full) this.wakeRoom();
    if (this.count === 0) {
      clearInterval(this.sweepTimer);
      this.sweepTimer = undefined;
      this.wakeIdle();
    }
  }

  private opened(): void {
    this.isOpen = true;
    // Only a write shows that the peer takes something: until then the back-off goes on growing.
    if (this.backOff.failures > 0) this.breaker = 'probing';
    this.options.onState('running', '');
    this.pump();
  }

  private disconnect(error: unknown): void {
    this.isOpen = false;
    const { sink } = this;
    const generation = ++this.generation;
    void (async () => {
      try {
        await sink?.close();
      } catch {
        // It is being replaced because it failed; what matters is the error that led here.
      }
      if (generation === this.generation && !this.ended) this.reopenLater(error);
    })();
  }

  private reopenLater(error: unknown): void {
    const delay = error instanceof BackOffError ? error.afterMs : this.backOff.next();
    const seconds = Math.max(1, Math.round(delay / 1000));
    this.options.onState(
      'retrying',
      `${error instanceof Error ? error.message : String(error)}; next try in ${seconds} s`,
      error,
    );
    const { generation } = this;
    this.reopenTimer = setTimeout(() => void this.reopen(generation), delay);
  }

  private async reopen(generation: number): Promise<void> {
    if (generation !== this.generation || this.ended || this.held || this.sink === undefined) return;
    try {
      await this.sink.open();
      if (generation === this.generation) this.opened();
    } catch (error) {
      if (generation !== this.generation) return;
      if (error instanceof ConfigError) this.options.onState('failed', error.message, error);
      else this.reopenLater(error);
    }
  }

  private oldestSince(): number | undefined {
    this.oldest.length = 0;
    const fresh = this.fresh[this.freshHead];
    if (fresh !== undefined) this.oldest.push(fresh.since);
    for (const entry of this.again) this.oldest.push(entry.chunk.since);
    return this.oldest.length === 0 ? undefined : Math.min(...this.oldest);
  }

  private sweep(): void {
    this.giveBack(
      performance.now() - this.options.deadlineMs,
      'PB_SETTLE_DEADLINE',
      `${this.name} did not take it within ${this.options.deadlineMs / 1000} s`,
    );
  }

  /** Gives back what has waited since before `before` and is not being written. */
  private giveBack(before: number, code: string, cause: string): void {
    const outcome = givenBack(code, cause);
    for (
      let chunk = this.fresh[this.freshHead];
      chunk !== undefined && chunk.since < before;
      chunk = this.fresh[this.freshHead]
    ) {
      this.takeFresh();
      const { left } = chunk;
      this.counts.returned += left;
      chunk.exceptions = chunk.items.map((_, index) => ({ index, outcome }));
      this.finish(chunk, left);
    }
    const late = this.again.filter((entry) => entry.chunk.since < before);
    if (late.length === 0) return;
    this.again = this.again.filter((entry) => entry.chunk.since >= before);
    for (const entry of late) {
      this.forgetKey(entry);
      this.counts.returned++;
      this.except(entry.chunk, entry.index, outcome);
    }
  }

  private wakeAt(time: number): void {
    clearTimeout(this.wakeTimer);
    this.wakeTimer = setTimeout(() => this.pump(), Math.max(1, time - performance.now()));
  }

  private wakeRoom(): void {
    this.roomWaiters.wake();
  }

  private wakeIdle(): void {
    this.idleWaiters.wake();
  }

  private async idle(): Promise<void> {
    while (this.writing > 0) await this.idleWaiters.wait();
  }
}

function isTransient(error: unknown): boolean {
  return error instanceof NotConnectedError || error instanceof BackOffError;
}

function keyOf(message: Message): string | undefined {
  return message.partitionkey === '' ? undefined : `${message.instance}\n${message.partitionkey}`;
}

function givenBack(code: string, cause: string): Ended {
  return { kind: 'retry', code, cause, afterMs: 0 };
}

function retryDelay(attempts: number): number {
  return Math.min(MAX_RETRY_MS, FIRST_RETRY_MS * 2 ** Math.min(attempts, 10)) * (0.5 + Math.random() / 2);
}

/** Rough bytes a waiting message holds in memory. */
function weight(message: Message): number {
  const { data } = message;
  if (data instanceof Uint8Array) return 200 + data.byteLength;
  if (typeof data === 'string') return 200 + data.length * 2;
  return 600;
}
