/** The spool thread: the write-ahead buffers of all sinks, each a SQLite file of its own. */
import { randomUUID } from 'node:crypto';
import { parentPort, workerData, type MessagePort } from 'node:worker_threads';
import { CodedError } from '../engine/error.ts';
import { makeFolder } from '../engine/make-folder.ts';
import { ThreadProbe } from '../health/thread-probe.ts';
import { LAZY_MS, Spool, type SpoolTools } from './spool.ts';
import { SpoolFolder } from './spool-folder.ts';
import { SpoolLedger } from './spool-ledger.ts';
import type { FromSpool, OrphanSpool, SpoolLimits, SpoolStats, ToSpool } from './spool-wire.ts';
import { storeError } from './sqlite-error.ts';
import type { StorageFigures } from './storage.ts';
import type { Reply, Request, ThreadCommand, ThreadData, ThreadReport } from './wire.ts';

const MAINTAIN_EVERY_MS = 1000;

/** A worker: it appends for its pipelines and reads for its sinks. */
interface Client {
  readonly port: MessagePort;
  replies: FromSpool[];
  /** Batches it appended and has not counted yet. */
  readonly flights: Set<string>;
  readonly follows: Set<string>;
}

class SpoolThread {
  private readonly epoch = randomUUID();
  private readonly health = new ThreadProbe();
  /** Most messages that came at once. */
  private queued = 0;
  private readonly folder: SpoolFolder;
  private readonly ledger = new SpoolLedger();
  private readonly tools: SpoolTools;
  private readonly spools = new Map<string, Spool>();
  private readonly clients = new Set<Client>();
  private readonly enginePorts = new Set<MessagePort>();
  private orphans: readonly OrphanSpool[] = [];
  private scheduled = false;
  private lazy: NodeJS.Timeout | undefined;
  private recountTimer: NodeJS.Immediate | undefined;

  constructor(path: string, onEvent: SpoolTools['onEvent']) {
    makeFolder(path);
    this.folder = new SpoolFolder(path);
    this.tools = {
      ledger: this.ledger,
      now: Date.now,
      onEvent,
      pathOf: (sink) => this.folder.pathOf(sink),
      onGone: (sink, seq) => {
        for (const client of this.clients) if (client.follows.has(sink)) client.replies.push(['gone', sink, seq]);
      },
      onRoom: (sink, full) => {
        for (const client of this.clients) client.replies.push(['room', sink, full]);
        this.schedule();
      },
    };
  }

  /** A worker's port. */
  serveWorker(port: MessagePort): void {
    const client: Client = { port, replies: [], flights: new Set(), follows: new Set() };
    this.clients.add(client);
    for (const [sink, spool] of this.spools) client.replies.push(['room', sink, spool.isFull]);
    port.on('message', (messages: unknown) => {
      if (!Array.isArray(messages)) return;
      this.queued = Math.max(this.queued, messages.length);
      for (const message of messages as ToSpool[]) this.take(client, message);
      this.schedule();
    });
    port.on('close', () => {
      this.clients.delete(client);
      for (const flight of client.flights) this.ledger.lost(flight);
    });
    this.schedule();
  }

  /** The engine's port: requests with answers. */
  serveEngine(port: MessagePort): void {
    this.enginePorts.add(port);
    port.on('close', () => this.enginePorts.delete(port));
    port.on('message', (requests: readonly Request[]) => {
      const replies = requests.map(([id, op, args]): Reply => {
        try {
          return [id, this.answer(op, args)];
        } catch (error) {
          const { code, details } = storeError(error, 'spool');
          return [id, undefined, code, details];
        }
      });
      port.postMessage(replies);
    });
  }

  /** Of the time since the last call. */
  figures(): StorageFigures {
    const { queued } = this;
    this.queued = 0;
    const commits = [...this.spools].map(([sink, spool]) => [`spool/${sink}`, spool.commitTimes()] as const);
    return { thread: this.health.look(), queued, commits: Object.fromEntries(commits) };
  }

  maintain(): void {
    for (const spool of this.spools.values()) spool.maintain();
    this.flush();
  }

  close(): void {
    for (const spool of this.spools.values()) spool.close();
    this.answerAll();
    for (const { port } of this.clients) port.close();
    for (const port of this.enginePorts) port.close();
    this.health.end();
  }

  private answer(op: string, args: readonly unknown[]): unknown {
    switch (op) {
      case 'spoolConfigure':
        return this.configure(args[0] as Readonly<Record<string, SpoolLimits>>, args[1] as readonly string[]);
      case 'spoolStats':
        return this.stats();
      case 'spoolPurge':
        return this.purge(args[0] as string);
      case 'spoolDiscard':
        return this.discard(args[0] as string);
      default:
        throw new CodedError('PB_INTERNAL', { message: `no spool operation ${op}` });
    }
  }

  /**
   * The spools of the sinks that there are now; those of other sinks are closed and kept. Sinks that
   * buffer in memory deliver what an earlier config has left in a spool.
   */
  private configure(spooled: Readonly<Record<string, SpoolLimits>>, inMemory: readonly string[]): void {
    const wanted: Record<string, SpoolLimits> = { ...spooled };
    for (const sink of this.folder.others(new Set(Object.keys(spooled)))) {
      if (!inMemory.includes(sink)) continue;
      const left = this.spools.get(sink)?.state().messages ?? this.folder.orphan(sink).messages;
      if (left > 0) wanted[sink] = { maxBytes: Number.MAX_SAFE_INTEGER, whenFull: 'block' };
    }
    for (const [sink, spool] of this.spools) {
      if (sink in wanted) continue;
      spool.close();
      this.spools.delete(sink);
    }
    for (const [sink, limits] of Object.entries(wanted)) {
      const known = this.spools.get(sink);
      if (known !== undefined) known.configure(limits);
      else {
        const spool = new Spool(sink, limits, this.tools);
        this.spools.set(sink, spool);
        for (const client of this.clients) {
          client.replies.push(['room', sink, spool.isFull]);
          if (client.follows.has(sink)) client.replies.push(['head', sink, spool.first, spool.head, spool.window]);
        }
      }
    }
    this.findOrphans();
    this.schedule();
    this.recount();
  }

  private findOrphans(): void {
    const found: OrphanSpool[] = [];
    for (const sink of this.folder.others(new Set(this.spools.keys()))) found.push(this.folder.orphan(sink));
    this.orphans = found.filter(({ messages }) => messages !== 0);
  }

  private stats(): SpoolStats {
    return {
      epoch: this.epoch,
      sinks: Object.fromEntries([...this.spools].map(([sink, spool]) => [sink, spool.state()])),
      pipelines: this.ledger.counts(),
      orphans: this.orphans,
      recounting: [...this.spools.values()].some((spool) => spool.recounting),
    };
  }

  private purge(sink: string): number {
    const spool = this.spools.get(sink);
    if (spool === undefined) throw new CodedError('PB_SPOOL_UNKNOWN', { name: sink });
    return spool.purge(new Set());
  }

  /** Deletes the sink's file, configured or not; how many messages it had. */
  private discard(sink: string): number {
    const orphan = this.orphans.find((each) => each.sink === sink);
    const spool = this.spools.get(sink) ?? new Spool(sink, { maxBytes: 0, whenFull: 'block' }, this.tools);
    this.spools.delete(sink);
    const messages = Math.max(spool.discard(), orphan?.messages ?? 0);
    this.folder.forget(sink);
    this.findOrphans();
    return messages;
  }

  private take(client: Client, message: ToSpool): void {
    switch (message[0]) {
      case 'append': {
        const [, id, sink, pipeline, lineage, count, block] = message;
        const spool = this.spools.get(sink);
        if (spool === undefined) {
          client.replies.push(['failed', id, 'PB_SPOOL_UNKNOWN', { name: sink }]);
          return;
        }
        spool.append({
          pipeline,
          lineage,
          count,
          block,
          stored: (seq) => {
            // Its worker may have died since.
            if (this.clients.has(client)) client.flights.add(lineage.flight);
            else this.ledger.lost(lineage.flight);
            client.replies.push(['appended', id, seq]);
            for (const other of this.clients)
              if (other !== client && other.follows.has(sink)) other.replies.push(['head', sink, 0, seq, 0]);
          },
          dropped: () => client.replies.push(['dropped', id]),
          failed: (code, details) => client.replies.push(['failed', id, code, details]),
        });
        return;
      }
      case 'settle': {
        const [, flight, pipeline, size, excluded] = message;
        client.flights.delete(flight);
        this.ledger.settled(flight, pipeline, size, excluded);
        return;
      }
      case 'done': {
        const [, sink, seq, indexes, end, cursor] = message;
        this.spools.get(sink)?.done(seq, indexes, end, cursor);
        return;
      }
      case 'read': {
        const [, id, sink, from, until, maxBytes] = message;
        const spool = this.spools.get(sink);
        const found = spool?.read(from, until, maxBytes);
        client.replies.push(['rows', id, found?.rows ?? [], found?.scanned ?? from - 1]);
        return;
      }
      case 'follow': {
        const spool = this.spools.get(message[1]);
        client.follows.add(message[1]);
        client.replies.push(['head', message[1], spool?.first ?? 1, spool?.head ?? 0, spool?.window ?? 0]);
        return;
      }
      case 'unfollow':
        client.follows.delete(message[1]);
        return;
      case 'purge': {
        const [, id, sink, keep] = message;
        let messages = 0;
        try {
          messages = this.spools.get(sink)?.purge(new Set(keep)) ?? 0;
        } catch {
          // Its trouble is told by event; what could not be purged stays.
        }
        client.replies.push(['purged', id, messages]);
      }
    }
  }

  private schedule(): void {
    if (this.scheduled) return;
    this.scheduled = true;
    setImmediate(() => {
      this.scheduled = false;
      this.flush();
    });
  }

  private flush(): void {
    let lazy = false;
    for (const spool of this.spools.values()) {
      spool.flush(false);
      lazy ||= spool.waiting;
    }
    this.answerAll();
    if (lazy)
      this.lazy ??= setTimeout(() => {
        this.lazy = undefined;
        this.flush();
      }, LAZY_MS);
  }

  private answerAll(): void {
    for (const client of this.clients) {
      if (client.replies.length === 0) continue;
      const { replies } = client;
      client.replies = [];
      client.port.postMessage(replies, blocksOf(replies));
    }
  }

  /** A part at a time, so that what comes in meanwhile is taken. */
  private recount(): void {
    this.recountTimer ??= setImmediate(() => {
      this.recountTimer = undefined;
      let more = false;
      for (const spool of this.spools.values()) more = spool.countMore() || more;
      if (more) this.recount();
    });
  }
}

/** Blocks travel without being copied. */
function blocksOf(replies: readonly FromSpool[]): ArrayBuffer[] {
  const blocks: ArrayBuffer[] = [];
  for (const reply of replies) if (reply[0] === 'rows') for (const { block } of reply[2]) blocks.push(block.buffer);
  return blocks;
}

function main(): void {
  const port = parentPort;
  if (port === null) throw new Error('spool-thread.ts runs as a worker thread only');
  const tell = (report: ThreadReport): void => port.postMessage(report);
  const { folder } = workerData as ThreadData;
  let thread: SpoolThread;
  try {
    thread = new SpoolThread(folder, (event) => tell({ kind: 'event', event }));
  } catch (error) {
    const { code, details } = storeError(error, folder);
    tell({ kind: 'failed', code, details });
    port.close();
    return;
  }
  const timer = setInterval(() => {
    thread.maintain();
    tell({ kind: 'figures', figures: thread.figures() });
  }, MAINTAIN_EVERY_MS);
  port.on('message', (command: ThreadCommand) => {
    if (command.kind === 'port') {
      if (command.access === 'all') thread.serveEngine(command.port);
      else thread.serveWorker(command.port);
      return;
    }
    clearInterval(timer);
    // A turn later, so that requests that came together with this are answered.
    setImmediate(() => {
      thread.close();
      tell({ kind: 'closed' });
      port.close();
    });
  });
  tell({ kind: 'ready' });
}

main();
