import { setImmediate } from 'node:timers/promises';
import { defineSource, type Context, type Emit, type Message, type Source } from 'patchbay/plugin-api';
import { Traffic } from './traffic.ts';

export interface GeneratorConfig {
  readonly rate: number;
  readonly hosts: number;
  readonly faults: number;
  readonly body: 'bytes' | 'text';
  readonly address: string;
  readonly seed: number;
}

const MAX_BATCH = 512;
/** Timers this close together would cost more than the messages. */
const MIN_PAUSE_MS = 10;
/** Held up for longer, it leaves messages out: it falls behind, it does not make up with a flood. */
const CATCH_UP_MS = 250;

class Generator implements Source<GeneratorConfig> {
  private readonly context: Context<GeneratorConfig>;
  private config: GeneratorConfig;
  private traffic: Traffic;
  private attributes: Readonly<Record<string, unknown>>;
  /** `performance.now()` at which message number 0 of this rate was due, and how many were made since. */
  private origin = 0;
  private made = 0;
  private stopped = false;
  private wake: () => void = () => undefined;
  private endWait: () => void = () => undefined;
  private running: Promise<void> = Promise.resolve();

  constructor(context: Context<GeneratorConfig>) {
    this.context = context;
    this.config = context.config;
    this.traffic = new Traffic(this.config);
    this.attributes = Object.freeze({ address: this.config.address });
  }

  start(emit: Emit): void {
    this.origin = performance.now();
    this.running = this.run(emit).catch((error: unknown) => this.context.fail(error));
  }

  async stop(): Promise<void> {
    this.stopped = true;
    this.endWait();
    this.wake();
    await this.running;
  }

  close(): void {
    // Nothing is held: timers end with `stop`.
  }

  /** Everything can change while it runs; values begin anew unless only the body or the address changed. */
  reconfigure(config: GeneratorConfig): boolean {
    const { rate, hosts, seed, faults } = this.config;
    if (rate !== config.rate || hosts !== config.hosts || seed !== config.seed || faults !== config.faults) {
      this.traffic = new Traffic(config);
    }
    this.config = config;
    this.attributes = Object.freeze({ address: config.address });
    this.origin = performance.now();
    this.made = 0;
    this.wake();
    return true;
  }

  private async run(emit: Emit): Promise<void> {
    while (!this.stopped) {
      const due = this.due();
      if (due < 1) {
        await this.pause();
        continue;
      }
      const { admitted } = emit(this.batch(Math.min(due, MAX_BATCH)));
      if (!(await this.room(admitted))) return;
      // Others of this thread get their turn, even when there is always room.
      await setImmediate();
    }
  }

  /** Waits for room; false when the flow has ended or the source is to stop. Not a race: that would pile up on a lasting promise. */
  private room(admitted: Promise<void>): Promise<boolean> {
    return new Promise((resolve) => {
      this.endWait = () => resolve(false);
      admitted.then(
        () => resolve(!this.stopped),
        () => resolve(false),
      );
    });
  }

  /** How many messages should have been made by now and were not. */
  private due(): number {
    const { rate } = this.config;
    const elapsed = performance.now() - this.origin;
    const due = Math.floor((elapsed * rate) / 1000) - this.made;
    const most = Math.max(1, Math.floor((CATCH_UP_MS * rate) / 1000));
    if (due <= most) return due;
    this.made += due - most;
    this.context.metrics.count('generator_left_out_total', due - most);
    return most;
  }

  private batch(size: number): Message[] {
    this.made += size;
    const now = Date.now();
    const texts = new Array<string>(size);
    let bytes = 0;
    for (let i = 0; i < size; i++) {
      const text = this.traffic.next(now);
      texts[i] = text;
      bytes += text.length;
    }
    if (this.config.body === 'text') return texts.map((text) => this.message(text, now));
    // One block of its own for the whole batch: not of Node's pool, which cannot be handed over.
    const block = Buffer.allocUnsafeSlow(bytes);
    let at = 0;
    return texts.map((text) => {
      const start = at;
      at += block.write(text, at, 'latin1');
      return this.message(block.subarray(start, at), now);
    });
  }

  private message(data: string | Uint8Array, time: number): Message {
    return this.context.message({ data, time, type: 'collectd.telemetry', attributes: this.attributes });
  }

  /** Until the next message is due, or something changed. */
  private pause(): Promise<void> {
    const next = this.origin + ((this.made + 1) * 1000) / this.config.rate;
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, Math.max(MIN_PAUSE_MS, next - performance.now()));
      this.wake = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  }
}

export default defineSource<GeneratorConfig>({ create: (context) => new Generator(context) });
