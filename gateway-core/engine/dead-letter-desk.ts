/** What an operator does with dead letters: look, edit, retry, discard, export. Each act is an event. */
import { randomUUID } from 'node:crypto';
import type { EventReport } from '../events/report.ts';
import { pack } from '../flow/pack.ts';
import type { Injected, Injection } from '../isolation/injection.ts';
import { toCloudEvent } from '../plugin-api/cloud-event.ts';
import type { Calls } from '../protocol/contract.ts';
import type {
  ExportItem,
  LetterBounds,
  LetterRow,
  LetterSelection,
  LetterState,
  RetryJob,
} from '../protocol/dead-letters.ts';
import type { CloudEventJson } from '../protocol/model.ts';
import type { StreamOut } from '../protocol/handlers.ts';
import type { LetterStorage, LettersKept, StoredLetter, WholeLetter } from '../storage/storage.ts';
import { Broadcast } from './broadcast.ts';
import { CodedError, toWireError } from './error.ts';
import { describeMessage, editMessage, readLetter, readOriginal } from './letter-message.ts';
import { LetterRetry } from './letter-retry.ts';
import type { Ways } from './letter-way.ts';

export interface DeskOptions {
  readonly letters: LetterStorage;
  readonly ways: () => Ways;
  readonly inject: (origin: string, injection: Injection) => Promise<Injected>;
  readonly bounds: () => LetterBounds;
  /** What is to be done about a code; empty when nobody says. */
  readonly remedyOf: (code: string) => string;
  readonly redact: (text: string) => string;
  readonly report: (event: EventReport) => void;
}

type Params<Name extends keyof Calls> = Calls[Name]['params'];
type Result<Name extends keyof Calls> = Promise<Calls[Name]['result']>;

const TICK_MS = 250;
/** While nothing is being retried, every so many ticks. */
const IDLE_TICKS = 4;
const MAX_RETRIES = 4;
/** Retries that ended, still told of. */
const ENDED_KEPT = 10;
const LIST_LIMIT = 200;
const DISCARD_BATCH = 1000;
const EXPORT_BATCH = 200;
const EXPORT_BYTES = 512 * 1024;

export class DeadLetterDesk {
  private readonly options: DeskOptions;
  private readonly inHand = new Set<number>();
  private readonly running = new Map<string, { readonly retry: LetterRetry; readonly ended: Promise<unknown> }>();
  private ended: readonly RetryJob[] = [];
  private readonly watchers = new Broadcast<LetterState>(1);
  private timer: NodeJS.Timeout | undefined;
  private ticks = 0;
  private told = '';

  constructor(options: DeskOptions) {
    this.options = options;
  }

  async list({ filter = {}, before, limit }: Params<'deadletters.list'>): Result<'deadletters.list'> {
    const letters = await this.options.letters.list(filter, before, limit ?? LIST_LIMIT);
    return { letters: letters.map((letter) => this.row(letter)) };
  }

  async summary({ filter = {} }: Params<'deadletters.summary'>): Result<'deadletters.summary'> {
    const summary = await this.options.letters.summary(filter);
    const groups = summary.groups.map((group) => ({ ...group, cause: this.options.redact(group.cause) }));
    return { ...summary, groups, bounds: this.options.bounds() };
  }

  /** A letter whose message cannot be read is shown all the same, with `problem` in place of the message. */
  async show({ id }: Params<'deadletters.show'>): Result<'deadletters.show'> {
    const letter = await this.letter(id);
    const { redact, remedyOf } = this.options;
    const { stack, revision, history, code, cause } = letter;
    const detail = {
      letter: this.row(letter),
      cause: redact(cause),
      stack: redact(stack),
      remedy: remedyOf(code),
      revision,
      history: history.map((act) => (act.act === 'retried' ? { ...act, cause: redact(act.cause) } : act)),
    };
    try {
      const original = readOriginal(letter);
      return {
        ...detail,
        message: describeMessage(readLetter(letter), letter.packed.byteLength),
        ...(original === undefined
          ? {}
          : { original: describeMessage(original, letter.original?.byteLength ?? 0).event }),
      };
    } catch (error) {
      return { ...detail, problem: toWireError(error) };
    }
  }

  async edit({ id, revision, change }: Params<'deadletters.edit'>, by: string): Result<'deadletters.edit'> {
    this.mustBeFree(id);
    // A retry that begins meanwhile must not deliver the old message and then remove the edited one.
    this.inHand.add(id);
    let letter: WholeLetter;
    try {
      letter = await this.letter(id);
      if (letter.revision !== revision) throw new CodedError('PB_LETTER_CHANGED', { id });
      const packed = pack([editMessage(readLetter(letter), change)]);
      if (!(await this.options.letters.edit(id, revision, packed, by)))
        throw new CodedError('PB_LETTER_CHANGED', { id });
    } finally {
      this.inHand.delete(id);
    }
    this.options.report({
      severity: 'info',
      source: 'flow',
      act: true,
      type: 'deadletters.edited',
      subject: letter.instance,
      message: `Dead letter ${id} of ${letter.instance} was edited (by ${by})`,
      details: { id, by, messageId: letter.messageId, changed: Object.keys(change) },
    });
    return { revision: revision + 1 };
  }

  /** Begins a retry; how it goes is told by `watch`. */
  async retry(params: Params<'deadletters.retry'>, by: string): Result<'deadletters.retry'> {
    const { to, perSecond, selection } = params;
    if (this.running.size >= MAX_RETRIES) throw new CodedError('PB_RETRY_LIMIT', { count: this.running.size });
    const { count, newest } = await this.options.letters.measure(selection);
    if (count === 0) throw noneOf(selection);
    if ('ids' in selection && selection.ids.length === 1) this.mustBeFree(selection.ids[0] as number);
    const id = randomUUID();
    const { letters, ways, inject } = this.options;
    const retry = new LetterRetry({
      id,
      by,
      to,
      selection,
      total: count,
      watermark: newest,
      perSecond,
      letters,
      inHand: this.inHand,
      ways,
      inject,
    });
    this.options.report({
      severity: 'info',
      source: 'flow',
      act: true,
      type: 'deadletters.retry',
      message: `${letterCount(count)} retried ${to === 'place' ? 'where they were refused' : 'from the start'} (by ${by})`,
      details: { job: id, by, to, count, ...named(selection) },
    });
    const ended = retry.run().then((job) => this.retried(job));
    this.running.set(id, { retry, ended });
    void this.tell();
    return { job: id, total: count };
  }

  cancel({ job }: Params<'deadletters.cancel'>): Record<string, never> {
    const running = this.running.get(job);
    if (running === undefined) throw new CodedError('PB_RETRY_UNKNOWN', { job });
    running.retry.cancel();
    return {};
  }

  async discard(params: Params<'deadletters.discard'>, by: string): Result<'deadletters.discard'> {
    const reason = params.reason.trim();
    if (reason === '') throw new CodedError('PB_LETTER_REASON');
    const { letters } = this.options;
    const chosen = params.selection;
    if ('ids' in chosen && chosen.ids.length === 1) this.mustBeFree(chosen.ids[0] as number);
    // What is refused while this runs was not meant.
    const { newest, count: selected } = await letters.measure(chosen);
    if (selected === 0) throw noneOf(chosen);
    const selection = upTo(chosen, newest);
    let count = 0;
    for (let after = 0; ;) {
      const removed = await letters.remove(selection, after, DISCARD_BATCH, [...this.inHand]);
      count += removed.count;
      if (removed.last === 0) break;
      after = removed.last;
    }
    this.options.report({
      severity: 'warning',
      source: 'flow',
      act: true,
      type: 'deadletters.discarded',
      message: `${letterCount(count)} discarded (by ${by}): ${reason}`,
      details: { by, count, reason, ...named(chosen) },
    });
    void this.tell();
    return { discarded: count };
  }

  /** Sends the letters, oldest first, as far as there is credit. */
  export(chosen: LetterSelection, out: StreamOut<ExportItem>): () => void {
    let selection: LetterSelection | undefined;
    let after = 0;
    let busy = false;
    let stopped = false;
    const go = async (): Promise<void> => {
      if (busy) return;
      busy = true;
      try {
        selection ??= upTo(chosen, (await this.options.letters.measure(chosen)).newest);
        while (!stopped && out.ready) {
          const letters = await this.options.letters.take(selection, after, EXPORT_BATCH, EXPORT_BYTES);
          const last = letters.at(-1);
          if (last === undefined) {
            out.end();
            return;
          }
          // Not ready any more: the same ones are taken again when it is.
          if (stopped || !out.send(this.exported(letters))) return;
          after = last.id;
        }
      } catch (error) {
        out.end(error);
      } finally {
        busy = false;
      }
    };
    out.onReady(() => void go());
    void go();
    return () => {
      stopped = true;
    };
  }

  /** Tells at once and whenever something changed, at most four times a second. */
  watch(out: StreamOut<LetterState>): () => void {
    const remove = this.watchers.add(out);
    this.options.letters.kept().then(
      (kept) => out.send(this.state(kept)),
      (error: unknown) => out.end(error),
    );
    this.timer ??= setInterval(() => this.tick(), TICK_MS).unref();
    return () => {
      remove();
      if (this.watchers.size > 0) return;
      clearInterval(this.timer);
      this.timer = undefined;
    };
  }

  /** Ends every retry after the batch that is under way. */
  cancelAll(): void {
    for (const { retry } of this.running.values()) retry.cancel();
  }

  /** Cancels every retry and resolves when they have ended. */
  async stop(): Promise<void> {
    clearInterval(this.timer);
    this.cancelAll();
    await Promise.all([...this.running.values()].map(({ ended }) => ended));
  }

  private retried(job: RetryJob): void {
    this.running.delete(job.id);
    this.ended = [job, ...this.ended].slice(0, ENDED_KEPT);
    const { id, by, to, delivered, filtered, refused, kept, state } = job;
    this.options.report({
      severity: state === 'done' && kept === 0 && refused === 0 ? 'info' : 'warning',
      source: 'flow',
      act: true,
      type: 'deadletters.retried',
      message: `A retry of dead letters ${STATE_WORDS[state]} (by ${by}): ${delivered} delivered, ${filtered} filtered, ${refused} refused again, ${kept} kept`,
      ...(job.error === undefined ? {} : { code: job.error.code, remedy: job.error.remedy }),
      details: { job: id, by, to, total: job.total, delivered, filtered, refused, kept },
    });
    void this.tell();
  }

  private tick(): void {
    this.ticks++;
    if (this.running.size > 0 || this.ticks % IDLE_TICKS === 0) void this.tell();
  }

  private async tell(): Promise<void> {
    if (this.watchers.size === 0) return;
    try {
      const state = this.state(await this.options.letters.kept());
      const text = JSON.stringify(state);
      if (text === this.told) return;
      this.told = text;
      this.watchers.send(state);
    } catch {
      // The store is away for now; the next tick asks again.
    }
  }

  private state(kept: LettersKept): LetterState {
    const running = [...this.running.values()].map(({ retry }) => retry.progress).toReversed();
    return { ...kept, jobs: [...running, ...this.ended].map((job) => this.masked(job)) };
  }

  private masked(job: RetryJob): RetryJob {
    return job.error === undefined
      ? job
      : { ...job, error: { ...job.error, message: this.options.redact(job.error.message) } };
  }

  private async letter(id: number): Promise<WholeLetter> {
    const letter = await this.options.letters.get(id);
    if (letter === undefined) throw new CodedError('PB_LETTER_UNKNOWN', { id });
    return letter;
  }

  private mustBeFree(id: number): void {
    if (this.inHand.has(id)) throw new CodedError('PB_LETTER_BUSY', { id });
  }

  private row(letter: StoredLetter): LetterRow {
    const { id, stored, pipeline, instance, place, origin, messageId, code, attempts, bytes, retries, edited } = letter;
    return {
      id,
      stored,
      pipeline,
      instance,
      place,
      origin,
      messageId,
      code,
      cause: this.options.redact(letter.cause).slice(0, 500),
      attempts,
      bytes,
      retries,
      edited,
      busy: this.inHand.has(id),
    };
  }

  private exported(letters: readonly WholeLetter[]): ExportItem {
    const events: CloudEventJson[] = [];
    const unreadable: number[] = [];
    for (const letter of letters) {
      try {
        const { code, cause, instance, pipeline, attempts, stored } = letter;
        const extensions = {
          refusedcode: code,
          refusedcause: this.options.redact(cause),
          refusedby: instance,
          refusedat: new Date(stored).toISOString(),
          pipeline,
          attempts,
        };
        events.push({ ...toCloudEvent(readLetter(letter)), ...extensions });
      } catch {
        unreadable.push(letter.id);
      }
    }
    return { events, unreadable };
  }
}

const STATE_WORDS: Readonly<Record<RetryJob['state'], string>> = {
  running: 'runs',
  done: 'has ended',
  cancelled: 'was cancelled',
  stopped: 'stopped early',
};

function letterCount(count: number): string {
  return count === 1 ? 'One dead letter is' : `${count} dead letters are`;
}

/** For an event, which is to stay small. */
function named(selection: LetterSelection): Readonly<Record<string, unknown>> {
  return 'ids' in selection ? { ids: selection.ids.slice(0, 50) } : { filter: selection.filter };
}

/** What is there now, and nothing that is refused later. */
function upTo(selection: LetterSelection, newest: number): LetterSelection {
  if ('ids' in selection) return selection;
  return { filter: { ...selection.filter, upTo: Math.min(selection.filter.upTo ?? newest, newest) } };
}

function noneOf(selection: LetterSelection): CodedError {
  return 'ids' in selection && selection.ids.length === 1
    ? new CodedError('PB_LETTER_UNKNOWN', { id: selection.ids[0] })
    : new CodedError('PB_LETTERS_NONE');
}
