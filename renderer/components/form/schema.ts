/**
 * What the form understands of JSON Schema 2020-12, made uniform: references followed,
 * `allOf` merged, unions of constants turned into enums. Schemas come from plugins: nothing
 * here may loop, throw or trust a type.
 */
import { isPlainObject, type PlainObject } from './value-path.ts';

export type Schema = PlainObject;

/** References and `allOf` parts followed for one field; more is a loop or worse. */
const MAX_HOPS = 64;

export interface Found {
  readonly schema: Schema;
  /** Why it cannot be drawn; empty when it can. */
  readonly trouble: '' | 'reference' | 'notASchema';
}

/** Follows `$ref` within the document and merges `allOf`; keywords beside a `$ref` win. */
export function resolve(root: Schema, given: unknown): Found {
  return follow(root, given, { left: MAX_HOPS });
}

/** The budget is shared by all branches: two references to oneself would double at every step. */
function follow(root: Schema, given: unknown, hops: { left: number }): Found {
  if (given === true) return { schema: {}, trouble: '' };
  if (!isPlainObject(given)) return { schema: {}, trouble: 'notASchema' };
  let schema: Schema = given;
  if (typeof schema['$ref'] === 'string') {
    const target = locate(root, schema['$ref']);
    if (target === undefined || hops.left-- <= 0) return { schema, trouble: 'reference' };
    const found = follow(root, target, hops);
    const { $ref: _ref, ...beside } = schema;
    schema = merge(found.schema, beside);
    if (found.trouble !== '') return { schema, trouble: found.trouble };
  }
  if (Array.isArray(schema['allOf'])) {
    const { allOf, ...rest } = schema;
    let parts: Schema = {};
    for (const part of allOf as unknown[]) {
      if (hops.left-- <= 0) return { schema: rest, trouble: 'reference' };
      const found = follow(root, part, hops);
      if (found.trouble !== '') return { schema: rest, trouble: found.trouble };
      parts = merge(parts, found.schema);
    }
    schema = merge(parts, rest);
  }
  return { schema, trouble: '' };
}

/** `#`, `#/$defs/name` and JSON pointers in general; `#name` by `$anchor` is not drawn. */
function locate(root: Schema, ref: string): unknown {
  if (ref === '#') return root;
  if (!ref.startsWith('#/')) return undefined;
  let at: unknown = root;
  for (const raw of ref.slice(2).split('/')) {
    const part = unescapePointer(raw);
    if (Array.isArray(at)) at = at[Number(part)];
    else if (isPlainObject(at) && Object.hasOwn(at, part)) at = at[part];
    else return undefined;
  }
  return at;
}

function unescapePointer(part: string): string {
  try {
    return decodeURIComponent(part).replaceAll('~1', '/').replaceAll('~0', '~');
  } catch {
    return part;
  }
}

/** `over` refines `base`: properties and `required` are joined, other keywords replaced. */
export function merge(base: Schema, over: Schema): Schema {
  const properties = { ...objectOf(base['properties']), ...objectOf(over['properties']) };
  const required = [...new Set([...strings(base['required']), ...strings(over['required'])])];
  return {
    ...base,
    ...over,
    ...(Object.keys(properties).length > 0 ? { properties } : {}),
    ...(required.length > 0 ? { required } : {}),
  };
}

export function objectOf(value: unknown): PlainObject {
  return isPlainObject(value) ? value : {};
}

export function strings(value: unknown): readonly string[] {
  return Array.isArray(value) ? value.filter((item): item is string => typeof item === 'string') : [];
}

export function textOf(value: unknown): string {
  return typeof value === 'string' ? value : '';
}

export function numberOf(value: unknown): number | undefined {
  return typeof value === 'number' && Number.isFinite(value) ? value : undefined;
}

/** The types a schema admits, `null` left out: in a form, absent says the same. */
export function typesOf(schema: Schema): readonly string[] {
  const type = schema['type'];
  if (typeof type === 'string') return [type];
  if (Array.isArray(type)) return strings(type).filter((name) => name !== 'null');
  if (isPlainObject(schema['properties']) || isPlainObject(schema['additionalProperties'])) return ['object'];
  if ('items' in schema) return ['array'];
  return [];
}

export interface EnumOption {
  readonly value: unknown;
  readonly label: string;
  readonly description: string;
}

/** The closed list of values, from `enum` or a union of `const`; undefined when it is none. */
export function enumOptions(root: Schema, schema: Schema): readonly EnumOption[] | undefined {
  if (Array.isArray(schema['enum'])) {
    return (schema['enum'] as unknown[])
      .filter((value) => value !== null)
      .map((value) => ({ value, label: showValue(value), description: '' }));
  }
  const branches = union(schema);
  if (branches === undefined) return undefined;
  const options: EnumOption[] = [];
  for (const branch of branches) {
    const { schema: found, trouble } = resolve(root, branch);
    if (trouble !== '' || !('const' in found)) return undefined;
    const value = found['const'];
    options.push({
      value,
      label: textOf(found['title']) || showValue(value),
      description: textOf(found['description']),
    });
  }
  return options;
}

/** The branches of a `oneOf` or `anyOf` of at least one. */
export function union(schema: Schema): readonly unknown[] | undefined {
  for (const keyword of ['oneOf', 'anyOf'] as const) {
    const branches = schema[keyword];
    if (Array.isArray(branches) && branches.length > 0) return branches as unknown[];
  }
  return undefined;
}

/** A value as a placeholder or hint: strings bare, the rest as JSON. */
export function showValue(value: unknown): string {
  if (value === undefined) return '';
  return typeof value === 'string' ? value : JSON.stringify(value);
}

/** `${env:…}`, `${file:…}`, `${secret:…}`: allowed in place of any value. */
export function isReference(value: unknown): value is string {
  return typeof value === 'string' && /^\$\{(env|file|secret):[^}]*\}$/.test(value);
}
