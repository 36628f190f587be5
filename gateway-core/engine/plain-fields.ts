import { MASK } from './redaction.ts';

const MAX_DEPTH = 6;
const MAX_ITEMS = 100;
const MAX_TEXT = 8192;
const MAX_WHOLE = 65_536;

/** Fields named like this never show a text, whether their value is known to be secret or not. */
const SECRET_NAME = /pass(word|wd|phrase)|secret|token|authorization|credential|cookie|(api|private|access)[-_]?key/i;

/** A text with its secrets masked, at most 8192 characters of it. */
export function plainText(text: string, redact: (text: string) => string): string {
  const masked = redact(text);
  return masked.length <= MAX_TEXT ? masked : `${masked.slice(0, MAX_TEXT)}…`;
}

/**
 * Fields of a log line or an event as bounded JSON with secrets masked, whatever was passed:
 * an error becomes its message, what JSON has no form for its text, what is too deep or too much is cut.
 */
export function plainFields(
  fields: Readonly<Record<string, unknown>>,
  redact: (text: string) => string,
): Readonly<Record<string, unknown>> {
  const plain = plainObject(fields, redact, 0);
  const text = JSON.stringify(plain);
  return text.length <= MAX_WHOLE ? plain : { cut: `${text.slice(0, MAX_TEXT)}…` };
}

function plainObject(value: object, redact: (text: string) => string, depth: number): Record<string, unknown> {
  const plain: Record<string, unknown> = {};
  for (const [key, member] of Object.entries(value).slice(0, MAX_ITEMS)) {
    if (member === undefined) continue;
    const secret = typeof member === 'string' && member !== '' && SECRET_NAME.test(key);
    plain[plainText(key, redact)] = secret ? MASK : plainValue(member, redact, depth + 1);
  }
  return plain;
}

function plainValue(value: unknown, redact: (text: string) => string, depth: number): unknown {
  if (value === null || value === undefined) return null;
  if (typeof value === 'string') return plainText(value, redact);
  if (typeof value === 'boolean') return value;
  if (typeof value === 'number') return Number.isFinite(value) ? value : String(value);
  if (typeof value === 'bigint' || typeof value === 'symbol') return plainText(value.toString(), redact);
  if (typeof value === 'function') return 'function';
  if (value instanceof Error) return plainText(value.message, redact);
  if (value instanceof Date) return Number.isNaN(value.getTime()) ? 'Invalid Date' : value.toISOString();
  if (ArrayBuffer.isView(value)) return `${value.byteLength} bytes`;
  if (depth >= MAX_DEPTH) return '…';
  if (Array.isArray(value)) return value.slice(0, MAX_ITEMS).map((item) => plainValue(item, redact, depth + 1));
  return plainObject(value, redact, depth);
}
