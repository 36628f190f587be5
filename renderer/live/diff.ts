/** Before and after, line by line: which fields were taken away, put in or changed. */

export type Mark = 'same' | 'removed' | 'added' | 'changed';

export interface DiffLine {
  readonly depth: number;
  /** As printed, with key and comma-free value: `"host": "node-1"`, `"labels": {`, `}`. */
  readonly text: string;
  readonly mark: Mark;
}

export interface Diff {
  readonly before: readonly DiffLine[];
  readonly after: readonly DiffLine[];
  readonly changed: number;
}

interface Flat {
  readonly depth: number;
  readonly text: string;
  /** JSON pointer-like; closing brackets have that of their opening. */
  readonly path: string;
  /** Printed value of a leaf; the bracket of an object or array. */
  readonly value: string;
}

/** No message needs more lines to be understood; the rest is in Raw. */
const MAX_LINES = 2_000;

function flatten(value: unknown, path: string, label: string, depth: number, out: Flat[]): void {
  if (out.length >= MAX_LINES) return;
  if (typeof value === 'object' && value !== null) {
    const entries: [string, unknown][] = Array.isArray(value)
      ? value.map((item, i) => [String(i), item])
      : Object.entries(value);
    const [open, close] = Array.isArray(value) ? ['[', ']'] : ['{', '}'];
    if (entries.length === 0) {
      out.push({ depth, text: `${label}${open}${close}`, path, value: `${open}${close}` });
      return;
    }
    const flat = Array.isArray(value) ? short(value) : undefined;
    if (flat !== undefined) {
      out.push({ depth, text: label + flat, path, value: flat });
      return;
    }
    out.push({ depth, text: label + open, path, value: open });
    for (const [key, item] of entries) {
      flatten(item, `${path}/${key}`, Array.isArray(value) ? '' : `${JSON.stringify(key)}: `, depth + 1, out);
    }
    out.push({ depth, text: close, path, value: open });
    return;
  }
  const printed = JSON.stringify(value) ?? 'null';
  out.push({ depth, text: label + printed, path, value: printed });
}

/** The outermost braces say nothing. */
function flattenRoot(value: unknown, out: Flat[]): void {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) flatten(value, '', '', 0, out);
  else for (const [key, item] of Object.entries(value)) flatten(item, `/${key}`, `${key}: `, 0, out);
}

/** A short array of plain values on one line: `[97.4, 3]`. */
function short(values: readonly unknown[]): string | undefined {
  if (values.some((item) => typeof item === 'object' && item !== null)) return undefined;
  const line = `[${values.map((item) => JSON.stringify(item) ?? 'null').join(', ')}]`;
  return line.length <= 60 ? line : undefined;
}

export function diff(before: unknown, after: unknown): Diff {
  const left: Flat[] = [];
  const right: Flat[] = [];
  flattenRoot(before, left);
  flattenRoot(after, right);
  const was = new Map(left.map((line) => [line.path, line.value]));
  const is = new Map(right.map((line) => [line.path, line.value]));
  let changed = 0;
  const mark = (line: Flat, other: ReadonlyMap<string, string>, absent: 'removed' | 'added'): DiffLine => {
    const there = other.get(line.path);
    const found: Mark = there === undefined ? absent : there === line.value ? 'same' : 'changed';
    if (found !== 'same') changed++;
    return { depth: line.depth, text: line.text, mark: found };
  };
  const lines = {
    before: left.map((line) => mark(line, is, 'removed')),
    after: right.map((line) => mark(line, was, 'added')),
  };
  return { ...lines, changed };
}
