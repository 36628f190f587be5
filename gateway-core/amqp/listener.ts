import { createServer, type Server, type Socket } from 'node:net';
import { createServer as createTlsServer } from 'node:tls';
import { CodedError } from '../engine/error.ts';
import type { AmqpDelivery, AmqpListenOptions, AmqpListener, AmqpOutcome } from '../plugin-api/amqp.ts';
import { ConfigError } from '../plugin-api/errors.ts';
import { errorRegistry, fill } from '../protocol/errors/index.ts';
import { Intake } from './intake.ts';
import { limitsOf, type Limits } from './limits.ts';
import { PeerConnection } from './peer-connection.ts';
import type { PeerLog } from './peer-log.ts';
import { withoutSlash } from './receiving-link.ts';
import type { RheaContainer, RheaReceiver, RheaSender } from './rhea.ts';
import { serverMechanisms } from './sasl.ts';
import { secureContext } from './tls.ts';

/** An embedded AMQP 1.0 endpoint: takes messages, sends none. */
export class Listener implements AmqpListener {
  port = 0;
  private readonly rhea: RheaContainer;
  private readonly options: AmqpListenOptions;
  private readonly limits: Limits;
  private readonly log: PeerLog;
  private readonly intake: Intake;
  private readonly peers = new Set<PeerConnection>();
  private readonly server: Server;
  private listening = false;

  constructor(rhea: RheaContainer, options: AmqpListenOptions, log: PeerLog) {
    this.rhea = rhea;
    this.options = options;
    this.limits = limitsOf(options.limits);
    this.log = log;
    const addresses = (options.addresses ?? []).map(withoutSlash);
    this.intake = new Intake({ ...options, addresses }, this.limits.maxHeldBytes);
    this.server = this.createServer();
  }

  get unsettled(): number {
    return this.intake.unsettled;
  }

  get connections(): number {
    return this.peers.size;
  }

  /** Binds the port. Rejects with a ConfigError when that can't work. */
  async open(): Promise<void> {
    const { host, port } = this.options;
    await new Promise<void>((resolve, reject) => {
      const refuse = (error: NodeJS.ErrnoException): void => {
        const { template, remedy } = errorRegistry.PB_AMQP_LISTEN;
        const why = error.code === 'EADDRINUSE' ? 'the port is taken' : error.message;
        reject(
          new ConfigError('PB_AMQP_LISTEN', 'listen.port', fill(template, { host, port, why }), remedy, {
            cause: error,
          }),
        );
      };
      this.server.once('error', refuse);
      this.server.listen({ host, port }, () => {
        this.server.off('error', refuse);
        this.listening = true;
        resolve();
      });
    });
    // Out of descriptors, say: the port stays, that one client does not get in.
    this.server.on('error', (error) => {
      this.log.report(
        new CodedError('PB_AMQP_LISTEN', { host, port: this.port, why: error.message }, { cause: error }),
      );
    });
    const address = this.server.address();
    if (address !== null && typeof address === 'object') this.port = address.port;
  }

  settle(deliveries: readonly AmqpDelivery[], outcome: AmqpOutcome, from?: number, to?: number): void {
    this.intake.settle(deliveries, outcome, from, to);
  }

  async drain(): Promise<void> {
    this.stopListening();
    await this.intake.drain();
  }

  async close(): Promise<void> {
    this.stopListening();
    await this.intake.close();
    await Promise.all([...this.peers].map((peer) => peer.end(true)));
  }

  private stopListening(): void {
    if (!this.listening) return;
    this.listening = false;
    this.server.close();
  }

  private createServer(): Server {
    const { tls, sasl } = this.options;
    if (sasl !== undefined && sasl.anonymous !== true && sasl.external !== true && (sasl.plain ?? []).length === 0) {
      const { template, remedy } = errorRegistry.PB_AMQP_SASL_NONE;
      throw new ConfigError('PB_AMQP_SASL_NONE', 'sasl', template, remedy);
    }
    if (sasl?.external === true && tls?.ca === undefined) {
      const { template, remedy } = errorRegistry.PB_AMQP_TLS;
      const why = 'EXTERNAL needs a CA to check the certificates of clients with';
      throw new ConfigError('PB_AMQP_TLS', 'listen.tls.ca', fill(template, { why }), remedy);
    }
    if (tls === undefined) {
      const server = createServer((socket) => this.accept(socket));
      return server;
    }
    secureContext('listen.tls', tls);
    const server = createTlsServer(
      {
        cert: tls.cert,
        key: tls.key,
        ...(tls.ca === undefined ? {} : { ca: tls.ca }),
        requestCert: tls.ca !== undefined,
        rejectUnauthorized: tls.requireClientCert === true,
        handshakeTimeout: this.limits.handshakeMs,
        minVersion: 'TLSv1.2',
      },
      (socket) => this.accept(socket),
    );
    server.on('tlsClientError', (error, socket) => {
      this.log.report(
        new CodedError('PB_AMQP_VERSION', { peer: nameOf(socket), version: `no TLS we know (${error.message})` }),
      );
      socket.destroy();
    });
    // Those in the middle of a TLS handshake count too.
    server.on('connection', (socket: Socket) => {
      socket.on('error', () => {
        // Told by tlsClientError.
      });
    });
    return server;
  }

  private accept(socket: Socket): void {
    const name = nameOf(socket);
    if (this.peers.size >= this.limits.maxConnections || !this.listening) {
      socket.on('error', () => {
        // It is being turned away.
      });
      socket.destroy();
      if (this.listening) {
        this.log.report(
          new CodedError('PB_AMQP_TOO_MANY_CONNECTIONS', { peer: name, limit: this.limits.maxConnections }),
        );
      }
      return;
    }
    const sasl = this.options.sasl ?? { anonymous: true };
    // One container each: rhea keeps the mechanisms there, and EXTERNAL looks at this very socket.
    const container = this.rhea.create_container({});
    const connection = container.create_connection({
      max_frame_size: this.limits.maxFrameSize,
      channel_max: 63,
      require_sasl: sasl.anonymous !== true,
      tcp_no_delay: true,
      reconnect: false,
      receiver_options: { credit_window: 0, autoaccept: false, autosettle: false },
    });
    const peer = new PeerConnection(
      this.rhea,
      connection,
      name,
      this.limits,
      {
        closed: (error) => {
          this.peers.delete(peer);
          if (error instanceof CodedError) this.log.report(error);
        },
        report: (error) => this.log.report(error),
      },
      true,
    );
    container.sasl_server_mechanisms = serverMechanisms(sasl, socket, (why) => {
      // The outcome goes out on a later turn of the promise queue; then the connection ends.
      setImmediate(() => peer.fail(new CodedError('PB_AMQP_SASL_REFUSED', { peer: name, why })));
    });
    connection.on('receiver_open', (context: { receiver: RheaReceiver }) => this.attach(peer, context.receiver));
    connection.on('sender_open', (context: { sender: RheaSender }) => {
      const address = context.sender.remote.attach?.source?.address ?? 'no address';
      const why = 'this endpoint takes messages and gives none';
      this.log.report(new CodedError('PB_AMQP_LINK_REFUSED', { peer: name, address, why }));
      context.sender.close({ condition: 'amqp:not-implemented', description: why });
    });
    this.peers.add(peer);
    peer.attach(socket);
    connection.accept(socket);
    peer.replaceReader();
  }

  private attach(peer: PeerConnection, receiver: RheaReceiver): void {
    const asked = receiver.remote.attach?.target?.address ?? undefined;
    const address = asked === undefined ? undefined : withoutSlash(asked);
    receiver.local.attach.max_message_size = this.limits.maxMessageSize;
    const source = receiver.remote.attach?.source?.address;
    receiver.set_source(typeof source === 'string' ? { address: source } : {});
    if ((address !== undefined && !this.intake.serves(address)) || this.intake.draining) {
      const why = this.intake.draining ? 'the gateway is stopping' : 'it is not served here';
      this.log.report(new CodedError('PB_AMQP_LINK_REFUSED', { peer: peer.name, address: address ?? '', why }));
      receiver.close({ condition: this.intake.draining ? 'amqp:resource-locked' : 'amqp:not-found', description: why });
      return;
    }
    receiver.set_target(asked === undefined ? {} : { address: asked });
    receiver.delivery_count = receiver.remote.attach?.initial_delivery_count ?? 0;
    peer.receive(receiver, this.intake, address);
  }
}

function nameOf(socket: Socket): string {
  return `${socket.remoteAddress ?? 'unknown'}:${socket.remotePort ?? 0}`;
}
