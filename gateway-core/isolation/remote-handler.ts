/** A handler that runs in another thread: third-party code, and handlers that remember, of which there is one. */
import type { MessagePort } from 'node:worker_threads';
import { GivenBack, isMessage, type HandlerStep, type StepResults } from '../flow/handler-step.ts';
import { pack, unpack } from '../flow/pack.ts';
import { Fate, FollowsFate, type Exceptions, type Settler } from '../flow/settling.ts';
import { TracedRefusal, traceOf, type Trace } from '../flow/traced-refusal.ts';
import { PatchbayError } from '../plugin-api/errors.ts';
import { Filtered, Refused, type HandlerItem, type HandlerResult, type Message } from '../plugin-api/index.ts';
import type { Outcome } from '../plugin-api/outcome.ts';
import { reportFault, reviveFault } from './fault.ts';
import type { FaultReport } from './wire.ts';

type ToHandler = { readonly seq: number; readonly block: Uint8Array<ArrayBuffer> } | ToSettle;
/** What became of messages: those of earlier batches by their `seq`, for each -1 one of `block`, which the far end has not. */
interface ToSettle {
  readonly settle: number;
  readonly parts: readonly number[];
  readonly exceptions: Exceptions;
  readonly block: Uint8Array<ArrayBuffer>;
}

/** An item of a result: a message by its place in the block, a filter's reason, or a refusal. */
type PackedItem =
  | number
  /** `follows`: an input of the same batch by its place; `fate`: one of another batch, told of later. */
  | { readonly filtered: string; readonly follows?: number; readonly fate?: number }
  | { readonly back: string; readonly cause: string }
  | {
      readonly refused: string;
      readonly cause: string;
      readonly part: number;
      readonly trace: Trace;
    };
/** `true`: passed as it was. */
type PackedResult = true | PackedItem | readonly PackedItem[];
interface HandlerAnswer {
  readonly seq: number;
  readonly results: readonly PackedResult[];
  readonly block: Uint8Array<ArrayBuffer>;
}
type FromHandler =
  | HandlerAnswer
  | { readonly settled: number; readonly error: FaultReport | undefined }
  | { readonly fate: number; readonly outcome: Outcome };

interface Asked {
  readonly batch: readonly Message[];
  readonly since: number;
  readonly resolve: (results: readonly HandlerResult[]) => void;
  readonly reject: (error: unknown) => void;
  losses: number;
}

interface Settling {
  readonly inputs: readonly Message[];
  readonly exceptions: Exceptions;
  readonly since: number;
  readonly resolve: () => void;
  readonly reject: (error: unknown) => void;
}

/** A batch that was with the handler when its thread died this often is its likely cause. */
const MAX_LOSSES = 2;

/**
 * The near end, in place of the handler. A batch whose thread died goes to the next one; if that
 * dies too, it is taken apart. What became of batches is told again to the next one, too.
 */
export class RemoteHandler implements Settler {
  readonly name: string;
  private port: MessagePort | undefined;
  private ended = false;
  private seq = 0;
  private readonly asked = new Map<number, Asked>();
  private readonly remembers: boolean;
  /** Batches that the far end of this port keeps for `settle`, by their first message. */
  private there = new Map<Message, { readonly seq: number; readonly size: number }>();
  private readonly settling = new Map<number, Settling>();
  private fates = new Map<number, Fate>();

  /** `remembers`: it is to be told what became of its inputs. */
  constructor(name: string, remembers: boolean) {
    this.name = name;
    this.remembers = remembers;
  }

  connect(port: MessagePort): void {
    const { port: old } = this;
    this.port = port;
    old?.close();
    this.forget();
    port.on('message', (answer: FromHandler) => this.heard(answer));
    port.on('close', () => {
      if (this.port === port) this.lost();
    });
    for (const [id, settling] of this.settling) this.postSettle(id, settling);
    for (const [seq, { batch }] of this.asked) this.post(seq, batch);
  }

  readonly handle = (batch: readonly Message[]): Promise<readonly HandlerResult[]> => {
    if (this.ended) return Promise.resolve(this.stopped(batch));
    return new Promise((resolve, reject) => {
      const seq = this.seq++;
      this.asked.set(seq, { batch, since: performance.now(), resolve, reject, losses: 0 });
      this.post(seq, batch);
    });
  };

  settle(inputs: readonly Message[], exceptions: Exceptions): Promise<void> {
    if (this.ended) return Promise.reject(new PatchbayError('PB_HANDLER_STOPPED', `${this.name} was stopped`));
    // It never got them, and need not hear that they are back.
    if (inputs.every((input, i) => !this.there.has(input) && exceptions.get(i)?.kind === 'retry'))
      return Promise.resolve();
    return new Promise((resolve, reject) => {
      const id = this.seq++;
      const settling = { inputs, exceptions, since: performance.now(), resolve, reject };
      this.settling.set(id, settling);
      this.postSettle(id, settling);
    });
  }

  /** Messages of this thread are known over there under their places only; see `answer`. */
  fateOf(): Fate {
    const fate = new Fate();
    fate.settle(this.lostOutcome());
    return fate;
  }

  /** Gives back what the handler has not answered since `before` (performance.now). */
  sweep(before: number): void {
    for (const [seq, { batch, since, resolve }] of this.asked) {
      if (since >= before) break;
      this.asked.delete(seq);
      const cause = this.port === undefined ? `${this.name} did not come back in time` : `${this.name} does not answer`;
      resolve(batch.map(() => new GivenBack('PB_SETTLE_DEADLINE', cause)));
    }
    for (const [id, { since, reject }] of this.settling) {
      if (since >= before) break;
      this.settling.delete(id);
      reject(new PatchbayError('PB_SETTLE_DEADLINE', `${this.name} does not answer`));
    }
  }

  /** Gives everything back, now and from now on. */
  end(): void {
    const { port } = this;
    this.ended = true;
    this.port = undefined;
    port?.close();
    for (const { batch, resolve } of this.asked.values()) resolve(this.stopped(batch));
    for (const { reject } of this.settling.values())
      reject(new PatchbayError('PB_HANDLER_STOPPED', `${this.name} was stopped`));
    this.asked.clear();
    this.settling.clear();
    this.forget();
  }

  private stopped(batch: readonly Message[]): HandlerResult[] {
    return batch.map(() => new GivenBack('PB_HANDLER_STOPPED', `${this.name} was stopped`));
  }

  private lostOutcome(): Outcome {
    return { kind: 'retry', code: 'PB_HANDLER_STOPPED', cause: `${this.name} was started anew`, afterMs: 0 };
  }

  /** What was known of the far end is gone with it. */
  private forget(): void {
    this.there = new Map();
    const { fates } = this;
    this.fates = new Map();
    for (const fate of fates.values()) fate.settle(this.lostOutcome());
  }

  private lost(): void {
    this.port = undefined;
    this.forget();
    for (const [seq, asked] of this.asked) {
      if (++asked.losses < MAX_LOSSES) continue;
      this.asked.delete(seq);
      asked.reject(
        new PatchbayError('PB_PLUGIN_CRASHED', `${this.name} died ${MAX_LOSSES} times with this message in its hands`),
      );
    }
  }

  private post(seq: number, batch: readonly Message[]): void {
    if (this.port === undefined) return;
    const block = pack(batch);
    this.port.postMessage({ seq, block } satisfies ToHandler, [block.buffer]);
  }

  private postSettle(id: number, { inputs, exceptions }: Settling): void {
    if (this.port === undefined) return;
    const parts: number[] = [];
    const unknown: Message[] = [];
    for (let i = 0; i < inputs.length;) {
      const input = inputs[i] as Message;
      const known = this.there.get(input);
      this.there.delete(input);
      parts.push(known?.seq ?? -1);
      if (known === undefined) unknown.push(input);
      i += known?.size ?? 1;
    }
    const block = pack(unknown);
    this.port.postMessage({ settle: id, parts, exceptions, block } satisfies ToHandler, [block.buffer]);
  }

  private heard(message: FromHandler): void {
    if ('results' in message) this.answer(message);
    else if ('settled' in message) {
      const settling = this.settling.get(message.settled);
      this.settling.delete(message.settled);
      if (message.error === undefined) settling?.resolve();
      else settling?.reject(reviveFault(message.error));
    } else {
      this.fates.get(message.fate)?.settle(message.outcome);
      this.fates.delete(message.fate);
    }
  }

  private answer({ seq, results, block }: HandlerAnswer): void {
    const asked = this.asked.get(seq);
    if (asked === undefined) return;
    this.asked.delete(seq);
    if (this.remembers && asked.batch[0] !== undefined)
      this.there.set(asked.batch[0], { seq, size: asked.batch.length });
    const messages = unpack(block);
    const item = (packed: PackedItem): HandlerItem => {
      if (typeof packed === 'number') return messages[packed] as Message;
      if ('filtered' in packed) return this.filtered(packed, asked.batch);
      if ('back' in packed) return new GivenBack(packed.back, packed.cause);
      const { refused, cause, part, trace } = packed;
      return new TracedRefusal(refused, cause, part < 0 ? undefined : messages[part], trace);
    };
    asked.resolve(
      results.map((result, i): HandlerResult => {
        if (result === true) return asked.batch[i] as Message;
        return Array.isArray(result) ? (result as readonly PackedItem[]).map(item) : item(result as PackedItem);
      }),
    );
  }

  private filtered(
    { filtered, follows, fate: id }: { filtered: string; follows?: number; fate?: number },
    batch: readonly Message[],
  ): Filtered {
    if (follows !== undefined) return new Filtered(filtered, { follows: batch[follows] as Message });
    if (id === undefined) return new Filtered(filtered);
    // Several may follow the same one.
    let fate = this.fates.get(id);
    if (fate === undefined) this.fates.set(id, (fate = new Fate()));
    return new FollowsFate(filtered, fate);
  }
}

/**
 * The far end: runs the batches that come over `port` through the handler. One that remembers keeps each batch until
 * it is told what became of it; what is open when the port closes counts as given back. `redact` masks the secrets
 * that only this thread knows.
 */
export function serveHandler(port: MessagePort, step: HandlerStep, redact: (text: string) => string): void {
  const open = new Map<number, readonly Message[]>();
  let fates = 0;
  const { settler } = step;
  /** Tells the near end of a message that follows one of another batch, once it is known. */
  const tellFate = (input: Message): number => {
    const id = fates++;
    void settler?.fateOf(input).known.then((outcome) => port.postMessage({ fate: id, outcome } satisfies FromHandler));
    return id;
  };
  const settle = (inputs: readonly Message[], exceptions: Exceptions): Promise<void> =>
    settler?.settle(inputs, exceptions) ?? Promise.resolve();
  port.on('message', (message: ToHandler) => {
    if ('settle' in message) {
      const unknown = unpack(message.block);
      let next = 0;
      const inputs = message.parts.flatMap((seq) => open.get(seq) ?? [unknown[next++] as Message]);
      for (const seq of message.parts) open.delete(seq);
      settle(inputs, message.exceptions).then(
        () => port.postMessage({ settled: message.settle, error: undefined } satisfies FromHandler),
        (error: unknown) =>
          port.postMessage({ settled: message.settle, error: reportFault(error) } satisfies FromHandler),
      );
      return;
    }
    const { seq } = message;
    const batch = unpack(message.block);
    if (settler !== undefined) open.set(seq, batch);
    const answer = (results: StepResults): void => {
      const reply = packResults(seq, batch, results, tellFate, redact);
      port.postMessage(reply, [reply.block.buffer]);
    };
    const results = step.handle(batch);
    if (results instanceof Promise) void results.then(answer);
    else answer(results);
  });
  port.on('close', () => {
    const gone: Outcome = { kind: 'retry', code: 'PB_WORKER_CRASHED', cause: 'its thread is gone', afterMs: 0 };
    for (const inputs of open.values()) {
      settle(inputs, new Map(inputs.map((_, i) => [i, gone]))).catch(() => {
        // The handler has reported it; nobody waits for this.
      });
    }
    open.clear();
  });
}

function packResults(
  seq: number,
  batch: readonly Message[],
  results: StepResults,
  tellFate: (input: Message) => number,
  redact: (text: string) => string,
): HandlerAnswer {
  const messages: Message[] = [];
  const filtered = ({ reason, follows }: Filtered): PackedItem => {
    if (follows === undefined) return { filtered: reason };
    const place = batch.indexOf(follows);
    return place >= 0 ? { filtered: reason, follows: place } : { filtered: reason, fate: tellFate(follows) };
  };
  const item = (value: HandlerItem): PackedItem => {
    if (value instanceof GivenBack) return { back: value.code, cause: value.reason };
    if (value instanceof Filtered) return filtered(value);
    if (value instanceof Refused)
      return {
        refused: value.code,
        cause: redact(value.cause),
        part: value.message === undefined ? -1 : messages.push(value.message) - 1,
        trace: { ...traceOf(value), stack: redact(traceOf(value).stack) },
      };
    if (isMessage(value)) return messages.push(value) - 1;
    return {
      refused: 'PB_PLUGIN_RESULT',
      cause: `the handler gave ${value === null ? 'null' : typeof value} for a message`,
      part: -1,
      trace: { stack: '', attempts: 1 },
    };
  };
  const packed = results.map((result, i): PackedResult => {
    if (result === batch[i]) return true;
    return Array.isArray(result) ? (result as readonly HandlerItem[]).map(item) : item(result as HandlerItem);
  });
  return { seq, results: packed, block: pack(messages) };
}
