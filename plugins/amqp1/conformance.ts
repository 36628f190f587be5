import { connect as connectSocket, type Server, type Socket } from 'node:net';
import { defineConformance, type Peer, type Scratch, type Verdict } from 'patchbay/plugin-api/testing';
import rhea, { type Connection, type EventContext, type Sender } from 'rhea';

const VERDICTS: Readonly<Record<string, Verdict>> = {
  accepted: 'accepted',
  rejected: 'rejected',
  released: 'returned',
  modified: 'returned',
};

/** Sends in order as credit allows, and keeps what it was told of each body. */
class Sending {
  readonly verdicts = new Map<string, Verdict>();
  private readonly queue: string[] = [];
  private readonly bodies = new Map<number, string>();
  private sender: Sender | undefined;

  attach(sender: Sender): void {
    this.sender = sender;
    this.bodies.clear();
    sender.on('sendable', () => this.pump());
    for (const [event, verdict] of Object.entries(VERDICTS)) {
      sender.on(event, ({ delivery }: EventContext) => {
        const body = this.bodies.get(delivery?.id ?? -1);
        if (body !== undefined) this.verdicts.set(body, verdict);
      });
    }
    this.pump();
  }

  send(bodies: readonly string[]): void {
    this.queue.push(...bodies);
    this.pump();
  }

  private pump(): void {
    while (this.sender?.sendable() === true) {
      const body = this.queue.shift();
      if (body === undefined) return;
      this.bodies.set(this.sender.send({ body }).id, body);
    }
  }
}

interface Broker {
  readonly port: number;
  readonly peer: Peer;
  /** Bodies it accepted. */
  readonly received: readonly string[];
}

/** A broker in miniature that can go away and come back at the same port. */
async function broker(scratch: Scratch, sending?: Sending): Promise<Broker> {
  const received: string[] = [];
  const container = rhea.create_container();
  container.on('error', () => undefined);
  container.on('disconnected', () => undefined);
  container.on('sender_open', ({ sender }: EventContext) => {
    if (sender === undefined) return;
    sender.set_source({ address: sender.source.address });
    sending?.attach(sender);
  });
  container.on('receiver_open', ({ receiver }: EventContext) => {
    receiver?.set_target({ address: receiver.target.address });
  });
  container.on('message', ({ message }: EventContext) => received.push(textOf(message?.body)));
  const port = await scratch.freePort();
  const sockets = new Set<Socket>();
  let server: Server;
  const up = (): Promise<void> =>
    new Promise((resolve) => {
      server = container.listen({ host: '127.0.0.1', port }) as unknown as Server;
      server.on('connection', (socket) => sockets.add(socket));
      server.on('listening', () => resolve());
    });
  const down = (): Promise<void> =>
    new Promise((resolve) => {
      server.close(() => resolve());
      for (const socket of sockets) socket.destroy();
      sockets.clear();
    });
  await up();
  scratch.defer(down);
  return { port, peer: { up, down }, received };
}

/** Sends bytes that are no AMQP, and waits for the connection's end. */
function raw(port: number, bytes: string): Promise<void> {
  return new Promise((resolve) => {
    const socket = connectSocket(port, '127.0.0.1', () => socket.write(Buffer.from(bytes, 'latin1')));
    socket.resume();
    socket.on('error', () => undefined).on('close', () => resolve());
  });
}

function textOf(body: unknown): string {
  const content = typeof body === 'object' && body !== null && 'content' in body ? body.content : body;
  return Buffer.isBuffer(content) ? content.toString() : String(content);
}

export default defineConformance({
  sources: {
    'amqp1: listening': {
      async setup(scratch) {
        const port = await scratch.freePort();
        const sending = new Sending();
        let connection: Connection | undefined;
        scratch.defer(() => connection?.close());
        return {
          config: { listen: { port } },
          send(bodies) {
            sending.send(bodies);
            if (connection !== undefined) return;
            const container = rhea.create_container();
            container.on('error', () => undefined);
            connection = container.connect({ host: '127.0.0.1', port, reconnect: false });
            connection.on('disconnected', () => undefined);
            sending.attach(connection.open_sender('conformance'));
          },
          verdicts: () => sending.verdicts,
          async sendDamaged() {
            await raw(port, 'GET / HTTP/1.1\r\n\r\n');
            await raw(port, 'AMQP\u0000\u0001\u0000\u0000\u00ff\u00ff\u00ff\u00ff\u0002\u0000\u0000\u0000');
          },
        };
      },
      badConfigs: {
        'a certificate that is none': () => ({
          config: { listen: { port: 0, tls: { cert: 'no PEM', key: 'no PEM' } } },
          path: 'listen.tls',
        }),
      },
    },
    'amqp1: connecting': {
      async setup(scratch) {
        const sending = new Sending();
        const { port, peer } = await broker(scratch, sending);
        return {
          config: { url: `amqp://127.0.0.1:${port}`, addresses: ['queue'] },
          send: (bodies) => sending.send(bodies),
          verdicts: () => sending.verdicts,
          peer,
        };
      },
      badConfigs: {
        'a certificate that is none': () => ({
          config: { url: 'amqps://127.0.0.1:1', addresses: ['queue'], tls: { cert: 'no PEM', key: 'no PEM' } },
          path: 'tls',
        }),
      },
    },
  },
  sinks: {
    amqp1: {
      async setup(scratch) {
        const { port, peer, received } = await broker(scratch);
        return {
          config: { url: `amqp://127.0.0.1:${port}`, address: 'queue', timeout: 2 },
          received: () => [...received],
          peer,
        };
      },
      badConfigs: {
        'a certificate that is none': () => ({
          config: { url: 'amqps://127.0.0.1:1', address: 'queue', tls: { cert: 'no PEM', key: 'no PEM' } },
          path: 'tls',
        }),
      },
    },
  },
});
