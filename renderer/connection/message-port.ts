import type { Carrier } from '../../gateway-core/protocol/carrier.ts';
import { portCarrier } from '../../gateway-core/protocol/port-carrier.ts';

/** Frames over a DOM MessagePort, as the app's window has one to the engine. */
export function domPortCarrier(port: MessagePort): Carrier {
  return portCarrier({
    post: (value) => port.postMessage(value),
    onMessage: (listener) => port.addEventListener('message', (event: MessageEvent<unknown>) => listener(event.data)),
    // Fired when the other side closed or its process died.
    onClose: (listener) => port.addEventListener('close', listener),
    start: () => port.start(),
    close: () => port.close(),
  });
}

/** What the preload exposes: asks for a fresh port to the engine, to be announced under `nonce`. */
export type PortRequest = (nonce: string) => void;

/**
 * Makes the `connect` of a client in the app. The port comes as a window message that must carry
 * the nonce of this very request and come from this very window: nobody else can pass one in.
 * A request that was never answered is forgotten at the next.
 */
export function connectPort(request: PortRequest): () => Promise<Carrier> {
  let forget: () => void = () => undefined;
  return () =>
    new Promise((resolve) => {
      forget();
      const nonce = crypto.randomUUID();
      const receive = (event: MessageEvent<unknown>): void => {
        const [port] = event.ports;
        if (event.source !== window || event.data !== nonce || port === undefined) return;
        forget();
        resolve(domPortCarrier(port));
      };
      forget = () => window.removeEventListener('message', receive);
      window.addEventListener('message', receive);
      request(nonce);
    });
}
