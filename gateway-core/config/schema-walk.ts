import type { JsonSchema } from '../plugin-api/manifest.ts';
import { isMap } from './is-map.ts';

/**
 * Visits every value of `data` with each schema that speaks about it: through properties,
 * items, local references and all branches of alternatives. For annotations (`writeOnly`,
 * `x-listen`); says nothing about validity.
 */
export function walkSchema(
  schema: JsonSchema,
  data: unknown,
  visit: (schema: JsonSchema, value: unknown, path: readonly (string | number)[]) => void,
): void {
  const step = (
    node: unknown,
    value: unknown,
    path: readonly (string | number)[],
    seen: ReadonlySet<unknown>,
  ): void => {
    if (!isMap(node) || seen.has(node)) return;
    visit(node, value, path);
    // A schema met again without a step into the data is a reference to itself.
    const here = new Set(seen).add(node);
    if (typeof node.$ref === 'string') step(localReference(schema, node.$ref), value, path, here);
    for (const keyword of ['allOf', 'anyOf', 'oneOf']) {
      const list = node[keyword];
      if (Array.isArray(list)) for (const branch of list) step(branch, value, path, here);
    }
    for (const keyword of ['if', 'then', 'else']) step(node[keyword], value, path, here);
    const fresh = new Set<unknown>();
    if (Array.isArray(value)) {
      const prefix: unknown[] = Array.isArray(node.prefixItems) ? node.prefixItems : [];
      for (const [index, item] of value.entries()) step(prefix[index] ?? node.items, item, [...path, index], fresh);
    } else if (isMap(value)) {
      const properties = isMap(node.properties) ? node.properties : {};
      for (const [key, item] of Object.entries(value)) {
        step(Object.hasOwn(properties, key) ? properties[key] : node.additionalProperties, item, [...path, key], fresh);
      }
    }
  };
  step(schema, data, [], new Set());
}

/** What a `$ref` of the form `#/…` points at; undefined for any other. */
export function localReference(root: JsonSchema, reference: string): unknown {
  if (reference === '#') return root;
  if (!reference.startsWith('#/')) return undefined;
  let at: unknown = root;
  for (const raw of reference.slice(2).split('/')) {
    const key = decodeURIComponent(raw).replaceAll('~1', '/').replaceAll('~0', '~');
    at =
      typeof at === 'object' && at !== null && Object.hasOwn(at, key)
        ? (at as Record<string, unknown>)[key]
        : undefined;
  }
  return at;
}
