import {
  defineHandler,
  Filtered,
  Refused,
  type Context,
  type Handler,
  type HandlerResult,
  type Message,
  type Settled,
} from 'patchbay/plugin-api';
import { SteadyClock } from './clock.ts';
import { Journal } from './journal.ts';
import { digester } from './key.ts';
import { Memory } from './memory.ts';

export interface DedupeConfig {
  readonly key?: string;
  readonly window: string;
  readonly max: number;
  readonly onMissingKey: 'pass' | 'refuse';
}

const UNITS: Readonly<Record<string, number>> = { ms: 1, s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 };

function millisecondsOf(window: string): number {
  const [, count = '0', unit = 'ms'] = /^(\d+)([a-z]+)$/.exec(window) ?? [];
  return Number(count) * (UNITS[unit] ?? 1);
}

const NO_KEY = new Refused('PB_DEDUPE_NO_KEY', 'the key expression gives nothing for this message');

/**
 * A message is remembered once it is delivered, never before: what was given back comes again and
 * passes. While it is on its way, a duplicate follows its fate.
 */
class Dedupe implements Handler<DedupeConfig> {
  private readonly context: Context<DedupeConfig>;
  private readonly journal: Journal;
  private readonly memory = new Memory();
  private readonly digestOf: (message: Message) => string | undefined;
  private clock = new SteadyClock(0);
  private config: DedupeConfig;
  private windowMs: number;
  /** Passed on and without an outcome yet. */
  private readonly pending = new Map<string, Message>();
  private evicting = false;

  constructor(context: Context<DedupeConfig>) {
    this.context = context;
    this.config = context.config;
    this.windowMs = millisecondsOf(context.config.window);
    this.digestOf = digester(context, context.config.key);
    this.journal = new Journal(context.state);
  }

  async open(): Promise<void> {
    const remembered = await this.journal.load(this.config.key ?? '');
    this.clock = new SteadyClock(remembered.at(-1)?.time ?? 0);
    for (const { digest, time } of remembered) this.memory.add(digest, time);
    this.trim();
  }

  handle(batch: readonly Message[]): HandlerResult[] {
    const since = this.clock.now() - this.windowMs;
    return batch.map((message) => {
      const digest = this.digestOf(message);
      if (digest === undefined) {
        this.context.metrics.count('dedupe_missing_key_total');
        return this.config.onMissingKey === 'pass' ? message : NO_KEY;
      }
      if (this.memory.seen(digest, since) !== undefined) {
        this.context.metrics.count('dedupe_duplicates_total');
        return new Filtered('duplicate of a message that was delivered');
      }
      const original = this.pending.get(digest);
      if (original !== undefined) {
        this.context.metrics.count('dedupe_duplicates_total');
        return new Filtered('duplicate of a message on its way', { follows: original });
      }
      this.pending.set(digest, message);
      return message;
    });
  }

  /**
   * Remembers what was kept, on disk first. Not what became a dead letter: someone may retry it, and then it has to
   * pass. Of an earlier life's messages too: their keys are those of this one's.
   */
  async settled(results: readonly Settled[]): Promise<void> {
    const now = this.clock.now();
    const since = now - this.windowMs;
    const kept = new Set<string>();
    const over = new Map<string, Message>();
    for (const { message, result } of results) {
      const digest = this.digestOf(message);
      if (digest === undefined) continue;
      if (this.pending.get(digest) === message) over.set(digest, message);
      if (result === 'kept' && this.memory.seen(digest, since) === undefined) kept.add(digest);
    }
    try {
      if (kept.size > 0) await this.journal.append([...kept], now, since, this.config.max);
      for (const digest of kept) this.memory.add(digest, now);
    } finally {
      for (const [digest, message] of over) if (this.pending.get(digest) === message) this.pending.delete(digest);
      this.trim();
    }
  }

  /** All but the key, which all that is remembered depends on. */
  reconfigure(config: DedupeConfig): boolean {
    if (config.key !== this.config.key) return false;
    this.config = config;
    this.windowMs = millisecondsOf(config.window);
    this.trim();
    return true;
  }

  private trim(): void {
    const early = this.memory.trim(this.clock.now() - this.windowMs, this.config.max);
    const { metrics, log } = this.context;
    if (early > 0) metrics.count('dedupe_evicted_total', early);
    if (early > 0 && !this.evicting)
      log.warn(`more than ${this.config.max} messages within ${this.config.window}: the oldest are forgotten early`);
    // Said once as long as it stays full.
    this.evicting = early > 0 || (this.evicting && this.memory.size >= this.config.max);
    metrics.gauge('dedupe_remembered', this.memory.size);
    metrics.gauge('dedupe_pending', this.pending.size);
  }
}

export default defineHandler<DedupeConfig>({ create: (context) => new Dedupe(context) });
