/**
 * The engine's side of one connection: greets, checks, runs calls and streams, and keeps
 * whatever the client does within bounds. It knows no carrier, no schema library and no
 * kind of error: those are given to it.
 */
import { systemClock, type Clock } from './clock.ts';
import type { Carrier } from './carrier.ts';
import { CHANGING_CALLS, type CallName, type StreamName } from './contract.ts';
import { PROTOCOL_VERSION, type ClientFrame, type EngineFrame, type WireError } from './frames.ts';
import type { AbortSignalLike, ContractHandlers, Session, StreamOut } from './handlers.ts';
import { DEFAULT_LIMITS, type ServerLimits } from './limits.ts';
import { nearest } from './nearest.ts';
import { OpenStream, type StreamWire } from './open-stream.ts';
import { parseClientFrame } from './parse-frame.ts';
import { wireError } from './wire-error.ts';

/** One parameter that will not do: where (`edits/0/op`, empty for all of them) and what. */
export interface ParameterFault {
  readonly place: string;
  readonly what: string;
}

export interface ServerEnvironment {
  toWireError(error: unknown): WireError;
  /** Undefined when the parameters fit the contract. Called for known names only. */
  checkCall(name: CallName, params: unknown): ParameterFault | undefined;
  checkStream(name: StreamName, params: unknown): ParameterFault | undefined;
  readonly limits?: Partial<ServerLimits>;
  readonly clock?: Clock;
  /** Faults of the client (garbage, not reading) and of handlers, for the log. Not for errors a call was answered with. */
  onFault?(fault: WireError): void;
}

export interface ServedConnection {
  /** Settles when the connection is gone and all it had open has been stopped or cancelled. */
  readonly closed: Promise<void>;
  /** Cancels calls, stops streams and closes the carrier; `reason` defaults to PB_GATEWAY_STOPPING. */
  close(reason?: WireError): void;
}

interface AbortControllerLike {
  readonly signal: AbortSignalLike;
  abort(): void;
}

// Part of every runtime we run on; its type is Node's or the DOM's and neither may be used here.
const { AbortController } = globalThis as unknown as { AbortController: new () => AbortControllerLike };

type AnyCall = (params: unknown, session: Session, signal: AbortSignalLike) => Promise<unknown>;
type AnyStream = (params: unknown, out: StreamOut<unknown>, session: Session) => () => void;

/**
 * Serves one client until either side closes. `session.access` is what the client was
 * authenticated for; an empty `session.client` is replaced by the client's own word.
 */
export function serveConnection(
  carrier: Carrier,
  handlers: ContractHandlers,
  session: Session,
  environment: ServerEnvironment,
): ServedConnection {
  return new Connection(carrier, handlers, session, environment);
}

class Connection implements ServedConnection, StreamWire {
  readonly closed: Promise<void>;
  private readonly carrier: Carrier;
  private readonly handlers: ContractHandlers;
  private readonly environment: ServerEnvironment;
  private readonly limits: ServerLimits;
  private readonly clock: Clock;
  private readonly calls = new Map<number, { readonly method: string; readonly control: AbortControllerLike }>();
  private readonly streams = new Map<number, OpenStream>();
  private session: Session;
  private greeted = false;
  private over = false;
  private running = 0;
  private faults = 0;
  private stopHello: () => void;
  private stopStall: (() => void) | undefined;
  private resolveClosed: () => void = () => undefined;

  constructor(carrier: Carrier, handlers: ContractHandlers, session: Session, environment: ServerEnvironment) {
    this.carrier = carrier;
    this.handlers = handlers;
    this.session = session;
    this.environment = environment;
    this.limits = { ...DEFAULT_LIMITS, ...environment.limits };
    this.clock = environment.clock ?? systemClock;
    this.closed = new Promise((resolve) => (this.resolveClosed = resolve));
    this.stopHello = this.clock.after(this.limits.hello, () => {
      this.fail(wireError('PB_HELLO_TIMEOUT', { seconds: this.limits.hello / 1000 }));
    });
    carrier.onClose(() => this.finish());
    carrier.onDrain(() => this.drained());
    carrier.onFrame((text) => this.receive(text));
  }

  close(reason: WireError = wireError('PB_GATEWAY_STOPPING')): void {
    if (this.over) return;
    // The last word is not held back by what is unread: the carrier closes right behind it.
    this.carrier.send(JSON.stringify({ t: 'error', error: reason } satisfies EngineFrame));
    this.carrier.close(reason.code);
    this.finish();
  }

  // ── StreamWire ────────────────────────────────────────────────────────────

  get writable(): boolean {
    return !this.over && this.carrier.buffered < this.limits.highWater;
  }

  sendItem(id: number, value: unknown): void {
    this.send({ t: 'item', id, value });
  }

  sendEnd(id: number, error: unknown): void {
    if (error === undefined) this.send({ t: 'end', id });
    else this.sendText(errorText(id, this.environment.toWireError(error)));
  }

  forget(id: number): void {
    this.streams.delete(id);
  }

  report(error: unknown): void {
    this.environment.onFault?.(this.environment.toWireError(error));
  }

  // ── Frames in ─────────────────────────────────────────────────────────────

  private receive(text: string): void {
    if (this.over) return;
    if (text.length > this.limits.frame) {
      this.fail(wireError('PB_FRAME_TOO_LARGE', { size: text.length, limit: this.limits.frame }));
      return;
    }
    const frame = parseClientFrame(text, this.limits.depth);
    if ('fault' in frame) {
      this.fault(frame.fault, frame.id);
      return;
    }
    if (!this.greeted) {
      if (frame.t === 'hello') this.greet(frame);
      else this.fail(wireError('PB_BAD_FRAME', { what: `${frame.t} before hello` }));
      return;
    }
    switch (frame.t) {
      case 'hello':
        this.fault('a second hello');
        break;
      case 'call':
        this.call(frame);
        break;
      case 'cancel':
        this.cancel(frame.id);
        break;
      case 'subscribe':
        this.subscribe(frame);
        break;
      case 'credit':
        this.credit(frame.id, frame.credit);
        break;
      case 'unsubscribe':
        // Unknown ids are no fault: the stream may just have ended by itself.
        this.streams.get(frame.id)?.close();
        break;
    }
  }

  private greet(frame: ClientFrame & { t: 'hello' }): void {
    this.stopHello();
    if (!frame.versions.includes(PROTOCOL_VERSION)) {
      const theirs = frame.versions.length === 0 ? 'none' : frame.versions.join(', ');
      this.close(
        wireError('PB_PROTOCOL_VERSION', {
          client: frame.client,
          theirs,
          engine: this.handlers.engineVersion,
          ours: PROTOCOL_VERSION,
        }),
      );
      return;
    }
    this.greeted = true;
    if (this.session.client === '') this.session = { ...this.session, client: frame.client };
    this.send({
      t: 'welcome',
      version: PROTOCOL_VERSION,
      engine: this.handlers.engineVersion,
      access: this.session.access,
      epoch: this.handlers.epoch,
    });
  }

  private taken(id: number): boolean {
    return this.calls.has(id) || this.streams.has(id);
  }

  private call({ id, method, params }: ClientFrame & { t: 'call' }): void {
    if (this.taken(id)) {
      this.fault(`id ${id} is in use`);
      return;
    }
    if (!Object.hasOwn(this.handlers.calls, method)) {
      this.refuse(
        id,
        wireError('PB_UNKNOWN_METHOD', { method: brief(method), hint: hint(method, this.handlers.calls) }),
      );
      return;
    }
    const name = method as CallName;
    const fault = this.environment.checkCall(name, params ?? {});
    if (fault !== undefined) {
      this.refuse(id, wireError('PB_BAD_PARAMETERS', { method: name, what: fault.what }, fault.place));
      return;
    }
    if (this.session.access !== 'full' && CHANGING_CALLS.has(name)) {
      this.refuse(id, wireError('PB_READ_ONLY', { method: name }));
      return;
    }
    if (this.running >= this.limits.calls) {
      this.refuse(id, wireError('PB_TOO_MANY_CALLS', { limit: this.limits.calls }));
      return;
    }
    const control = new AbortController();
    this.calls.set(id, { method: name, control });
    this.running++;
    void this.run(id, this.handlers.calls[name] as AnyCall, params ?? {}, control);
  }

  private async run(id: number, handler: AnyCall, params: unknown, control: AbortControllerLike): Promise<void> {
    let frame: string;
    try {
      const value = await handler(params, this.session, control.signal);
      frame = JSON.stringify({ t: 'result', id, value } satisfies EngineFrame);
    } catch (error) {
      frame = errorText(id, this.environment.toWireError(error));
    }
    this.running--;
    // A cancelled call was answered then, and its id may serve another by now.
    if (this.calls.get(id)?.control !== control) return;
    this.calls.delete(id);
    this.sendText(frame);
  }

  private cancel(id: number): void {
    const call = this.calls.get(id);
    if (call === undefined) return;
    this.calls.delete(id);
    this.refuse(id, wireError('PB_CANCELLED', { method: call.method }));
    call.control.abort();
  }

  private subscribe({ id, stream, params, credit }: ClientFrame & { t: 'subscribe' }): void {
    if (this.taken(id)) {
      this.fault(`id ${id} is in use`);
      return;
    }
    if (!Object.hasOwn(this.handlers.streams, stream)) {
      this.refuse(
        id,
        wireError('PB_UNKNOWN_STREAM', { stream: brief(stream), hint: hint(stream, this.handlers.streams) }),
      );
      return;
    }
    const name = stream as StreamName;
    const fault = this.environment.checkStream(name, params ?? {});
    if (fault !== undefined) {
      this.refuse(id, wireError('PB_BAD_PARAMETERS', { method: name, what: fault.what }, fault.place));
      return;
    }
    if (!this.creditFits(credit, 0)) {
      this.refuse(id, wireError('PB_BAD_CREDIT', { credit, limit: this.limits.credit }));
      return;
    }
    if (this.streams.size >= this.limits.subscriptions) {
      this.refuse(id, wireError('PB_TOO_MANY_SUBSCRIPTIONS', { limit: this.limits.subscriptions }));
      return;
    }
    const open = new OpenStream(this, id, credit);
    this.streams.set(id, open);
    try {
      open.started((this.handlers.streams[name] as unknown as AnyStream)(params ?? {}, open, this.session));
    } catch (error) {
      open.end(error);
    }
  }

  private credit(id: number, credit: number): void {
    const stream = this.streams.get(id);
    if (stream === undefined) return;
    if (!this.creditFits(credit, stream.open)) {
      this.refuse(id, wireError('PB_BAD_CREDIT', { credit, limit: this.limits.credit }));
      stream.close();
      return;
    }
    stream.give(credit);
  }

  private creditFits(credit: number, open: number): boolean {
    return Number.isSafeInteger(credit) && credit >= 0 && credit + open <= this.limits.credit;
  }

  // ── Frames out ────────────────────────────────────────────────────────────

  private refuse(id: number, error: WireError): void {
    this.send({ t: 'error', id, error });
  }

  private send(frame: EngineFrame): void {
    this.sendText(JSON.stringify(frame));
  }

  private sendText(text: string): void {
    if (this.over) return;
    const buffered = this.carrier.buffered;
    if (buffered > this.limits.unread) {
      this.fail(wireError('PB_SLOW_CLIENT', { buffered }));
      return;
    }
    this.carrier.send(text);
    if (this.stopStall === undefined && !this.writable) this.watchStall();
  }

  private drained(): void {
    if (this.over) return;
    this.stopStall?.();
    this.stopStall = undefined;
    if (!this.writable) {
      this.watchStall();
      return;
    }
    for (const stream of [...this.streams.values()]) stream.wake();
  }

  private watchStall(): void {
    this.stopStall = this.clock.after(this.limits.stall, () => {
      this.fail(wireError('PB_SLOW_CLIENT', { buffered: this.carrier.buffered }));
    });
  }

  // ── Faults and the end ────────────────────────────────────────────────────

  /** One more frame that was none; the connection bears a few. */
  private fault(what: string, id?: number): void {
    const error = wireError('PB_BAD_FRAME', { what });
    this.faults++;
    if (!this.greeted) {
      this.fail(error);
      return;
    }
    if (this.faults > this.limits.faults) {
      this.fail(wireError('PB_TOO_MANY_FAULTS', { count: this.faults }));
      return;
    }
    this.environment.onFault?.(error);
    this.send(id === undefined || this.taken(id) ? { t: 'error', error } : { t: 'error', id, error });
  }

  private fail(error: WireError): void {
    if (this.over) return;
    this.environment.onFault?.(error);
    this.close(error);
  }

  private finish(): void {
    if (this.over) return;
    this.over = true;
    this.stopHello();
    this.stopStall?.();
    const calls = [...this.calls.values()];
    this.calls.clear();
    for (const call of calls) call.control.abort();
    for (const stream of [...this.streams.values()]) stream.close();
    this.resolveClosed();
  }
}

/** Details are a handler's and may hold what JSON cannot: the error goes out without them then. */
function errorText(id: number, error: WireError): string {
  try {
    return JSON.stringify({ t: 'error', id, error } satisfies EngineFrame);
  } catch {
    return JSON.stringify({ t: 'error', id, error: { ...error, details: undefined } });
  }
}

function brief(name: string): string {
  return name.length > 60 ? `${name.slice(0, 60)}…` : name;
}

function hint(name: string, table: object): string {
  const meant = nearest(name, Object.keys(table));
  return meant === undefined ? '' : `; did you mean ${meant}?`;
}
