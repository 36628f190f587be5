/**
 * Version 1 of the packed form, which files of earlier versions hold; nothing writes it any more:
 *
 *     u8 version · 3 zero bytes · u32 count
 *     count × (u32 meta bytes · u32 data bytes · u32 form of data)
 *     count × (meta as JSON · data)
 */
import { createMessage } from '../plugin-api/message.ts';
import type { Message, MessageKind, Metric, Severity } from '../plugin-api/index.ts';

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

/** As `unpack`, of a block that says it is of version 1. */
export function unpackFirstVersion(bytes: Buffer): Message[] {
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
