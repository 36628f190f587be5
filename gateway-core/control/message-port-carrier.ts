import type { Carrier } from '../protocol/carrier.ts';
import { portCarrier } from '../protocol/port-carrier.ts';

/** Node's MessagePort (hands over the value) and Electron's MessagePortMain (hands over an event with `data`). */
export interface EventedPort {
  postMessage(value: unknown): void;
  on(event: 'message', listener: (message: unknown) => void): unknown;
  on(event: 'close', listener: () => void): unknown;
  start(): void;
  close(): void;
}

/** Frames over a port of `worker_threads` or of Electron's main and utility processes. */
export function messagePortCarrier(port: EventedPort): Carrier {
  return portCarrier({
    post: (value) => port.postMessage(value),
    onMessage: (listener) => port.on('message', (message) => listener(unwrap(message))),
    onClose: (listener) => port.on('close', listener),
    start: () => port.start(),
    close: () => port.close(),
  });
}

/** Values on our ports are texts, numbers and arrays: an object with `data` is Electron's event. */
function unwrap(message: unknown): unknown {
  if (typeof message === 'object' && message !== null && !Array.isArray(message) && 'data' in message)
    return message.data;
  return message;
}
