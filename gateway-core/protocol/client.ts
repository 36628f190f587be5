/**
 * The one client of the control protocol, for panel, command line and tests alike. It keeps
 * one connection up (reconnecting with a capped back-off), restores subscriptions, and never
 * leaves a call hanging: what was pending at a loss is rejected with PB_DISCONNECTED.
 */
import { pause, type BackOff } from './back-off.ts';
import type { Carrier } from './carrier.ts';
import { systemClock, type Clock } from './clock.ts';
import type { CallName, Calls, StreamName, Streams } from './contract.ts';
import { PROTOCOL_VERSION, type Access, type ClientFrame, type EngineFrame, type WireError } from './frames.ts';
import type { AbortSignalLike } from './handlers.ts';
import { parseEngineFrame } from './parse-frame.ts';
import { OpenSubscription, type SubscribeOptions, type Subscription, type SubscriptionWire } from './subscription.ts';
import { RemoteError, wireError } from './wire-error.ts';

export interface ClientOptions {
  /** Who this is: `panel`, `cli`. */
  readonly client: string;
  /** Default true. Without, the first loss or failure closes the client. */
  readonly reconnect?: boolean;
  /** Default 250 ms to 10 s. */
  readonly backOff?: BackOff;
  /** Milliseconds for connecting and greeting together; default 10 000. */
  readonly connectTimeout?: number;
  readonly clock?: Clock;
  /** In [0, 1); for tests. */
  readonly random?: () => number;
}

/** `since`: when it became so, ms since the epoch; while reconnecting, when the connection was lost. */
export type ConnectionState =
  | {
      readonly name: 'connecting';
      readonly since: number;
      /** Attempts that failed since. */
      readonly failures: number;
      /** Why the last connection or attempt ended; absent at the very first. */
      readonly reason?: WireError;
      /** When the next attempt starts; absent while one is under way. */
      readonly retryAt?: number;
    }
  | {
      readonly name: 'open';
      readonly since: number;
      readonly access: Access;
      readonly engine: string;
      readonly epoch: string;
    }
  /** Not coming back by itself: closed here, refused there (no session), or `reconnect: false`. */
  | { readonly name: 'closed'; readonly since: number; readonly reason: WireError }
  /** The two sides share no protocol version. */
  | { readonly name: 'incompatible'; readonly since: number; readonly reason: WireError };

export interface Client {
  readonly state: ConnectionState;
  /** Calls `listener` at every change until the returned function is called. */
  onState(listener: (state: ConnectionState) => void): () => void;
  /** The engine behind the connection is another start than before: counts, taps and ids began anew. */
  onEpoch(listener: (epoch: string) => void): () => void;
  /** Resolves when open; rejects when it will not be without `retry`. */
  opened(): Promise<void>;
  /**
   * Rejects with a {@link RemoteError}: the engine's coded error, PB_DISCONNECTED when there is no
   * connection or it is lost before the answer (the call may have taken effect), PB_CANCELLED by `signal`.
   */
  call<Name extends CallName>(
    name: Name,
    params: Calls[Name]['params'],
    options?: { readonly signal?: AbortSignalLike },
  ): Promise<Calls[Name]['result']>;
  /**
   * Opens a stream now or as soon as connected, and again after every loss, until closed. Credit
   * goes back when `onItem` has returned, or its promise has settled.
   */
  subscribe<Name extends StreamName>(
    name: Name,
    params: Streams[Name]['params'],
    onItem: (item: Streams[Name]['item']) => void | Promise<void>,
    options?: SubscribeOptions,
  ): Subscription;
  /** Tries to connect at once, also from `closed` and `incompatible` (but not after `close`). */
  retry(): void;
  /** For good: rejects pending calls, ends subscriptions. */
  close(): void;
}

/** Refusals that trying again cannot change. */
const FINAL: ReadonlySet<string> = new Set([
  'PB_NO_SESSION',
  'PB_BAD_TOKEN',
  'PB_BAD_CODE',
  'PB_FOREIGN_HOST',
  'PB_FOREIGN_ORIGIN',
]);

/** Starts connecting at once. `connect` makes a fresh carrier per attempt; its rejection is a failed attempt. */
export function createClient(connect: () => Promise<Carrier>, options: ClientOptions): Client {
  return new ProtocolClient(connect, options);
}

interface PendingCall {
  resolve(value: unknown): void;
  reject(error: RemoteError): void;
}

class ProtocolClient implements Client, SubscriptionWire {
  state: ConnectionState;
  private readonly connect: () => Promise<Carrier>;
  private readonly options: ClientOptions;
  private readonly clock: Clock;
  private readonly stateListeners = new Set<(state: ConnectionState) => void>();
  private readonly epochListeners = new Set<(epoch: string) => void>();
  private readonly pending = new Map<number, PendingCall>();
  private readonly subscriptions = new Set<OpenSubscription>();
  private readonly byId = new Map<number, OpenSubscription>();
  private carrier: Carrier | undefined;
  /** Counts attempts: what a former one still says is not heard. */
  private attempt = 0;
  private failures = 0;
  private nextId = 1;
  private epoch = '';
  private lastWord: WireError | undefined;
  private stopTimer: () => void = () => undefined;
  private closedForGood = false;

  constructor(connect: () => Promise<Carrier>, options: ClientOptions) {
    this.connect = connect;
    this.options = options;
    this.clock = options.clock ?? systemClock;
    this.state = { name: 'connecting', since: this.clock.now(), failures: 0 };
    this.start();
  }

  onState(listener: (state: ConnectionState) => void): () => void {
    this.stateListeners.add(listener);
    return () => this.stateListeners.delete(listener);
  }

  onEpoch(listener: (epoch: string) => void): () => void {
    this.epochListeners.add(listener);
    return () => this.epochListeners.delete(listener);
  }

  opened(): Promise<void> {
    return new Promise((resolve, reject) => {
      const settle = (state: ConnectionState): boolean => {
        if (state.name === 'connecting') return false;
        if (state.name === 'open') resolve();
        else reject(new RemoteError(state.reason));
        return true;
      };
      if (settle(this.state)) return;
      const off = this.onState((state) => {
        if (settle(state)) off();
      });
    });
  }

  call<Name extends CallName>(
    name: Name,
    params: Calls[Name]['params'],
    options: { readonly signal?: AbortSignalLike } = {},
  ): Promise<Calls[Name]['result']> {
    const { signal } = options;
    return new Promise((resolve, reject) => {
      if (this.state.name !== 'open') {
        reject(
          new RemoteError(
            this.state.reason?.code === 'PB_CLIENT_CLOSED'
              ? this.state.reason
              : wireError('PB_DISCONNECTED', { why: '' }),
          ),
        );
        return;
      }
      if (signal?.aborted === true) {
        reject(new RemoteError(wireError('PB_CANCELLED', { method: name })));
        return;
      }
      const id = this.nextId++;
      const attempt = this.attempt;
      this.pending.set(id, { resolve: resolve as (value: unknown) => void, reject });
      signal?.addEventListener(
        'abort',
        () => {
          if (!this.pending.delete(id)) return;
          if (attempt === this.attempt) this.send({ t: 'cancel', id });
          reject(new RemoteError(wireError('PB_CANCELLED', { method: name })));
        },
        { once: true },
      );
      this.send({ t: 'call', id, method: name, params });
    });
  }

  subscribe<Name extends StreamName>(
    name: Name,
    params: Streams[Name]['params'],
    onItem: (item: Streams[Name]['item']) => void | Promise<void>,
    options: SubscribeOptions = {},
  ): Subscription {
    const subscription = new OpenSubscription(
      this,
      name,
      params,
      onItem as (item: unknown) => void | Promise<void>,
      options,
    );
    if (this.closedForGood) {
      subscription.ended(wireError('PB_CLIENT_CLOSED'));
      return subscription;
    }
    this.subscriptions.add(subscription);
    if (this.state.name === 'open') this.openSubscription(subscription, false);
    return subscription;
  }

  retry(): void {
    if (this.closedForGood || this.state.name === 'open') return;
    const waiting = this.state.name !== 'connecting' || this.state.retryAt !== undefined;
    if (waiting) this.start();
  }

  close(): void {
    if (this.closedForGood) return;
    this.closedForGood = true;
    const reason = wireError('PB_CLIENT_CLOSED');
    this.drop(reason);
    for (const subscription of [...this.subscriptions]) subscription.ended();
    this.turn({ name: 'closed', since: this.clock.now(), reason });
  }

  // ── SubscriptionWire ──────────────────────────────────────────────────────

  sendSubscribe(id: number, stream: string, params: unknown, credit: number): void {
    this.send({ t: 'subscribe', id, stream, params, credit });
  }

  sendCredit(id: number, credit: number): void {
    this.send({ t: 'credit', id, credit });
  }

  sendUnsubscribe(id: number): void {
    this.send({ t: 'unsubscribe', id });
  }

  forget(subscription: OpenSubscription): void {
    this.subscriptions.delete(subscription);
    this.byId.delete(subscription.currentId);
  }

  // ── Connecting ────────────────────────────────────────────────────────────

  private start(): void {
    this.stopTimer();
    const attempt = ++this.attempt;
    const { state } = this;
    this.turn({
      name: 'connecting',
      since: state.name === 'connecting' ? state.since : this.clock.now(),
      failures: this.failures,
      ...('reason' in state && state.reason !== undefined ? { reason: state.reason } : {}),
    });
    const timeout = this.options.connectTimeout ?? 10_000;
    this.stopTimer = this.clock.after(timeout, () => {
      if (attempt === this.attempt) this.lost(wireError('PB_HELLO_TIMEOUT', { seconds: timeout / 1000 }));
    });
    void this.establish(attempt);
  }

  private async establish(attempt: number): Promise<void> {
    let carrier: Carrier;
    try {
      carrier = await this.connect();
    } catch (error) {
      if (attempt === this.attempt) this.lost(reasonOf(error));
      return;
    }
    if (attempt !== this.attempt) {
      carrier.close('PB_CLIENT_CLOSED');
      return;
    }
    this.carrier = carrier;
    this.lastWord = undefined;
    carrier.onFrame((text) => {
      if (attempt === this.attempt) this.receive(text);
    });
    carrier.onClose((reason) => {
      if (attempt === this.attempt) this.lost(this.lastWord ?? closeReason(reason));
    });
    this.send({ t: 'hello', versions: [PROTOCOL_VERSION], client: this.options.client });
  }

  private welcome(frame: EngineFrame & { t: 'welcome' }): void {
    if (this.state.name === 'open') return;
    if (frame.version !== PROTOCOL_VERSION) {
      this.lost(
        wireError('PB_PROTOCOL_VERSION', {
          client: this.options.client,
          theirs: PROTOCOL_VERSION,
          engine: frame.engine,
          ours: frame.version,
        }),
      );
      return;
    }
    this.stopTimer();
    this.failures = 0;
    const newEpoch = this.epoch !== '' && this.epoch !== frame.epoch;
    this.epoch = frame.epoch;
    this.turn({
      name: 'open',
      since: this.clock.now(),
      access: frame.access,
      engine: frame.engine,
      epoch: frame.epoch,
    });
    if (newEpoch) for (const listener of [...this.epochListeners]) listener(frame.epoch);
    for (const subscription of [...this.subscriptions]) {
      if (subscription.state.name === 'waiting') this.openSubscription(subscription, newEpoch);
    }
  }

  private openSubscription(subscription: OpenSubscription, newEpoch: boolean): void {
    if (this.carrier === undefined) return;
    const id = this.nextId++;
    this.byId.set(id, subscription);
    subscription.open(id, newEpoch);
  }

  /** The attempt or connection is over; decides what comes next. */
  private lost(reason: WireError): void {
    const wasOpen = this.state.name === 'open';
    this.drop(wasOpen ? wireError('PB_DISCONNECTED', { why: `: ${reason.message}` }) : reason);
    const now = this.clock.now();
    if (reason.code === 'PB_PROTOCOL_VERSION') {
      this.turn({ name: 'incompatible', since: now, reason });
      return;
    }
    if (this.options.reconnect === false || FINAL.has(reason.code)) {
      this.turn({ name: 'closed', since: now, reason });
      return;
    }
    if (!wasOpen) this.failures++;
    const backOff = this.options.backOff ?? { min: 250, max: 10_000 };
    const delay = pause(backOff, this.failures + 1, (this.options.random ?? Math.random)());
    this.stopTimer = this.clock.after(delay, () => this.start());
    this.turn({
      name: 'connecting',
      since: this.state.name === 'connecting' ? this.state.since : now,
      failures: this.failures,
      reason,
      retryAt: now + delay,
    });
  }

  /** Lets go of the present carrier and of all that hung on it. */
  private drop(reason: WireError): void {
    this.stopTimer();
    this.attempt++;
    const carrier = this.carrier;
    this.carrier = undefined;
    carrier?.close('PB_CLIENT_CLOSED');
    const pending = [...this.pending.values()];
    this.pending.clear();
    this.byId.clear();
    for (const call of pending) call.reject(new RemoteError(reason));
    for (const subscription of [...this.subscriptions]) subscription.lost(reason);
  }

  // ── Frames ────────────────────────────────────────────────────────────────

  private send(frame: ClientFrame): void {
    this.carrier?.send(JSON.stringify(frame));
  }

  private receive(text: string): void {
    const frame = parseEngineFrame(text);
    if ('fault' in frame) {
      this.lost(wireError('PB_BAD_FRAME', { what: frame.fault }));
      return;
    }
    switch (frame.t) {
      case 'welcome':
        this.welcome(frame);
        break;
      case 'result':
        this.settle(frame.id)?.resolve(frame.value);
        break;
      case 'item':
        this.byId.get(frame.id)?.item(frame.value);
        break;
      case 'end':
        this.byId.get(frame.id)?.ended();
        break;
      case 'error':
        if (frame.id === undefined) this.lastWord = frame.error;
        else if (this.pending.has(frame.id)) this.settle(frame.id)?.reject(new RemoteError(frame.error));
        else this.byId.get(frame.id)?.ended(frame.error);
        break;
    }
  }

  private settle(id: number): PendingCall | undefined {
    const call = this.pending.get(id);
    this.pending.delete(id);
    return call;
  }

  private turn(state: ConnectionState): void {
    this.state = state;
    for (const listener of [...this.stateListeners]) listener(state);
  }
}

function reasonOf(error: unknown): WireError {
  if (error instanceof RemoteError) return error.wire;
  return wireError('PB_DISCONNECTED', { why: `: ${error instanceof Error ? error.message : String(error)}` });
}

function closeReason(reason: string): WireError {
  return wireError('PB_DISCONNECTED', { why: reason === '' ? '' : ` (${reason})` });
}
