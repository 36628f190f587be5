/**
 * Judges a trace of the gateway: an acknowledgement may leave only after a data sync of the file that holds the
 * message, and that sync must have begun after the message had arrived.
 */
import type { SystemCall } from './system-calls.ts';

export interface Judgement {
  /** Messages acknowledged as accepted: AMQP deliveries and HTTP requests. */
  readonly acknowledged: { readonly amqp: number; readonly http: number };
  /** Syncs of the file. */
  readonly syncs: number;
  /** What left too early, in words; empty: nothing did. */
  readonly early: readonly string[];
}

interface Watched {
  /** Which sockets these are, by their own port, as `TCP:[127.0.0.1:PORT->…]` has it. */
  readonly amqpPort: number;
  readonly httpPort: number;
  /** Whether a sync of this path is one of the file that matters. */
  readonly isStore: (path: string) => boolean;
}

const READS = new Set(['read', 'readv', 'recvfrom', 'recvmsg']);
const WRITES = new Set(['write', 'writev', 'sendto', 'sendmsg']);
const SYNCS = new Set(['fsync', 'fdatasync']);

const TRANSFER = 0x14;
const DISPOSITION = 0x15;
const ACCEPTED = 0x24;

interface Socket {
  input: Buffer;
  output: Buffer;
  /** AMQP: line at which each delivery had arrived whole. HTTP: the last request's. */
  readonly arrived: Map<number, number>;
}

export function judge(calls: Iterable<SystemCall>, { amqpPort, httpPort, isStore }: Watched): Judgement {
  const sockets = new Map<string, Socket>();
  const syncs: { begin: number; end: number }[] = [];
  const acknowledged = { amqp: 0, http: 0 };
  const early: string[] = [];

  const synced = (arrived: number, left: number): boolean => {
    for (let i = syncs.length - 1; i >= 0; i--) {
      const { begin, end } = syncs[i] as { begin: number; end: number };
      if (begin > arrived && end < left) return true;
    }
    return false;
  };
  const acknowledge = (kind: 'amqp' | 'http', what: string, arrived: number | undefined, left: number): void => {
    acknowledged[kind]++;
    if (arrived === undefined) early.push(`line ${left}: ${what} was acknowledged and never arrived`);
    else if (!synced(arrived, left))
      early.push(`line ${left}: ${what}, arrived at line ${arrived}, was acknowledged with no sync in between`);
  };

  for (const { name, target, data, result, begin, end } of calls) {
    if (SYNCS.has(name)) {
      if (result === 0 && isStore(target)) syncs.push({ begin, end });
      continue;
    }
    const port = Number(/^TCP(?:v6)?:\[.*?:(\d+)->/.exec(target)?.[1] ?? 0);
    if ((port !== amqpPort && port !== httpPort) || result <= 0) continue;
    const socket = socketOf(sockets, target);
    if (READS.has(name)) {
      // An array of buffers is written out whole, whatever was read into it.
      socket.input = Buffer.concat([socket.input, data.subarray(0, result)]);
      if (port === amqpPort) readTransfers(socket, end);
      else socket.arrived.set(0, end);
    } else if (WRITES.has(name)) {
      socket.output = Buffer.concat([socket.output, data.subarray(0, result)]);
      if (port === amqpPort) {
        for (const { first, last, accepted } of takeDispositions(socket))
          for (let id = first; accepted && id <= last; id++)
            acknowledge('amqp', `${target} delivery ${id}`, socket.arrived.get(id), begin);
      } else if (socket.output.includes('HTTP/1.1 202')) {
        acknowledge('http', `${target} request`, socket.arrived.get(0), begin);
        socket.output = Buffer.alloc(0);
      }
    }
  }
  return { acknowledged, syncs: syncs.length, early };
}

function socketOf(sockets: Map<string, Socket>, target: string): Socket {
  let socket = sockets.get(target);
  if (socket === undefined) {
    socket = { input: Buffer.alloc(0), output: Buffer.alloc(0), arrived: new Map() };
    sockets.set(target, socket);
  }
  return socket;
}

function readTransfers(socket: Socket, line: number): void {
  const { frames, rest } = takeFrames(socket.input);
  socket.input = rest;
  for (const { code, fields } of frames) {
    // handle, delivery-id, …
    if (code === TRANSFER && typeof fields[1] === 'number') socket.arrived.set(fields[1], line);
  }
}

function takeDispositions(socket: Socket): { first: number; last: number; accepted: boolean }[] {
  const { frames, rest } = takeFrames(socket.output);
  socket.output = rest;
  return frames.flatMap(({ code, fields }) => {
    // role, first, last, settled, state
    const [, first, last, , state] = fields;
    if (code !== DISPOSITION || typeof first !== 'number') return [];
    return [{ first, last: typeof last === 'number' ? last : first, accepted: state === ACCEPTED }];
  });
}

interface Frame {
  readonly code: number;
  readonly fields: readonly (number | undefined)[];
}

/** The whole frames at the beginning. Protocol headers are passed over. */
function takeFrames(bytes: Buffer): { frames: Frame[]; rest: Buffer } {
  const frames: Frame[] = [];
  let at = 0;
  while (bytes.length - at >= 8) {
    if (bytes.toString('latin1', at, at + 4) === 'AMQP') {
      at += 8;
      continue;
    }
    const size = bytes.readUInt32BE(at);
    if (size < 8) throw new Error(`no AMQP frame: ${bytes.toString('hex', at, at + 16)}`);
    if (bytes.length - at < size) break;
    const start = at + (bytes[at + 4] as number) * 4;
    // Described by a small number: 0x00 0x53 CODE; an empty frame is a heartbeat.
    if (start + 3 < at + size && bytes[start] === 0 && bytes[start + 1] === 0x53)
      frames.push({ code: bytes[start + 2] as number, fields: listAt(bytes, start + 3) });
    at += size;
  }
  return { frames, rest: Buffer.from(bytes.subarray(at)) };
}

/** The leading fields of a list as numbers, as far as they are of the few types that matter here. */
function listAt(bytes: Buffer, start: number): (number | undefined)[] {
  const code = bytes[start];
  const wide = code === 0xd0;
  if (!wide && code !== 0xc0) return [];
  const count = wide ? bytes.readUInt32BE(start + 5) : (bytes[start + 2] as number);
  const fields: (number | undefined)[] = [];
  let at = start + (wide ? 9 : 3);
  while (fields.length < count) {
    const type = bytes[at++];
    switch (type) {
      case 0x40:
        fields.push(undefined);
        break;
      case 0x41:
      case 0x42:
        fields.push(type === 0x41 ? 1 : 0);
        break;
      case 0x43:
        fields.push(0);
        break;
      case 0x50:
      case 0x52:
      case 0x56:
        fields.push(bytes[at++]);
        break;
      case 0x70:
        fields.push(bytes.readUInt32BE(at));
        at += 4;
        break;
      case 0xa0:
        fields.push(undefined);
        at += 1 + (bytes[at] as number);
        break;
      case 0xb0:
        fields.push(undefined);
        at += 4 + bytes.readUInt32BE(at);
        break;
      case 0x00:
        // A described value: of outcomes the code alone matters, and they come last.
        fields.push(bytes[at] === 0x53 ? bytes[at + 1] : undefined);
        return fields;
      default:
        return fields;
    }
  }
  return fields;
}
