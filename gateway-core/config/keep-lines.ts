import { isDeepStrictEqual } from 'node:util';
import { parse } from 'yaml';

/**
 * The YAML printer aligns comments and spaces in its own way. `before` is `original` printed
 * without a change, `after` with one: every line that is in both is taken from `original`, so
 * that an edit touches only the lines it changes. Falls back to `after` where lines of
 * `original` and `before` do not correspond one to one.
 */
export function keepLines(original: string, before: string, after: string): string {
  if (before === after) return original;
  const crlf = original.includes('\r\n');
  const end = crlf ? '\r\n' : '\n';
  const fallback = crlf ? after.replaceAll('\n', end) : after;
  const originals = original.split(/\r?\n/);
  const befores = before.split('\n');
  const afters = after.split('\n');
  while (originals.at(-1) === '' && befores.at(-1) !== '') originals.pop();
  if (befores.at(-1) === '' && originals.at(-1) !== '') originals.push('');
  const aligned = align(originals, befores);
  const pairs = aligned === undefined ? undefined : commonLines(befores, afters);
  if (aligned === undefined || pairs === undefined) return fallback;
  // The printer puts spaces into `[ a, b ]`; who writes `[a, b]` gets that back.
  const spaced = original.includes('[ ')
    ? (line: string): string => line
    : (line: string): string => line.replace(/^(\s*(?:- |[^'"#]*: ))\[ (.*) \]$/, '$1[$2]');
  const kept: string[] = [];
  for (const [index, line] of afters.entries()) {
    const match = pairs.get(index);
    if (match === undefined) kept.push(spaced(reindented(line, index, pairs, befores, aligned)));
    else if (aligned[match] !== PART) kept.push(aligned[match] as string);
    else if (pairs.get(index - 1) !== match - 1) return fallback;
  }
  const text = kept.join(end);
  // A line can mean something else at another indentation: only what reads the same is returned.
  return readsAlike(text, after) ? text : fallback;
}

/** In place of a printed line that is the end of the original's line before it. */
const PART = null;

/**
 * The original's line for each printed one. The printer moves a comment behind a key
 * (`sinks: # why`) to a line of its own. Undefined where lines do not correspond.
 */
function align(originals: readonly string[], befores: readonly string[]): (string | typeof PART)[] | undefined {
  const aligned: (string | typeof PART)[] = [];
  let at = 0;
  for (const original of originals) {
    const wanted = squeezed(original);
    const first = squeezed(befores[at] ?? '');
    if (first === wanted) aligned.push(original);
    else if (first.endsWith(':') && first + squeezed(befores[at + 1] ?? '') === wanted) {
      aligned.push(original, PART);
      at++;
    } else return undefined;
    at++;
  }
  return at === befores.length ? aligned : undefined;
}

/** A new line at the indentation that the nearest kept line of its level has in the original. */
function reindented(
  line: string,
  index: number,
  pairs: ReadonlyMap<number, number>,
  befores: readonly string[],
  originals: readonly (string | typeof PART)[],
): string {
  const width = indentOf(line);
  for (let away = 1; away <= 200; away++) {
    for (const near of [index - away, index + away]) {
      const match = pairs.get(near);
      const original = match === undefined ? PART : (originals[match] ?? PART);
      if (match === undefined || original === PART || indentOf(befores[match] as string) !== width) continue;
      return ' '.repeat(indentOf(original)) + line.slice(width);
    }
  }
  return line;
}

function indentOf(line: string): number {
  return line.length - line.trimStart().length;
}

function squeezed(line: string): string {
  return line.replace(/\s+/g, '');
}

function readsAlike(a: string, b: string): boolean {
  try {
    return isDeepStrictEqual(parse(a, { logLevel: 'silent' }), parse(b, { logLevel: 'silent' }));
  } catch {
    return false;
  }
}

const MAX_CELLS = 4_000_000;

/** Lines of `after` that are in `before` too, as a longest common subsequence: index in `after` to index in `before`. */
function commonLines(before: readonly string[], after: readonly string[]): Map<number, number> | undefined {
  const pairs = new Map<number, number>();
  let start = 0;
  while (start < before.length && start < after.length && before[start] === after[start]) {
    pairs.set(start, start);
    start++;
  }
  let tail = 0;
  while (tail < before.length - start && tail < after.length - start && before.at(-1 - tail) === after.at(-1 - tail)) {
    tail++;
    pairs.set(after.length - tail, before.length - tail);
  }
  const rows = before.length - start - tail;
  const columns = after.length - start - tail;
  if (rows * columns > MAX_CELLS) return undefined;
  const width = columns + 1;
  const length = new Uint32Array((rows + 1) * width);
  for (let i = rows - 1; i >= 0; i--) {
    for (let j = columns - 1; j >= 0; j--) {
      length[i * width + j] =
        before[start + i] === after[start + j]
          ? (length[(i + 1) * width + j + 1] as number) + 1
          : Math.max(length[(i + 1) * width + j] as number, length[i * width + j + 1] as number);
    }
  }
  for (let i = 0, j = 0; i < rows && j < columns;) {
    if (before[start + i] === after[start + j]) pairs.set(start + j++, start + i++);
    else if ((length[(i + 1) * width + j] as number) >= (length[i * width + j + 1] as number)) i++;
    else j++;
  }
  return pairs;
}
