import { randomUUID } from 'node:crypto';
import { connect as connectTcp, type Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';
import { CodedError } from '../engine/error.ts';
import type {
  AmqpConnection,
  AmqpConnectOptions,
  AmqpIntake,
  AmqpReceiveOptions,
  AmqpSender,
  AmqpSenderOptions,
} from '../plugin-api/amqp.ts';
import { ConfigError, NotConnectedError } from '../plugin-api/errors.ts';
import type { ErrorCode } from '../protocol/errors/index.ts';
import { errorRegistry, fill } from '../protocol/errors/index.ts';
import { Intake } from './intake.ts';
import { limitsOf, type Limits } from './limits.ts';
import { PeerConnection } from './peer-connection.ts';
import type { PeerLog } from './peer-log.ts';
import type { RheaContainer, RheaError, RheaLink, RheaReceiver, RheaSender } from './rhea.ts';
import { clientMechanisms } from './sasl.ts';
import { Sender } from './sender.ts';
import { secureContext } from './tls.ts';

const FIRST_DELAY_MS = 250;
const LONGEST_DELAY_MS = 15_000;

/** Durability of a terminus (AMQP 1.0, section 3.5.5). RabbitMQ 3 makes the queue it creates for us durable by it. */
const UNSETTLED_STATE = 2;

interface Address {
  readonly url: string;
  readonly tls: boolean;
  readonly host: string;
  readonly port: number;
}

/** A connection to a broker that comes back by itself. */
export class Connection implements AmqpConnection {
  private readonly rhea: RheaContainer;
  private readonly options: AmqpConnectOptions;
  private readonly limits: Limits;
  private readonly log: PeerLog;
  private readonly address: Address;
  private readonly containerId = `patchbay-${randomUUID()}`;
  private readonly senders: Sender[] = [];
  private receiving: { readonly options: AmqpReceiveOptions; readonly intake: Intake } | undefined;
  private peer: PeerConnection | undefined;
  private attempts = 0;
  private retry: NodeJS.Timeout | undefined;
  private closing = false;
  /** Links that wait for the broker's attach. */
  private readonly attaching = new Map<RheaLink, { resolve(): void; reject(error: Error): void }>();

  constructor(rhea: RheaContainer, options: AmqpConnectOptions, log: PeerLog) {
    this.rhea = rhea;
    this.options = options;
    this.limits = limitsOf(options.limits);
    this.log = log;
    this.address = parseUrl(options.url);
    if (this.address.tls) secureContext('tls', options.tls ?? {});
  }

  get connected(): boolean {
    return this.peer !== undefined;
  }

  /** The first attempt. Rejects with what `AmqpHost.connect` promises. */
  async open(): Promise<void> {
    this.peer = await this.attempt();
  }

  async receive(options: AmqpReceiveOptions): Promise<AmqpIntake> {
    const intake = new Intake({ ...options, addresses: [] }, this.limits.maxHeldBytes);
    const { peer } = this;
    if (peer === undefined) throw this.unreachable('not connected');
    this.receiving = { options, intake };
    await this.attachReceivers(peer);
    return intake;
  }

  async sender(options: AmqpSenderOptions): Promise<AmqpSender> {
    const sender = new Sender(this.address.url, options);
    const { peer } = this;
    if (peer === undefined) throw this.unreachable('not connected');
    await this.attachSender(peer, sender);
    this.senders.push(sender);
    return sender;
  }

  async close(): Promise<void> {
    this.closing = true;
    clearTimeout(this.retry);
    await this.receiving?.intake.close();
    const { peer } = this;
    this.peer = undefined;
    await peer?.end();
    for (const sender of this.senders) sender.lost('closed');
  }

  private attempt(): Promise<PeerConnection> {
    const { url, host } = this.address;
    const container = this.rhea.create_container({ id: this.containerId });
    let peer: PeerConnection | undefined;
    const connection = container.create_connection({
      host,
      hostname: host,
      container_id: this.containerId,
      max_frame_size: this.limits.maxFrameSize,
      reconnect: false,
      tcp_no_delay: true,
      sasl_mechanisms: clientMechanisms(this.options),
      receiver_options: { credit_window: 0, autoaccept: false, autosettle: false },
      connection_details: () => ({
        host,
        port: this.address.port,
        options: {},
        connect: (_port: number, _host: string, _options: object, connected: () => void): Socket => {
          const socket = this.connectSocket(connected);
          peer?.attach(socket);
          return socket;
        },
      }),
    });
    return new Promise((resolve, reject) => {
      let opened = false;
      let told: RheaError | undefined;
      const made = new PeerConnection(
        this.rhea,
        connection,
        url,
        this.limits,
        {
          closed: (error) => {
            const fault = told === undefined ? error : this.toldError(told);
            if (opened) this.lost(made, fault);
            else reject(this.refusal(told, fault));
          },
          report: (error) => this.log.report(error),
        },
        false,
      );
      peer = made;
      connection.on('connection_error', (context: { error?: RheaError }) => {
        told ??= context.error;
      });
      connection.on('connection_open', () => {
        opened = true;
        resolve(made);
      });
      const attached = (link: RheaLink): void => {
        const { source, target } = link.remote.attach ?? {};
        // Refused when the broker's terminus is null (rhea gives a null of its own); the detach with the reason follows.
        const terminus = link.is_receiver() ? source : target;
        if (terminus === null || terminus === undefined || !('address' in terminus)) return;
        this.attaching.get(link)?.resolve();
        this.attaching.delete(link);
      };
      const detached = (link: RheaLink): void => {
        const error = this.attachError(link, link.error);
        const waiting = this.attaching.get(link);
        this.attaching.delete(link);
        if (waiting !== undefined) waiting.reject(error);
        else if (!this.closing && link.error !== undefined) made.fail(error);
      };
      connection.on('receiver_open', (context: { receiver: RheaReceiver }) => attached(context.receiver));
      connection.on('sender_open', (context: { sender: RheaSender }) => attached(context.sender));
      connection.on('receiver_close', (context: { receiver: RheaReceiver }) => detached(context.receiver));
      connection.on('sender_close', (context: { sender: RheaSender }) => detached(context.sender));
      connection.on('session_close', (context: { session: { error?: RheaError } }) => {
        let refused = false;
        for (const [link, waiting] of this.attaching) {
          if (link.session !== context.session) continue;
          this.attaching.delete(link);
          refused = true;
          waiting.reject(this.attachError(link, context.session.error));
        }
        if (refused) return;
        // A broker that ends our session (RabbitMQ does, for a queue that was deleted) has ended our links with it.
        if (opened && !this.closing) made.fail(this.toldError(context.session.error ?? {}));
      });
      connection.connect();
      made.replaceReader();
    });
  }

  private connectSocket(connected: () => void): Socket {
    const { host, port, tls } = this.address;
    if (!tls) return connectTcp({ host, port }, connected);
    const { ca, cert, key, serverName, rejectUnauthorized } = this.options.tls ?? {};
    const name = serverName ?? host;
    return connectTls(
      {
        host,
        port,
        // An IP address is no server name; the certificate is checked against the host all the same.
        ...(/^[\d.]+$|:/.test(name) ? {} : { servername: name }),
        ...(ca === undefined ? {} : { ca }),
        ...(cert === undefined ? {} : { cert }),
        ...(key === undefined ? {} : { key }),
        rejectUnauthorized: rejectUnauthorized ?? true,
        minVersion: 'TLSv1.2',
      },
      connected,
    );
  }

  private async attachReceivers(peer: PeerConnection): Promise<void> {
    const { receiving } = this;
    if (receiving === undefined) return;
    const durable = receiving.options.durable ?? false;
    await Promise.all(
      (receiving.options.addresses ?? []).map(async (address) => {
        try {
          await this.attachReceiver(peer, receiving.intake, address, durable);
        } catch (error) {
          // RabbitMQ 3 insists on the durability that its queue has.
          if (!(error instanceof Error && error.message.includes("inequivalent arg 'durable'"))) throw error;
          await this.attachReceiver(peer, receiving.intake, address, !durable);
        }
      }),
    );
  }

  private async attachReceiver(peer: PeerConnection, intake: Intake, address: string, durable: boolean): Promise<void> {
    const session = peer.connection.create_session();
    session.begin();
    const link = session.open_receiver({
      name: `${this.containerId}-${address}`,
      source: { address, ...(durable ? { durable: UNSETTLED_STATE } : {}) },
      target: {},
      max_message_size: this.limits.maxMessageSize,
    });
    await this.attachOf(peer, link);
    link.delivery_count = link.remote.attach?.initial_delivery_count ?? 0;
    peer.receive(link, intake, address);
  }

  private async attachSender(peer: PeerConnection, sender: Sender): Promise<void> {
    const session = peer.connection.create_session();
    session.begin();
    const { address } = sender;
    const link = session.open_sender({
      name: `${this.containerId}-to-${address ?? 'any'}-${randomUUID()}`,
      target: address === undefined ? {} : { address, ...(sender.durable ? { durable: UNSETTLED_STATE } : {}) },
      snd_settle_mode: 0,
      treat_modified_as_released: false,
    });
    await this.attachOf(peer, link);
    sender.attached(peer, link);
  }

  private attachOf(peer: PeerConnection, link: RheaLink): Promise<void> {
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => {
        this.attaching.delete(link);
        const error = this.unreachable('no answer to attach');
        reject(error);
        peer.fail(error);
      }, this.limits.handshakeMs);
      this.attaching.set(link, {
        resolve: () => {
          clearTimeout(timer);
          resolve();
        },
        reject: (error) => {
          clearTimeout(timer);
          reject(error);
        },
      });
    });
  }

  /** An open connection is gone. */
  private lost(peer: PeerConnection, fault: unknown): void {
    const why = fault instanceof Error ? fault.message : 'the peer closed it';
    for (const [link, waiting] of this.attaching) {
      if (link.connection !== peer.connection) continue;
      this.attaching.delete(link);
      waiting.reject(this.unreachable(why));
    }
    for (const sender of this.senders) sender.lost(why);
    if (this.peer === peer) this.peer = undefined;
    if (this.closing) return;
    const error = new CodedError('PB_AMQP_CONNECTION_LOST', { url: this.address.url, why });
    this.log.report(error);
    this.options.onState?.('disconnected', error.message);
    this.again();
  }

  private again(): void {
    if (this.closing) return;
    const longest = Math.min(LONGEST_DELAY_MS, FIRST_DELAY_MS * 2 ** Math.min(this.attempts++, 16));
    this.retry = setTimeout(() => void this.reconnect(), longest * (0.5 + Math.random() / 2));
  }

  private async reconnect(): Promise<void> {
    let peer: PeerConnection | undefined;
    try {
      peer = await this.attempt();
      if (this.closing) {
        await peer.end();
        return;
      }
      await this.attachReceivers(peer);
      for (const sender of this.senders) await this.attachSender(peer, sender);
      this.attempts = 0;
      this.peer = peer;
      this.options.onState?.('connected', '');
    } catch (error) {
      // Closing a connection that was open comes back here through `lost`.
      if (peer !== undefined) peer.fail(error);
      else {
        if (error instanceof Error) this.options.onState?.('disconnected', error.message);
        this.again();
      }
    }
  }

  private toldError(error: RheaError): CodedError {
    const { condition = 'no condition', description = '' } = error;
    return new CodedError('PB_AMQP_PEER_ERROR', { peer: this.address.url, condition, description });
  }

  private attachError(link: RheaLink, error: RheaError | undefined): Error {
    const { url } = this.address;
    const local = link.local.attach;
    const address = (link.is_receiver() ? local.source : local.target)?.value?.[0]?.value ?? 'any address';
    const why = error === undefined ? 'no reason given' : `${error.condition ?? ''} ${error.description ?? ''}`.trim();
    return configError('PB_AMQP_ATTACH', 'addresses', { url, address, why });
  }

  private unreachable(why: string): NotConnectedError {
    const { template, remedy } = errorRegistry.PB_AMQP_UNREACHABLE;
    return new NotConnectedError(fill(template, { url: this.address.url, why }), {
      code: 'PB_AMQP_UNREACHABLE',
      remedy,
    });
  }

  /** Why the first attempt failed: who we are (config), or the way there (tried again). */
  private refusal(told: RheaError | undefined, fault: unknown): Error {
    const { url } = this.address;
    if (told?.condition === 'amqp:unauthorized-access') {
      const why = told.description ?? told.condition;
      return configError('PB_AMQP_LOGIN', 'username', { url, why });
    }
    if (fault instanceof Error && /certificate|self.signed|altname/i.test(fault.message)) {
      return configError('PB_AMQP_TLS', 'tls', { why: fault.message });
    }
    return this.unreachable(fault instanceof Error ? fault.message : 'the peer closed the connection');
  }
}

function configError(code: ErrorCode, path: string, details: Readonly<Record<string, unknown>>): ConfigError {
  const { template, remedy } = errorRegistry[code];
  return new ConfigError(code, path, fill(template, details), remedy);
}

function parseUrl(text: string): Address {
  let why: string;
  try {
    const url = new URL(text);
    const tls = url.protocol === 'amqps:';
    if (!tls && url.protocol !== 'amqp:') why = 'it must begin with amqp:// or amqps://';
    else if (url.username !== '' || url.password !== '') why = 'user and password have their own fields';
    else if (url.hostname === '') why = 'the host is missing';
    else if (url.pathname !== '' && url.pathname !== '/') why = 'addresses have their own field';
    else {
      const host = url.hostname.replace(/^\[|\]$/g, '');
      const port = url.port === '' ? (tls ? 5671 : 5672) : Number(url.port);
      return { url: `${url.protocol}//${url.host}`, tls, host, port };
    }
  } catch {
    why = 'it is no URL';
  }
  throw configError('PB_AMQP_URL', 'url', { url: text.replace(/\/\/[^@/]*@/, '//…@'), why });
}
