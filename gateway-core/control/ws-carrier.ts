import type { WebSocket } from 'ws';
import type { Carrier } from '../protocol/carrier.ts';

/** How long a closing handshake may take until the socket is cut. */
const CLOSE_MS = 1000;

/** Frames over a WebSocket of `ws`, at either end; it must be open. Binary messages arrive as the empty text. */
export function wsCarrier(socket: WebSocket): Carrier {
  const early: string[] = [];
  let closedWith: string | undefined;
  let frameListener: ((frame: string) => void) | undefined;
  let closeListener: ((reason: string) => void) | undefined;
  let drainListener: (() => void) | undefined;

  function shut(reason: string): void {
    if (closedWith !== undefined) return;
    closedWith = reason;
    closeListener?.(reason);
  }

  socket.on('message', (data, binary) => {
    if (closedWith !== undefined) return;
    const frame = binary ? '' : data.toString();
    if (frameListener === undefined) early.push(frame);
    else frameListener(frame);
  });
  socket.on('close', (_code, reason) => shut(reason.toString('utf8')));
  // Oversize or malformed frames: ws closes by itself right after.
  socket.on('error', () => undefined);

  return {
    get buffered() {
      return socket.bufferedAmount;
    },
    send(frame) {
      if (closedWith === undefined && socket.readyState === socket.OPEN) socket.send(frame, () => drainListener?.());
    },
    onFrame(listener) {
      frameListener = listener;
      for (const frame of early.splice(0)) listener(frame);
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
      socket.close(4000, reason);
      const cut = setTimeout(() => socket.terminate(), CLOSE_MS);
      socket.once('close', () => clearTimeout(cut));
      shut(reason);
    },
  };
}
