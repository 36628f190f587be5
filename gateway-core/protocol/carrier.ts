/**
 * What carries frames between a client and the engine: a MessagePort, a WebSocket, memory.
 * Frames are JSON texts on every carrier, so that values come out alike (`NaN` is `null`,
 * `undefined` is absent) and sizes can be counted before anything is parsed.
 */
export interface Carrier {
  /** Hands over one frame; frames arrive in order. Does nothing once the carrier is closed. */
  send(frame: string): void;
  /**
   * One listener, set once; frames that came before it are kept for it, those that come after
   * `close` are dropped. What is not text (a binary WebSocket frame) arrives as the empty text.
   */
  onFrame(listener: (frame: string) => void): void;
  /** One listener. Called once, at once when already closed; `reason` is the other side's, or empty. */
  onClose(listener: (reason: string) => void): void;
  /** Characters sent that the other side has not taken yet, as far as the carrier can know. */
  readonly buffered: number;
  /** One listener, called when `buffered` has become less. */
  onDrain(listener: () => void): void;
  /** Closes both ends. `reason` is a `PB_…` code; own `onClose` is called too. */
  close(reason?: string): void;
}
