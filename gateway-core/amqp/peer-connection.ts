import type { Socket } from 'node:net';
import { CodedError } from '../engine/error.ts';
import { FrameGuard } from './frame-guard.ts';
import type { Intake } from './intake.ts';
import type { Limits } from './limits.ts';
import { ReceivingLink } from './receiving-link.ts';
import type {
  RheaConnection,
  RheaContainer,
  RheaDisposition,
  RheaLink,
  RheaReceiver,
  RheaSession,
  RheaTypes,
} from './rhea.ts';
import { SESSION_WINDOW, SessionIntake } from './session-intake.ts';
import { takeTransfer } from './transfer-frame.ts';

/** Sessions a peer may open on one connection. */
const MAX_SESSIONS = 64;
/** How long a peer that is being turned away has to read why. */
const FAREWELL_MS = 500;

/** What the owner of a connection wants to know. */
export interface PeerEvents {
  /** Once, when the socket is closed, with the fault when there was one. */
  closed(error: unknown): void;
  /** Something to log that leaves the connection as it is. */
  report(error: CodedError): void;
}

/**
 * One connection, accepted or made: rhea's connection with its limits on, its way in replaced
 * (see Intake), and one way to end it.
 */
export class PeerConnection {
  readonly rhea: RheaContainer;
  readonly connection: RheaConnection;
  readonly types: RheaTypes;
  readonly limits: Limits;
  /** Address and port; used in every message about this peer. */
  readonly name: string;
  /** Bytes of messages that have begun and not ended. */
  incomplete = 0;
  /**
   * Messages without credit end the connection. Not so for brokers: RabbitMQ 3 adds what is still under way in it to
   * each new credit, without bound. There reading pauses instead.
   */
  readonly heedsCredit: boolean;
  private readonly events: PeerEvents;
  private readonly links = new Map<RheaLink, ReceivingLink>();
  private socket: Socket | undefined;
  private handshake: NodeJS.Timeout | undefined;
  private attached = 0;
  private sessions = 0;
  private fault: unknown;
  private ended = false;
  private intake: Intake | undefined;

  constructor(
    rhea: RheaContainer,
    connection: RheaConnection,
    name: string,
    limits: Limits,
    events: PeerEvents,
    heedsCredit: boolean,
  ) {
    this.heedsCredit = heedsCredit;
    this.rhea = rhea;
    this.connection = connection;
    this.types = rhea.types;
    this.name = name;
    this.limits = limits;
    this.events = events;
    const createSession = connection.create_session.bind(connection);
    connection.create_session = (): RheaSession => {
      if (++this.sessions > MAX_SESSIONS) this.throwTooMany(MAX_SESSIONS);
      const session = createSession(SESSION_WINDOW);
      session.incoming = new SessionIntake(this);
      const onAttach = session.on_attach.bind(session);
      session.on_attach = (frame) => {
        if (++this.attached > limits.maxLinks) this.throwTooMany(limits.maxLinks);
        onAttach(frame);
      };
      clampDispositions(session);
      return session;
    };
    connection.on('protocol_error', (error: unknown) => this.fail(asFault(this.name, error)));
    connection.on('error', (error: unknown) => this.fail(asFault(this.name, error)));
    connection.on('connection_error', () => {
      // What rhea knows of it follows: as connection_close, or as the end of the socket.
    });
    connection.on('session_close', (context: { session: RheaSession }) => {
      this.sessions--;
      for (const link of this.links.keys()) if (link.session === context.session) this.detached(link);
    });
    connection.on('session_error', () => {
      // session_close follows.
    });
    connection.on('disconnected', () => {
      // The socket's own close event is the end; this one may come before it, or not at all.
    });
    connection.on('receiver_close', (context: { receiver: RheaReceiver }) => this.detached(context.receiver));
    connection.on('sender_close', () => this.attached--);
    connection.on('connection_open', () => {
      clearTimeout(this.handshake);
    });
  }

  /** Puts the guard before rhea. Called with the socket before rhea listens to it. */
  attach(socket: Socket): void {
    this.socket = socket;
    socket.setNoDelay(true);
    socket.setKeepAlive(true, 30_000);
    const guard = new FrameGuard(this.name, this.limits.maxFrameSize);
    const input = this.connection.input.bind(this.connection);
    this.connection.input = (block: Buffer): void => {
      if (this.ended) return;
      try {
        guard.check(block);
      } catch (error) {
        this.fail(error);
        return;
      }
      input(block);
      this.checkUnsent();
    };
    this.handshake = setTimeout(() => {
      this.fail(
        new CodedError('PB_AMQP_HANDSHAKE_TIMEOUT', { peer: this.name, seconds: this.limits.handshakeMs / 1000 }),
      );
    }, this.limits.handshakeMs);
    socket.once('close', () => this.closed());
    socket.on('error', (error) => {
      this.fault ??= error;
    });
  }

  /** Puts the quick way in before rhea's decoder. Called when rhea has made its transport. */
  replaceReader(): void {
    const transport = this.connection.amqp_transport;
    const read = transport.read.bind(transport);
    transport.read = (block: Buffer): number => {
      let at = 0;
      try {
        if (transport.header_received === undefined || transport.header_received === null) {
          if (block.length < 8) return 0;
          at = read(block.subarray(0, 8));
        }
        while (at + 8 <= block.length && !this.ended) {
          const end = at + block.readUInt32BE(at);
          if (end > block.length) break;
          if (!takeTransfer(this, block, at, end)) read(block.subarray(at, end));
          at = end;
        }
        return at;
      } catch (error) {
        // rhea would end the socket before the peer can be told why.
        this.fail(asFault(this.name, error));
        return block.length;
      }
    };
  }

  /** Messages of this link go to `intake` from now on. */
  receive(link: RheaReceiver, intake: Intake, address: string | undefined): ReceivingLink {
    this.intake = intake;
    const receiving = new ReceivingLink(intake, this, link, address);
    this.links.set(link, receiving);
    intake.add(receiving);
    return receiving;
  }

  receiving(link: RheaLink): ReceivingLink | undefined {
    return this.links.get(link);
  }

  linkOf(link: RheaLink): ReceivingLink {
    const receiving = this.links.get(link);
    if (receiving === undefined) {
      throw new CodedError('PB_AMQP_BAD_FRAME', { peer: this.name, what: 'a transfer on a link that is not open' });
    }
    return receiving;
  }

  refuseMessage(address: string): void {
    this.events.report(
      new CodedError('PB_AMQP_LINK_REFUSED', {
        peer: this.name,
        address: address === '' ? 'no address' : address,
        why: 'messages to it are not taken here',
      }),
    );
  }

  /** One of its links has sent far more than it had credit for, and it is not settled yet. */
  get overrun(): boolean {
    for (const link of this.links.values()) if (link.overrun) return true;
    return false;
  }

  pause(): void {
    this.socket?.pause();
  }

  resume(): void {
    this.socket?.resume();
  }

  /** Ends the connection for a fault of the peer: tells it why if it still listens. */
  fail(error: unknown): void {
    if (this.ended) return;
    this.fault = error;
    const description = error instanceof Error ? error.message : String(error);
    const open = this.connection.is_open();
    this.ended = true;
    if (open) this.connection.close({ condition: 'amqp:connection:forced', description });
    this.farewell();
  }

  /**
   * Ends the connection in order; resolves when the socket is closed. `wordless`: without the
   * close performative, as if the network had gone. Debian's collectd 5.12 aborts on any close it
   * is sent (its handler reads the error of a session that is gone), but reconnects after a loss.
   */
  async end(wordless = false): Promise<void> {
    const { socket } = this;
    if (socket === undefined || socket.destroyed) return;
    const closed = new Promise<void>((resolve) => socket.once('close', () => resolve()));
    if (!wordless && this.connection.is_open()) this.connection.close();
    this.farewell();
    await closed;
  }

  private farewell(): void {
    const { socket } = this;
    if (socket === undefined) return;
    socket.resume();
    // rhea writes on the next tick; after it the socket may end.
    setImmediate(() => socket.end());
    const timer = setTimeout(() => socket.destroy(), FAREWELL_MS);
    socket.once('close', () => clearTimeout(timer));
  }

  private checkUnsent(): void {
    const bytes = this.socket?.writableLength ?? 0;
    if (bytes > this.limits.maxUnsent) {
      this.fail(new CodedError('PB_AMQP_PEER_NOT_READING', { peer: this.name, bytes }));
      this.socket?.destroy();
    }
  }

  private throwTooMany(limit: number): never {
    throw new CodedError('PB_AMQP_TOO_MANY_LINKS', { peer: this.name, limit });
  }

  private detached(link: RheaLink): void {
    this.attached--;
    const receiving = this.links.get(link);
    if (receiving === undefined) return;
    this.links.delete(link);
    this.intake?.remove(receiving);
  }

  private closed(): void {
    clearTimeout(this.handshake);
    this.ended = true;
    for (const receiving of this.links.values()) this.intake?.remove(receiving);
    this.links.clear();
    this.intake?.forget(this);
    // Clears rhea's timers, whatever way the socket went.
    this.connection._disconnected();
    this.events.closed(this.fault);
  }
}

/**
 * rhea goes through every id of the range a peer names, of which there may be four thousand
 * million. Only those in flight matter.
 */
function clampDispositions(session: RheaSession): void {
  const { outgoing } = session;
  const onDisposition = outgoing.on_disposition.bind(outgoing);
  outgoing.on_disposition = (fields: RheaDisposition): void => {
    const head = outgoing.deliveries.get_head();
    const tail = outgoing.deliveries.get_tail();
    if (head === undefined || tail === undefined) return;
    const first = Math.max(fields.first, head.id);
    const last = Math.min(fields.last ?? fields.first, tail.id);
    if (first > last) return;
    const { settled, state } = fields;
    onDisposition({ role: fields.role, first, last, settled, state });
  };
}

/** A fault in what the peer sent, as a coded error. */
function asFault(peer: string, error: unknown): CodedError {
  if (error instanceof CodedError) return error;
  const message = error instanceof Error ? error.message : String(error);
  const version = /AMQP version: (.*)/.exec(message);
  if (version !== null || message.includes('SASL layer') || message.includes('protocol header')) {
    return new CodedError('PB_AMQP_VERSION', { peer, version: version?.[1] ?? message }, { cause: error });
  }
  return new CodedError('PB_AMQP_BAD_FRAME', { peer, what: message }, { cause: error });
}
