/** Configs that a schema should refuse, made from the schema itself. */
import { isMap } from '../../../config/is-map.ts';
import { localReference } from '../../../config/schema-walk.ts';
import type { JsonSchema } from '../../manifest.ts';

export interface Variation {
  /** `port: a text instead of a number`. */
  readonly name: string;
  /** Where the value stands; empty: the config itself. */
  readonly path: readonly string[];
  readonly value: unknown;
}

/** A field of a config, with the schema that speaks about it. */
export interface Field {
  readonly path: readonly string[];
  readonly schema: JsonSchema;
}

const OF_EACH_TYPE: readonly (readonly [type: string, words: string, value: unknown])[] = [
  ['string', 'a text', 'some text'],
  ['number', 'a number', 12.5],
  ['integer', 'a whole number', 7],
  ['boolean', 'true', true],
  ['array', 'a list', [[[]]]],
  ['object', 'a map', { 'no-such-key': {} }],
  ['null', 'null', null],
];

/** Every field that the schema names, those of nested maps included. */
export function fieldsOf(schema: JsonSchema): Field[] {
  const found: Field[] = [];
  const visit = (node: JsonSchema, path: readonly string[], seen: readonly unknown[]): void => {
    const resolved = resolve(schema, node);
    if (seen.includes(resolved) || !isMap(resolved.properties)) return;
    for (const [key, value] of Object.entries(resolved.properties)) {
      if (!isMap(value)) continue;
      const field = resolve(schema, value);
      found.push({ path: [...path, key], schema: field });
      visit(field, [...path, key], [...seen, resolved]);
    }
  };
  visit(schema, [], []);
  return found;
}

function resolve(root: JsonSchema, node: JsonSchema): JsonSchema {
  const target = typeof node.$ref === 'string' ? localReference(root, node.$ref) : undefined;
  return isMap(target) ? { ...target, ...node } : node;
}

/** The JSON types a schema lets pass; undefined: it says nothing about it. */
export function typesOf(schema: JsonSchema): readonly string[] | undefined {
  if (typeof schema.type === 'string') return [schema.type];
  if (Array.isArray(schema.type)) return schema.type as string[];
  const values = Array.isArray(schema.enum)
    ? (schema.enum as unknown[])
    : 'const' in schema
      ? [schema.const]
      : undefined;
  if (values !== undefined) return [...new Set(values.map(typeName))];
  for (const keyword of ['anyOf', 'oneOf']) {
    const branches = schema[keyword];
    if (!Array.isArray(branches)) continue;
    const types = branches.map((branch) => (isMap(branch) ? typesOf(branch) : undefined));
    if (types.every((list) => list !== undefined)) return [...new Set(types.flat())];
  }
  return isMap(schema.properties) ? ['object'] : undefined;
}

function typeName(value: unknown): string {
  if (value === null) return 'null';
  if (Array.isArray(value)) return 'array';
  return typeof value;
}

/** Values that `field` must refuse. */
export function variationsOf({ path, schema }: Field): Variation[] {
  const name = path.join('.');
  const variations: Variation[] = [];
  const add = (words: string, value: unknown): void => void variations.push({ name: `${name}: ${words}`, path, value });
  const types = typesOf(schema) ?? [];
  for (const [type, words, value] of OF_EACH_TYPE) {
    const fits = types.includes(type) || (type === 'integer' && types.includes('number'));
    if (!fits) add(words, value);
  }
  const number = (keyword: string): number | undefined =>
    typeof schema[keyword] === 'number' ? schema[keyword] : undefined;
  const { minimum, maximum, minLength, maxLength, minItems } = {
    minimum: number('minimum'),
    maximum: number('maximum'),
    minLength: number('minLength'),
    maxLength: number('maxLength'),
    minItems: number('minItems'),
  };
  if (minimum !== undefined) add(`less than ${minimum}`, minimum - 1);
  if (maximum !== undefined) add(`more than ${maximum}`, maximum + 1);
  if (minLength !== undefined && minLength > 0) add(`shorter than ${minLength}`, 'x'.repeat(minLength - 1));
  if (maxLength !== undefined && maxLength < 1_000_000) add(`longer than ${maxLength}`, 'x'.repeat(maxLength + 1));
  if (minItems !== undefined && minItems > 0) add('too short a list', []);
  if (Array.isArray(schema.enum) && types.includes('string')) add('a text that is none of its values', 'no-such-value');
  return variations;
}

/** `config` with `value` at `path`; maps on the way are made. */
export function withValue(config: unknown, path: readonly string[], value: unknown): unknown {
  const [key, ...rest] = path;
  if (key === undefined) return value;
  return { ...(isMap(config) ? config : {}), [key]: withValue(isMap(config) ? config[key] : {}, rest, value) };
}
