/**
 * Requests as CloudEvents: HTTP protocol binding 1.0.2 (binary, structured, batched) with the JSON
 * event format. Our own reader, not the SDK's: that one takes no charset, does not undo the
 * percent-encoding of headers, reads binary data as text and wants a `type` in every event.
 */
import type { IncomingHttpHeaders } from 'node:http';
import { decodeText, isJsonType } from 'patchbay/plugin-api';
import { Rejection } from './answer.ts';

/** One event as it came. `type` may still be missing: a registered source may have a default. */
export interface IncomingEvent {
  readonly id: string;
  readonly source: string;
  readonly type: string | undefined;
  readonly subject: string | undefined;
  /** Milliseconds since the epoch. */
  readonly time: number | undefined;
  readonly datacontenttype: string | undefined;
  readonly dataschema: string | undefined;
  readonly extensions: Readonly<Record<string, string | number | boolean>>;
  /** JSON value, text, bytes; undefined when there is none. */
  readonly data: unknown;
  /** `data` was read as JSON. */
  readonly isJson: boolean;
}

export type Mode = 'binary' | 'structured' | 'batch';

const MAX_DEPTH = 100;
const CONTEXT = new Set(['specversion', 'id', 'source', 'type', 'subject', 'time', 'datacontenttype', 'dataschema']);
/** RFC 3339, section 5.6. */
const TIMESTAMP = /^\d{4}-\d\d-\d\d[Tt]\d\d:\d\d:\d\d(\.\d+)?([Zz]|[+-]\d\d:\d\d)$/;

/** Which mode the headers announce; throws a 415 when none. To be asked before the body is read. */
export function modeOf(headers: IncomingHttpHeaders): Mode {
  const encoding = headers['content-encoding'];
  if (encoding !== undefined && encoding.toLowerCase() !== 'identity') {
    throw unsupported(`the body is encoded as ${encoding}`);
  }
  const contentType = headers['content-type'];
  const { type, charset } = mediaType(contentType ?? '');
  const isEvent = type.startsWith('application/cloudevents');
  if ((isEvent || isJsonType(type)) && charset !== undefined && charset !== 'utf-8' && charset !== 'utf8') {
    throw unsupported(`the charset is ${charset}`);
  }
  if (type === 'application/cloudevents+json') return 'structured';
  if (type === 'application/cloudevents-batch+json') return 'batch';
  if (isEvent) throw unsupported(`${type} is not a format that is read here`);
  if (Object.keys(headers).some((name) => name.startsWith('ce-'))) return 'binary';
  throw unsupported(
    contentType === undefined
      ? 'neither a content type nor ce- headers'
      : `${type} without ce- headers is no CloudEvent`,
  );
}

/** Reads the events of a request; throws a {@link Rejection} at the first that is wrong. */
export function parseEvents(
  mode: Mode,
  headers: IncomingHttpHeaders,
  body: Uint8Array,
  maxEvents: number,
): IncomingEvent[] {
  if (mode === 'binary') return [binaryEvent(headers, body)];
  const value = parseJson(body);
  if (mode === 'structured') return [structuredEvent(value, '')];
  if (!Array.isArray(value)) throw new Rejection(400, 'PB_HTTP_EVENTS_INVALID', 'a batch must be a JSON array');
  if (value.length > maxEvents) {
    throw new Rejection(413, 'PB_HTTP_EVENTS_TOO_LARGE', `${value.length} events in one batch, ${maxEvents} at most`);
  }
  return value.map((event, index) => structuredEvent(event, `event ${index}: `));
}

function unsupported(message: string): Rejection {
  return new Rejection(415, 'PB_HTTP_EVENTS_MEDIA_TYPE', message);
}

function invalid(message: string): Rejection {
  return new Rejection(400, 'PB_HTTP_EVENTS_INVALID', message);
}

function mediaType(contentType: string): { type: string; charset: string | undefined } {
  const [type = '', ...parameters] = contentType.split(';').map((part) => part.trim().toLowerCase());
  const charset = parameters.find((part) => part.startsWith('charset='))?.slice('charset='.length);
  return { type, charset: charset?.replace(/^"(.*)"$/, '$1') };
}

function parseJson(body: Uint8Array): unknown {
  const text = decodeText(body);
  if (text === undefined) throw new Rejection(400, 'PB_HTTP_EVENTS_JSON', 'the body is not UTF-8');
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    throw new Rejection(
      400,
      'PB_HTTP_EVENTS_JSON',
      `not JSON: ${error instanceof Error ? error.message : String(error)}`,
    );
  }
  if (isDeeper(value, MAX_DEPTH)) {
    throw new Rejection(400, 'PB_HTTP_EVENTS_JSON', `nested deeper than ${MAX_DEPTH} levels`);
  }
  return value;
}

function isDeeper(value: unknown, levels: number): boolean {
  if (typeof value !== 'object' || value === null) return false;
  if (levels === 0) return true;
  return Object.values(value).some((part) => isDeeper(part, levels - 1));
}

function binaryEvent(headers: IncomingHttpHeaders, body: Uint8Array): IncomingEvent {
  const attributes = new Map<string, unknown>();
  for (const [name, value] of Object.entries(headers)) {
    if (name.startsWith('ce-') && typeof value === 'string') attributes.set(name.slice(3), headerText(name, value));
  }
  // Of the content type, not of a header ce-datacontenttype (binding, section 3.1.1).
  attributes.set('datacontenttype', headers['content-type']);
  const datacontenttype = headers['content-type'];
  if (body.length === 0) return contextOf(attributes, undefined, false, '');
  if (datacontenttype !== undefined && isJsonType(datacontenttype)) {
    return contextOf(attributes, parseJson(body), true, '');
  }
  const isText = datacontenttype !== undefined && /^\s*text\//i.test(datacontenttype);
  return contextOf(attributes, (isText ? decodeText(body) : undefined) ?? body, false, '');
}

/** Undoes quoting and percent-encoding (binding, section 3.1.3.2). */
function headerText(name: string, value: string): string {
  const bare = /^".*"$/s.test(value) ? value.slice(1, -1).replace(/\\(.)/g, '$1') : value;
  try {
    return decodeURIComponent(bare.replace(/%(?![0-9a-fA-F]{2})/g, '%25'));
  } catch {
    throw invalid(`header ${name} is not percent-encoded UTF-8`);
  }
}

function structuredEvent(value: unknown, where: string): IncomingEvent {
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    throw invalid(`${where}an event must be a JSON object`);
  const attributes = new Map<string, unknown>(Object.entries(value));
  const data = attributes.get('data');
  const base64 = attributes.get('data_base64');
  attributes.delete('data');
  attributes.delete('data_base64');
  if (base64 === undefined || base64 === null) {
    const type = attributes.get('datacontenttype');
    const isJson = typeof type !== 'string' || isJsonType(type) || typeof data !== 'string';
    return contextOf(attributes, data, isJson && data !== undefined, where);
  }
  if (data !== undefined) throw invalid(`${where}both data and data_base64`);
  const bytes = typeof base64 === 'string' ? Buffer.from(base64, 'base64') : undefined;
  // Buffer skips what it does not know: compare. Padding may be left out.
  if (bytes === undefined || bytes.toString('base64').replace(/=+$/, '') !== (base64 as string).replace(/=+$/, '')) {
    throw invalid(`${where}data_base64 is not base64`);
  }
  return contextOf(attributes, new Uint8Array(bytes), false, where);
}

function contextOf(
  attributes: ReadonlyMap<string, unknown>,
  data: unknown,
  isJson: boolean,
  where: string,
): IncomingEvent {
  const text = (name: string): string | undefined => {
    const value = attributes.get(name);
    if (value === undefined || value === null) return undefined;
    if (typeof value !== 'string' || value === '')
      throw invalid(`${where}\`${name}\` must be a text that is not empty`);
    return value;
  };
  const required = (name: string): string => {
    const value = text(name);
    if (value === undefined) throw invalid(`${where}\`${name}\` is missing`);
    return value;
  };
  const version = required('specversion');
  if (version !== '1.0') throw invalid(`${where}specversion is ${version}, 1.0 is read here`);
  return {
    id: required('id'),
    source: required('source'),
    type: text('type'),
    subject: text('subject'),
    time: timeOf(text('time'), where),
    datacontenttype: text('datacontenttype'),
    dataschema: text('dataschema'),
    extensions: extensionsOf(attributes, where),
    data,
    isJson,
  };
}

function timeOf(text: string | undefined, where: string): number | undefined {
  if (text === undefined) return undefined;
  const time = TIMESTAMP.test(text) ? Date.parse(text.toUpperCase()) : Number.NaN;
  if (Number.isNaN(time)) throw invalid(`${where}\`time\` is not a time of RFC 3339`);
  return time;
}

function extensionsOf(attributes: ReadonlyMap<string, unknown>, where: string): IncomingEvent['extensions'] {
  const extensions: [string, string | number | boolean][] = [];
  for (const [name, value] of attributes) {
    if (CONTEXT.has(name) || value === undefined || value === null) continue;
    if (!/^[a-z0-9]{1,64}$/.test(name))
      throw invalid(`${where}an attribute's name must be a–z and 0–9, not \`${name.slice(0, 64)}\``);
    if (typeof value !== 'string' && typeof value !== 'number' && typeof value !== 'boolean') {
      throw invalid(`${where}attribute \`${name}\` must be a text, number or boolean`);
    }
    extensions.push([name, value]);
  }
  return Object.fromEntries(extensions);
}
