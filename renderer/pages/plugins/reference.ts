/** The config reference: a plugin's schema as the rows of a table. */
import { texts } from '../../app/texts.ts';
import {
  enumOptions,
  numberOf,
  objectOf,
  resolve,
  showValue,
  strings,
  textOf,
  typesOf,
  union,
  type Schema,
} from '../../components/form/schema.ts';

export interface ReferenceRow {
  /** `listen.port`, `addresses[]`, `labels.*`. */
  readonly name: string;
  readonly type: string;
  readonly fallback: string;
  readonly text: string;
  readonly required: boolean;
  readonly secret: boolean;
  readonly advanced: boolean;
  /** The branch of a choice it belongs to; empty: always. */
  readonly when: string;
}

const MAX_ROWS = 400;
const MAX_DEPTH = 6;

export function referenceRows(root: Schema | undefined): readonly ReferenceRow[] {
  const rows: ReferenceRow[] = [];
  if (root !== undefined) walk(root, root, '', '', 0, rows);
  return rows;
}

function walk(root: Schema, given: unknown, prefix: string, when: string, depth: number, rows: ReferenceRow[]): void {
  if (depth > MAX_DEPTH) return;
  const { schema, trouble } = resolve(root, given);
  if (trouble !== '') return;
  const required = strings(schema['required']);
  for (const [name, own] of Object.entries(objectOf(schema['properties']))) {
    if (rows.length >= MAX_ROWS) return;
    const found = resolve(root, own).schema;
    const full = prefix === '' ? name : `${prefix}.${name}`;
    if (!rows.some((row) => row.name === full && row.when === when))
      rows.push(rowOf(root, found, full, required.includes(name), when));
    walk(root, own, full, when, depth + 1, rows);
  }
  if ('items' in schema) walk(root, schema['items'], `${prefix}[]`, when, depth + 1, rows);
  const values = schema['additionalProperties'];
  if (typeof values === 'object' && values !== null) walk(root, values, `${prefix}.*`, when, depth + 1, rows);
  if (enumOptions(root, schema) !== undefined) return;
  for (const branch of union(schema) ?? []) {
    const title = textOf(resolve(root, branch).schema['title']);
    walk(root, branch, prefix, title === '' ? when : title, depth + 1, rows);
  }
}

function rowOf(root: Schema, schema: Schema, name: string, required: boolean, when: string): ReferenceRow {
  return {
    name,
    type: typeText(root, schema, 0),
    fallback: 'default' in schema && schema['writeOnly'] !== true ? showValue(schema['default']) : '',
    text: textOf(schema['description']) || textOf(schema['title']),
    required,
    secret: schema['writeOnly'] === true,
    advanced: schema['x-advanced'] === true,
    when,
  };
}

function typeText(root: Schema, schema: Schema, depth: number): string {
  const t = texts.plugins.reference;
  if (depth > 3) return t.any;
  if ('const' in schema) return showValue(schema['const']);
  const options = enumOptions(root, schema);
  if (options !== undefined) {
    const shown = options.slice(0, 12).map((option) => showValue(option.value));
    return `${shown.join(' | ')}${options.length > 12 ? ' | …' : ''}`;
  }
  const branches = union(schema);
  const types = typesOf(schema);
  if (branches !== undefined && types.length === 0) {
    return [...new Set(branches.map((branch) => typeText(root, resolve(root, branch).schema, depth + 1)))].join(' | ');
  }
  if (types[0] === 'array' && types.length === 1)
    return t.listOf(typeText(root, resolve(root, schema['items']).schema, depth + 1));
  const limits = rangeText(schema);
  const unit = textOf(schema['x-unit']);
  return [types.join(' | ') || t.any, limits, unit].filter(Boolean).join(', ');
}

function rangeText(schema: Schema): string {
  const min = numberOf(schema['minimum']) ?? numberOf(schema['exclusiveMinimum']);
  const max = numberOf(schema['maximum']) ?? numberOf(schema['exclusiveMaximum']);
  if (min !== undefined && max !== undefined) return texts.form.between(String(min), String(max));
  if (min !== undefined) return texts.form.atLeast(String(min));
  return max === undefined ? '' : texts.form.atMost(String(max));
}
