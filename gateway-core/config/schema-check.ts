import { Ajv2020, type ErrorObject, type ValidateFunction } from 'ajv/dist/2020.js';
import addFormatsModule from 'ajv-formats';
import type { JsonSchema } from '../plugin-api/manifest.ts';
import { isMap } from './is-map.ts';
import { parseDuration, parseSize } from './quantity.ts';

export type SchemaError = ErrorObject<string, Record<string, unknown>>;

/** A compiled schema. `check` fills defaults into `data`, which must be the caller's own copy. */
export interface SchemaCheck {
  readonly schema: JsonSchema;
  check(data: unknown): readonly SchemaError[];
}

// The package is CommonJS: its default export is the function for TypeScript, the module for Node.
const addFormats = (
  typeof addFormatsModule === 'function' ? addFormatsModule : (addFormatsModule as { default: unknown }).default
) as (ajv: Ajv2020) => void;

function compiler(): Ajv2020 {
  // A fresh one per schema: two plugins may use the same `$id`.
  const ajv = new Ajv2020({
    allErrors: true,
    strict: false,
    useDefaults: true,
    verbose: true,
    // Schemas come from plugins: an error must be ours, not a line on the console.
    logger: false,
    ownProperties: true,
  });
  addFormats(ajv);
  ajv.addFormat('patchbay-duration', { type: 'string', validate: (text: string) => (parseDuration(text) ?? 0) > 0 });
  ajv.addFormat('patchbay-size', { type: 'string', validate: (text: string) => (parseSize(text) ?? 0) > 0 });
  return ajv;
}

const compiled = new WeakMap<JsonSchema, SchemaCheck>();

/** Compiles once per schema object. Throws when the schema itself is wrong (an Error with ajv's words). */
export function compileSchema(schema: JsonSchema): SchemaCheck {
  let found = compiled.get(schema);
  if (found === undefined) {
    const validate = compiler().compile(closed(schema)) as ValidateFunction;
    found = {
      schema,
      check(data) {
        return validate(data) ? [] : ((validate.errors ?? []) as SchemaError[]);
      },
    };
    compiled.set(schema, found);
  }
  return found;
}

/**
 * Unknown keys are errors everywhere, also where a schema forgot to say so. Objects that list
 * their properties are closed, except inside of alternatives, whose parts see only some keys.
 */
export function closed(schema: JsonSchema): JsonSchema {
  const openers = ['additionalProperties', 'unevaluatedProperties', 'patternProperties'];
  const close = (node: unknown): unknown => {
    if (!isMap(node)) return node;
    const result: Record<string, unknown> = { ...node };
    if (isMap(node.properties)) {
      result.properties = Object.fromEntries(
        Object.entries(node.properties).map(([key, value]) => [key, close(value)]),
      );
      if (!openers.some((key) => key in node)) result.unevaluatedProperties = false;
    }
    for (const key of ['items', 'additionalProperties']) if (isMap(node[key])) result[key] = close(node[key]);
    return result;
  };
  return close(schema) as JsonSchema;
}

/** No config at all: what a contribution without a schema takes. */
export const EMPTY_SCHEMA: JsonSchema = { type: 'object', properties: {}, additionalProperties: false };
