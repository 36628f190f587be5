/** What the engine supplies to serve the contract; `server.ts` binds it to a carrier. */
import type { CallName, Calls, StreamName, Streams } from './contract.ts';
import type { Access } from './frames.ts';

/** Who is at the other end. */
export interface Session {
  readonly access: Access;
  /** `panel`, `cli`, or the client's own word from its hello. */
  readonly client: string;
}

/** One subscription as its producer sees it. */
export interface StreamOut<Item> {
  /** True when the client has credit for one more item. */
  readonly ready: boolean;
  /** Sends one item and spends one credit. Returns false, sending nothing, when not `ready` or ended. */
  send(item: Item): boolean;
  /** Called every time `ready` turns from false to true. One listener. */
  onReady(listener: () => void): void;
  /** Ends the stream; with an error when one is given. */
  end(error?: unknown): void;
}

export type CallHandlers = {
  readonly [Name in CallName]: (
    params: Calls[Name]['params'],
    session: Session,
    signal: AbortSignalLike,
  ) => Promise<Calls[Name]['result']>;
};

/**
 * Starts a stream; the returned function stops it and is called once, however the stream ended:
 * the client unsubscribed or vanished, or the producer itself called `out.end`.
 */
export type StreamHandlers = {
  readonly [Name in StreamName]: (
    params: Streams[Name]['params'],
    out: StreamOut<Streams[Name]['item']>,
    session: Session,
  ) => () => void;
};

export interface AbortSignalLike {
  readonly aborted: boolean;
  addEventListener(type: 'abort', listener: () => void, options?: { once?: boolean }): void;
}

export interface ContractHandlers {
  readonly calls: CallHandlers;
  readonly streams: StreamHandlers;
  readonly engineVersion: string;
  /** Changes with every start of the engine. */
  readonly epoch: string;
}
