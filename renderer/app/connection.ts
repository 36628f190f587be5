/** The client's state as the panel speaks of it. */
import type { Client, ConnectionState } from '../../gateway-core/protocol/client.ts';
import type { Access, WireError } from '../../gateway-core/protocol/frames.ts';

export type Connection =
  | { readonly phase: 'connecting' }
  | { readonly phase: 'connected'; readonly access: Access; readonly epoch: string; readonly engine: string }
  /** `since`: ms since the epoch when it broke. `retryAt`: next try; 0 while trying. */
  | { readonly phase: 'lost'; readonly since: number; readonly retryAt: number; readonly reason: WireError | undefined }
  /** The engine is there and does not let this client in: no session, or another release. */
  | { readonly phase: 'refused'; readonly reason: WireError };

const REFUSALS: ReadonlySet<string> = new Set([
  'PB_NO_SESSION',
  'PB_BAD_TOKEN',
  'PB_BAD_CODE',
  'PB_FOREIGN_HOST',
  'PB_FOREIGN_ORIGIN',
  'PB_PROTOCOL_VERSION',
]);

export function connectionOf(state: ConnectionState): Connection {
  switch (state.name) {
    case 'open':
      return { phase: 'connected', access: state.access, epoch: state.epoch, engine: state.engine };
    case 'connecting':
      if (state.reason === undefined) return { phase: 'connecting' };
      // Being tried again does not make a refusal less of one.
      if (REFUSALS.has(state.reason.code)) return { phase: 'refused', reason: state.reason };
      return { phase: 'lost', since: state.since, retryAt: state.retryAt ?? 0, reason: state.reason };
    case 'incompatible':
      return { phase: 'refused', reason: state.reason };
    case 'closed':
      return REFUSALS.has(state.reason.code)
        ? { phase: 'refused', reason: state.reason }
        : { phase: 'lost', since: state.since, retryAt: 0, reason: state.reason };
  }
}

/** Keeps the connection of a client for React: one object per change. */
export class ConnectionStore {
  #connection: Connection;
  readonly #listeners = new Set<() => void>();

  constructor(client: Client) {
    this.#connection = connectionOf(client.state);
    client.onState((state) => {
      this.#connection = connectionOf(state);
      for (const listener of [...this.#listeners]) listener();
    });
  }

  snapshot = (): Connection => this.#connection;

  subscribe = (listener: () => void): (() => void) => {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  };
}
