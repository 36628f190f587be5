/**
 * The storage thread: all SQLite files, and nothing else. Requests that arrive while a commit
 * runs share the next one.
 */
import { parentPort, workerData, type MessagePort } from 'node:worker_threads';
import { CodedError } from '../engine/error.ts';
import { ThreadProbe } from '../health/thread-probe.ts';
import { cacheStore } from './cache-store.ts';
import { deadLetterStore } from './dead-letter-store.ts';
import { eventStore } from './event-store.ts';
import { historyStore } from './history-store.ts';
import type { StorageFigures } from './storage.ts';
import { storeError } from './sqlite-error.ts';
import { stateStore } from './state-store.ts';
import { StoreFile, type Item, type StoreDefinition, type StoreTools } from './store-file.ts';
import type { PortAccess, Reply, Request, ThreadCommand, ThreadData, ThreadReport } from './wire.ts';

const DEFINITIONS: readonly StoreDefinition[] = [stateStore, cacheStore, historyStore, eventStore, deadLetterStore];

/** What a worker may ask: {@link WorkerStorage}. */
const WORKER_OPS: ReadonlySet<string> = new Set([...stateStore.operations, ...cacheStore.operations, 'deadLettersAdd']);

const MAINTAIN_EVERY_MS = 60_000;
const REPORT_EVERY_MS = 10_000;
const FIGURES_EVERY_MS = 1000;

interface Client {
  readonly port: MessagePort;
  readonly access: PortAccess;
  replies: Reply[];
}

class StorageThread {
  private readonly files = new Map<StoreFile, Item[]>();
  private readonly byOperation = new Map<string, StoreFile>();
  private readonly clients = new Set<Client>();
  private scheduled = false;
  private reportDue = 0;
  private queued = 0;
  private readonly health = new ThreadProbe();

  constructor(folder: string, tools: StoreTools) {
    for (const definition of DEFINITIONS) {
      const file = new StoreFile(folder, definition, tools);
      this.files.set(file, []);
      for (const operation of definition.operations) this.byOperation.set(operation, file);
    }
  }

  serve(port: MessagePort, access: PortAccess): void {
    const client: Client = { port, access, replies: [] };
    this.clients.add(client);
    port.on('message', (requests: readonly Request[]) => {
      this.accept(client, requests);
      if (this.scheduled) return;
      this.scheduled = true;
      setImmediate(() => this.flush());
    });
    port.on('close', () => this.clients.delete(client));
  }

  maintain(): void {
    for (const file of this.files.keys()) file.maintain();
  }

  /** Of the time since the last call. */
  figures(): StorageFigures {
    const { queued } = this;
    this.queued = 0;
    const commits = Object.fromEntries([...this.files.keys()].map((file) => [file.name, file.commits()]));
    return { thread: this.health.look(), queued, commits };
  }

  /** Answers everything that has arrived, then closes the files. */
  close(): void {
    this.flush();
    for (const client of this.clients) client.port.close();
    for (const file of this.files.keys()) file.close();
    this.health.end();
  }

  /** A worker runs other people's code, so nothing is taken for granted about what it sends. */
  private accept(client: Client, requests: unknown): void {
    if (!Array.isArray(requests)) return;
    for (const request of requests as readonly unknown[]) {
      if (!Array.isArray(request) || typeof request[0] !== 'number') continue;
      const [id, op, args] = request as unknown as Request;
      const file = this.byOperation.get(op);
      if (file === undefined || !Array.isArray(args) || (client.access === 'worker' && !WORKER_OPS.has(op))) {
        const refused = new CodedError('PB_INTERNAL', { message: `storage refuses ${op} here` });
        client.replies.push([id, undefined, refused.code, refused.details]);
        continue;
      }
      this.files.get(file)?.push({
        op,
        args,
        settle: (value, error) => {
          client.replies.push(error === undefined ? [id, value] : [id, undefined, error.code, error.details]);
        },
      });
    }
  }

  private flush(): void {
    this.scheduled = false;
    let waiting = 0;
    for (const items of this.files.values()) waiting += items.length;
    this.queued = Math.max(this.queued, waiting);
    for (const [file, items] of this.files) {
      if (items.length === 0) continue;
      this.files.set(file, []);
      file.execute(items);
    }
    for (const client of this.clients) {
      if (client.replies.length === 0) continue;
      const { replies } = client;
      client.replies = [];
      client.port.postMessage(replies);
    }
    if (Date.now() >= this.reportDue) {
      this.reportDue = Date.now() + REPORT_EVERY_MS;
      for (const file of this.files.keys()) file.report();
    }
  }
}

function main(): void {
  const port = parentPort;
  if (port === null) throw new Error('thread.ts runs as a worker thread only');
  const tell = (report: ThreadReport): void => port.postMessage(report);
  const { folder, limits } = workerData as ThreadData;
  let thread: StorageThread;
  try {
    thread = new StorageThread(folder, { limits, now: Date.now, onEvent: (event) => tell({ kind: 'event', event }) });
  } catch (error) {
    const { code, details } = storeError(error, folder);
    tell({ kind: 'failed', code, details });
    port.close();
    return;
  }
  const timer = setInterval(() => thread.maintain(), MAINTAIN_EVERY_MS);
  const figures = setInterval(() => tell({ kind: 'figures', figures: thread.figures() }), FIGURES_EVERY_MS);
  port.on('message', (command: ThreadCommand) => {
    if (command.kind === 'port') {
      thread.serve(command.port, command.access);
      return;
    }
    clearInterval(timer);
    clearInterval(figures);
    // A turn later, so that requests that came together with this are answered.
    setImmediate(() => {
      thread.close();
      tell({ kind: 'closed' });
      port.close();
    });
  });
  tell({ kind: 'ready' });
  tell({ kind: 'figures', figures: thread.figures() });
}

main();
