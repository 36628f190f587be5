import { MessageChannel, Worker, type MessagePort } from 'node:worker_threads';
import { CodedError } from '../engine/error.ts';
import { makeFolder } from '../engine/make-folder.ts';
import { codedEvent } from '../events/report.ts';
import type { ConfigVersion, GatewayEvent } from '../protocol/model.ts';
import { StoreClient } from './client.ts';
import { decode, workerStorage } from './connect.ts';
import type { EventRow } from './event-store.ts';
import { encodeJson } from './json.ts';
import { DEFAULT_LIMITS, type Storage, type StorageFigures, type StorageOptions } from './storage.ts';
import type { FreshPort, ThreadCommand, ThreadData, ThreadReport } from './wire.ts';

const FIRST_RESTART_MS = 100;
const LONGEST_RESTART_MS = 30_000;
/** A thread that ran this long has recovered: the back-off begins anew. */
const STEADY_MS = 60_000;

export type StartThread = (data: ThreadData) => Worker;

const startThread: StartThread = (data) =>
  new Worker(new URL('./thread.ts', import.meta.url), { workerData: data, execArgv: [], name: 'storage' });

/**
 * Starts the storage thread and resolves when all its files are open. Rejects with
 * PB_STORE_NEWER, PB_STORE_MIGRATION, PB_STORE_FULL, PB_STORE_READONLY or PB_STORE_IO.
 * A damaged file is no reason to fail: it is set aside with an event. A thread that dies later
 * is started again with back-off, with an event.
 */
export async function openStorage(options: StorageOptions, start: StartThread = startThread): Promise<Storage> {
  const folder = `${options.folder}/store`;
  try {
    makeFolder(folder);
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new CodedError('PB_STORE_READONLY', { file: folder, reason }, { cause: error });
  }
  const supervisor = new Supervisor(options, { folder, limits: { ...DEFAULT_LIMITS, ...options.limits } }, start);
  await supervisor.start();
  return supervisor.storage();
}

class Supervisor {
  private readonly options: StorageOptions;
  private readonly data: ThreadData;
  private readonly startThread: StartThread;
  private readonly client = new StoreClient();
  /** Our ends of the workers' ports: the way to a new thread is sent through them. */
  private readonly workers = new Set<MessagePort>();
  private worker: Worker | undefined;
  private figures: { readonly at: number; readonly last: StorageFigures } | undefined;
  /** Times the thread was started again. */
  private revived = 0;
  private restarts = 0;
  private timer: NodeJS.Timeout | undefined;
  private closing: Promise<void> | undefined;
  private ended = false;

  constructor(options: StorageOptions, data: ThreadData, start: StartThread) {
    this.options = options;
    this.data = data;
    this.startThread = start;
  }

  /** Resolves when the files are open, rejects when they cannot be opened. */
  start(): Promise<void> {
    return new Promise((resolve, reject) => {
      const worker = this.startThread(this.data);
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
          case 'figures':
            this.figures = { at: performance.now(), last: report.figures };
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
        this.figures = undefined;
        if (reason === '') reason = failure?.message ?? `exit code ${code}`;
        if (!ready) reject(failure ?? new CodedError('PB_STORE_IO', { file: this.data.folder, reason }));
        else if (this.closing === undefined) this.restart(reason, Date.now() - started > STEADY_MS);
      });
      // What waits for an answer keeps the process alive, the thread alone does not.
      worker.unref();
      if (!ready) worker.ref();
    });
  }

  storage(): Storage {
    const { client } = this;
    return {
      ...workerStorage(client),
      historyAppend: async ({ time, origin, comment, yaml }) =>
        (await client.call('historyAppend', [time, origin, comment, yaml], yaml.length)) as number,
      historyList: async (limit) => (await client.call('historyList', [limit])) as readonly ConfigVersion[],
      historyGet: async (version) =>
        (await client.call('historyGet', [version])) as (ConfigVersion & { yaml: string }) | undefined,
      eventsAppend: async (events) => {
        let bytes = 0;
        const rows = events.map((event): EventRow => {
          const details = encodeJson(event.details);
          bytes += 200 + event.message.length + details.length;
          return { ...event, details };
        });
        return (await client.call('eventsAppend', [rows], bytes)) as readonly number[];
      },
      eventsList: async (query) => {
        const rows = (await client.call('eventsList', [query])) as readonly (EventRow & { id: number })[];
        return rows.map((row) => ({ ...row, details: decode(row.details) }) as GatewayEvent);
      },
      settingGet: async (key) => decode(await client.call('settingGet', [key])),
      settingSet: async (key, value) => {
        const text = encodeJson(value);
        await client.call('settingSet', [key, text], text.length);
      },
      deadLettersCount: async () => (await client.call('deadLettersCount', [])) as Readonly<Record<string, number>>,
      figures: () => this.figures && { ...this.figures, restarts: this.revived },
      port: () => this.port(),
      close: () => (this.closing ??= this.close()),
    };
  }

  private async port(): Promise<MessagePort> {
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
    this.options.log.error(`The storage thread ended: ${reason}`, details);
    this.options.onEvent(codedEvent('critical', 'storage', 'store.thread', 'PB_STORE_THREAD', details, 'storage'));
    this.timer = setTimeout(() => {
      this.revived++;
      this.start().catch((error: unknown) => {
        if (this.closing === undefined) this.restart(error instanceof Error ? error.message : String(error), false);
      });
    }, delay);
  }

  private async close(): Promise<void> {
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
      if (!this.ended) this.options.log.warn('The storage thread ended without closing its files');
    }
    this.client.close();
    for (const port of this.workers) port.close();
  }
}
