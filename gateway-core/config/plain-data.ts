/** More depth and more values than any config needs; both bound the work of every later step. */
export const MAX_DEPTH = 100;
const MAX_VALUES = 400_000;

export type Unfit =
  | { readonly fault: 'depth' | 'size'; readonly path: readonly (string | number)[] }
  | { readonly fault: 'key'; readonly path: readonly (string | number)[] };

/**
 * A copy of `data` in which nothing is shared (an alias gives the same object twice).
 * Fails on what is too deep or unfolds too far, and on the key `__proto__`.
 */
export function plainData(data: unknown): { readonly data: unknown } | Unfit {
  let left = MAX_VALUES;
  let unfit: Unfit | undefined;
  const path: (string | number)[] = [];
  const fail = (fault: Unfit['fault']): undefined => {
    unfit ??= { fault, path: [...path] };
    return undefined;
  };
  const copy = (value: unknown): unknown => {
    if (unfit !== undefined) return undefined;
    if (--left < 0) return fail('size');
    if (typeof value !== 'object' || value === null) return value;
    if (path.length >= MAX_DEPTH) return fail('depth');
    if (Array.isArray(value)) {
      const list: unknown[] = [];
      for (const [index, item] of value.entries()) {
        path.push(index);
        list.push(copy(item));
        path.pop();
      }
      return list;
    }
    const map: Record<string, unknown> = {};
    for (const [key, item] of Object.entries(value)) {
      path.push(key);
      if (key === '__proto__') fail('key');
      else map[key] = copy(item);
      path.pop();
    }
    return map;
  };
  const copied = copy(data);
  return unfit ?? { data: copied };
}
