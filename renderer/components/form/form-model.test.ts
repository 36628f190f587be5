import { describe, expect, it } from 'vitest';
import {
  buildForm,
  eachField,
  initialValue,
  parseNumber,
  words,
  type Field,
  type GroupField,
  type JsonField,
} from './form-model.ts';

function group(field: Field | undefined): GroupField {
  if (field?.kind !== 'group') throw new Error(`expected a group, got ${field?.kind}`);
  return field;
}

function at(form: Field, ...path: (string | number)[]): Field {
  for (const field of eachField(form)) if (JSON.stringify(field.path) === JSON.stringify(path)) return field;
  throw new Error(`no field at ${path.join('.')}`);
}

const object = (properties: Record<string, unknown>, more: Record<string, unknown> = {}) => ({
  type: 'object',
  properties,
  additionalProperties: false,
  ...more,
});

describe('fields by type', () => {
  const schema = object(
    {
      url: {
        type: 'string',
        title: 'Address',
        description: 'Where',
        format: 'uri',
        examples: ['amqp://a', 'amqp://b'],
      },
      rate: { type: 'integer', minimum: 1, maximum: 100_000, default: 1000, 'x-unit': 'messages/s' },
      ratio: { type: 'number', exclusiveMinimum: 0 },
      tls: { type: 'boolean', default: true },
      level: { enum: ['info', 'warn'], default: 'info' },
      password: { type: 'string', writeOnly: true, default: 'hunter2' },
      deep: { type: 'integer', 'x-advanced': true },
    },
    { required: ['url'] },
  );

  it('draws each with its label, limits, hints and default', () => {
    const form = buildForm(schema, { rate: 5 });
    expect(at(form, 'url')).toMatchObject({
      kind: 'text',
      label: 'Address',
      name: 'url',
      description: 'Where',
      required: true,
      present: false,
      examples: ['amqp://a', 'amqp://b'],
    });
    expect(at(form, 'rate')).toMatchObject({
      kind: 'number',
      integer: true,
      min: 1,
      max: 100_000,
      unit: 'messages/s',
      placeholder: '1000',
      present: true,
      value: 5,
    });
    expect(at(form, 'ratio')).toMatchObject({ kind: 'number', integer: false, min: 0 });
    expect(at(form, 'tls')).toMatchObject({ kind: 'boolean', fallback: true, present: false });
    expect(at(form, 'level')).toMatchObject({ kind: 'enum', selected: -1, placeholder: 'info' });
    expect(at(form, 'deep')).toMatchObject({ advanced: true });
  });

  it('never shows the default of a secret', () => {
    expect(at(buildForm(schema, {}), 'password')).toMatchObject({ kind: 'text', secret: true, placeholder: '' });
  });

  it('makes an enum of a union of constants, with their titles', () => {
    const form = buildForm(object({ mode: { anyOf: [{ const: 'a', title: 'Mode A' }, { const: 'b' }] } }), {
      mode: 'b',
    });
    expect(at(form, 'mode')).toMatchObject({
      kind: 'enum',
      selected: 1,
      options: [{ label: 'Mode A' }, { label: 'b' }],
    });
  });

  it('makes one field of a union of number and text', () => {
    const form = buildForm(object({ max: { anyOf: [{ type: 'integer' }, { type: 'string' }] } }), {});
    expect(at(form, 'max')).toMatchObject({ kind: 'number', orText: true });
  });

  it('takes null as absent', () => {
    const form = buildForm(
      object({ a: { type: ['string', 'null'] }, b: { oneOf: [{ type: 'integer' }, { type: 'null' }] } }),
      {},
    );
    expect(at(form, 'a').kind).toBe('text');
    expect(at(form, 'b').kind).toBe('number');
  });

  it('puts required fields first', () => {
    const form = group(buildForm(object({ a: { type: 'string' }, b: { type: 'string' } }, { required: ['b'] }), {}));
    expect(form.fields.map((field) => field.name)).toEqual(['b', 'a']);
  });

  it('has an empty form for a plugin without config', () => {
    expect(group(buildForm(undefined, undefined)).fields).toEqual([]);
  });
});

describe('groups, lists and maps', () => {
  it('shows an optional group only while it is there', () => {
    const schema = object({ tls: object({ ca: { type: 'string' } }) });
    expect(group(at(buildForm(schema, {}), 'tls'))).toMatchObject({ optional: true, present: false, fields: [] });
    expect(group(at(buildForm(schema, { tls: {} }), 'tls')).fields).toHaveLength(1);
  });

  it('shows a required group at once', () => {
    const schema = object({ listen: object({ port: { type: 'integer' } }) }, { required: ['listen'] });
    expect(at(buildForm(schema, {}), 'listen', 'port').kind).toBe('number');
  });

  it('has an element per list entry and knows what to append', () => {
    const schema = object({
      routes: {
        type: 'array',
        items: object({ kind: { const: 'x' }, to: { type: 'string' } }, { required: ['kind'] }),
      },
    });
    const form = buildForm(schema, { routes: [{ to: 'a' }, { to: 'b' }] });
    expect(at(form, 'routes', 1, 'to')).toMatchObject({ value: 'b' });
    expect(at(form, 'routes')).toMatchObject({ kind: 'list', fresh: { kind: 'x' } });
  });

  it('has an entry per key of a map, also beside named properties', () => {
    const labels = { type: 'object', additionalProperties: { type: 'integer' } };
    const form = buildForm(object({ labels }, { additionalProperties: { type: 'string' } }), {
      labels: { a: 1 },
      free: 'x',
    });
    expect(at(form, 'labels')).toMatchObject({ kind: 'map', entries: [{ name: 'a', field: { kind: 'number' } }] });
    expect(group(form).others).toMatchObject({ entries: [{ name: 'free', field: { kind: 'text' } }] });
  });

  it('keeps a value of another type visible instead of losing it', () => {
    const form = buildForm(object({ list: { type: 'array', items: { type: 'string' } } }), { list: 'oops' });
    expect(at(form, 'list')).toMatchObject({ kind: 'json', reason: 'mistyped', value: 'oops' });
  });
});

describe('choices', () => {
  const listen = object({ port: { type: 'integer' } });
  const schema = object(
    { listen, url: { type: 'string' }, addresses: { type: 'array', items: { type: 'string' } } },
    {
      oneOf: [
        { title: 'Listen', required: ['listen'] },
        { title: 'Connect', required: ['url', 'addresses'] },
      ],
    },
  );
  const names = (field: Field) => group(field).fields.map((inner) => inner.name);

  it('shows the fields of the branch the value is of, and those all share', () => {
    expect(names(buildForm(schema, { listen: { port: 1 } }))).toEqual(['listen', 'addresses']);
    expect(names(buildForm(schema, { url: 'x' }))).toEqual(['url', 'addresses']);
  });

  it('requires what only one branch requires, without hiding it from the others', () => {
    const required = (value: unknown) => at(buildForm(schema, value), 'addresses').required;
    expect(required({ listen: {} })).toBe(false);
    expect(required({ url: 'x' })).toBe(true);
  });

  it('waits for a choice where nothing tells', () => {
    const form = group(buildForm(schema, {}));
    expect(form.choice?.selected).toBe(-1);
    expect(names(form)).toEqual(['addresses']);
  });

  it('holds on to what was chosen while the value does not tell yet', () => {
    const form = group(buildForm(schema, {}, new Map([['[]', 1]])));
    expect(form.choice?.selected).toBe(1);
    expect(names(form)).toEqual(['url', 'addresses']);
  });

  it('starts a branch with what both know', () => {
    const form = group(buildForm(schema, { url: 'x', addresses: ['a'] }));
    expect(form.choice?.options[0]).toEqual({
      label: 'Listen',
      description: '',
      start: { addresses: ['a'], listen: {} },
    });
  });

  it('tells branches apart by their constant', () => {
    const auth = {
      oneOf: [
        object({ type: { const: 'none' } }, { required: ['type'] }),
        object({ type: { const: 'plain' }, user: { type: 'string' } }, { required: ['type', 'user'] }),
      ],
    };
    const form = buildForm(object({ auth }), { auth: { type: 'plain' } });
    expect(group(at(form, 'auth')).choice).toMatchObject({
      selected: 1,
      options: [
        { label: 'none', start: { type: 'none' } },
        { label: 'plain', start: { type: 'plain' } },
      ],
    });
    // A stale hint does not beat the constant.
    expect(
      group(at(buildForm(object({ auth }), { auth: { type: 'plain' } }, new Map([['["auth"]', 0]])), 'auth')).choice
        ?.selected,
    ).toBe(1);
  });

  it('chooses between types', () => {
    const form = buildForm(
      object({
        where: {
          oneOf: [
            { type: 'string', title: 'One' },
            { type: 'array', title: 'Many', items: { type: 'string' } },
          ],
        },
      }),
      { where: ['a'] },
    );
    const field = at(form, 'where');
    expect(field.kind === 'oneOf' || field.kind === 'list').toBe(true);
    const first = [...eachField(form)].find((inner) => inner.kind === 'oneOf');
    expect(first).toMatchObject({ choice: { selected: 1 }, body: { kind: 'list' } });
  });
});

describe('hostile schemas', () => {
  const json = (field: Field): JsonField => {
    if (field.kind !== 'json') throw new Error(`expected json, got ${field.kind}`);
    return field;
  };

  it('stops at references to themselves', () => {
    expect(json(buildForm({ $ref: '#' }, {})).reason).toBe('reference');
    const doubling = { $defs: { a: { allOf: [{ $ref: '#/$defs/a' }, { $ref: '#/$defs/a' }] } }, $ref: '#/$defs/a' };
    expect(json(buildForm(doubling, {})).reason).toBe('reference');
  });

  it('enters recursion only as far as there are values', () => {
    const tree = { type: 'object', properties: { child: { $ref: '#' } } };
    expect([...eachField(buildForm(tree, {}))]).toHaveLength(2);
    expect([...eachField(buildForm(tree, { child: { child: {} } }))]).toHaveLength(4);
  });

  it('stops at groups that require themselves', () => {
    const fields = [...eachField(buildForm({ type: 'object', properties: { a: { $ref: '#' } }, required: ['a'] }, {}))];
    expect(json(fields.at(-1) as Field).reason).toBe('tooDeep');
    expect(fields.length).toBeLessThan(20);
  });

  it('stays bounded with very many fields', () => {
    const properties = Object.fromEntries(
      Array.from({ length: 20_000 }, (_, index) => [`f${index}`, { type: 'string' }]),
    );
    const fields = group(buildForm(object(properties), {})).fields;
    expect(json(fields.at(-1) as Field).reason).toBe('tooMany');
  });

  it('takes a huge enum and keeps markup as text', () => {
    const options = Array.from({ length: 10_000 }, (_, index) => `v${index}`);
    const form = buildForm(object({ pick: { title: '<img src=x onerror=alert(1)>', enum: options } }), {
      pick: 'v9999',
    });
    expect(at(form, 'pick')).toMatchObject({ label: '<img src=x onerror=alert(1)>', selected: 9999 });
  });

  it.each([
    ['nothing', {}],
    ['two types', { type: ['object', 'boolean'] }],
    ['a tuple', { type: 'array', prefixItems: [{ type: 'string' }] }],
    ['an unknown type', { type: 'banana' }],
    ['a type that is a number', { type: 7 }],
  ])('offers JSON for %s', (_name, schema) => {
    expect(json(at(buildForm(object({ x: schema }), { x: 1 }), 'x')).reason).toBe('unknownShape');
  });

  it.each([[null], [5], ['text'], [[]], [false]])('survives %j for a schema', (schema) => {
    expect(json(at(buildForm(object({ x: schema }), {}), 'x')).reason).toBe('notASchema');
  });

  it('keeps __proto__ a plain key', () => {
    const schema = JSON.parse('{"type":"object","properties":{"__proto__":{"type":"string"}}}') as Record<
      string,
      unknown
    >;
    expect(at(buildForm(schema, {}), '__proto__')).toMatchObject({ kind: 'text', present: false });
    expect(({} as Record<string, unknown>)['polluted']).toBeUndefined();
  });

  it('follows pointers with escapes and gives up on foreign ones', () => {
    const schema = {
      $defs: { 'a/b': { type: 'boolean' } },
      type: 'object',
      properties: { x: { $ref: '#/$defs/a~1b' }, y: { $ref: 'http://evil/' }, z: { $ref: '#/%zz' } },
    };
    const form = buildForm(schema, {});
    expect(at(form, 'x').kind).toBe('boolean');
    expect(json(at(form, 'y')).reason).toBe('reference');
    expect(json(at(form, 'z')).reason).toBe('reference');
  });
});

describe('small parts', () => {
  it.each([
    ['5', 5],
    ['-1.5e3', -1500],
    ['${env:PORT}', '${env:PORT}'],
    ['12abc', '12abc'],
    ['0x10', '0x10'],
    ['Infinity', 'Infinity'],
    ['  ', undefined],
  ])('reads %j as %j', (text, value) => {
    expect(parseNumber(text)).toBe(value);
  });

  it('makes words of keys', () => {
    expect(words('maxSessions')).toBe('Max sessions');
    expect(words('host_name')).toBe('Host name');
    expect(words('hostURL')).toBe('Host URL');
  });

  it('begins with as little as possible', () => {
    expect(initialValue({}, { type: 'integer', default: 4 })).toBe('');
    expect(initialValue({}, object({ a: { type: 'string' } }))).toEqual({});
  });
});
