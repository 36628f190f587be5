/** Options of a JSON Schema as a Markdown table: one row per key, nested ones by their path. */

type Schema = Readonly<Record<string, unknown>>;

function isSchema(value: unknown): value is Schema {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** Text inside of a table cell. */
export function cell(text: string): string {
  return text.replaceAll('|', '\\|').replaceAll(/\s*\n\s*/g, ' ');
}

const code = (value: unknown): string => `\`${cell(typeof value === 'string' ? value : JSON.stringify(value))}\``;

function typeOf(schema: Schema): string {
  if ('const' in schema) return code(schema.const);
  if (Array.isArray(schema.enum)) return schema.enum.map(code).join(', ');
  const alternatives = schema.oneOf ?? schema.anyOf;
  if (schema.type === undefined && Array.isArray(alternatives)) {
    return [...new Set(alternatives.filter(isSchema).map(typeOf))].join(' or ');
  }
  if (schema.format === 'patchbay-duration') return 'duration';
  if (schema.format === 'patchbay-size') return 'size';
  const words: Record<string, string> = {
    string: schema.format === 'uri' ? 'URL' : 'text',
    integer: 'whole number',
    number: 'number',
    boolean: 'true or false',
    array: 'list',
    object: 'map',
    null: 'nothing',
  };
  const types = [schema.type].flat().map((type) => words[String(type)] ?? 'any');
  if (schema.type === 'array' && isSchema(schema.items)) return `list of ${typeOf(schema.items)}`;
  return types.join(' or ');
}

function limits(schema: Schema): string {
  const unit = typeof schema['x-unit'] === 'string' ? ` ${schema['x-unit']}` : '';
  const { minimum, maximum } = schema;
  if (typeof minimum === 'number' && typeof maximum === 'number') return `, ${minimum} to ${maximum}${unit}`;
  if (typeof minimum === 'number') return `, ${minimum} or more${unit}`;
  if (typeof maximum === 'number') return `, at most ${maximum}${unit}`;
  return unit === '' ? '' : `, in${unit}`;
}

interface Row {
  readonly key: string;
  readonly schema: Schema;
  readonly required: boolean;
}

function rows(schema: Schema, prefix: string, into: Row[]): Row[] {
  const required = Array.isArray(schema.required) ? schema.required : [];
  const properties = isSchema(schema.properties) ? schema.properties : {};
  for (const [name, value] of Object.entries(properties)) {
    if (!isSchema(value)) continue;
    const key = prefix === '' ? name : `${prefix}.${name}`;
    into.push({ key, schema: value, required: required.includes(name) });
    nested(value, key, into);
  }
  return into;
}

function nested(schema: Schema, key: string, into: Row[]): void {
  rows(schema, key, into);
  if (isSchema(schema.items)) nested(schema.items, `${key}[]`, into);
  if (isSchema(schema.additionalProperties)) nested(schema.additionalProperties, `${key}.NAME`, into);
}

function meaning({ schema, required }: Row): string {
  const parts: string[] = [];
  if (required) parts.push('**Required.**');
  if (typeof schema.description === 'string') parts.push(cell(schema.description));
  if (schema.writeOnly === true) parts.push('A secret: write it as `${secret:NAME}`.');
  if (Array.isArray(schema.examples) && schema.examples.length > 0) parts.push(`Example: ${code(schema.examples[0])}.`);
  return parts.join(' ');
}

/** The table, or a line that says that there are no options. */
export function schemaTable(schema: Schema): string {
  const all = rows(schema, '', []);
  if (all.length === 0) return 'No options.\n';
  const lines = all.map((row) => {
    const preset = 'default' in row.schema ? code(row.schema.default) : '';
    return `| \`${row.key}\` | ${typeOf(row.schema)}${limits(row.schema)} | ${preset} | ${meaning(row)} |`;
  });
  return ['| key | type | default | meaning |', '| --- | --- | --- | --- |', ...lines, ''].join('\n');
}

/** Alternatives at the root, such as "listen or url". */
export function alternatives(schema: Schema): string {
  const list = schema.oneOf ?? schema.anyOf;
  if (!Array.isArray(list)) return '';
  const lines = list.filter(isSchema).flatMap((branch) => {
    const keys = Array.isArray(branch.required) ? branch.required.map(code).join(', ') : '';
    if (keys === '') return [];
    const title = typeof branch.title === 'string' ? `${branch.title}: ` : '';
    const text = typeof branch.description === 'string' ? ` ${branch.description}` : '';
    return [`- ${title}${keys}.${text}`];
  });
  return lines.length === 0
    ? ''
    : `${schema.oneOf === undefined ? 'At least one of' : 'One of'}:\n\n${lines.join('\n')}\n\n`;
}
