/**
 * The control protocol's frames: one JSON object each, over any carrier (MessagePort,
 * WebSocket, in memory). The client speaks first with `hello`; the engine answers `welcome`
 * or `error` without an id and closes. Ids are the client's, unique among its open calls
 * and subscriptions. A subscription may send as many items as it was given credit for;
 * what the engine cannot send it merges or drops with a count, as each stream says.
 */
export const PROTOCOL_VERSION = 1;

export interface WireError {
  readonly code: string;
  readonly message: string;
  readonly remedy: string;
  /** Where: `startup.yaml:12:5`, `sinks.scrape.config.port`, a method's parameter. */
  readonly place?: string;
  readonly details?: unknown;
}

export type ClientFrame =
  | { readonly t: 'hello'; readonly versions: readonly number[]; readonly client: string }
  | { readonly t: 'call'; readonly id: number; readonly method: string; readonly params?: unknown }
  | { readonly t: 'cancel'; readonly id: number }
  | {
      readonly t: 'subscribe';
      readonly id: number;
      readonly stream: string;
      readonly params?: unknown;
      readonly credit: number;
    }
  | { readonly t: 'credit'; readonly id: number; readonly credit: number }
  | { readonly t: 'unsubscribe'; readonly id: number };

export type EngineFrame =
  | {
      readonly t: 'welcome';
      readonly version: number;
      readonly engine: string;
      readonly access: Access;
      readonly epoch: string;
    }
  | { readonly t: 'result'; readonly id: number; readonly value: unknown }
  | { readonly t: 'error'; readonly id?: number; readonly error: WireError }
  | { readonly t: 'item'; readonly id: number; readonly value: unknown }
  | { readonly t: 'end'; readonly id: number };

/** `read`: may look, may not change anything. */
export type Access = 'full' | 'read';
