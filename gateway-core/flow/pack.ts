/**
 * The packed form of a batch: one block of bytes with its offsets in front, for hops between
 * threads (copied once, transferable) and for storage. All numbers little-endian:
 *
 *     u8 version · 3 zero bytes · u32 count
 *     count × (u32 meta bytes · u32 data bytes · u32 form of data)
 *     count × (meta as JSON · data)
 */
import { createMessage } from '../plugin-api/message.ts';
import type { Message, MessageKind, Metric, Severity } from '../plugin-api/index.ts';

const VERSION = 1;
const HEAD = 8;
const ENTRY = 12;

const BYTES = 0;
const TEXT = 1;
const JSON_VALUE = 2;
const METRIC = 3;
const NOTHING = 4;

type Meta = [
  id: string,
  source: string,
  type: string,
  subject: string | null,
  time: number,
  kind: MessageKind,
  format: string,
  severity: Severity | null,
  instance: string,
  project: string,
  partitionkey: string,
  attributes: Record<string, unknown>,
];

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
  const metas = new Array<string>(count);
  const datas = new Array<Uint8Array | string>(count);
  const forms = new Uint32Array(count);
  const sizes = new Uint32Array(count * 2);
  let total = HEAD + ENTRY * count;
  for (let i = 0; i < count; i++) {
    const message = messages[i] as Message;
    const meta = JSON.stringify(metaOf(message), bigintAsText);
    const [form, data] = packData(message);
    metas[i] = meta;
    datas[i] = data;
    forms[i] = form;
    const metaSize = Buffer.byteLength(meta);
    const dataSize = typeof data === 'string' ? Buffer.byteLength(data) : data.byteLength;
    sizes[2 * i] = metaSize;
    sizes[2 * i + 1] = dataSize;
    total += metaSize + dataSize;
  }
  const block = Buffer.from(new ArrayBuffer(total));
  block.writeUInt8(VERSION, 0);
  block.writeUInt32LE(count, 4);
  let entry = HEAD;
  let at = HEAD + ENTRY * count;
  for (let i = 0; i < count; i++) {
    const metaSize = sizes[2 * i] as number;
    const dataSize = sizes[2 * i + 1] as number;
    block.writeUInt32LE(metaSize, entry);
    block.writeUInt32LE(dataSize, entry + 4);
    block.writeUInt32LE(forms[i] as number, entry + 8);
    entry += ENTRY;
    block.write(metas[i] as string, at, metaSize, 'utf8');
    at += metaSize;
    const data = datas[i] as Uint8Array | string;
    if (typeof data === 'string') block.write(data, at, dataSize, 'utf8');
    else block.set(data, at);
    at += dataSize;
  }
  return new Uint8Array(block.buffer as ArrayBuffer);
}

/** The messages of a block. Byte payloads are views of it. Throws RangeError or SyntaxError on a damaged block. */
export function unpack(block: Uint8Array): Message[] {
  const bytes = Buffer.from(block.buffer, block.byteOffset, block.byteLength);
  if (bytes.length < HEAD || bytes.readUInt8(0) !== VERSION)
    throw new RangeError('not a packed batch of a known version');
  const count = bytes.readUInt32LE(4);
  if (HEAD + ENTRY * count > bytes.length) throw new RangeError('packed batch is shorter than its table');
  const messages = new Array<Message>(count);
  let at = HEAD + ENTRY * count;
  for (let i = 0; i < count; i++) {
    const entry = HEAD + ENTRY * i;
    const metaSize = bytes.readUInt32LE(entry);
    const dataSize = bytes.readUInt32LE(entry + 4);
    if (at + metaSize + dataSize > bytes.length) throw new RangeError('packed batch is cut short');
    const meta = JSON.parse(bytes.toString('utf8', at, at + metaSize)) as Meta;
    at += metaSize;
    const data = unpackData(bytes.readUInt32LE(entry + 8), bytes.subarray(at, at + dataSize));
    at += dataSize;
    messages[i] = createMessage(meta[8], meta[9], {
      id: meta[0],
      source: meta[1],
      type: meta[2],
      subject: meta[3] ?? undefined,
      time: meta[4],
      kind: meta[5],
      format: meta[6],
      severity: meta[7] ?? undefined,
      partitionkey: meta[10],
      attributes: meta[11],
      data,
    });
  }
  return messages;
}

function metaOf(m: Message): Meta {
  return [
    m.id,
    m.source,
    m.type,
    m.subject ?? null,
    m.time,
    m.kind,
    m.format,
    m.severity ?? null,
    m.instance,
    m.project,
    m.partitionkey,
    m.attributes,
  ];
}

function packData(message: Message): [form: number, data: Uint8Array | string] {
  const { data } = message;
  if (data instanceof Uint8Array) return [BYTES, data];
  if (typeof data === 'string') return [TEXT, data];
  if (data === undefined) return [NOTHING, ''];
  if (message.kind === 'metric') {
    const m = data as Metric;
    // JSON has no NaN and no infinities; metrics do.
    const packed: PackedMetric = [
      m.name,
      m.type,
      Number.isFinite(m.value) ? m.value : String(m.value),
      m.time,
      m.interval,
      m.labels,
    ];
    return [METRIC, JSON.stringify(packed)];
  }
  return [JSON_VALUE, JSON.stringify(data, bigintAsText)];
}

function unpackData(form: number, bytes: Buffer): unknown {
  switch (form) {
    case BYTES:
      return new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    case TEXT:
      return bytes.toString('utf8');
    case JSON_VALUE:
      return JSON.parse(bytes.toString('utf8')) as unknown;
    case METRIC: {
      const [name, type, value, time, interval, labels] = JSON.parse(bytes.toString('utf8')) as PackedMetric;
      return { name, type, value: Number(value), time, interval, labels } satisfies Metric;
    }
    case NOTHING:
      return undefined;
    default:
      throw new RangeError(`unknown form of data ${form}`);
  }
}

function bigintAsText(_key: string, value: unknown): unknown {
  return typeof value === 'bigint' ? value.toString() : value;
}
