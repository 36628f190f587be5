/** Sends numbered CloudEvents over HTTP in batches, one request of a key at a time, and repeats what was not answered with 202. */
import { setTimeout as wait } from 'node:timers/promises';
import type { Journal, JournalEntry } from './journal.ts';

export interface HttpSenderOptions {
  readonly host?: string;
  readonly port: number;
  readonly journal: Journal;
  readonly keys: readonly string[];
  /** Events of one request. */
  readonly batch: number;
  /** Pause between two requests of a key, ms. */
  readonly pauseMs: number;
}

const AGAIN_MS = 60;
/** Longer than the source takes to say 503. */
const ANSWER_MS = 15_000;

export class HttpSender {
  private readonly options: HttpSenderOptions;
  private producing = true;
  private closed = false;
  private readonly requests = new Set<AbortController>();
  private lanes: Promise<unknown> = Promise.resolve();
  /** Answers by status; 0: none came. */
  readonly answers = new Map<number, number>();

  constructor(options: HttpSenderOptions) {
    this.options = options;
  }

  start(): void {
    this.lanes = Promise.all(this.options.keys.map((key) => this.run(key)));
  }

  /** Makes no new messages; what is open is repeated until it is accepted. */
  finish(): void {
    this.producing = false;
  }

  /** Ends everything; resolves when nothing is under way. */
  async close(): Promise<void> {
    this.closed = true;
    this.finish();
    this.drop();
    await this.lanes;
  }

  /** Requests under way are cut off. */
  drop(): void {
    for (const request of this.requests) request.abort();
  }

  private async run(key: string): Promise<void> {
    const { journal, batch, pauseMs } = this.options;
    while (this.producing) {
      const entries = Array.from({ length: batch }, () => journal.next(key));
      while (!this.closed && !(await this.post(entries))) await wait(AGAIN_MS);
      await wait(pauseMs);
    }
  }

  private async post(entries: readonly JournalEntry[]): Promise<boolean> {
    const { host = '127.0.0.1', port, journal } = this.options;
    const connection = journal.newConnection();
    for (const entry of entries) journal.sent(entry, connection);
    const request = new AbortController();
    const timer = setTimeout(() => request.abort(), ANSWER_MS);
    this.requests.add(request);
    let status = 0;
    try {
      const response = await fetch(`http://${host}:${port}/events`, {
        method: 'POST',
        headers: { 'content-type': 'application/cloudevents-batch+json' },
        body: JSON.stringify(entries.map(cloudEvent)),
        signal: request.signal,
      });
      status = response.status;
      await response.arrayBuffer();
    } catch {
      // Cut off: the sender does not know what became of them, and repeats. What was answered counts.
    } finally {
      clearTimeout(timer);
      this.requests.delete(request);
    }
    this.answers.set(status, (this.answers.get(status) ?? 0) + 1);
    if (status !== 202) return false;
    for (const entry of entries) journal.accept(entry);
    return true;
  }
}

function cloudEvent({ id, key, kind }: JournalEntry): object {
  return { specversion: '1.0', id, source: 'rounds', type: 'rounds', partitionkey: key, data: { id, kind } };
}
