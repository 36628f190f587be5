import { pack } from '../flow/pack.ts';
import type { Message, Outcome } from '../plugin-api/index.ts';
import type { DeadLetter } from '../storage/storage.ts';

/** Why and where a message was refused. */
export interface Refusal {
  readonly pipeline: string;
  /** The instance that refused it. */
  readonly instance: string;
  readonly code: string;
  readonly cause: string;
  readonly attempts: number;
  /** What kind of instance it is; default: a sink. */
  readonly place?: 'source' | 'handler' | 'sink';
  /** Where the plugin threw; absent: it did not. */
  readonly stack?: string;
}

/**
 * Stores refused messages; that is custody (design §7). Refusals of one turn share a write.
 */
export class DeadLetters {
  private readonly store: (letters: readonly DeadLetter[]) => Promise<void>;
  private readonly onFailure: (error: unknown, count: number) => void;
  private readonly redact: (text: string) => string;
  private batch: DeadLetter[] = [];
  private written: Promise<boolean> | undefined;

  /** `redact` masks secrets in what a plugin said, before it is written. */
  constructor(
    store: (letters: readonly DeadLetter[]) => Promise<void>,
    onFailure: (error: unknown, count: number) => void,
    redact: (text: string) => string = (text) => text,
  ) {
    this.store = store;
    this.onFailure = onFailure;
    this.redact = redact;
  }

  /** Resolves, never rejects, with the refusal's outcome once it is committed, or could not be. */
  async add(message: Message, refusal: Refusal): Promise<Outcome> {
    this.batch.push({
      time: Date.now(),
      pipeline: refusal.pipeline,
      instance: refusal.instance,
      origin: message.instance,
      messageId: message.id,
      code: refusal.code,
      cause: this.redact(refusal.cause),
      attempts: refusal.attempts,
      place: refusal.place ?? 'sink',
      stack: this.redact(refusal.stack ?? ''),
      packed: pack([message]),
    });
    this.written ??= Promise.resolve().then(() => this.flush());
    const stored = await this.written;
    return { kind: 'refused', code: refusal.code, cause: refusal.cause, stored };
  }

  private async flush(): Promise<boolean> {
    const letters = this.batch;
    this.batch = [];
    this.written = undefined;
    try {
      await this.store(letters);
      return true;
    } catch (error) {
      this.onFailure(error, letters.length);
      return false;
    }
  }
}
