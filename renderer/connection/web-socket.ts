import type { Carrier } from '../../gateway-core/protocol/carrier.ts';
import type { WireError } from '../../gateway-core/protocol/frames.ts';
import { RemoteError, wireError } from '../../gateway-core/protocol/wire-error.ts';

/** Frames over a WebSocket that is open or opening. */
export function webSocketCarrier(socket: WebSocket): Carrier {
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

  socket.addEventListener('message', (event: MessageEvent<unknown>) => {
    if (closedWith !== undefined) return;
    const frame = typeof event.data === 'string' ? event.data : '';
    if (frameListener === undefined) early.push(frame);
    else frameListener(frame);
    // The browser has no event for an emptied buffer; traffic coming in is a good time to look.
    drainListener?.();
  });
  socket.addEventListener('close', (event) => shut(event.reason));

  return {
    get buffered() {
      return socket.bufferedAmount;
    },
    send(frame) {
      if (closedWith === undefined && socket.readyState === WebSocket.OPEN) socket.send(frame);
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
      shut(reason);
    },
  };
}

/** Opens a WebSocket and resolves when it is open. A browser does not say why one fails. */
export function openWebSocket(url: string): Promise<Carrier> {
  return new Promise((resolve, reject) => {
    const socket = new WebSocket(url);
    const failed = (): void => reject(new RemoteError(wireError('PB_DISCONNECTED', { why: '' })));
    socket.addEventListener('error', failed, { once: true });
    socket.addEventListener('close', failed, { once: true });
    socket.addEventListener(
      'open',
      () => {
        socket.removeEventListener('error', failed);
        socket.removeEventListener('close', failed);
        resolve(webSocketCarrier(socket));
      },
      { once: true },
    );
  });
}

/** Trades the single-use code of a one-time link for a session cookie and takes it out of the address bar. */
async function claimCode(): Promise<void> {
  const code = new URLSearchParams(location.hash.slice(1)).get('code');
  if (code === null) return;
  history.replaceState(history.state, '', location.pathname + location.search);
  // A used-up code is no fault where there is a session already; the socket will tell.
  await fetch('/session', {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ code }),
  });
}

/** Why the server would not have us, asked over HTTP; undefined when it would, or cannot be reached. */
async function refusal(): Promise<WireError | undefined> {
  try {
    const response = await fetch('/session', { cache: 'no-store' });
    if (response.ok) return undefined;
    const body = (await response.json()) as { error?: WireError };
    return body.error;
  } catch {
    return undefined;
  }
}

/**
 * The `connect` of a client in browser mode: the server this page came from. Rejects with
 * PB_NO_SESSION when a new link is needed (trying again will not help then), else as unreachable.
 */
export async function connectHere(): Promise<Carrier> {
  await claimCode();
  try {
    return await openWebSocket(`${location.protocol === 'https:' ? 'wss' : 'ws'}://${location.host}/ws`);
  } catch (error) {
    const refused = await refusal();
    throw refused === undefined ? error : new RemoteError(refused);
  }
}
