import type { Carrier } from './carrier.ts';

/** What MessagePorts of all makes (Node, Electron, browser) come down to. */
export interface PortLike {
  post(value: unknown): void;
  onMessage(listener: (value: unknown) => void): void;
  onClose(listener: () => void): void;
  start(): void;
  close(): void;
}

/** Characters read until they are confirmed: a MessagePort does not tell its sender what is unread. */
const CONFIRM = 16 * 1024;

/**
 * A carrier over a MessagePort. On the port, a text is a frame, a number confirms that many
 * characters as read (so that `buffered` is known to within {@link CONFIRM}), and an array
 * `['close', reason]` is the end. A side that disappears is noticed by the port's close.
 */
export function portCarrier(port: PortLike): Carrier {
  let buffered = 0;
  let unconfirmed = 0;
  let closedWith: string | undefined;
  /** Frames from before there was a listener: some ports start by themselves. */
  let early: string[] = [];
  let frameListener: ((frame: string) => void) | undefined;
  let closeListener: ((reason: string) => void) | undefined;
  let drainListener: (() => void) | undefined;

  function shut(reason: string): void {
    if (closedWith !== undefined) return;
    closedWith = reason;
    buffered = 0;
    port.close();
    closeListener?.(reason);
  }

  function take(frame: string): void {
    if (frameListener === undefined) {
      early.push(frame);
      return;
    }
    unconfirmed += frame.length;
    if (unconfirmed >= CONFIRM) {
      port.post(unconfirmed);
      unconfirmed = 0;
    }
    frameListener(frame);
  }

  port.onMessage((value) => {
    if (closedWith !== undefined) return;
    if (typeof value === 'string') take(value);
    else if (typeof value === 'number') {
      // Only what makes sense counts: a wrong number may not lift the sender's bound for ever.
      if (!(value > 0)) return;
      buffered = Math.max(0, buffered - value);
      drainListener?.();
    } else if (Array.isArray(value) && value[0] === 'close') {
      shut(typeof value[1] === 'string' ? value[1].slice(0, 100) : '');
    } else {
      take('');
    }
  });
  port.onClose(() => shut(''));

  return {
    get buffered() {
      return buffered;
    },
    send(frame) {
      if (closedWith !== undefined) return;
      buffered += frame.length;
      port.post(frame);
    },
    onFrame(listener) {
      frameListener = listener;
      const waiting = early;
      early = [];
      for (const frame of waiting) if (closedWith === undefined) take(frame);
      port.start();
    },
    onClose(listener) {
      closeListener = listener;
      if (closedWith !== undefined) listener(closedWith);
    },
    onDrain(listener) {
      drainListener = listener;
    },
    close(reason = '') {
      if (closedWith !== undefined) return;
      port.post(['close', reason]);
      shut(reason);
    },
  };
}
