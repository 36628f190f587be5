/** Every carrier the product has, each as a line on which clients can be connected to a test engine. */
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { MessageChannel, type MessagePort } from 'node:worker_threads';
import { WebSocket, WebSocketServer } from 'ws';
import { messagePortCarrier, type EventedPort } from '../../gateway-core/control/message-port-carrier.ts';
import { serve } from '../../gateway-core/control/serve.ts';
import { wsCarrier } from '../../gateway-core/control/ws-carrier.ts';
import { connectWebSocket } from '../../gateway-core/control/ws-client.ts';
import type { Carrier } from '../../gateway-core/protocol/carrier.ts';
import type { Access, WireError } from '../../gateway-core/protocol/frames.ts';
import type { ContractHandlers } from '../../gateway-core/protocol/handlers.ts';
import type { ServerLimits } from '../../gateway-core/protocol/limits.ts';
import { memoryPair } from '../../gateway-core/protocol/memory-carrier.ts';
import type { ServedConnection } from '../../gateway-core/protocol/server.ts';

export interface LineOptions {
  readonly limits?: Partial<ServerLimits>;
  readonly access?: Access;
}

export interface Line {
  /** Opens one more connection, as a client does. */
  connect(): Promise<Carrier>;
  /** A client that sends and never reads. Resolves when connected. */
  mute(): Promise<{ send(frame: string): void }>;
  /** Sends something over a fresh connection that is no text at all. */
  nonsense(): Promise<Carrier>;
  /** Served so far, oldest first. */
  readonly served: ServedConnection[];
  readonly faults: WireError[];
  close(): Promise<void>;
}

export interface LineKind {
  readonly name: string;
  open(handlers: ContractHandlers, options?: LineOptions): Promise<Line>;
}

function server(handlers: ContractHandlers, options: LineOptions) {
  const served: ServedConnection[] = [];
  const faults: WireError[] = [];
  return {
    served,
    faults,
    accept(carrier: Carrier): void {
      served.push(
        serve(carrier, handlers, {
          access: options.access ?? 'full',
          ...(options.limits === undefined ? {} : { limits: options.limits }),
          onFault: (fault) => faults.push(fault),
        }),
      );
    },
    async closeAll(): Promise<void> {
      for (const connection of served) connection.close();
      await Promise.all(served.map((connection) => connection.closed));
    },
  };
}

const memory: LineKind = {
  name: 'memory',
  async open(handlers, options = {}) {
    const { served, faults, accept, closeAll } = server(handlers, options);
    const connect = (): Carrier => {
      const [ours, theirs] = memoryPair();
      accept(ours);
      return theirs;
    };
    return {
      served,
      faults,
      connect: async () => connect(),
      async mute() {
        const [ours, theirs] = memoryPair();
        theirs.hold(true);
        theirs.onFrame(() => undefined);
        accept(ours);
        return theirs;
      },
      async nonsense() {
        const carrier = connect();
        carrier.send('');
        return carrier;
      },
      close: closeAll,
    };
  },
};

function overPorts(
  name: string,
  near: (port: MessagePort) => EventedPort,
  far: (port: MessagePort) => Carrier,
): LineKind {
  return {
    name,
    async open(handlers, options = {}) {
      const { served, faults, accept, closeAll } = server(handlers, options);
      const channel = (): MessagePort => {
        const { port1, port2 } = new MessageChannel();
        accept(messagePortCarrier(near(port1)));
        return port2;
      };
      return {
        served,
        faults,
        connect: async () => far(channel()),
        async mute() {
          const port = channel();
          return { send: (frame) => port.postMessage(frame) };
        },
        async nonsense() {
          const port = channel();
          port.postMessage({ neither: 'text', nor: 1 });
          return far(port);
        },
        close: closeAll,
      };
    },
  };
}

/** What Electron's MessagePortMain looks like: messages come wrapped in an event. */
function asElectron(port: MessagePort): EventedPort {
  return {
    postMessage: (value) => port.postMessage(value),
    on(event: string, listener: (value?: unknown) => void) {
      port.on(event, event === 'message' ? (data: unknown) => listener({ data, ports: [] }) : () => listener());
    },
    start: () => port.start(),
    close: () => port.close(),
  };
}

// Loaded by name: these files are typed for the DOM, this one is not. Node has what they use.
const dom = (await import(new URL('../../renderer/connection/message-port.ts', import.meta.url).pathname)) as {
  domPortCarrier(port: unknown): Carrier;
};
const browser = (await import(new URL('../../renderer/connection/web-socket.ts', import.meta.url).pathname)) as {
  openWebSocket(url: string): Promise<Carrier>;
};

function overWebSocket(name: string, connect: (port: number) => Promise<Carrier>): LineKind {
  return {
    name,
    async open(handlers, options = {}) {
      const { served, faults, accept, closeAll } = server(handlers, options);
      const listener = new WebSocketServer({
        host: '127.0.0.1',
        port: 0,
        perMessageDeflate: false,
        maxPayload: 64 * 1024 * 1024,
      });
      await once(listener, 'listening');
      listener.on('connection', (socket) => accept(wsCarrier(socket)));
      const { port } = listener.address() as AddressInfo;
      const bare = async (): Promise<WebSocket> => {
        const socket = new WebSocket(`ws://127.0.0.1:${port}/ws`);
        await once(socket, 'open');
        return socket;
      };
      return {
        served,
        faults,
        connect: () => connect(port),
        async mute() {
          const socket = await bare();
          socket.on('error', () => undefined);
          socket.pause();
          return { send: (frame) => socket.send(frame) };
        },
        async nonsense() {
          const socket = await bare();
          socket.send(Buffer.from([0, 1, 2]));
          return wsCarrier(socket);
        },
        async close() {
          await closeAll();
          for (const socket of listener.clients) socket.terminate();
          await new Promise((resolve) => listener.close(resolve));
        },
      };
    },
  };
}

export const lineKinds: readonly LineKind[] = [
  memory,
  overPorts('MessagePort of Node', (port) => port, messagePortCarrier),
  overPorts('MessagePort of Electron to one of the DOM', asElectron, (port) => dom.domPortCarrier(port)),
  overWebSocket('WebSocket of a browser', (port) => browser.openWebSocket(`ws://127.0.0.1:${port}/ws`)),
  overWebSocket('WebSocket of the command line', (port) => connectWebSocket({ host: '127.0.0.1', port, token: 'x' })()),
];
