import { defineSink, type Context, type Message, type Sink } from 'patchbay/plugin-api';
import { lineOf } from './line.ts';

export interface ConsoleConfig {
  readonly format: 'short' | 'json';
  readonly rate: number;
  readonly maxLength: number;
}

const SECOND = 1000;

class Console implements Sink<ConsoleConfig> {
  private readonly context: Context<ConsoleConfig>;
  private config: ConsoleConfig;
  private secondEnds = 0;
  private written = 0;
  private left = 0;
  private timer: NodeJS.Timeout | undefined;

  constructor(context: Context<ConsoleConfig>) {
    this.context = context;
    this.config = context.config;
  }

  open(): void {
    // Nothing to open: the log is the host's.
  }

  write(batch: readonly Message[]): void {
    const now = performance.now();
    if (now >= this.secondEnds) this.nextSecond(now);
    for (const message of batch) {
      if (this.written < this.config.rate) {
        this.written++;
        this.context.log.info(lineOf(message, this.config.format, this.config.maxLength));
      } else {
        this.left++;
      }
    }
    // The count comes even if no message does after it.
    if (this.left > 0) this.timer ??= setTimeout(() => this.nextSecond(performance.now()), this.secondEnds - now);
  }

  close(): void {
    this.nextSecond(performance.now());
  }

  reconfigure(config: ConsoleConfig): boolean {
    this.config = config;
    return true;
  }

  private nextSecond(now: number): void {
    clearTimeout(this.timer);
    this.timer = undefined;
    if (this.left > 0) this.context.log.info(`… ${this.left} more`, { notShown: this.left });
    this.left = 0;
    this.written = 0;
    this.secondEnds = now + SECOND;
  }
}

export default defineSink<ConsoleConfig>({ custody: 'view', create: (context) => new Console(context) });
