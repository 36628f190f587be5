/** The engine in its own process: starts it, serves each port that the main process passes in, stops it. */
import { messagePortCarrier } from '../gateway-core/control/message-port-carrier.ts';
import { serve } from '../gateway-core/control/serve.ts';
import { toWireError } from '../gateway-core/engine/error.ts';
import { createGateway, type Gateway } from '../gateway-core/engine/gateway.ts';
import { isToEngine, type EngineStart, type FromEngine } from './shell/channels.ts';

const parent = process.parentPort;
let gateway: Gateway | undefined;

function tell(message: FromEngine): void {
  parent.postMessage(message);
}

async function start(options: EngineStart): Promise<void> {
  try {
    gateway = await createGateway({
      ...(options.configFile === '' ? {} : { config: { file: options.configFile } }),
      ...(options.dataFolder === '' ? {} : { dataFolder: options.dataFolder }),
      ...(options.control === undefined ? {} : { control: options.control }),
      pluginFolders: options.pluginFolders,
    });
    tell({ t: 'ready' });
  } catch (error) {
    const { code, message, remedy } = toWireError(error);
    tell({ t: 'failed', code, message, remedy });
  }
}

async function stop(): Promise<void> {
  await gateway?.stop();
  tell({ t: 'stopped' });
  process.exit(0);
}

parent.on('message', ({ data, ports }) => {
  if (!isToEngine(data)) return;
  const [port] = ports;
  switch (data.t) {
    case 'start':
      void start(data.options);
      break;
    case 'client':
      if (port !== undefined && gateway !== undefined)
        serve(messagePortCarrier(port), gateway.handlers, { access: 'full', client: 'panel' });
      break;
    case 'stop':
      // A stop that fails must still end the process: its restart is the remedy.
      stop().catch(() => process.exit(1));
      break;
  }
});
