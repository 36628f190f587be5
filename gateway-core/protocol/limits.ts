/** What one connection may ask of the engine. Everything a client can make us hold has a bound here. */
export interface ServerLimits {
  /** Longest frame taken, in characters. A config of a few thousand lines fits well. */
  readonly frame: number;
  /** Deepest nesting of a frame: deeper ones are refused before they are parsed. */
  readonly depth: number;
  /** Calls running at once, cancelled ones that have not come back yet included. */
  readonly calls: number;
  readonly subscriptions: number;
  /** Credit of one subscription, all in all. */
  readonly credit: number;
  /** Frames that are none, until the connection is closed. */
  readonly faults: number;
  /** With this many characters unread, streams wait. */
  readonly highWater: number;
  /** With this many unread, the connection is closed when there is more to say. */
  readonly unread: number;
  /** Milliseconds above `highWater` without any progress until the connection is closed. */
  readonly stall: number;
  /** Milliseconds until the client must have said hello. */
  readonly hello: number;
}

export const DEFAULT_LIMITS: ServerLimits = {
  frame: 4 * 1024 * 1024,
  depth: 100,
  calls: 64,
  subscriptions: 64,
  credit: 1024,
  faults: 10,
  highWater: 1024 * 1024,
  unread: 16 * 1024 * 1024,
  stall: 30_000,
  hello: 10_000,
};
