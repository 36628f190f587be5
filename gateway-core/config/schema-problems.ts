import type { Problem } from '../protocol/model.ts';
import { isMap } from './is-map.ts';
import { hint, nearest } from './nearest.ts';
import { placeText, problem, type Path } from './problem.ts';
import { NAME_PATTERN } from './schema.ts';
import type { SchemaError } from './schema-check.ts';

export interface SchemaProblem {
  readonly problem: Problem;
  /** Which of a pair the problem is about. */
  readonly what: 'key' | 'value';
}

/**
 * Errors of a schema check as problems: one per fault, in plain words, never quoting a value
 * (it may be a secret). `base` is the path of `data` in the config.
 */
export function schemaProblems(errors: readonly SchemaError[], data: unknown, base: Path): SchemaProblem[] {
  const result: SchemaProblem[] = [];
  for (const error of withoutBranches(errors)) {
    const made = one(error, data, base);
    if (made !== undefined) result.push(made);
  }
  return result;
}

/** Path of the data an error is about; numbers where the data has lists. */
export function errorPath(error: SchemaError, data: unknown): (string | number)[] {
  const path: (string | number)[] = [];
  let at: unknown = data;
  for (const raw of error.instancePath.split('/').slice(1)) {
    const key = raw.replaceAll('~1', '/').replaceAll('~0', '~');
    path.push(Array.isArray(at) ? Number(key) : key);
    at = typeof at === 'object' && at !== null ? (at as Record<string, unknown>)[key] : undefined;
  }
  return path;
}

const ALTERNATIVES = new Set(['anyOf', 'oneOf']);

/**
 * Errors inside of alternatives say why each of them does not fit. Kept are those of the one
 * that fits best; when all say the same kind of thing they are merged by `one`.
 */
function withoutBranches(errors: readonly SchemaError[]): SchemaError[] {
  let kept = [...errors];
  for (const outer of errors.filter((error) => ALTERNATIVES.has(error.keyword))) {
    const prefix = `${outer.schemaPath}/`;
    const inner = kept.filter(
      (error) => error.schemaPath.startsWith(prefix) && error.instancePath.startsWith(outer.instancePath),
    );
    kept = kept.filter((error) => !inner.includes(error));
    if (!kept.includes(outer)) continue;
    const best = bestBranch(inner, prefix, outer.instancePath);
    if (best !== undefined) kept.splice(kept.indexOf(outer), 1, ...best);
    else Object.assign(outer.params, { inner });
  }
  // Said by the errors of the branch it chose.
  return kept.filter((error) => error.keyword !== 'if');
}

function bestBranch(inner: readonly SchemaError[], prefix: string, at: string): SchemaError[] | undefined {
  const branches = new Map<string, SchemaError[]>();
  for (const error of inner) {
    const branch = error.schemaPath.slice(prefix.length).split('/')[0] ?? '';
    branches.set(branch, [...(branches.get(branch) ?? []), error]);
  }
  // A branch that fits as far as type, constants and required keys go was the one meant.
  const meant = [...branches.values()].filter((list) =>
    list.every((error) => error.instancePath !== at || !['type', 'const', 'enum', 'required'].includes(error.keyword)),
  );
  const discriminated = meant.filter((list) => !list.some((error) => error.keyword === 'const'));
  const candidates = discriminated.length > 0 ? discriminated : meant;
  candidates.sort((a, b) => a.length - b.length);
  return candidates[0];
}

function one(error: SchemaError, data: unknown, base: Path): SchemaProblem | undefined {
  const inside = errorPath(error, data);
  const path = [...base, ...inside];
  const place = placeText(path);
  const value = (made: Problem): SchemaProblem => ({ problem: made, what: 'value' });
  const rule = (text: string): SchemaProblem => value(problem('PB_CONFIG_VALUE', { place, rule: text }, path));
  const { params } = error;
  switch (error.keyword) {
    case 'additionalProperties':
    case 'unevaluatedProperties': {
      const key = String(params.additionalProperty ?? params.unevaluatedProperty);
      const known = [...knownKeys(error.parentSchema)];
      const made = problem(
        'PB_CONFIG_UNKNOWN_KEY',
        {
          key: key.slice(0, 100),
          place,
          hint: hint(key, known),
          known: known.length === 0 ? 'none, it takes no keys' : known.map((name) => `\`${name}\``).join(', '),
        },
        [...path, key],
      );
      return { problem: made, what: 'key' };
    }
    case 'propertyNames':
      return undefined;
    case 'required':
    case 'dependentRequired':
      return {
        problem: problem('PB_CONFIG_MISSING_KEY', { place, key: `the key '${String(params.missingProperty)}'` }, path),
        what: 'key',
      };
    case 'type': {
      const types = Array.isArray(params.type) ? (params.type as string[]) : [String(params.type)];
      const details = { place, expected: types.map(typeWord).join(' or '), found: foundWord(error.data) };
      return value(problem('PB_CONFIG_TYPE', details, path));
    }
    case 'enum': {
      const allowed = (params.allowedValues as unknown[]).map(String);
      const meant = typeof error.data === 'string' ? nearest(error.data, allowed) : undefined;
      return rule(`must be one of: ${allowed.join(', ')}${meant === undefined ? '' : ` (did you mean ${meant}?)`}`);
    }
    case 'const':
      return rule(`must be ${JSON.stringify(params.allowedValue)}`);
    case 'pattern': {
      if (params.pattern === NAME_PATTERN && error.propertyName !== undefined) {
        const name = error.propertyName;
        return { problem: problem('PB_CONFIG_NAME', { name: name.slice(0, 100) }, [...path, name]), what: 'key' };
      }
      return rule(`must have the form ${String(params.pattern)}`);
    }
    case 'format':
      return rule(`must be ${FORMATS[String(params.format)] ?? `a valid ${String(params.format)}`}`);
    case 'minimum':
      return rule(`must be ${String(params.limit)} or more`);
    case 'maximum':
      return rule(`must be ${String(params.limit)} or less`);
    case 'exclusiveMinimum':
      return rule(`must be more than ${String(params.limit)}`);
    case 'exclusiveMaximum':
      return rule(`must be less than ${String(params.limit)}`);
    case 'multipleOf':
      return rule(`must be a multiple of ${String(params.multipleOf)}`);
    case 'minLength':
      return rule(
        Number(params.limit) === 1 ? 'must not be empty' : `must have ${String(params.limit)} characters or more`,
      );
    case 'maxLength':
      return rule(`must have ${String(params.limit)} characters or fewer`);
    case 'minItems':
      return rule(
        Number(params.limit) === 1 ? 'must name at least one' : `must have ${String(params.limit)} entries or more`,
      );
    case 'maxItems':
      return rule(`must have ${String(params.limit)} entries or fewer`);
    case 'minProperties':
      return rule(`must have ${String(params.limit)} keys or more`);
    case 'maxProperties':
      return rule(`must have ${String(params.limit)} keys or fewer`);
    case 'uniqueItems':
      return rule('must not name the same twice');
    case 'oneOf':
    case 'anyOf':
      return alternatives(error, data, path, place) ?? rule('must fit one of the alternatives of its description');
    case 'not':
      return rule('must not have this form; see its description');
    default:
      return rule(error.message ?? 'is not allowed');
  }
}

function alternatives(error: SchemaError, data: unknown, path: Path, place: string): SchemaProblem | undefined {
  const passing = error.params.passingSchemas;
  if (Array.isArray(passing)) {
    const branches = (error.schema as unknown[]).filter((_, index) => passing.includes(index));
    const keys = branches.flatMap((branch) => requiredOf(branch));
    const rule =
      keys.length > 1
        ? `must have only one of: ${keys.join(', ')}`
        : 'must fit only one of the alternatives of its description';
    return { problem: problem('PB_CONFIG_VALUE', { place, rule }, path), what: 'value' };
  }
  const inner = (error.params.inner ?? []) as SchemaError[];
  const here = inner.filter((part) => part.instancePath === error.instancePath);
  const missing = here
    .filter((part) => part.keyword === 'required')
    .map((part) => `'${String(part.params.missingProperty)}'`);
  if (missing.length > 0 && missing.length === inner.length) {
    const key = `${missing.length > 1 ? 'one of the keys' : 'the key'} ${[...new Set(missing)].join(', ')}`;
    return { problem: problem('PB_CONFIG_MISSING_KEY', { place, key }, path), what: 'key' };
  }
  const types = here.filter((part) => part.keyword === 'type').flatMap((part) => part.params.type as string | string[]);
  if (types.length > 0 && here.every((part) => part.keyword === 'type')) {
    const details = { place, expected: [...new Set(types)].map(typeWord).join(' or '), found: foundWord(error.data) };
    return { problem: problem('PB_CONFIG_TYPE', details, path), what: 'value' };
  }
  const allowed = here.flatMap((part) =>
    part.keyword === 'const'
      ? [part.params.allowedValue]
      : part.keyword === 'enum'
        ? (part.params.allowedValues as unknown[])
        : [],
  );
  if (allowed.length > 0 && allowed.length >= here.length) {
    const rule = `must be one of: ${[...new Set(allowed.map(String))].join(', ')}`;
    return { problem: problem('PB_CONFIG_VALUE', { place, rule }, path), what: 'value' };
  }
  return undefined;
}

function requiredOf(branch: unknown): string[] {
  return isMap(branch) && Array.isArray(branch.required) ? branch.required.map(String) : [];
}

/** Keys that an object of this schema may have, its alternatives included. */
function knownKeys(schema: unknown, keys = new Set<string>(), depth = 0): Set<string> {
  if (!isMap(schema) || depth > 8) return keys;
  if (isMap(schema.properties)) for (const key of Object.keys(schema.properties)) keys.add(key);
  for (const keyword of ['allOf', 'anyOf', 'oneOf']) {
    const list = schema[keyword];
    if (Array.isArray(list)) for (const part of list) knownKeys(part, keys, depth + 1);
  }
  for (const keyword of ['if', 'then', 'else']) knownKeys(schema[keyword], keys, depth + 1);
  return keys;
}

const FORMATS: Readonly<Record<string, string>> = {
  'patchbay-duration': 'a duration such as 100ms, 30s, 5m or 1h',
  'patchbay-size': 'a size such as 512KiB, 64MiB or 1GiB',
  uri: 'a URL',
  'uri-reference': 'a URL or a path',
  hostname: 'a host name',
  ipv4: 'an IPv4 address',
  ipv6: 'an IPv6 address',
  email: 'an e-mail address',
  regex: 'a regular expression',
  'date-time': 'a date and time as in 2026-01-31T12:00:00Z',
};

function typeWord(type: string): string {
  const words: Record<string, string> = {
    string: 'text',
    integer: 'a whole number',
    number: 'a number',
    boolean: 'true or false',
    array: 'a list',
    object: 'a map',
    null: 'empty',
  };
  return words[type] ?? type;
}

function foundWord(value: unknown): string {
  if (value === null || value === undefined) return 'empty';
  if (Array.isArray(value)) return 'a list';
  if (typeof value === 'boolean') return 'true or false';
  if (typeof value === 'number') return 'a number';
  return typeof value === 'string' ? 'text' : 'a map';
}
