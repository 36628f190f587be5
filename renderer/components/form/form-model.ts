/**
 * A config form as data: schema and value in, a tree of fields out. Pure; drawn by
 * `SchemaForm`, checked by the engine. A field is what one control changes; changing it means
 * setting or unsetting its path in the value, after which the tree is built anew.
 *
 * Schemas are strangers' input. Whatever cannot be drawn becomes a JSON field that says why,
 * and the tree never grows without bound: absent optional groups are not entered, and depth
 * and number of fields are capped.
 */
import {
  enumOptions,
  merge,
  numberOf,
  objectOf,
  resolve,
  showValue,
  strings,
  textOf,
  typesOf,
  union,
  type EnumOption,
  type Schema,
} from './schema.ts';
import { isPlainObject, pathKey, sameValue, type Path } from './value-path.ts';

/** Required groups within required groups that hold no value yet. */
const MAX_EMPTY_DEPTH = 6;
const MAX_DEPTH = 16;
const MAX_FIELDS = 1500;

interface FieldBase {
  /** Where in the config of the instance. */
  readonly path: Path;
  /** `pathKey(path)`. */
  readonly key: string;
  readonly label: string;
  /** The key as the YAML has it; empty for elements of a list. */
  readonly name: string;
  readonly description: string;
  readonly required: boolean;
  readonly advanced: boolean;
  readonly deprecated: boolean;
  /** Something is written at the path; else the default applies. */
  readonly present: boolean;
  readonly value: unknown;
  /** The default, for the placeholder; never written. */
  readonly placeholder: string;
  readonly examples: readonly string[];
}

export interface TextField extends FieldBase {
  readonly kind: 'text';
  readonly secret: boolean;
  readonly multiline: boolean;
  /** `uri`, `duration`, `cel`, … as the schema has it. */
  readonly format: string;
  readonly maxLength: number | undefined;
}

export interface NumberField extends FieldBase {
  readonly kind: 'number';
  readonly integer: boolean;
  readonly unit: string;
  readonly min: number | undefined;
  readonly max: number | undefined;
  /** Text is as good as a number here: a union of both. */
  readonly orText: boolean;
}

export interface BooleanField extends FieldBase {
  readonly kind: 'boolean';
  readonly fallback: boolean;
}

export interface EnumField extends FieldBase {
  readonly kind: 'enum';
  readonly options: readonly EnumOption[];
  /** Index in `options`; -1: nothing chosen, or something that is not in the list. */
  readonly selected: number;
}

export interface ConstField extends FieldBase {
  readonly kind: 'const';
  readonly constant: unknown;
}

export interface ListField extends FieldBase {
  readonly kind: 'list';
  readonly items: readonly Field[];
  /** What `add` appends. */
  readonly fresh: unknown;
  readonly maxItems: number | undefined;
}

export interface MapEntry {
  readonly name: string;
  readonly field: Field;
}

export interface MapField extends FieldBase {
  readonly kind: 'map';
  readonly entries: readonly MapEntry[];
  readonly fresh: unknown;
}

export interface Choice {
  readonly options: readonly { readonly label: string; readonly description: string; readonly start: unknown }[];
  readonly selected: number;
}

export interface GroupField extends FieldBase {
  readonly kind: 'group';
  /** Not required: it can be added and taken away, and shows its fields only while present. */
  readonly optional: boolean;
  readonly fields: readonly Field[];
  /** One of several forms of this group; choosing one sets the group to its `start`. */
  readonly choice: Choice | undefined;
  /** Keys the schema leaves open, beside the named ones. */
  readonly others: MapField | undefined;
}

/** One of several forms that are not all objects. */
export interface OneOfField extends FieldBase {
  readonly kind: 'oneOf';
  readonly choice: Choice;
  readonly body: Field | undefined;
}

export type JsonReason = 'tooDeep' | 'tooMany' | 'reference' | 'notASchema' | 'unknownShape' | 'mistyped';

export interface JsonField extends FieldBase {
  readonly kind: 'json';
  readonly reason: JsonReason;
}

export type Field =
  | TextField
  | NumberField
  | BooleanField
  | EnumField
  | ConstField
  | ListField
  | MapField
  | GroupField
  | OneOfField
  | JsonField;

interface Walk {
  readonly root: Schema;
  /** Branches the operator chose, by key: a value may not tell yet. */
  readonly chosen: ReadonlyMap<string, number>;
  left: number;
}

interface Place {
  readonly path: Path;
  readonly name: string;
  readonly required: boolean;
  readonly depth: number;
  /** Of those, levels without a value. */
  readonly empty: number;
}

/** The form of a whole config. A schema that is no object schema yields one JSON field. */
export function buildForm(
  schema: Schema | undefined,
  value: unknown,
  chosen: ReadonlyMap<string, number> = new Map(),
): Field {
  const root = schema ?? { type: 'object', properties: {}, additionalProperties: false };
  const walk: Walk = { root, chosen, left: MAX_FIELDS };
  return build(walk, root, value, { path: [], name: '', required: true, depth: 0, empty: 0 });
}

function build(walk: Walk, given: unknown, value: unknown, place: Place): Field {
  const { schema, trouble } = resolve(walk.root, given);
  const base = describe(schema, value, place);
  if (trouble !== '') return { ...base, kind: 'json', reason: trouble };
  if (place.depth > MAX_DEPTH || place.empty > MAX_EMPTY_DEPTH) return { ...base, kind: 'json', reason: 'tooDeep' };
  if (walk.left-- <= 0) return { ...base, kind: 'json', reason: 'tooMany' };

  if ('const' in schema) return { ...base, kind: 'const', constant: schema['const'] };
  const options = enumOptions(walk.root, schema);
  if (options !== undefined) {
    return { ...base, kind: 'enum', options, selected: options.findIndex((option) => sameValue(option.value, value)) };
  }
  const branches = union(schema);
  if (branches !== undefined) return buildUnion(walk, schema, branches, base, place);
  return buildTyped(walk, schema, base, place);
}

function buildTyped(walk: Walk, schema: Schema, base: FieldBase, place: Place): Field {
  const types = typesOf(schema);
  const scalars = types.filter((type) => type === 'string' || type === 'number' || type === 'integer');
  if (scalars.length > 0 && scalars.length === types.length) return scalar(schema, scalars, base);
  if (types.length === 1 && types[0] === 'boolean') {
    return { ...base, kind: 'boolean', fallback: schema['default'] === true };
  }
  if (types.length === 1 && types[0] === 'array') return buildList(walk, schema, base, place);
  if (types.length === 1 && types[0] === 'object') return buildObject(walk, schema, base, place);
  return { ...base, kind: 'json', reason: 'unknownShape' };
}

function scalar(schema: Schema, types: readonly string[], base: FieldBase): Field {
  if (types.includes('number') || types.includes('integer')) {
    const least = numberOf(schema['exclusiveMinimum']);
    const most = numberOf(schema['exclusiveMaximum']);
    const integer = !types.includes('number');
    return {
      ...base,
      kind: 'number',
      integer,
      unit: textOf(schema['x-unit']),
      min: numberOf(schema['minimum']) ?? (least !== undefined && integer ? least + 1 : least),
      max: numberOf(schema['maximum']) ?? (most !== undefined && integer ? most - 1 : most),
      orText: types.includes('string'),
    };
  }
  const format = textOf(schema['format']) || textOf(schema['x-format']);
  return {
    ...base,
    kind: 'text',
    secret: schema['writeOnly'] === true,
    multiline: schema['x-multiline'] === true || format === 'multiline' || format === 'pem',
    format,
    maxLength: numberOf(schema['maxLength']),
  };
}

function buildList(walk: Walk, schema: Schema, base: FieldBase, place: Place): Field {
  if ('prefixItems' in schema) return { ...base, kind: 'json', reason: 'unknownShape' };
  const items: unknown = 'items' in schema ? schema['items'] : { type: 'string' };
  if (base.present && !Array.isArray(base.value)) return mistyped(base);
  const list = Array.isArray(base.value) ? (base.value as unknown[]) : [];
  return {
    ...base,
    kind: 'list',
    items: list.map((item, index) => build(walk, items, item, below(place, index, '', true, item !== undefined))),
    fresh: initialValue(walk.root, items),
    maxItems: numberOf(schema['maxItems']),
  };
}

function buildObject(walk: Walk, schema: Schema, base: FieldBase, place: Place, choice?: Choice): Field {
  if (base.present && !isPlainObject(base.value)) return mistyped(base);
  const value = objectOf(base.value);
  const properties = objectOf(schema['properties']);
  const names = Object.keys(properties);
  const open = openValues(schema);
  if (names.length === 0 && open !== undefined && choice === undefined) {
    return buildMap(walk, open, base, place, Object.keys(value));
  }
  const optional = !base.required;
  const shown = base.present || !optional;
  const required = strings(schema['required']);
  const fields = !shown
    ? []
    : names.map((name) => {
        const own = Object.hasOwn(value, name) ? value[name] : undefined;
        return build(walk, properties[name], own, below(place, name, name, required.includes(name), own !== undefined));
      });
  const extra = Object.keys(value).filter((name) => !Object.hasOwn(properties, name));
  const others =
    shown && open !== undefined
      ? buildMap(walk, open, { ...base, key: `${base.key}+`, label: '', description: '' }, place, extra)
      : undefined;
  return { ...base, kind: 'group', optional, fields: order(fields), choice, others };
}

/** Required first, else as the schema has it; the advanced ones keep their order too. */
function order(fields: readonly Field[]): readonly Field[] {
  return [...fields.filter((field) => field.required), ...fields.filter((field) => !field.required)];
}

/** The schema of values under names the schema does not list; undefined where it allows none. */
function openValues(schema: Schema): unknown {
  const additional = schema['additionalProperties'];
  if (isPlainObject(additional)) return additional;
  const patterns = Object.values(objectOf(schema['patternProperties']));
  if (patterns.length === 1) return patterns[0];
  // `true`, or nothing said at all about names: free text under free names.
  const unnamed = Object.keys(objectOf(schema['properties'])).length === 0;
  if (patterns.length === 0 && (additional === true || (additional === undefined && unnamed)))
    return { type: 'string' };
  return undefined;
}

function buildMap(walk: Walk, values: unknown, base: FieldBase, place: Place, names: readonly string[]): MapField {
  const value = objectOf(base.value);
  return {
    ...base,
    kind: 'map',
    entries: names.map((name) => {
      return { name, field: build(walk, values, value[name], below(place, name, '', true, true)) };
    }),
    fresh: initialValue(walk.root, values),
  };
}

interface Branch {
  /** As the schema wrote it. */
  readonly own: Schema;
  /** With what all branches share, less what only other branches speak of. */
  readonly form: Schema;
  /** Names that belong to other branches. */
  readonly foreign: ReadonlySet<string>;
}

/**
 * `oneOf` and `anyOf`. Branches often only say `required: ["url"]` over shared properties;
 * then the first name a branch requires is its mark, and the others do not show it.
 */
function buildUnion(walk: Walk, schema: Schema, given: readonly unknown[], base: FieldBase, place: Place): Field {
  const { oneOf: _oneOf, anyOf: _anyOf, ...shared } = schema;
  const found = given.map((branch) => resolve(walk.root, branch));
  const bad = found.find((branch) => branch.trouble !== '')?.trouble;
  if (bad !== undefined && bad !== '') return { ...base, kind: 'json', reason: bad };
  const owns = found.map((branch) => branch.schema).filter((own) => own['type'] !== 'null');
  if (owns.length === 1) return build(walk, merge(objectOf(owns[0]), shared), base.value, place);

  const branches = split(shared, owns);
  const types = branches.map((branch) => typesOf(branch.form));
  if (types.every((list) => list.length > 0 && list.every((type) => SCALARS.includes(type)))) {
    return scalar({ ...Object.assign({}, ...owns), ...shared } as Schema, [...new Set(types.flat())], base);
  }

  const hinted = walk.chosen.get(base.key);
  const selected =
    hinted !== undefined && branches[hinted] !== undefined && fit(walk.root, branches[hinted], base.value) !== undefined
      ? hinted
      : base.present || base.required
        ? bestFit(walk.root, branches, base.value)
        : -1;
  const choice: Choice = {
    selected,
    options: branches.map((branch, index) => ({
      label: textOf(branch.own['title']) || branchLabel(branch, index),
      description: textOf(branch.own['description']),
      start: startOf(walk.root, branch, base.value),
    })),
  };
  const active = branches[selected];
  if (types.every((list) => list.length === 1 && list[0] === 'object')) {
    const form = active?.form ?? without(shared, new Set(owns.flatMap(markOf)));
    return buildObject(
      walk,
      { ...form, additionalProperties: form['additionalProperties'] ?? false },
      base,
      place,
      choice,
    );
  }
  const inner: Place = { ...place, required: true, depth: place.depth + 1 };
  return { ...base, kind: 'oneOf', choice, body: active && build(walk, active.form, base.value, inner) };
}

const SCALARS: readonly string[] = ['string', 'number', 'integer'];

function split(shared: Schema, owns: readonly Schema[]): readonly Branch[] {
  return owns.map((own) => {
    const mine = new Set(spokenOf(own));
    const foreign = new Set(owns.flatMap(markOf).filter((name) => !mine.has(name)));
    return { own, foreign, form: without(merge(shared, own), foreign) };
  });
}

/**
 * Names that belong to a branch alone: those it defines, and the first that it requires. What
 * else it requires may be optional in the others (`addresses` with `listen`).
 */
function markOf(own: Schema): readonly string[] {
  return [...strings(own['required']).slice(0, 1), ...Object.keys(objectOf(own['properties']))];
}

/** Names a branch speaks of: what it defines and what it requires. */
function spokenOf(own: Schema): readonly string[] {
  return [...strings(own['required']), ...Object.keys(objectOf(own['properties']))];
}

function without(schema: Schema, names: ReadonlySet<string>): Schema {
  const properties = Object.entries(objectOf(schema['properties'])).filter(([name]) => !names.has(name));
  return { ...schema, type: schema['type'] ?? 'object', properties: Object.fromEntries(properties) };
}

/** How well a value fits a branch; undefined: a constant or the type says it does not. */
function fit(root: Schema, branch: Branch, value: unknown): number | undefined {
  if (value === undefined) return 0;
  const types = typesOf(branch.form);
  if (types.length > 0 && !types.some((type) => hasType(value, type))) return undefined;
  if (!isPlainObject(value)) return 1;
  let score = 0;
  for (const [name, given] of Object.entries(objectOf(branch.form['properties']))) {
    if (!Object.hasOwn(value, name)) continue;
    const { schema } = resolve(root, given);
    if ('const' in schema && !sameValue(schema['const'], value[name])) return undefined;
    if (Array.isArray(schema['enum']) && !schema['enum'].some((item) => sameValue(item, value[name]))) score -= 2;
  }
  for (const name of strings(branch.own['required'])) score += Object.hasOwn(value, name) ? 2 : -1;
  for (const name of Object.keys(value)) {
    if (Object.hasOwn(objectOf(branch.own['properties']), name)) score += 1;
    if (branch.foreign.has(name)) score -= 2;
  }
  return score;
}

/** The best branch; -1 where nothing speaks for any: the operator chooses. */
function bestFit(root: Schema, branches: readonly Branch[], value: unknown): number {
  let best = -1;
  let bestScore = -1;
  branches.forEach((branch, index) => {
    const score = fit(root, branch, value ?? {});
    if (score !== undefined && score > bestScore) [best, bestScore] = [index, score];
  });
  return best;
}

function hasType(value: unknown, type: string): boolean {
  if (type === 'array') return Array.isArray(value);
  if (type === 'object') return isPlainObject(value);
  if (type === 'integer') return Number.isInteger(value);
  return typeof value === type;
}

/** What choosing a branch makes of the value: what both know stays, constants and required groups are set. */
function startOf(root: Schema, branch: Branch, value: unknown): unknown {
  const fresh = initialValue(root, branch.form);
  if (!isPlainObject(fresh)) return fresh;
  const names = objectOf(branch.form['properties']);
  const kept = Object.entries(objectOf(value)).filter(
    ([name]) => !branch.foreign.has(name) && Object.hasOwn(names, name) && !Object.hasOwn(fresh, name),
  );
  const again = Object.entries(fresh).map(([name, start]): [string, unknown] => {
    const old = objectOf(value)[name];
    return [name, isPlainObject(start) && isPlainObject(old) ? old : start];
  });
  return Object.fromEntries([...kept, ...again]);
}

function branchLabel(branch: Branch, index: number): string {
  const constant = Object.values(objectOf(branch.own['properties'])).find(
    (given) => isPlainObject(given) && 'const' in given,
  );
  if (isPlainObject(constant)) return showValue(constant['const']);
  return strings(branch.own['required'])[0] ?? (typesOf(branch.own)[0] || String(index + 1));
}

/** A value to begin with: as little as the type allows; constants are set, defaults are not. */
export function initialValue(root: Schema, given: unknown, depth = 0): unknown {
  const { schema } = resolve(root, given);
  if ('const' in schema) return schema['const'];
  const types = typesOf(schema);
  if (types.includes('object') && !types.includes('string')) {
    const entries: [string, unknown][] = [];
    for (const name of strings(schema['required'])) {
      const own = objectOf(schema['properties'])[name];
      const found = resolve(root, own);
      if ('const' in found.schema) entries.push([name, found.schema['const']]);
      else if (depth < MAX_EMPTY_DEPTH && typesOf(found.schema)[0] === 'object') {
        entries.push([name, initialValue(root, own, depth + 1)]);
      }
    }
    return Object.fromEntries(entries);
  }
  if (types[0] === 'array') return [];
  if (types[0] === 'boolean') return false;
  return '';
}

function mistyped(base: FieldBase): Field {
  return { ...base, kind: 'json', reason: 'mistyped' };
}

function below(place: Place, part: string | number, name: string, required: boolean, present: boolean): Place {
  return {
    path: [...place.path, part],
    name,
    required,
    depth: place.depth + 1,
    empty: present ? 0 : place.empty + 1,
  };
}

function describe(schema: Schema, value: unknown, place: Place): FieldBase {
  const examples = Array.isArray(schema['examples']) ? (schema['examples'] as unknown[]) : [];
  return {
    path: place.path,
    key: pathKey(place.path),
    label: textOf(schema['title']) || words(place.name),
    name: place.name,
    description: textOf(schema['description']),
    required: place.required,
    advanced: schema['x-advanced'] === true && !place.required,
    deprecated: schema['deprecated'] === true,
    present: value !== undefined,
    value,
    placeholder: defaultText(schema),
    examples: examples.slice(0, 5).map(showValue),
  };
}

function defaultText(schema: Schema): string {
  if (!('default' in schema) || schema['writeOnly'] === true) return '';
  const text = showValue(schema['default']);
  // An empty list or group is what one sees anyhow.
  return text === '[]' || text === '{}' ? '' : text;
}

/** `maxSessions` → `Max sessions`: where the schema gives no title. */
export function words(name: string): string {
  const text = name
    .replace(/([a-z0-9])([A-Z])/g, '$1 $2')
    .replace(/[-_]+/g, ' ')
    .trim();
  if (text === '') return '';
  const lower = text
    .split(' ')
    .map((word) => (word.length > 1 && word === word.toUpperCase() ? word : word.toLowerCase()))
    .join(' ');
  return lower.charAt(0).toUpperCase() + lower.slice(1);
}

/** What a number field writes for what was typed: a number if it is one, else the text itself (a reference). */
export function parseNumber(text: string): number | string | undefined {
  const trimmed = text.trim();
  if (trimmed === '') return undefined;
  const value = Number(trimmed);
  return Number.isFinite(value) && /^[-+]?[\d.]+(e[-+]?\d+)?$/i.test(trimmed) ? value : trimmed;
}

/** Every field below and including this one, in the order of the screen. */
export function* eachField(field: Field): Generator<Field> {
  yield field;
  if (field.kind === 'group') {
    for (const inner of field.fields) yield* eachField(inner);
    if (field.others !== undefined) yield* eachField(field.others);
  } else if (field.kind === 'list') {
    for (const inner of field.items) yield* eachField(inner);
  } else if (field.kind === 'map') {
    for (const entry of field.entries) yield* eachField(entry.field);
  } else if (field.kind === 'oneOf' && field.body !== undefined) {
    yield* eachField(field.body);
  }
}
