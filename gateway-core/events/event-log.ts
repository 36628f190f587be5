/** The gateway's own events: on their way to the store and to those who listen. */
import { CodedError } from '../engine/error.ts';
import { plainFields, plainText } from '../engine/plain-fields.ts';
import type { GatewayEvent } from '../protocol/model.ts';
import type { EventQuery, Storage } from '../storage/storage.ts';
import { Folding } from './folding.ts';
import { codedEvent, type EventReport } from './report.ts';

export interface EventLogOptions {
  readonly project: string;
  /** Masks secrets in a text; all text of an event goes through it. */
  readonly redact: (text: string) => string;
  /** Most events that wait for the store; what comes beyond is counted and reported. Default 1000. */
  readonly queueLimit?: number;
  /** Repeats of the same event within this time become one with a count. Default 10 s; 0: never. */
  readonly foldMs?: number;
}

type EventStorage = Pick<Storage, 'eventsAppend' | 'eventsList'>;

export interface EventLog {
  /** Takes an event. Never throws and never waits. */
  report(event: EventReport): void;
  /**
   * Calls `listener` with every event from now on, in order, once it has its id from the store;
   * with id 0 when the store cannot take it now. Returns what ends it.
   */
  subscribe(listener: (event: GatewayEvent) => void): () => void;
  /** Stored events, newest first, with all that were reported before. Rejects as the storage does. */
  list(query: EventQuery): Promise<readonly GatewayEvent[]>;
  /** Gives the log its store. Until then events wait (bounded), so that what happens before is not lost. */
  attach(storage: EventStorage): void;
  /** Stores what waits, for at most `timeoutMs` (default 2 s), and takes no more. */
  close(timeoutMs?: number): Promise<void>;
}

interface Entry {
  readonly event: Omit<GatewayEvent, 'id'>;
  /** Already given to the listeners, when the store could not take it. */
  told: boolean;
}

const BATCH = 200;
const FIRST_RETRY_MS = 250;
const LONGEST_RETRY_MS = 30_000;

export function createEventLog(options: EventLogOptions): EventLog {
  return new QueuedEventLog(options);
}

class QueuedEventLog implements EventLog {
  private readonly options: Required<EventLogOptions>;
  private readonly folding: Folding;
  private readonly listeners = new Set<(event: GatewayEvent) => void>();
  private readonly queue: Entry[] = [];
  private storage: EventStorage | undefined;
  private dropped = 0;
  private running = false;
  private retryMs = 0;
  private timer: NodeJS.Timeout | undefined;
  private closed = false;
  private waiting: (() => void)[] = [];

  constructor(options: EventLogOptions) {
    this.options = { queueLimit: 1000, foldMs: 10_000, ...options };
    this.folding = new Folding(this.options.foldMs, (report) => this.enqueue(report));
  }

  report(event: EventReport): void {
    if (this.closed) return;
    try {
      if (this.folding.admit(event)) this.enqueue(event);
    } catch {
      // Whoever reports is in trouble already: an event that cannot be read (a throwing getter) only counts.
      this.dropped++;
    }
  }

  subscribe(listener: (event: GatewayEvent) => void): () => void {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  }

  async list(query: EventQuery): Promise<readonly GatewayEvent[]> {
    if (this.storage === undefined) {
      const events = this.queue.map(({ event }): GatewayEvent => ({ id: 0, ...event }));
      return events.toReversed().slice(0, query.limit);
    }
    // While the store has trouble its own answer says so; waiting would not help.
    if (this.retryMs === 0) await this.settled();
    return this.storage.eventsList(query);
  }

  attach(storage: EventStorage): void {
    this.storage = storage;
    this.pump();
  }

  async close(timeoutMs = 2000): Promise<void> {
    this.folding.close();
    this.reportDropped();
    this.closed = true;
    this.retryMs = 0;
    clearTimeout(this.timer);
    this.timer = undefined;
    this.pump();
    if (this.storage === undefined) return;
    let timer: NodeJS.Timeout | undefined;
    const deadline = new Promise<void>((resolve) => {
      timer = setTimeout(resolve, timeoutMs);
    });
    await Promise.race([this.settled(), deadline]);
    clearTimeout(timer);
    clearTimeout(this.timer);
  }

  private enqueue(report: EventReport): void {
    if (this.queue.length >= this.options.queueLimit) {
      this.dropped++;
      return;
    }
    this.queue.push({ event: this.complete(report), told: false });
    this.pump();
  }

  private complete(report: EventReport): Omit<GatewayEvent, 'id'> {
    const { redact } = this.options;
    return {
      time: Date.now(),
      severity: report.severity,
      source: report.source,
      type: report.type,
      version: 1,
      project: this.options.project,
      subject: plainText(report.subject ?? '', redact),
      message: plainText(report.message, redact),
      code: report.code ?? '',
      remedy: plainText(report.remedy ?? '', redact),
      details: plainFields(report.details ?? {}, redact),
    };
  }

  private pump(): void {
    if (this.running || this.timer !== undefined || this.storage === undefined || this.queue.length === 0) return;
    this.running = true;
    // Not in the turn of the report, so that a burst becomes one batch and a reporter never runs a listener.
    setImmediate(() => void this.store());
  }

  private async store(): Promise<void> {
    const batch = this.queue.slice(0, BATCH);
    let ids: readonly number[] | undefined;
    try {
      ids = await this.storage?.eventsAppend(batch.map(({ event }) => event));
    } catch (error) {
      this.retryMs = Math.min(LONGEST_RETRY_MS, this.retryMs === 0 ? FIRST_RETRY_MS : this.retryMs * 2);
      if (error instanceof CodedError && error.code === 'PB_STORE_CLOSED') this.queue.splice(0, batch.length);
    }
    if (ids !== undefined) {
      this.retryMs = 0;
      this.queue.splice(0, batch.length);
    }
    batch.forEach((entry, i) => {
      if (!entry.told) this.tell({ id: ids?.[i] ?? 0, ...entry.event });
      entry.told = true;
    });
    this.running = false;
    if (ids !== undefined) this.reportDropped();
    if (this.queue.length === 0) for (const resolve of this.waiting.splice(0)) resolve();
    if (this.retryMs > 0 && this.queue.length > 0) {
      this.timer = setTimeout(() => {
        this.timer = undefined;
        this.pump();
      }, this.retryMs);
      this.timer.unref();
    }
    this.pump();
  }

  private reportDropped(): void {
    if (this.dropped === 0 || this.queue.length >= this.options.queueLimit) return;
    const count = this.dropped;
    this.dropped = 0;
    this.enqueue(codedEvent('warning', 'engine', 'events.dropped', 'PB_EVENTS_DROPPED', { count }));
  }

  private tell(event: GatewayEvent): void {
    for (const listener of this.listeners) {
      try {
        listener(event);
      } catch {
        // A listener's fault must not keep the event from the others.
      }
    }
  }

  private settled(): Promise<void> {
    if (this.queue.length === 0) return Promise.resolve();
    return new Promise((resolve) => this.waiting.push(resolve));
  }
}
