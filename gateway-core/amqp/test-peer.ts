/** For the tests of this folder: peers that speak AMQP by hand, or by rhea. */
import { connect, type Socket } from 'node:net';
import { once } from 'node:events';
import rhea, { type Connection as RheaClient, type ConnectionOptions, type Message, type Sender } from 'rhea';
import type { CodedError } from '../engine/error.ts';
import type { AmqpDelivery, AmqpListener, AmqpListenOptions } from '../plugin-api/amqp.ts';
import { createAmqpHost } from './host.ts';

export interface TestHost {
  readonly host: ReturnType<typeof createAmqpHost>;
  readonly errors: CodedError[];
  readonly logged: string[];
  codes(): string[];
  /** Closes all that was opened. */
  stop(): void;
}

export function testHost(): TestHost {
  const errors: CodedError[] = [];
  const logged: string[] = [];
  const stop = new AbortController();
  const warn = (message: string): void => void logged.push(message);
  const log = { debug: () => undefined, info: () => undefined, warn, error: warn };
  const host = createAmqpHost({ log, signal: stop.signal, onError: (error) => void errors.push(error) });
  return { host, errors, logged, codes: () => errors.map((error) => error.code), stop: () => stop.abort() };
}

/** A listener that keeps what comes in. */
export async function listen(
  test: TestHost,
  options: Partial<AmqpListenOptions> = {},
): Promise<{ listener: AmqpListener; deliveries: AmqpDelivery[]; batches: (readonly AmqpDelivery[])[] }> {
  const deliveries: AmqpDelivery[] = [];
  const batches: (readonly AmqpDelivery[])[] = [];
  const listener = await test.host.listen({
    host: '127.0.0.1',
    port: 0,
    onDeliveries: (batch) => {
      batches.push(batch);
      deliveries.push(...batch);
    },
    ...options,
  });
  return { listener, deliveries, batches };
}

/** What the peer was told of one message. */
export interface Told {
  readonly body: unknown;
  readonly outcome: string;
  readonly condition: string | undefined;
}

/** A rhea client with one sending link. */
export class RheaPeer {
  readonly connection: RheaClient;
  readonly sender: Sender;
  readonly told: Told[] = [];
  readonly errors: string[] = [];
  private readonly bodies = new Map<number, unknown>();
  private readonly waiting: Message[] = [];

  constructor(port: number, address: string | undefined, options: Partial<ConnectionOptions> = {}) {
    const container = rhea.create_container();
    container.on('error', () => undefined);
    this.connection = container.connect({
      host: '127.0.0.1',
      port,
      reconnect: false,
      ...options,
    } as ConnectionOptions);
    this.connection.on('disconnected', (context: { error?: Error }) => {
      this.errors.push(`disconnected ${context.error?.message ?? ''}`);
    });
    const failed = (context: { error?: { condition?: string; description?: string } }): void => {
      this.errors.push(`${context.error?.condition ?? ''} ${context.error?.description ?? ''}`);
    };
    this.connection.on('connection_error', failed);
    this.connection.on('error', failed);
    this.connection.on('sender_error', (context: { sender: { error?: object } }) => {
      // Getters of the class, not properties of the object.
      failed({ error: context.sender.error ?? {} });
    });
    this.sender = this.connection.open_sender({
      ...(address === undefined ? { target: {} } : { target: { address } }),
      snd_settle_mode: 0,
      treat_modified_as_released: false,
    } as never);
    for (const outcome of ['accepted', 'released', 'rejected', 'modified']) {
      this.sender.on(
        outcome,
        (context: { delivery: { id: number; remote_state?: { error?: { condition?: string } } } }) => {
          const { id, remote_state } = context.delivery;
          this.told.push({ body: this.bodies.get(id), outcome, condition: remote_state?.error?.condition });
        },
      );
    }
    this.sender.on('sendable', () => this.pump());
  }

  send(...messages: Message[]): void {
    this.waiting.push(...messages);
    this.pump();
  }

  get unsent(): number {
    return this.waiting.length;
  }

  close(): void {
    this.connection.close();
  }

  private pump(): void {
    let credit = (this.sender as unknown as { credit: number }).credit;
    while (credit-- > 0 && this.sender.sendable()) {
      const message = this.waiting.shift();
      if (message === undefined) return;
      this.bodies.set(this.sender.send(message).id, message.body);
    }
  }
}

/** AMQP values by hand, as far as the tests need them. */
export const amqp = {
  null: Buffer.from([0x40]),
  bool: (value: boolean): Buffer => Buffer.from([value ? 0x41 : 0x42]),
  uint: (value: number): Buffer => {
    const bytes = Buffer.from([0x70, 0, 0, 0, 0]);
    bytes.writeUInt32BE(value, 1);
    return bytes;
  },
  ushort: (value: number): Buffer => Buffer.from([0x60, value >> 8, value & 255]),
  string: (text: string): Buffer => Buffer.concat([Buffer.from([0xa1, Buffer.byteLength(text)]), Buffer.from(text)]),
  binary: (bytes: Buffer): Buffer => Buffer.concat([Buffer.from([0xb0]), uint32(bytes.length), bytes]),
  list: (...items: Buffer[]): Buffer => {
    const body = Buffer.concat(items);
    return Buffer.concat([Buffer.from([0xd0]), uint32(body.length + 4), uint32(items.length), body]);
  },
  described: (code: number, value: Buffer): Buffer => Buffer.concat([Buffer.from([0, 0x53, code]), value]),
};

export function uint32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(value);
  return bytes;
}

export function frame(channel: number, code: number, fields: Buffer[], payload: Buffer = Buffer.alloc(0)): Buffer {
  const body = Buffer.concat([amqp.described(code, amqp.list(...fields)), payload]);
  return Buffer.concat([uint32(body.length + 8), Buffer.from([2, 0, 0, channel]), body]);
}

export const HEADER = Buffer.from('AMQP\0\x01\0\0', 'latin1');
export const OPEN = frame(0, 0x10, [amqp.string('raw')]);
export const BEGIN = frame(0, 0x11, [amqp.null, amqp.uint(0), amqp.uint(100_000), amqp.uint(100_000)]);
export const END = frame(0, 0x17, []);
/** A sending link to address `a`. */
export const attach = (handle = 0, name = `link-${handle}`): Buffer =>
  frame(0, 0x12, [
    amqp.string(name),
    amqp.uint(handle),
    amqp.bool(false),
    amqp.null,
    amqp.null,
    amqp.described(0x28, amqp.list()),
    amqp.described(0x29, amqp.list(amqp.string('a'))),
    amqp.null,
    amqp.null,
    amqp.uint(0),
  ]);
export const transfer = (id: number | undefined, more: boolean, payload: Buffer, handle = 0): Buffer =>
  frame(
    0,
    0x14,
    [
      amqp.uint(handle),
      id === undefined ? amqp.null : amqp.uint(id),
      id === undefined ? amqp.null : amqp.binary(uint32(id)),
      amqp.uint(0),
      amqp.bool(false),
      amqp.bool(more),
    ],
    payload,
  );
/** An amqp-value of binary. */
export const binaryBody = (bytes: Buffer): Buffer => amqp.described(0x77, amqp.binary(bytes));

/** A peer that writes what it likes. */
export class RawPeer {
  readonly socket: Socket;
  received: Buffer = Buffer.alloc(0);
  closed = false;

  private constructor(socket: Socket) {
    this.socket = socket;
    socket.on('data', (bytes) => {
      this.received = Buffer.concat([this.received, bytes]);
    });
    socket.on('close', () => {
      this.closed = true;
    });
    // Being cut off is what most of these tests are about.
    socket.on('error', () => undefined);
  }

  static async connect(port: number): Promise<RawPeer> {
    const socket = connect({ host: '127.0.0.1', port });
    await once(socket, 'connect');
    return new RawPeer(socket);
  }

  /** Connects, and opens a session and a link to `a` with credit. */
  static async attached(port: number): Promise<RawPeer> {
    const peer = await RawPeer.connect(port);
    peer.write(HEADER, OPEN, BEGIN, attach());
    return peer;
  }

  /** False when the socket takes no more for now, or is gone. */
  write(...parts: Buffer[]): boolean {
    return !this.closed && this.socket.writable && this.socket.write(Buffer.concat(parts));
  }

  /** True once a performative of this code has come. */
  got(code: number): boolean {
    return this.received.includes(Buffer.from([0, 0x53, code]));
  }
}
