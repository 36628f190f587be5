import { utilityProcess, type MessagePortMain } from 'electron';
import { isFromEngine } from '../shell/channels.ts';
import type { EngineProcess } from '../shell/supervisor.ts';

/** Starts the engine as a utility process. */
export function spawnEngine(entry: string): EngineProcess<MessagePortMain> {
  const child = utilityProcess.fork(entry, [], { serviceName: 'Patchbay engine', stdio: 'inherit' });
  return {
    post: (message, ports = []) => child.postMessage(message, [...ports]),
    kill: () => void child.kill(),
    onMessage: (listener) =>
      void child.on('message', (message: unknown) => {
        if (isFromEngine(message)) listener(message);
      }),
    onExit: (listener) => void child.once('exit', listener),
  };
}
