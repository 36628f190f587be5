/** One subscription for all who look: opened by the first, closed a moment after the last. */
import type { Client } from '../../gateway-core/protocol/client.ts';
import type { Streams } from '../../gateway-core/protocol/contract.ts';
import type { WireError } from '../../gateway-core/protocol/frames.ts';
import type { Subscription } from '../../gateway-core/protocol/subscription.ts';
import { asWireError } from './wire-errors.ts';

export interface Latest<Item> {
  /** The newest item; kept when the connection breaks. */
  readonly value: Item | undefined;
  /** When it came, ms since the epoch. */
  readonly at: number;
  /** True from the moment the connection broke until a new item came. */
  readonly stale: boolean;
  readonly error: WireError | undefined;
}

/** A change of screens must not close and open the stream. */
const LINGER = 2_000;

export class SharedStream<Name extends 'status' | 'topology' | 'deadletters'> {
  #latest: Latest<Streams[Name]['item']> = { value: undefined, at: 0, stale: false, error: undefined };
  #subscription: Subscription | undefined;
  #linger: ReturnType<typeof setTimeout> | undefined;
  readonly #listeners = new Set<() => void>();
  readonly #client: Client;
  readonly #name: Name;

  constructor(client: Client, name: Name) {
    this.#client = client;
    this.#name = name;
    client.onState((state) => {
      if (state.name !== 'open' && !this.#latest.stale) this.#set({ ...this.#latest, stale: true });
    });
  }

  snapshot = (): Latest<Streams[Name]['item']> => this.#latest;

  subscribe = (listener: () => void): (() => void) => {
    this.#listeners.add(listener);
    clearTimeout(this.#linger);
    this.#subscription ??= this.#client.subscribe(
      this.#name,
      {},
      (value) => this.#set({ value, at: Date.now(), stale: false, error: undefined }),
      { credit: 2, onError: (error) => this.#set({ ...this.#latest, error: asWireError(error) }) },
    );
    return () => {
      this.#listeners.delete(listener);
      if (this.#listeners.size > 0) return;
      this.#linger = setTimeout(() => {
        this.#subscription?.close();
        this.#subscription = undefined;
      }, LINGER);
    };
  };

  #set(latest: Latest<Streams[Name]['item']>): void {
    this.#latest = latest;
    for (const listener of [...this.#listeners]) listener();
  }
}
