/** One retry of many letters: batch after batch, each settled before the next begins. */
import { pack } from '../flow/pack.ts';
import type { Entry } from '../flow/pipeline-run.ts';
import type { Injected, Injection } from '../isolation/injection.ts';
import type { Message, Outcome } from '../plugin-api/index.ts';
import type { LetterSelection, RetryJob, RetryTo } from '../protocol/dead-letters.ts';
import type { LetterResult, LetterStorage, WholeLetter } from '../storage/storage.ts';
import { CodedError, toWireError } from './error.ts';
import { readLetter } from './letter-message.ts';
import { entryOf, type Ways } from './letter-way.ts';

export interface RetryOptions {
  readonly id: string;
  readonly by: string;
  readonly to: RetryTo;
  readonly selection: LetterSelection;
  /** Letters selected when it began. */
  readonly total: number;
  /** The highest id there was when it began: what it refuses anew lies above. */
  readonly watermark: number;
  /** Letters a second at most; undefined: as fast as the pipelines take them. */
  readonly perSecond: number | undefined;
  readonly letters: LetterStorage;
  /** Ids that any retry has in hand. */
  readonly inHand: Set<number>;
  readonly ways: () => Ways;
  readonly inject: (origin: string, injection: Injection) => Promise<Injected>;
}

const BATCH = 100;
const BATCH_BYTES = 1024 * 1024;

interface Readable {
  readonly letter: WholeLetter;
  readonly message: Message;
  readonly entry: Entry;
}

/** Letters are removed only after their outcome is known, or they are stored anew: a crash can at worst deliver twice. */
export class LetterRetry {
  private readonly options: RetryOptions;
  private readonly abort = new AbortController();
  private job: RetryJob;

  constructor(options: RetryOptions) {
    const { id, by, to, total } = options;
    this.options = options;
    this.job = {
      id,
      by,
      to,
      total,
      since: Date.now(),
      ended: 0,
      state: 'running',
      done: 0,
      delivered: 0,
      filtered: 0,
      refused: 0,
      kept: 0,
    };
  }

  get progress(): RetryJob {
    return this.job;
  }

  /** Ends it after the batch that is under way. */
  cancel(): void {
    this.abort.abort();
  }

  /** Resolves, never rejects, when it has ended; how is in `progress`. */
  async run(): Promise<RetryJob> {
    let state: RetryJob['state'] = 'done';
    try {
      state = await this.all();
    } catch (error) {
      state = 'stopped';
      this.note(error);
    }
    this.job = { ...this.job, state, ended: Date.now() };
    return this.job;
  }

  private get cancelled(): boolean {
    return this.abort.signal.aborted;
  }

  private async all(): Promise<RetryJob['state']> {
    const { letters, selection, perSecond, inHand, watermark } = this.options;
    const size = perSecond === undefined ? BATCH : Math.max(1, Math.min(BATCH, Math.floor(perSecond)));
    for (let after = 0; ;) {
      if (this.cancelled) return 'cancelled';
      const batch = (await letters.take(selection, after, size, BATCH_BYTES)).filter(({ id }) => id <= watermark);
      const last = batch.at(-1);
      if (last === undefined) return 'done';
      after = last.id;
      const began = performance.now();
      const free = batch.filter(({ id }) => !inHand.has(id));
      for (const { id } of batch) if (inHand.has(id)) this.keep(new CodedError('PB_LETTER_BUSY', { id }));
      for (const { id } of free) inHand.add(id);
      let goOn: boolean;
      try {
        goOn = await this.batch(free);
      } finally {
        for (const { id } of free) inHand.delete(id);
      }
      if (!goOn) return this.cancelled ? 'cancelled' : 'stopped';
      if (perSecond !== undefined)
        await pause((batch.length / perSecond) * 1000 - (performance.now() - began), this.abort.signal);
    }
  }

  /** False when the rest need not be tried. */
  private async batch(batch: readonly WholeLetter[]): Promise<boolean> {
    const groups = new Map<string, Readable[]>();
    for (const letter of batch) {
      try {
        const entry = entryOf(letter, this.options.to, this.options.ways());
        const message = readLetter(letter);
        const key = JSON.stringify([letter.pipeline, entry, letter.origin]);
        groups.set(key, [...(groups.get(key) ?? []), { letter, message, entry }]);
      } catch (error) {
        this.keep(error);
      }
    }
    for (const group of groups.values()) if (!(await this.group(group))) return false;
    return true;
  }

  /** Letters that enter one pipeline at one place, in their order. */
  private async group(group: readonly Readable[]): Promise<boolean> {
    const [first] = group;
    if (first === undefined) return true;
    const { letters, watermark, to } = this.options;
    const { pipeline, origin } = first.letter;
    const block = pack(group.map(({ message }) => message));
    let answer: Injected;
    try {
      do {
        if (this.cancelled) return false;
        entryOf(first.letter, to, this.options.ways());
        answer = await this.options.inject(origin, { pipeline, entry: first.entry, block });
      } while ('not' in answer && answer.not === 'busy');
      if ('not' in answer) throw new CodedError('PB_LETTER_NO_WAY', { pipeline, reason: 'it does not run now' });
    } catch (error) {
      for (let i = 0; i < group.length; i++) this.keep(error);
      return true;
    }
    const { outcomes } = answer;
    const results = group.map(({ letter }, i) => this.resultOf(letter, outcomes[i] ?? { kind: 'delivered' }));
    await letters.settle(results, watermark);
    outcomes.forEach((outcome) => this.count(outcome));
    const given = outcomes.find((outcome) => outcome.kind === 'retry');
    if (given === undefined || outcomes.some(({ kind }) => kind !== 'retry')) return true;
    this.note(new CodedError('PB_RETRY_STOPPED', { code: given.code, cause: given.cause }));
    return false;
  }

  private resultOf({ id }: WholeLetter, outcome: Outcome): LetterResult {
    if (outcome.kind === 'delivered' || outcome.kind === 'filtered') return { id, result: 'taken' };
    const { by, to } = this.options;
    const { code, cause } = outcome;
    const stored = outcome.kind === 'refused' && outcome.stored;
    return {
      id,
      result: stored ? 'refused' : 'kept',
      act: {
        act: 'retried',
        time: Date.now(),
        by,
        to,
        ended: outcome.kind === 'refused' ? 'refused' : 'returned',
        code,
        cause,
      },
    };
  }

  private count(outcome: Outcome): void {
    const { job } = this;
    const stored = outcome.kind === 'refused' && outcome.stored;
    this.job = {
      ...job,
      done: job.done + 1,
      delivered: job.delivered + (outcome.kind === 'delivered' ? 1 : 0),
      filtered: job.filtered + (outcome.kind === 'filtered' ? 1 : 0),
      refused: job.refused + (stored ? 1 : 0),
      kept: job.kept + (outcome.kind === 'retry' || (outcome.kind === 'refused' && !stored) ? 1 : 0),
      ...(outcome.kind === 'refused' || outcome.kind === 'retry'
        ? { error: { code: outcome.code, message: outcome.cause, remedy: '' } }
        : {}),
    };
  }

  private keep(error: unknown): void {
    this.job = { ...this.job, done: this.job.done + 1, kept: this.job.kept + 1 };
    this.note(error);
  }

  private note(error: unknown): void {
    this.job = { ...this.job, error: toWireError(error) };
  }
}

async function pause(ms: number, signal: AbortSignal): Promise<void> {
  if (ms <= 0 || signal.aborted) return;
  await new Promise<void>((resolve) => {
    const done = (): void => {
      clearTimeout(timer);
      resolve();
    };
    const timer = setTimeout(done, ms);
    signal.addEventListener('abort', done, { once: true });
  });
}
