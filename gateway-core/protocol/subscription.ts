import type { WireError } from './frames.ts';
import { wireError, RemoteError } from './wire-error.ts';

/** `waiting`: not connected; `open`: asked for; `ended`: for good. */
export type SubscriptionState =
  | { readonly name: 'waiting'; readonly reason: WireError }
  /** `restored`: after a loss; what passed in between was missed. `newEpoch`: the engine restarted, its counts began anew. */
  | { readonly name: 'open'; readonly restored: boolean; readonly newEpoch: boolean }
  | { readonly name: 'ended' };

export interface SubscribeOptions {
  /** Items that may be on their way at once; default 16. */
  readonly credit?: number;
  /** Give credit by hand with `more`; `credit` is then what is given at the start and after each reconnect. */
  readonly manual?: boolean;
  /** The engine ended the stream with an error, or `onItem` failed. */
  readonly onError?: (error: Error) => void;
  readonly onState?: (state: SubscriptionState) => void;
}

export interface Subscription {
  readonly state: SubscriptionState;
  /** Gives credit for `items` more. Does nothing while not open: the start credit is given anew then. */
  more(items: number): void;
  /** No item is handed over afterwards. */
  close(): void;
}

/** What a subscription needs of its client. */
export interface SubscriptionWire {
  sendSubscribe(id: number, stream: string, params: unknown, credit: number): void;
  sendCredit(id: number, credit: number): void;
  sendUnsubscribe(id: number): void;
  forget(subscription: OpenSubscription): void;
}

const DEFAULT_CREDIT = 16;

/** The client's side of one stream: outlives connections, each of which gives it a new id. */
export class OpenSubscription implements Subscription {
  state: SubscriptionState = { name: 'waiting', reason: wireError('PB_DISCONNECTED', { why: '' }) };
  private readonly wire: SubscriptionWire;
  private readonly stream: string;
  private readonly params: unknown;
  private readonly onItem: (item: unknown) => void | Promise<void>;
  private readonly options: SubscribeOptions;
  private id = -1;
  private taken = 0;
  private opened = false;

  constructor(
    wire: SubscriptionWire,
    stream: string,
    params: unknown,
    onItem: (item: unknown) => void | Promise<void>,
    options: SubscribeOptions,
  ) {
    this.wire = wire;
    this.stream = stream;
    this.params = params;
    this.onItem = onItem;
    this.options = options;
  }

  more(items: number): void {
    if (this.state.name === 'open' && items > 0) this.wire.sendCredit(this.id, items);
  }

  close(): void {
    if (this.state.name === 'ended') return;
    if (this.state.name === 'open') this.wire.sendUnsubscribe(this.id);
    this.ended();
  }

  /** A connection is open: ask for the stream under `id`. */
  open(id: number, newEpoch: boolean): void {
    this.id = id;
    this.taken = 0;
    const restored = this.opened;
    this.opened = true;
    this.wire.sendSubscribe(id, this.stream, this.params, this.options.credit ?? DEFAULT_CREDIT);
    this.turn({ name: 'open', restored, newEpoch: restored && newEpoch });
  }

  lost(reason: WireError): void {
    this.id = -1;
    if (this.state.name === 'open') this.turn({ name: 'waiting', reason });
  }

  item(value: unknown): void {
    if (this.state.name === 'ended') return;
    const id = this.id;
    try {
      const done = this.onItem(value);
      if (done !== undefined) {
        void this.tookLater(done, id);
        return;
      }
    } catch (error) {
      this.failed(error);
    }
    this.took(id);
  }

  ended(error?: WireError): void {
    if (this.state.name === 'ended') return;
    this.wire.forget(this);
    if (error !== undefined) this.options.onError?.(new RemoteError(error));
    this.turn({ name: 'ended' });
  }

  /** Whose items these are on the present connection. */
  get currentId(): number {
    return this.id;
  }

  /** The consumer is done with an item: its credit goes back, in halves to spare frames. */
  private took(id: number): void {
    if (this.options.manual === true || id !== this.id || this.state.name !== 'open') return;
    this.taken++;
    const credit = this.options.credit ?? DEFAULT_CREDIT;
    if (this.taken * 2 < credit) return;
    this.wire.sendCredit(id, this.taken);
    this.taken = 0;
  }

  private async tookLater(done: Promise<void>, id: number): Promise<void> {
    try {
      await done;
    } catch (error) {
      this.failed(error);
    }
    this.took(id);
  }

  private failed(error: unknown): void {
    this.options.onError?.(error instanceof Error ? error : new Error(String(error)));
  }

  private turn(state: SubscriptionState): void {
    this.state = state;
    this.options.onState?.(state);
  }
}
