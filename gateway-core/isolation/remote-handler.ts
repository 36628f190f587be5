/** A handler that runs in another thread (third-party code has a thread of its own). */
import type { MessagePort } from 'node:worker_threads';
import type { HandlerStep, StepResults } from '../flow/handler-step.ts';
import { isMessage } from '../flow/handler-step.ts';
import { pack, unpack } from '../flow/pack.ts';
import { TracedRefusal, traceOf, type Trace } from '../flow/traced-refusal.ts';
import { PatchbayError } from '../plugin-api/errors.ts';
import { Filtered, Refused, type HandlerItem, type HandlerResult, type Message } from '../plugin-api/index.ts';

type ToHandler = { readonly seq: number; readonly block: Uint8Array<ArrayBuffer> };

/** An item of a result: a message by its place in the block, a filter's reason, or a refusal. */
type PackedItem =
  | number
  | { readonly filtered: string }
  | {
      readonly refused: string;
      readonly cause: string;
      readonly part: number;
      readonly trace: Trace;
    };
/** `true`: passed as it was. */
type PackedResult = true | PackedItem | readonly PackedItem[];
type FromHandler = {
  readonly seq: number;
  readonly results: readonly PackedResult[];
  readonly block: Uint8Array<ArrayBuffer>;
};

interface Asked {
  readonly batch: readonly Message[];
  readonly resolve: (results: readonly HandlerResult[]) => void;
  readonly reject: (error: unknown) => void;
  losses: number;
}

/** A batch that was with the handler when its thread died this often is its likely cause. */
const MAX_LOSSES = 2;

/** The near end, in place of the handler. A batch whose thread died goes to the next one; if that dies too, it is taken apart. */
export class RemoteHandler {
  readonly name: string;
  private port: MessagePort | undefined;
  private seq = 0;
  private readonly asked = new Map<number, Asked>();

  constructor(name: string) {
    this.name = name;
  }

  connect(port: MessagePort): void {
    const { port: old } = this;
    this.port = port;
    old?.close();
    port.on('message', (answer: FromHandler) => this.answer(answer));
    port.on('close', () => {
      if (this.port === port) this.lost();
    });
    for (const [seq, { batch }] of this.asked) this.post(seq, batch);
  }

  readonly handle = (batch: readonly Message[]): Promise<readonly HandlerResult[]> =>
    new Promise((resolve, reject) => {
      const seq = this.seq++;
      this.asked.set(seq, { batch, resolve, reject, losses: 0 });
      this.post(seq, batch);
    });

  end(): void {
    const { port } = this;
    this.port = undefined;
    port?.close();
    for (const asked of this.asked.values())
      asked.reject(new PatchbayError('PB_HANDLER_STOPPED', `${this.name} was stopped`));
    this.asked.clear();
  }

  private lost(): void {
    this.port = undefined;
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

  private answer({ seq, results, block }: FromHandler): void {
    const asked = this.asked.get(seq);
    if (asked === undefined) return;
    this.asked.delete(seq);
    const messages = unpack(block);
    const item = (packed: PackedItem): HandlerItem => {
      if (typeof packed === 'number') return messages[packed] as Message;
      if ('filtered' in packed) return new Filtered(packed.filtered);
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
}

/** The far end: runs the batches that come over `port` through the handler. `redact` masks the secrets that only this thread knows. */
export function serveHandler(port: MessagePort, step: HandlerStep, redact: (text: string) => string): void {
  port.on('message', ({ seq, block }: ToHandler) => {
    const batch = unpack(block);
    const answer = (results: StepResults): void => {
      const reply = packResults(seq, batch, results, redact);
      port.postMessage(reply, [reply.block.buffer]);
    };
    const results = step.handle(batch);
    if (results instanceof Promise) void results.then(answer);
    else answer(results);
  });
}

function packResults(
  seq: number,
  batch: readonly Message[],
  results: StepResults,
  redact: (text: string) => string,
): FromHandler {
  const messages: Message[] = [];
  const item = (value: HandlerItem): PackedItem => {
    if (value instanceof Filtered) return { filtered: value.reason };
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
