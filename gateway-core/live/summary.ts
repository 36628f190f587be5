import { isUtf8 } from 'node:buffer';
import {
  Filtered,
  Refused,
  type EventData,
  type HandlerItem,
  type HandlerResult,
  type LogData,
  type Message,
  type Metric,
} from '../plugin-api/index.ts';
import type { Verdict } from '../protocol/model.ts';

const MAX = 400;

/** A message in one readable line of at most 400 characters. */
export function summarise(message: Message): string {
  const { data } = message;
  switch (message.kind) {
    case 'metric':
      return clip(metricLine(data as Metric));
    case 'event': {
      const event = data as Partial<EventData> | null;
      return clip(typeof event?.name === 'string' ? `${event.name} ${json(event.labels)}` : json(data));
    }
    case 'log': {
      const log = data as Partial<LogData> | null;
      return clip(typeof log?.message === 'string' ? log.message : json(data));
    }
    case 'raw':
      return clip(rawLine(data));
  }
}

/** Bytes of the payload as it came in; 0 for decoded data, which has no size of its own. */
export function sizeOf(message: Message): number {
  const { data } = message;
  if (data instanceof Uint8Array) return data.byteLength;
  return typeof data === 'string' ? Buffer.byteLength(data) : 0;
}

/** What a handler did, in one of five words (live-view: before and after). */
export function verdictOf(input: Message, result: HandlerResult | undefined): Verdict {
  if (result === input) return 'unchanged';
  if (result instanceof Filtered) return 'filtered';
  if (result instanceof Refused) return 'refused';
  if (!Array.isArray(result)) return 'modified';
  const parts = result as readonly HandlerItem[];
  if (parts.length === 0) return 'filtered';
  if (parts.every((part) => part instanceof Refused)) return 'refused';
  if (parts.every((part) => part instanceof Filtered)) return 'filtered';
  return parts.length === 1 ? 'modified' : 'split';
}

/** Lower-case text of the whole message for a plain search. */
export function searchable(message: Message): string {
  const { data } = message;
  const body =
    data instanceof Uint8Array
      ? Buffer.from(data.buffer, data.byteOffset, data.byteLength).toString('utf8')
      : typeof data === 'string'
        ? data
        : json(data);
  return `${message.instance} ${message.source} ${message.type} ${message.subject ?? ''} ${json(message.attributes)} ${body}`.toLowerCase();
}

/** The value before the labels: a row may have no room for all of them. */
function metricLine(metric: Metric): string {
  const labels = Object.entries(metric.labels)
    .map(([name, value]) => `${name}=${value}`)
    .join(' ');
  return `${metric.name} ${metric.value} ${labels}`;
}

function rawLine(data: unknown): string {
  if (typeof data === 'string') return textLine(data);
  if (data instanceof Uint8Array) {
    const head = data.byteLength > MAX * 4 ? data.subarray(0, MAX * 4) : data;
    const bytes = Buffer.from(head.buffer, head.byteOffset, head.byteLength);
    const text = bytes.toString('utf8');
    if (head !== data || isUtf8(data))
      if (!text.slice(0, MAX).includes('\u0000')) return head === data ? textLine(text) : text;
    return `${data.byteLength} bytes: ${bytes.subarray(0, 48).toString('hex')}`;
  }
  return fieldsLine(data);
}

/** JSON in a text is read as its fields; any other text is itself. */
function textLine(text: string): string {
  const first = text.trimStart()[0];
  if ((first !== '{' && first !== '[') || text.length > MAX * 10) return text;
  try {
    return fieldsLine(JSON.parse(text));
  } catch {
    return text;
  }
}

/**
 * `host=node-1 plugin=cpu interval=10 values=[3]`: names before numbers before lists, since that is
 * what tells messages apart; brackets and quotes are left to the whole message.
 */
function fieldsLine(data: unknown): string {
  const value = Array.isArray(data) && typeof data[0] === 'object' ? (data[0] as unknown) : data;
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return json(data);
  const fields = Object.entries(value).filter(([, field]) => field !== '' && field !== null);
  const rank = (field: unknown): number => (typeof field === 'string' ? 0 : typeof field === 'object' ? 2 : 1);
  const line = fields
    .toSorted(([, a], [, b]) => rank(a) - rank(b))
    .map(([name, field]) => `${name}=${typeof field === 'string' ? field : json(field)}`)
    .join(' ');
  return Array.isArray(data) && data.length > 1 ? `${line} (+${data.length - 1} more)` : line;
}

function json(value: unknown): string {
  try {
    return JSON.stringify(value, (_key, part: unknown) => (typeof part === 'bigint' ? part.toString() : part)) ?? '';
  } catch {
    return '[unprintable]';
  }
}

function clip(text: string): string {
  const line = text.length > MAX ? `${text.slice(0, MAX - 1)}…` : text;
  return line.replace(/[\u0000-\u001f\u007f-\u009f]+/g, ' ').toWellFormed();
}
