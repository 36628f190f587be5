import type { ResolvedPlugin } from '../catalog/resolved-plugin.ts';
import type { JsonSchema } from '../plugin-api/manifest.ts';
import type { Problem } from '../protocol/model.ts';
import type { CheckExpression, ExpressionUse } from './pipelines.ts';
import { placed, type Places } from './places.ts';
import { placeText, problem, type Path } from './problem.ts';
import { dereference, pathKey, type Dereferenced, type ReferenceSources } from './references.ts';
import { compileSchema, EMPTY_SCHEMA, type SchemaError } from './schema-check.ts';
import { errorPath, schemaProblems } from './schema-problems.ts';
import { walkSchema } from './schema-walk.ts';

export interface CheckedConfig {
  readonly problems: readonly Problem[];
  /** With defaults and references filled in; as far as it goes when there are problems. */
  readonly value: unknown;
  readonly secrets: readonly string[];
}

/** The config schema of a plugin; one that takes no keys when it has none. */
export function schemaOf(plugin: ResolvedPlugin): JsonSchema {
  return plugin.contribution.config ?? EMPTY_SCHEMA;
}

/**
 * Resolves references, fills in defaults and checks against `schema`. Where the whole text of
 * a number or boolean field is a reference, its value is read as one.
 */
export async function checkAgainst(
  schema: JsonSchema,
  written: unknown,
  base: Path,
  sources: ReferenceSources,
  places: Places,
  checkExpression: CheckExpression,
): Promise<CheckedConfig> {
  const resolved = await dereference(written, base, sources);
  const { value, errors, unread } = checkResolved(schema, resolved);
  const problems = [
    ...resolved.problems.map((one) => placed(one, places)),
    ...unread.map(({ path, expected, reference }) =>
      placed(
        problem('PB_CONFIG_REFERENCE_VALUE', { place: placeText([...base, ...path]), expected, reference }, [
          ...base,
          ...path,
        ]),
        places,
      ),
    ),
    ...schemaProblems(errors, value, base).map(({ problem: one, what }) => placed(one, places, what)),
  ];
  const secrets = new Set(resolved.secrets);
  const conditions = new Set<string>();
  walkSchema(schema, value, (node, at, path) => {
    if (node.writeOnly === true) collectText(at, secrets);
    const use = EXPRESSION_USES[String(node['x-expression'])];
    if (use === undefined || typeof at !== 'string' || at === '') return;
    const answer = checkExpression(at, use);
    if (answer.ok || conditions.has(pathKey(path))) return;
    // Several branches of a schema may speak about the same field.
    conditions.add(pathKey(path));
    const details = { reason: answer.message, at: answer.at + 1 };
    problems.push(placed(problem('PB_CONFIG_EXPRESSION', details, [...base, ...path]), places));
  });
  return { problems, value, secrets: [...secrets] };
}

/** By the annotation `x-expression` of a schema. */
const EXPRESSION_USES: Readonly<Record<string, ExpressionUse>> = { cel: 'condition', 'cel-value': 'value' };

interface Unread {
  readonly path: Path;
  readonly expected: string;
  readonly reference: string;
}

function checkResolved(
  schema: JsonSchema,
  resolved: Dereferenced,
): { value: unknown; errors: SchemaError[]; unread: Unread[] } {
  const schemaCheck = compileSchema(schema);
  const unread = new Map<string, Unread>();
  let value = structuredClone(resolved.value);
  let errors = schemaCheck.check(value);
  // Reading one value may open a branch that asks for another: at most once per reference.
  for (let round = 0; round <= resolved.whole.size; round++) {
    let changed = false;
    for (const error of errors) {
      if (error.keyword !== 'type') continue;
      const path = errorPath(error, value);
      const key = pathKey(path);
      const reference = resolved.whole.get(key);
      const text = valueAt(value, path);
      if (reference === undefined || typeof text !== 'string') continue;
      const types = [error.params.type].flat().map(String);
      const read = readAs(text, types);
      if (read === undefined) {
        if (types.some((type) => type in EXPECTED)) {
          unread.set(key, { path, expected: types.map((type) => EXPECTED[type] ?? type).join(' or '), reference });
        }
      } else {
        value = withValue(value, path, read);
        changed = true;
      }
    }
    if (!changed) break;
    errors = schemaCheck.check(value);
  }
  const silent = [...resolved.unresolved, ...unread.keys()];
  return {
    value,
    errors: errors.filter((error) => !concerns(pathKey(errorPath(error, value)), error, silent)),
    unread: [...unread.values()],
  };
}

const EXPECTED: Readonly<Record<string, string>> = {
  integer: 'a whole number',
  number: 'a number',
  boolean: 'true or false',
};

const NUMBER = /^-?(0|[1-9]\d*)(\.\d+)?([eE][+-]?\d+)?$/;

function readAs(text: string, types: readonly string[]): number | boolean | undefined {
  const trimmed = text.trim();
  if (types.includes('boolean') && (trimmed === 'true' || trimmed === 'false')) return trimmed === 'true';
  if (!types.includes('number') && !types.includes('integer')) return undefined;
  if (!NUMBER.test(trimmed)) return undefined;
  const value = Number(trimmed);
  return types.includes('number') || Number.isInteger(value) ? value : undefined;
}

/** Whether an error is about an unknown value, or about alternatives that an unknown value below decides. */
function concerns(key: string, error: SchemaError, silent: readonly string[]): boolean {
  if (silent.includes(key)) return true;
  if (error.keyword !== 'anyOf' && error.keyword !== 'oneOf' && error.keyword !== 'if') return false;
  return silent.some((path) => path.startsWith(key.slice(0, -1)));
}

function collectText(value: unknown, into: Set<string>): void {
  if (typeof value === 'string' && value !== '') into.add(value);
  else if (typeof value === 'object' && value !== null)
    for (const item of Object.values(value)) collectText(item, into);
}

function valueAt(data: unknown, path: Path): unknown {
  let at = data;
  for (const part of path)
    at = typeof at === 'object' && at !== null ? (at as Record<string | number, unknown>)[part] : undefined;
  return at;
}

/** Sets in place below the root; the root itself is returned anew. */
function withValue(data: unknown, path: Path, value: unknown): unknown {
  const last = path.at(-1);
  if (last === undefined) return value;
  (valueAt(data, path.slice(0, -1)) as Record<string | number, unknown>)[last] = value;
  return data;
}
