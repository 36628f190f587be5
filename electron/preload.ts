/** The whole bridge between the window and the app: it asks for a port to the engine, and hands it on with the nonce it asked with. */
import { contextBridge, ipcRenderer } from 'electron';
import { ENGINE_PORT } from './shell/channels.ts';

contextBridge.exposeInMainWorld('patchbay', {
  requestPort: (nonce: unknown) => {
    if (typeof nonce === 'string' && nonce.length <= 100) ipcRenderer.send(ENGINE_PORT, nonce);
  },
});

// The one thing of the DOM that is needed here; the engine's half of the project compiles without its types.
declare const window: {
  readonly location: { readonly origin: string };
  postMessage(message: unknown, targetOrigin: string, transfer: readonly unknown[]): void;
};

ipcRenderer.on(ENGINE_PORT, (event, nonce: string) => {
  window.postMessage(nonce, window.location.origin, [...(event.ports as readonly unknown[])]);
});
