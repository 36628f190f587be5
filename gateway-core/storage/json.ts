import { CodedError } from '../engine/error.ts';

/** Longest text of one stored value: a larger one would hold up every other request. */
export const MAX_VALUE_LENGTH = 16 * 1024 * 1024;

const MAX_DEPTH = 256;

/**
 * A value as JSON text that reads back as the same value. Members that are `undefined` are left
 * out, as in JSON.stringify; anything else JSON cannot keep (NaN, a Date, a Map, a cycle) throws
 * PB_STATE_NOT_JSON naming its place, PB_STATE_TOO_LARGE above {@link MAX_VALUE_LENGTH}.
 */
export function encodeJson(value: unknown): string {
  check(value, 'the value', 0);
  const text = JSON.stringify(value);
  if (text.length > MAX_VALUE_LENGTH) {
    throw new CodedError('PB_STATE_TOO_LARGE', { bytes: text.length, limit: MAX_VALUE_LENGTH });
  }
  return text;
}

function check(value: unknown, place: string, depth: number): void {
  switch (typeof value) {
    case 'string':
    case 'boolean':
      return;
    case 'number':
      if (!Number.isFinite(value)) throw notJson(place, String(value));
      return;
    case 'object':
      break;
    default:
      throw notJson(place, value === undefined ? 'undefined' : `a ${typeof value}`);
  }
  if (value === null) return;
  if (depth >= MAX_DEPTH) throw notJson(place, `nested deeper than ${MAX_DEPTH} levels, or in a circle`);
  if (Array.isArray(value)) {
    for (let i = 0; i < value.length; i++) check(value[i], `${place}[${i}]`, depth + 1);
    return;
  }
  const prototype: unknown = Object.getPrototypeOf(value);
  // A plain object of another realm has that realm's Object.prototype, whose own prototype is null.
  if (prototype !== null && prototype !== Object.prototype && Object.getPrototypeOf(prototype) !== null) {
    throw notJson(place, `a ${nameOf(value)}`);
  }
  if ('toJSON' in value && typeof value.toJSON === 'function') throw notJson(place, 'an object with toJSON');
  for (const key of Object.keys(value)) {
    const member: unknown = (value as Record<string, unknown>)[key];
    if (member !== undefined) check(member, place === 'the value' ? key : `${place}.${key}`, depth + 1);
  }
}

function nameOf(value: object): string {
  const made: unknown = value.constructor;
  return typeof made === 'function' && made.name !== '' ? made.name : 'class instance';
}

function notJson(place: string, found: string): CodedError {
  return new CodedError('PB_STATE_NOT_JSON', { place, found });
}
