/** A CloudEvent as one reads it: the body first and decoded, then what describes it. */
import type { CloudEventJson } from '../../gateway-core/protocol/model.ts';

export interface Readable {
  /** The body as JSON value or text; undefined when there is none. */
  readonly data: unknown;
  /** What is not the body: id, type, time and so on. */
  readonly context: Readonly<Record<string, unknown>>;
  /** `data` was JSON inside a text or bytes, and is shown taken apart. */
  readonly decoded: boolean;
}

function parsed(text: string): { value: unknown } | undefined {
  const start = text.trimStart()[0];
  if (start !== '{' && start !== '[') return undefined;
  try {
    return { value: JSON.parse(text) as unknown };
  } catch {
    return undefined;
  }
}

function textOf(base64: string): string | undefined {
  try {
    const bytes = Uint8Array.from(atob(base64), (letter) => letter.charCodeAt(0));
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    return undefined;
  }
}

export function readable(event: CloudEventJson): Readable {
  const { data, data_base64: base64, specversion: _, ...context } = event;
  const text = typeof data === 'string' ? data : base64 === undefined ? undefined : textOf(base64);
  if (text !== undefined) {
    const json = parsed(text);
    return json === undefined ? { data: text, context, decoded: false } : { data: json.value, context, decoded: true };
  }
  return { data: base64 ?? data, context, decoded: false };
}

/** Paths that a filter can use on such a message: `data.labels.host`, `attributes.address`. */
export function fieldPaths(root: string, value: unknown, depth = 3): string[] {
  if (typeof value !== 'object' || value === null || Array.isArray(value) || depth === 0) return [];
  return Object.entries(value).flatMap(([key, item]) => {
    const path = /^[A-Za-z_]\w*$/.test(key) ? `${root}.${key}` : `${root}[${JSON.stringify(key)}]`;
    return [path, ...fieldPaths(path, item, depth - 1)];
  });
}
