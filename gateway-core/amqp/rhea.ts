/**
 * The parts of rhea 3.0.5 that the AMQP service stands on, typed as far as used. Its own typings
 * leave `any` at every turn and do not name what we replace: rhea's bookkeeping of incoming
 * deliveries (see intake.ts for why). The version is pinned exactly; rhea.test.ts fails when an
 * update moves any of this.
 */
import type { EventEmitter } from 'node:events';
import type { Socket } from 'node:net';
import type { Duplex } from 'node:stream';

/** A value with its AMQP type, as rhea reads and writes it. */
export interface Typed {
  readonly type: { readonly name: string; readonly typecode: number };
  readonly value: unknown;
  readonly descriptor?: { readonly value: unknown };
}

export interface TypesReader {
  position: number;
  read(): Typed;
  remaining(): number;
}

interface ReaderInternals extends TypesReader {
  buffer: Buffer;
  read_size_count(width: number): { size: number; count: number };
  read_compound: (this: ReaderInternals, type: { readonly width: number }) => Typed;
  read_array: (this: ReaderInternals, type: { readonly width: number }) => Typed;
  read_n(count: number): Typed[];
  /** Ours: elements read so far. */
  elements?: number;
}

export interface RheaTypes {
  readonly Reader: { new (buffer: Buffer): TypesReader; prototype: ReaderInternals };
  unwrap(value: Typed, leaveDescribed?: boolean): unknown;
  unwrap_map_simple(value: Typed): Record<string, unknown>;
  wrap_ulong(value: number): Typed;
  wrap_uint(value: number): Typed;
  wrap_boolean(value: boolean): Typed;
  wrap_list(values: readonly unknown[]): Typed;
  wrap_uuid(value: Buffer): Typed;
  described_nc(descriptor: Typed, value: Typed): Typed;
}

interface Composite {
  described(): Typed;
}

export interface RheaMessages {
  accepted(): Composite;
  released(): Composite;
  modified(fields: { delivery_failed?: boolean; undeliverable_here?: boolean }): Composite;
  rejected(fields: { error: { condition: string; description?: string } }): Composite;
  data_section(data: Uint8Array): unknown;
  encode(message: object): Buffer;
}

export interface RheaError {
  readonly condition?: string;
  readonly description?: string;
}

export interface RheaTransfer {
  readonly handle: number;
  readonly delivery_id?: number | null;
  readonly message_format?: number | null;
  readonly settled?: boolean | null;
  readonly more?: boolean | null;
  readonly aborted?: boolean | null;
}

export interface RheaFrame<Performative> {
  readonly channel: number;
  readonly performative: Performative;
  readonly payload?: Buffer;
}

export interface RheaDisposition {
  readonly role: boolean;
  readonly first: number;
  readonly last?: number | null;
  readonly settled?: boolean | null | undefined;
  readonly state?: unknown;
}

/** Receiver or sender. */
export interface RheaLink extends EventEmitter {
  readonly name: string;
  readonly session: RheaSession;
  readonly connection: RheaConnection;
  readonly remote: {
    readonly attach?: {
      readonly source?: RheaTerminus | null;
      readonly target?: RheaTerminus | null;
      readonly initial_delivery_count?: number | null;
    };
  };
  readonly local: {
    readonly handle: number;
    readonly attach: {
      max_message_size?: number;
      readonly source?: { readonly value?: readonly { readonly value?: unknown }[] } | null;
      readonly target?: { readonly value?: readonly { readonly value?: unknown }[] } | null;
    };
  };
  readonly error?: RheaError;
  credit: number;
  delivery_count: number;
  issue_flow: boolean;
  is_receiver(): boolean;
  is_remote_open(): boolean;
  is_open(): boolean;
  set_source(fields: { address?: string }): void;
  set_target(fields: { address?: string }): void;
  close(error?: { condition: string; description: string }): void;
}

export interface RheaTerminus {
  readonly address?: string | null;
  readonly dynamic?: boolean;
}

export interface RheaReceiver extends RheaLink {
  on_flow: (
    frame: RheaFrame<{
      readonly drain?: boolean | null;
      readonly link_credit?: number | null;
      readonly delivery_count?: number | null;
    }>,
  ) => void;
  flow(credit: number): void;
  drain_credit(): void;
}

export interface RheaDelivery {
  readonly id: number;
  readonly remote_state?: { readonly error?: RheaError; readonly undeliverable_here?: boolean };
}

export interface RheaSender extends RheaLink {
  readonly max_message_size?: number | null;
  send(message: Buffer, tag: undefined, format: number): RheaDelivery;
}

/** rhea's bookkeeping of what comes in on a session, as its Session calls it. */
export interface RheaIncoming {
  readonly window: number;
  next_transfer_id: number;
  max_transfer_id: number;
  on_begin(fields: { readonly next_outgoing_id: number }): void;
  on_flow(fields: { readonly next_outgoing_id: number }): void;
  on_disposition(fields: RheaDisposition): void;
  on_transfer(frame: RheaFrame<RheaTransfer>, link: RheaReceiver): void;
  process(session: RheaSession): void;
}

interface RheaOutgoing {
  readonly deliveries: {
    readonly size: number;
    get_head(): { id: number } | undefined;
    get_tail(): { id: number } | undefined;
  };
  readonly next_delivery_id: number;
  readonly next_pending_delivery: number;
  available(): number;
  on_disposition(fields: RheaDisposition): void;
}

export interface RheaSession extends EventEmitter {
  readonly connection: RheaConnection;
  readonly remote: { readonly handles: Record<number, RheaLink | undefined> };
  readonly local: { readonly begin: { incoming_window: number } };
  incoming: RheaIncoming;
  readonly outgoing: RheaOutgoing;
  end(): void;
  begin(): void;
  output(performative: Typed): void;
  _write_flow(): void;
  on_attach(frame: RheaFrame<unknown>): void;
  open_sender(options: object): RheaSender;
  open_receiver(options: object): RheaReceiver;
}

export interface RheaTransport {
  header_received: unknown;
  read(buffer: Buffer): number;
}

export interface RheaConnection extends EventEmitter {
  readonly amqp_transport: RheaTransport;
  readonly sasl_transport?: { readonly outcome?: number };
  readonly remote_channel_map: Record<number, RheaSession | undefined>;
  readonly local_channel_map: Record<number, RheaSession | undefined>;
  readonly remote: { readonly open?: { readonly container_id?: string } };
  readonly container_id?: string;
  socket?: Duplex;
  create_session(bufferSize?: number): RheaSession;
  input(chunk: Buffer): void;
  accept(socket: Socket): void;
  connect(): void;
  close(error?: { condition: string; description: string }): void;
  is_open(): boolean;
  _register(): void;
  _disconnected(error?: unknown): void;
}

export interface RheaContainer extends EventEmitter {
  readonly types: RheaTypes;
  readonly message: RheaMessages;
  sasl_server_mechanisms: object;
  create_container(options: { id?: string }): RheaContainer;
  create_connection(options: object): RheaConnection;
}

let loading: Promise<RheaContainer> | undefined;

/** rhea, loaded at the first call: it costs start-up time and memory that a gateway without AMQP need not pay. */
export async function loadRhea(): Promise<RheaContainer> {
  loading ??= import('rhea').then((module) => {
    const rhea = module.default as unknown as RheaContainer;
    hardenReader(rhea.types);
    return rhea;
  });
  return loading;
}

/** Elements of all lists, maps and arrays of one frame or message. */
const MAX_ELEMENTS = 262_144;

/**
 * rhea believes the element count of a list, map or array before it looks at the bytes, and makes
 * room for all of them: thirty bytes that claim four thousand million elements, nested, end the
 * process. Here a count is held against the bytes that are left and against a budget of the whole
 * frame or message, and room is made as elements really come.
 */
function hardenReader(types: RheaTypes): void {
  const reader = types.Reader.prototype;
  const readCompound = reader.read_compound;
  const readArray = reader.read_array;
  const check = (self: ReaderInternals, width: number): void => {
    const start = self.position;
    const { size, count } = self.read_size_count(width);
    const left = self.buffer.length - start - width;
    if (size > left || count > left) {
      throw new RangeError(`a compound of ${count} elements in ${size} bytes, with ${left} bytes left`);
    }
    self.elements = (self.elements ?? 0) + count;
    if (self.elements > MAX_ELEMENTS) throw new RangeError(`more than ${MAX_ELEMENTS} elements`);
    self.position = start;
  };
  reader.read_compound = function (type) {
    check(this, type.width);
    return readCompound.call(this, type);
  };
  reader.read_array = function (type) {
    check(this, type.width);
    return readArray.call(this, type);
  };
  reader.read_n = function (count) {
    const items: Typed[] = [];
    for (let i = 0; i < count; i++) items.push(this.read());
    return items;
  };
}
