/**
 * The packed form of a batch: one block, for hops between threads (copied once, transferable) and for
 * storage. What messages of a batch have in common is in it once. All numbers little-endian:
 *
 *     u8 version · 3 zero bytes · u32 count · u32 bytes of text · 4 zero bytes
 *     count × (f64 time · u32 head · u32 bytes of data; {@link NO_BYTES}: the data is in the text)
 *     text: JSON of {@link Text}
 *     the data that are bytes, one after another
 */
import { createMessage } from '../plugin-api/message.ts';
import type { Message, MessageKind, Metric, Severity } from '../plugin-api/index.ts';
import { unpackFirstVersion } from './packed-v1.ts';

const VERSION = 2;
const HEAD = 16;
const ENTRY = 16;
const NO_BYTES = 0xffff_ffff;
/** A message is compared with this many of the last heads before it gets one of its own. */
const HEADS_BACK = 4;

/** What messages share. */
type Head = readonly [
  source: string,
  type: string,
  kind: MessageKind,
  format: string,
  severity: Severity | null,
  instance: string,
  project: string,
  attributes: Readonly<Record<string, unknown>>,
];

/** Columns: an entry for each message, or none where no message has that; `data` only of those without bytes. */
type Text = [heads: Head[], ids: string[], subjects: (string | null)[], keys: string[], data: unknown[]];

/** JSON has no NaN and no infinities; metrics do. */
type PackedMetric = [
  name: string,
  type: Metric['type'],
  value: number | string,
  time: number,
  interval: number,
  labels: Record<string, string>,
];

/** Packs messages into a block of its own (never a slice of a pool: it may be transferred). Fixes their ids. */
export function pack(messages: readonly Message[]): Uint8Array<ArrayBuffer> {
  const count = messages.length;
  const heads: Message[] = [];
  const text: Text = [[], new Array<string>(count), [], [], []];
  const [, ids, , , data] = text;
  const headOf = new Uint32Array(count);
  let payload = 0;
  let subjects = false;
  let keys = false;
  for (let i = 0; i < count; i++) {
    const message = messages[i] as Message;
    headOf[i] = findHead(heads, message);
    ids[i] = message.id;
    subjects ||= message.subject !== undefined;
    keys ||= message.partitionkey !== '';
    if (message.data instanceof Uint8Array) payload += message.data.byteLength;
    else data.push(packData(message));
  }
  text[0] = heads.map(packHead);
  if (subjects) text[2] = messages.map(({ subject }) => subject ?? null);
  if (keys) text[3] = messages.map(({ partitionkey }) => partitionkey);
  const json = asJson(text);
  const jsonSize = Buffer.byteLength(json);
  const block = Buffer.from(new ArrayBuffer(HEAD + ENTRY * count + jsonSize + payload));
  block.writeUInt8(VERSION, 0);
  block.writeUInt32LE(count, 4);
  block.writeUInt32LE(jsonSize, 8);
  let entry = HEAD;
  let at = HEAD + ENTRY * count;
  block.write(json, at, jsonSize, 'utf8');
  at += jsonSize;
  for (let i = 0; i < count; i++) {
    const message = messages[i] as Message;
    block.writeDoubleLE(message.time, entry);
    block.writeUInt32LE(headOf[i] as number, entry + 8);
    if (message.data instanceof Uint8Array) {
      block.writeUInt32LE(message.data.byteLength, entry + 12);
      block.set(message.data, at);
      at += message.data.byteLength;
    } else block.writeUInt32LE(NO_BYTES, entry + 12);
    entry += ENTRY;
  }
  return new Uint8Array(block.buffer as ArrayBuffer);
}

/**
 * The messages of a block, also of one of version 1. Byte payloads are views of it. Throws RangeError,
 * SyntaxError or TypeError on a damaged block.
 */
export function unpack(block: Uint8Array): Message[] {
  const bytes = Buffer.from(block.buffer, block.byteOffset, block.byteLength);
  if (bytes.length >= 8 && bytes.readUInt8(0) === 1) return unpackFirstVersion(bytes);
  if (bytes.length < HEAD || bytes.readUInt8(0) !== VERSION)
    throw new RangeError('not a packed batch of a known version');
  const count = bytes.readUInt32LE(4);
  const jsonSize = bytes.readUInt32LE(8);
  let at = HEAD + ENTRY * count;
  if (at + jsonSize > bytes.length) throw new RangeError('packed batch is shorter than its table');
  const [heads, ids, subjects, keys, values] = JSON.parse(bytes.toString('utf8', at, at + jsonSize)) as Text;
  for (const head of heads) Object.freeze(head[7]);
  if (ids.length !== count) throw new RangeError('packed batch has not as many ids as messages');
  at += jsonSize;
  let value = 0;
  const messages = new Array<Message>(count);
  for (let i = 0; i < count; i++) {
    const entry = HEAD + ENTRY * i;
    const head = heads[bytes.readUInt32LE(entry + 8)];
    if (head === undefined) throw new RangeError('packed batch names a head it has not');
    const size = bytes.readUInt32LE(entry + 12);
    let data: unknown;
    if (size === NO_BYTES) data = unpackData(values[value++]);
    else {
      if (at + size > bytes.length) throw new RangeError('packed batch is cut short');
      data = new Uint8Array(block.buffer, block.byteOffset + at, size);
      at += size;
    }
    messages[i] = createMessage(head[5], head[6], {
      id: ids[i] as string,
      source: head[0],
      type: head[1],
      subject: subjects[i] ?? undefined,
      time: bytes.readDoubleLE(entry),
      kind: head[2],
      format: head[3],
      severity: head[4] ?? undefined,
      partitionkey: keys[i] ?? '',
      attributes: head[7],
      data,
    });
  }
  return messages;
}

/** Place of the head that fits the message; a new one when none of the last does. */
function findHead(heads: Message[], message: Message): number {
  const last = heads.length - 1;
  for (let i = last; i >= 0 && i > last - HEADS_BACK; i--) if (sameHead(heads[i] as Message, message)) return i;
  return heads.push(message) - 1;
}

function sameHead(a: Message, b: Message): boolean {
  return (
    a.type === b.type &&
    a.instance === b.instance &&
    a.kind === b.kind &&
    a.format === b.format &&
    a.severity === b.severity &&
    a.project === b.project &&
    a.source === b.source &&
    (a.attributes === b.attributes || sameAttributes(a.attributes, b.attributes))
  );
}

/** By their values; objects among these count as different unless they are the same. */
function sameAttributes(a: Readonly<Record<string, unknown>>, b: Readonly<Record<string, unknown>>): boolean {
  for (const key of Object.keys(a)) if (a[key] !== b[key]) return false;
  for (const key of Object.keys(b)) if (!Object.hasOwn(a, key)) return false;
  return true;
}

function packHead(m: Message): Head {
  return [m.source, m.type, m.kind, m.format, m.severity ?? null, m.instance, m.project, m.attributes];
}

function asJson(text: Text): string {
  try {
    return JSON.stringify(text);
  } catch {
    // Asked of every value, it would cost as much as all the rest.
    return JSON.stringify(text, (_key, value: unknown) => (typeof value === 'bigint' ? value.toString() : value));
  }
}

/** Form of one value in the text: 0 none, 1 as it is, 2 a metric. */
type PackedData = readonly [form: 0] | readonly [form: 1, value: unknown] | readonly [form: 2, ...PackedMetric];

function packData({ data, kind }: Message): PackedData | string {
  if (typeof data === 'string') return data;
  if (data === undefined) return [0];
  if (kind !== 'metric') return [1, data];
  const m = data as Metric;
  return [2, m.name, m.type, Number.isFinite(m.value) ? m.value : String(m.value), m.time, m.interval, m.labels];
}

function unpackData(packed: unknown): unknown {
  if (typeof packed === 'string') return packed;
  const data = packed as PackedData;
  switch (data[0]) {
    case 0:
      return undefined;
    case 1:
      return data[1];
    case 2: {
      const [, name, type, value, time, interval, labels] = data;
      return { name, type, value: Number(value), time, interval, labels } satisfies Metric;
    }
    default:
      throw new RangeError('unknown form of data');
  }
}
