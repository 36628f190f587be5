import { hash } from 'node:crypto';
import { ConfigError, type Context, type Message } from 'patchbay/plugin-api';

/** 132 bits of SHA-256 as text: two keys that differ have different digests, and a long key takes no more room. */
export const DIGEST_LENGTH = 22;

/** The digest of a message's key; undefined when it has none. Throws ConfigError `PB_EXPRESSION` at `key`. */
export function digester(
  context: Pick<Context<unknown>, 'value'>,
  key: string | undefined,
): (message: Message) => string | undefined {
  if (key === undefined) return ({ source, id }) => digest(`${source}\n${id}`);
  const expression = valueOf(context, key);
  return (message) => {
    const text = canonical(expression.read(message));
    return text === undefined ? undefined : digest(text);
  };
}

function digest(text: string): string {
  return hash('sha256', text, 'base64url').slice(0, DIGEST_LENGTH);
}

function valueOf(context: Pick<Context<unknown>, 'value'>, key: string): ReturnType<Context<unknown>['value']> {
  try {
    return context.value(key);
  } catch (error) {
    throw error instanceof ConfigError ? new ConfigError(error.code, 'key', error.message, error.remedy) : error;
  }
}

/** One text per value, whatever the order of its members; undefined for nothing: missing, null, empty. */
function canonical(value: unknown): string | undefined {
  if (value === undefined || value === null || value === '') return undefined;
  if (Array.isArray(value)) {
    const parts = value.map(canonical);
    // A list is a key of several parts: without any of them it is none.
    return parts.some((part) => part === undefined) ? undefined : `[${parts.join(',')}]`;
  }
  return JSON.stringify(plain(value, 0));
}

const MAX_DEPTH = 32;

function plain(value: unknown, depth: number): unknown {
  if (depth > MAX_DEPTH) return '…';
  // An integer is the same key whether it came as CEL's int or as JSON's number; NaN and the like are keys, too.
  if (typeof value === 'bigint' || typeof value === 'number') return { number: String(value) };
  if (value instanceof Date) return value.toISOString();
  if (value instanceof Uint8Array) return Buffer.from(value).toString('base64');
  if (Array.isArray(value)) return value.map((part) => plain(part, depth + 1));
  if (typeof value !== 'object' || value === null) return value;
  return Object.entries(value)
    .toSorted(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0))
    .map(([name, member]) => [name, plain(member, depth + 1)]);
}
