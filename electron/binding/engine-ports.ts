import { MessageChannelMain, ipcMain, type MessagePortMain } from 'electron';
import { ENGINE_PORT } from '../shell/channels.ts';
import { isTrustedSender } from '../shell/origin.ts';
import type { EngineSupervisor } from '../shell/supervisor.ts';

/** Answers our page's requests for a port to the engine, under the nonce that it asked with. */
export function serveEnginePorts(supervisor: EngineSupervisor<MessagePortMain>): void {
  ipcMain.on(ENGINE_PORT, (event, nonce: unknown) => {
    const frame = event.senderFrame;
    if (typeof nonce !== 'string' || frame === null) return;
    if (!isTrustedSender({ url: frame.url, topLevel: frame.parent === null })) return;
    const { port1, port2 } = new MessageChannelMain();
    supervisor.connect(port1).then(
      () => {
        if (frame.isDestroyed()) port2.close();
        else frame.postMessage(ENGINE_PORT, nonce, [port2]);
      },
      () => {
        // The window is told of an engine that is down by a dialog; its client asks again by itself.
        port1.close();
        port2.close();
      },
    );
  });
}
