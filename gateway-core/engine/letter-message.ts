/** A dead letter's message as an operator reads and edits it. */
import { decodeText, encodeBase64, toCloudEvent, toJsonValue } from '../plugin-api/cloud-event.ts';
import type { Message, Metric } from '../plugin-api/index.ts';
import { createMessage } from '../plugin-api/message.ts';
import { unpack } from '../flow/pack.ts';
import type { LetterChange, LetterMessage, LetterPayload } from '../protocol/dead-letters.ts';
import type { WholeLetter } from '../storage/storage.ts';
import { CodedError } from './error.ts';

/** A larger payload is neither shown nor edited: it would hold up the panel. */
const SHOWN_BYTES = 1024 * 1024;

/** The message of a letter. Throws PB_LETTER_DAMAGED. */
export function readLetter({ id, packed }: WholeLetter): Message {
  return unpackOne(id, packed);
}

/** The message as it was before it was edited; undefined when it was not. Throws PB_LETTER_DAMAGED. */
export function readOriginal({ id, original }: WholeLetter): Message | undefined {
  return original === undefined ? undefined : unpackOne(id, original);
}

function unpackOne(id: number, packed: Uint8Array): Message {
  let reason = 'it holds no message';
  try {
    const [message] = unpack(packed);
    if (message !== undefined) return message;
  } catch (error) {
    reason = error instanceof Error ? error.message : String(error);
  }
  throw new CodedError('PB_LETTER_DAMAGED', { id, reason });
}

/** `bytes`: of the packed message. */
export function describeMessage(message: Message, bytes: number): LetterMessage {
  const { type, subject, partitionkey, attributes } = message;
  const large = bytes > SHOWN_BYTES;
  return {
    event: toCloudEvent(large ? changed(message, { data: undefined }) : message),
    payload: large ? { form: 'large', bytes } : payloadOf(message),
    type,
    subject: subject ?? '',
    partitionkey,
    attributes: toJsonValue(attributes) as Readonly<Record<string, unknown>>,
  };
}

function payloadOf({ data, kind }: Message): LetterPayload {
  if (data === undefined) return { form: 'none' };
  if (typeof data === 'string') return { form: 'text', text: data };
  if (data instanceof Uint8Array) {
    const text = decodeText(data);
    return text === undefined ? { form: 'bytes', base64: encodeBase64(data) } : { form: 'text-bytes', text };
  }
  return { form: kind === 'metric' ? 'metric' : 'json', text: JSON.stringify(toJsonValue(data), null, 2) };
}

/** The message with an operator's changes; identity and origin stay. Throws PB_LETTER_EDIT. */
export function editMessage(message: Message, change: LetterChange): Message {
  const { payload, type, subject, partitionkey, attributes } = change;
  return changed(message, {
    ...(payload === undefined ? {} : { data: newData(message, payload) }),
    ...(type === undefined ? {} : { type }),
    ...(subject === undefined ? {} : { subject: subject === '' ? undefined : subject }),
    ...(partitionkey === undefined ? {} : { partitionkey }),
    ...(attributes === undefined ? {} : { attributes }),
  });
}

function changed(message: Message, change: Partial<Message>): Message {
  const { id, source, type, subject, time, kind, format, severity, partitionkey, attributes, data } = {
    ...fieldsOf(message),
    ...change,
  };
  return createMessage(message.instance, message.project, {
    id,
    source,
    type,
    subject,
    time,
    kind,
    format,
    severity,
    partitionkey,
    attributes,
    data,
  });
}

/** A spread takes own fields only, and `id` and `source` are none. */
function fieldsOf(message: Message): Message {
  return { ...message, id: message.id, source: message.source };
}

function newData(message: Message, payload: NonNullable<LetterChange['payload']>): unknown {
  if ('base64' in payload) return bytesOf(payload.base64);
  const { data, kind } = message;
  if (data instanceof Uint8Array) return new Uint8Array(Buffer.from(payload.text));
  if (typeof data === 'string' || data === undefined) return payload.text;
  const value = parsed(payload.text);
  return kind === 'metric' ? metricOf(value) : value;
}

function bytesOf(base64: string): Uint8Array {
  const bytes = Buffer.from(base64, 'base64');
  // Buffer.from skips what is not base64 instead of refusing it.
  if (bytes.toString('base64').replaceAll('=', '') !== base64.replaceAll(/[\s=]/g, ''))
    throw new CodedError('PB_LETTER_EDIT', { reason: 'it is not base64' });
  return new Uint8Array(bytes);
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch (error) {
    throw new CodedError('PB_LETTER_EDIT', { reason: error instanceof Error ? error.message : String(error) });
  }
}

const METRIC_TYPES: readonly unknown[] = ['counter', 'gauge', 'untyped'] satisfies Metric['type'][];

function metricOf(value: unknown): Metric {
  const fault = (reason: string): CodedError => new CodedError('PB_LETTER_EDIT', { reason: `of a metric, ${reason}` });
  if (typeof value !== 'object' || value === null) throw fault('an object is wanted');
  const metric = value as Readonly<Record<string, unknown>>;
  // Written as text where JSON has no form for it, see `toJsonValue`.
  const number = (field: string): number => {
    const given = metric[field];
    const known = ['NaN', 'Infinity', '-Infinity'].includes(given as string) ? Number(given) : given;
    if (typeof known !== 'number') throw fault(`${field} must be a number`);
    return known;
  };
  const { name, type, labels } = metric;
  if (typeof name !== 'string' || name === '') throw fault('name must be a text');
  if (!METRIC_TYPES.includes(type)) throw fault('type must be counter, gauge or untyped');
  if (
    typeof labels !== 'object' ||
    labels === null ||
    Object.values(labels as Readonly<Record<string, unknown>>).some((label) => typeof label !== 'string')
  )
    throw fault('labels must be an object of texts');
  return {
    name,
    type: type as Metric['type'],
    value: number('value'),
    time: number('time'),
    interval: number('interval'),
    labels: labels as Readonly<Record<string, string>>,
  };
}
