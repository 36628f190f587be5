import { MessageChannel, type MessagePort, type Worker } from 'node:worker_threads';
import { CodedError } from '../engine/error.ts';
import { codedEvent, type EventReport } from '../events/report.ts';
import type { Logger } from '../plugin-api/context.ts';
import { StoreClient } from './client.ts';
import type { StorageLimits } from './storage.ts';
import type { FreshPort, ThreadCommand, ThreadData, ThreadReport } from './wire.ts';

const FIRST_RESTART_MS = 100;
const LONGEST_RESTART_MS = 30_000;
/** A thread that ran this long has recovered: the back-off begins anew. */
const STEADY_MS = 60_000;

export type StartThread = (data: ThreadData) => Worker;

export interface SupervisedThread {
  /** What people call it: `storage`, `spool`. */
  readonly name: string;
  readonly data: ThreadData;
  readonly start: StartThread;
  readonly onEvent: (event: EventReport) => void;
  readonly log: Logger;
  /** It runs (again): requests of the engine go to it from now on. */
  readonly onUp?: () => void;
}

/** Runs one of the threads that own SQLite files: starts it again with back-off when it dies, with an event, and leads workers to the one that runs. */
export class ThreadSupervisor {
  private readonly options: SupervisedThread;
  private data: ThreadData;
  /** The engine's own way to it. */
  readonly client = new StoreClient();
  /** Our ends of the workers' ports: the way to a new thread is sent through them. */
  private readonly workers = new Set<MessagePort>();
  private worker: Worker | undefined;
  private restarts = 0;
  private timer: NodeJS.Timeout | undefined;
  private closing: Promise<void> | undefined;
  private ended = false;

  constructor(options: SupervisedThread) {
    this.options = options;
    this.data = options.data;
  }

  /** Resolves when the files are open, rejects when they cannot be opened. */
  start(): Promise<void> {
    return new Promise((resolve, reject) => {
      const worker = this.options.start(this.data);
      const started = Date.now();
      let ready = false;
      let reason = '';
      let failure: CodedError | undefined;
      this.worker = worker;
      worker.on('message', (report: ThreadReport) => {
        switch (report.kind) {
          case 'ready':
            ready = true;
            this.connect(worker);
            resolve();
            return;
          case 'failed':
            failure = new CodedError(report.code, report.details);
            return;
          case 'event':
            this.options.onEvent(report.event);
            return;
          case 'closed':
            this.ended = true;
        }
      });
      worker.on('error', (error: unknown) => {
        reason = error instanceof Error ? error.message : String(error);
      });
      worker.on('exit', (code) => {
        if (this.worker === worker) this.worker = undefined;
        if (reason === '') reason = failure?.message ?? `exit code ${code}`;
        if (!ready) reject(failure ?? new CodedError('PB_STORE_IO', { file: this.data.folder, reason }));
        else if (this.closing === undefined) this.restart(reason, Date.now() - started > STEADY_MS);
      });
      // What waits for an answer keeps the process alive, the thread alone does not.
      worker.unref();
      if (!ready) worker.ref();
    });
  }

  /** What the next thread starts with; the one that runs has been told. */
  changeLimits(limits: Partial<StorageLimits>): void {
    this.data = { ...this.data, limits: { ...this.data.limits, ...limits } };
  }

  /** A port for one worker, to be transferred to it. */
  async port(): Promise<MessagePort> {
    if (this.closing !== undefined) throw new CodedError('PB_STORE_CLOSED');
    const { port1, port2 } = new MessageChannel();
    port1.on('close', () => this.workers.delete(port1));
    port1.unref();
    this.workers.add(port1);
    if (this.worker !== undefined) this.giveWay(this.worker, port1);
    return port2;
  }

  private connect(worker: Worker): void {
    worker.unref();
    const { port1, port2 } = new MessageChannel();
    worker.postMessage({ kind: 'port', port: port1, access: 'all' } satisfies ThreadCommand, [port1]);
    this.client.attach(port2);
    for (const port of this.workers) this.giveWay(worker, port);
    this.options.onUp?.();
  }

  private giveWay(worker: Worker, to: MessagePort): void {
    const { port1, port2 } = new MessageChannel();
    worker.postMessage({ kind: 'port', port: port1, access: 'worker' } satisfies ThreadCommand, [port1]);
    to.postMessage({ port: port2 } satisfies FreshPort, [port2]);
  }

  private restart(reason: string, steady: boolean): void {
    this.restarts = steady ? 1 : this.restarts + 1;
    const delay = Math.min(LONGEST_RESTART_MS, FIRST_RESTART_MS * 2 ** (this.restarts - 1));
    const details = { reason, seconds: delay / 1000, restarts: this.restarts };
    this.options.log.error(`The ${this.options.name} thread ended: ${reason}`, details);
    this.options.onEvent(codedEvent('critical', 'storage', 'store.thread', 'PB_STORE_THREAD', details, 'storage'));
    this.timer = setTimeout(() => {
      this.start().catch((error: unknown) => {
        if (this.closing === undefined) this.restart(error instanceof Error ? error.message : String(error), false);
      });
    }, delay);
  }

  /** Lets it finish what it has, and ends it. */
  close(): Promise<void> {
    return (this.closing ??= this.end());
  }

  private async end(): Promise<void> {
    clearTimeout(this.timer);
    const { worker } = this;
    if (worker !== undefined) {
      // An answer can no longer come when the thread dies meanwhile: its exit rejects what waits.
      await this.client.finish();
      const exited = new Promise<void>((resolve) => {
        if (this.worker === undefined) resolve();
        else worker.on('exit', () => resolve());
      });
      worker.ref();
      worker.postMessage({ kind: 'close' } satisfies ThreadCommand);
      await exited;
      if (!this.ended) this.options.log.warn(`The ${this.options.name} thread ended without closing its files`);
    }
    this.client.close();
    for (const port of this.workers) port.close();
  }
}
