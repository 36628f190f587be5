/** Reading and changing plain data at a path, without touching the original. */
import type { ConfigEdit } from '../../../gateway-core/protocol/model.ts';

export type Path = readonly (string | number)[];

export type PlainObject = Readonly<Record<string, unknown>>;

export function isPlainObject(value: unknown): value is PlainObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** One string per path, for maps and element ids: unambiguous, whatever the keys contain. */
export function pathKey(path: Path): string {
  return JSON.stringify(path);
}

/** As people write it: `listen.port`, `routes[2].to`. */
export function pathText(path: Path): string {
  return path.reduce<string>((text, part) => {
    if (typeof part === 'number') return `${text}[${part}]`;
    return text === '' ? part : `${text}.${part}`;
  }, '');
}

/** The value at a path; undefined where the path leads nowhere. Own properties only. */
export function getAt(value: unknown, path: Path): unknown {
  let at = value;
  for (const part of path) {
    if (Array.isArray(at)) at = typeof part === 'number' ? at[part] : undefined;
    else if (isPlainObject(at) && Object.hasOwn(at, part)) at = at[part];
    else return undefined;
  }
  return at;
}

/** A copy with `next` at the path. Missing objects on the way are made; what is of another type is replaced. */
export function setAt(value: unknown, path: Path, next: unknown): unknown {
  const [part, ...rest] = path;
  if (part === undefined) return next;
  if (typeof part === 'number') {
    const list: unknown[] = Array.isArray(value) ? [...(value as unknown[])] : [];
    list[part] = setAt(list[part], rest, next);
    return list;
  }
  const old = isPlainObject(value) && Object.hasOwn(value, part) ? value[part] : undefined;
  // A computed key defines an own property, also for "__proto__".
  return { ...(isPlainObject(value) ? value : {}), [part]: setAt(old, rest, next) };
}

/** A copy without what is at the path; an array's later elements move up. */
export function unsetAt(value: unknown, path: Path): unknown {
  const [part, ...rest] = path;
  if (part === undefined) return undefined;
  if (Array.isArray(value)) {
    const list = value as unknown[];
    if (typeof part !== 'number' || part >= list.length) return list;
    if (rest.length === 0) return list.filter((_, index) => index !== part);
    return list.map((item, index) => (index === part ? unsetAt(item, rest) : item));
  }
  if (!isPlainObject(value) || !Object.hasOwn(value, part)) return value;
  if (rest.length === 0) return Object.fromEntries(Object.entries(value).filter(([key]) => key !== part));
  return { ...value, [part]: unsetAt(value[part], rest) };
}

/** A copy with a list's element moved by one place; the same list where there is no such place. */
export function moveItem(list: readonly unknown[], from: number, by: -1 | 1): readonly unknown[] {
  const to = from + by;
  if (to < 0 || to >= list.length) return list;
  const copy = [...list];
  [copy[from], copy[to]] = [copy[to], copy[from]];
  return copy;
}

/** A copy of a map with one key renamed in place. */
export function renameKey(map: PlainObject, from: string, to: string): PlainObject {
  return Object.fromEntries(Object.entries(map).map(([key, value]) => [key === from ? to : key, value]));
}

/** Equal as JSON is equal: the order of keys does not matter. */
export function sameValue(a: unknown, b: unknown): boolean {
  if (Object.is(a, b)) return true;
  if (Array.isArray(a) && Array.isArray(b)) {
    return a.length === b.length && a.every((item, index) => sameValue(item, b[index]));
  }
  if (isPlainObject(a) && isPlainObject(b)) {
    const keys = Object.keys(a);
    return (
      keys.length === Object.keys(b).length && keys.every((key) => Object.hasOwn(b, key) && sameValue(a[key], b[key]))
    );
  }
  return false;
}

/**
 * The smallest edits that lead from `before` to `after`: what did not change is not written
 * again, so its comments stay, and a masked secret never travels back.
 */
export function editsBetween(before: unknown, after: unknown, path: Path): ConfigEdit[] {
  if (sameValue(before, after)) return [];
  if (after === undefined) return [{ op: 'delete', path }];
  if (isPlainObject(before) && isPlainObject(after)) {
    const gone = Object.keys(before).filter((key) => !Object.hasOwn(after, key));
    return [
      ...gone.map((key): ConfigEdit => ({ op: 'delete', path: [...path, key] })),
      ...Object.keys(after).flatMap((key) =>
        editsBetween(Object.hasOwn(before, key) ? before[key] : undefined, after[key], [...path, key]),
      ),
    ];
  }
  if (Array.isArray(before) && Array.isArray(after) && before.length === after.length) {
    return after.flatMap((item, index) => editsBetween(before[index], item, [...path, index]));
  }
  return [{ op: 'set', path, value: after }];
}
