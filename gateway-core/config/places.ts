import { isAlias, isMap, isScalar, isSeq, type Document, type LineCounter, type Pair } from 'yaml';
import type { Problem } from '../protocol/model.ts';
import type { Path } from './problem.ts';

export interface Place {
  readonly line: number;
  readonly column: number;
}

/** Finds where a path of the config stands in its text. Lines and columns count from 1. */
export interface Places {
  /**
   * Where the value at `path` begins (`key`: where its key begins). A path that is not
   * there gives the place of the nearest part above it that is.
   */
  at(path: Path, what?: 'key' | 'value'): Place | undefined;
}

/** For configs without a text of their own. */
export const NO_PLACES: Places = { at: () => undefined };

export function placesOf(document: Document, lines: LineCounter): Places {
  const place = (offset: number | undefined): Place | undefined => {
    if (offset === undefined) return undefined;
    const { line, col } = lines.linePos(offset);
    return line === 0 ? undefined : { line, column: col };
  };
  return {
    at(path, what = 'value') {
      let node: unknown = document.contents;
      let found = startOf(node);
      for (const [index, part] of path.entries()) {
        if (isAlias(node)) node = node.resolve(document);
        const last = index === path.length - 1;
        if (isMap(node)) {
          const pair = node.items.find((one) => keyOf(one) === String(part));
          if (pair === undefined) return place(found);
          const value = startOf(pair.value);
          found = (last && what === 'value' ? value : undefined) ?? startOf(pair.key) ?? value ?? found;
          node = pair.value;
        } else if (isSeq(node) && typeof part === 'number') {
          const item: unknown = node.items[part];
          if (item === undefined) return place(found);
          found = startOf(item) ?? found;
          node = item;
        } else {
          return place(found);
        }
      }
      return place(found);
    },
  };
}

function keyOf(pair: Pair): string {
  return isScalar(pair.key) ? String(pair.key.value) : String(pair.key);
}

function startOf(node: unknown): number | undefined {
  if (typeof node !== 'object' || node === null || !('range' in node)) return undefined;
  return Array.isArray(node.range) ? (node.range[0] as number) : undefined;
}

/** The problem with its place in the text. Unknown keys and names are shown at the key. */
export function placed(one: Problem, places: Places, what: 'key' | 'value' = 'value'): Problem {
  if (one.line !== undefined) return one;
  const found = places.at(one.path, what);
  return found === undefined ? one : { ...one, ...found };
}
