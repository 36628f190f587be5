/**
 * The form a message has outside the gateway (design §6): one CloudEvents 1.0 object in
 * structured mode. The one place that makes it: json-file, taps, captures and exports use it.
 */
import type { Message, MessageKind, Severity } from './message.ts';

/** CloudEvents 1.0, JSON format, with our extension attributes. Safe to give to `JSON.stringify`. */
export interface CloudEvent {
  readonly specversion: '1.0';
  readonly id: string;
  readonly source: string;
  readonly type: string;
  /** RFC 3339, UTC, milliseconds. */
  readonly time?: string;
  readonly subject?: string;
  readonly datacontenttype?: string;
  /** A JSON value. Numbers JSON has no form for are the strings `NaN`, `Infinity` and `-Infinity`. */
  readonly data?: unknown;
  /** Instead of `data`: bytes that are not text. */
  readonly data_base64?: string;
  readonly kind: MessageKind;
  readonly severity?: Severity;
  readonly instance: string;
  readonly project: string;
  readonly partitionkey?: string;
}

/** Nesting beyond this is cut: `JSON.stringify` would overflow the stack on what JSON.parse still reads. */
export const MAX_DATA_DEPTH = 512;
const LAST_TIME = 8.64e15;
const JSON_TYPE = 'application/json';

interface Decoder {
  decode(bytes: Uint8Array): string;
}
// Declared neither by Node's types nor the DOM's here: this file is for both.
const platform = globalThis as unknown as {
  readonly TextDecoder: new (label: string, options: { fatal: boolean }) => Decoder;
  btoa(binary: string): string;
};
const utf8: Decoder = new platform.TextDecoder('utf-8', { fatal: true });

/** The text of UTF-8 bytes (a byte order mark is left out), or undefined when they are not UTF-8. */
export function decodeText(bytes: Uint8Array): string | undefined {
  try {
    return utf8.decode(bytes);
  } catch {
    return undefined;
  }
}

/** Standard base64 with padding. */
export function encodeBase64(bytes: Uint8Array): string {
  let binary = '';
  // In blocks, since every byte becomes an argument.
  for (let at = 0; at < bytes.length; at += 8192) binary += String.fromCharCode(...bytes.subarray(at, at + 8192));
  return platform.btoa(binary);
}

/**
 * The outside form of a message. Reading it makes the message's id, if it had none yet.
 *
 * Payload: bytes that are JSON text become `data` as that JSON with `datacontenttype`
 * `application/json`, other UTF-8 a string, anything else `data_base64`. Text that is a JSON
 * object or array is read likewise (`"42"` stays a string). An upstream that named the
 * payload's type (`attributes.datacontenttype`) keeps it for text and bytes.
 * JSON's numbers pass through doubles: integers beyond 2^53 lose their last digits.
 */
export function toCloudEvent(message: Message): CloudEvent {
  const { subject, severity, partitionkey, time } = message;
  return {
    specversion: '1.0',
    id: message.id,
    source: message.source,
    type: message.type,
    ...(Math.abs(time) <= LAST_TIME ? { time: new Date(time).toISOString() } : {}),
    ...(subject === undefined || subject === '' ? {} : { subject }),
    kind: message.kind,
    ...(severity === undefined ? {} : { severity }),
    instance: message.instance,
    project: message.project,
    ...(partitionkey === '' ? {} : { partitionkey }),
    ...payload(message.data, message.attributes['datacontenttype']),
  };
}

type Payload = Pick<CloudEvent, 'datacontenttype' | 'data' | 'data_base64'>;

function payload(data: unknown, declared: unknown): Payload {
  if (data === undefined) return {};
  if (typeof data === 'string') return textPayload(data, /^\s*[[{]/.test(data), declared);
  if (data instanceof Uint8Array) {
    const text = decodeText(data);
    if (text !== undefined) return textPayload(text, true, declared);
    return { datacontenttype: nonEmpty(declared) ?? 'application/octet-stream', data_base64: encodeBase64(data) };
  }
  return { datacontenttype: JSON_TYPE, data: toJsonValue(data) };
}

function textPayload(text: string, mayBeJson: boolean, declared: unknown): Payload {
  const type = nonEmpty(declared);
  if (mayBeJson && (type === undefined || isJsonType(type))) {
    try {
      return { datacontenttype: type ?? JSON_TYPE, data: toJsonValue(JSON.parse(text)) };
    } catch {
      // Not JSON, or nested too deep to be written again: it goes out as the text it is.
    }
  }
  return { datacontenttype: type === undefined || isJsonType(type) ? 'text/plain' : type, data: text };
}

function nonEmpty(value: unknown): string | undefined {
  return typeof value === 'string' && value !== '' ? value : undefined;
}

/** True for `application/json`, `text/json` and `…+json`, with or without parameters. */
export function isJsonType(contentType: string): boolean {
  return /^\s*[\w.+-]+\/(?:[\w.+-]+\+)?json\s*(?:;|$)/i.test(contentType);
}

/**
 * The value as JSON can hold it: the same one where nothing needs a change, else a copy.
 * Bytes become base64, big integers numbers or else strings, NaN and infinities strings;
 * below {@link MAX_DATA_DEPTH} levels the text `nested too deep` stands in.
 */
export function toJsonValue(value: unknown): unknown {
  return jsonValue(value, 0);
}

function jsonValue(value: unknown, depth: number): unknown {
  if (typeof value === 'number') return Number.isFinite(value) ? value : String(value);
  if (typeof value === 'bigint') return Number.isSafeInteger(Number(value)) ? Number(value) : value.toString();
  if (typeof value !== 'object' || value === null) return value;
  if (value instanceof Uint8Array) return encodeBase64(value);
  if (value instanceof Date) return Number.isNaN(value.getTime()) ? null : value.toISOString();
  if (depth >= MAX_DATA_DEPTH) return 'nested too deep';
  return Array.isArray(value) ? jsonArray(value, depth + 1) : jsonObject(value, depth + 1);
}

function jsonArray(values: readonly unknown[], depth: number): readonly unknown[] {
  let copy: unknown[] | undefined;
  for (let i = 0; i < values.length; i++) {
    const out = jsonValue(values[i], depth);
    if (out !== values[i]) (copy ??= values.slice())[i] = out;
  }
  return copy ?? values;
}

function jsonObject(value: object, depth: number): object {
  let changed: Map<string, unknown> | undefined;
  for (const [key, field] of Object.entries(value) as [string, unknown][]) {
    const out = jsonValue(field, depth);
    if (out !== field) (changed ??= new Map()).set(key, out);
  }
  if (changed === undefined) return value;
  // fromEntries defines own properties: a key named `__proto__` stays a key.
  return Object.fromEntries(
    Object.entries(value).map(([key, field]) => [key, changed.has(key) ? changed.get(key) : (field as unknown)]),
  );
}
