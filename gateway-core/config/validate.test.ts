import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer, type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { CodedError } from '../engine/error.ts';
import { select, type UsablePlugin } from '../catalog/select.ts';
import { resolved as resolvedPlugin } from '../catalog/select.ts';
import type { Contribution, JsonSchema } from '../plugin-api/manifest.ts';
import { checkInstance } from './check-instance.ts';
import { parseConfig } from './parse.ts';
import { probePort } from './port-probe.ts';
import { validateConfig, type PluginLookup, type ValidateOptions } from './validate.ts';

const listen = {
  type: 'object',
  'x-listen': 'tcp',
  required: ['port'],
  properties: { host: { type: 'string', default: '127.0.0.1' }, port: { type: 'integer', minimum: 0, maximum: 65535 } },
};

function plugin(version: string, contribution: Omit<Contribution, 'main'>): UsablePlugin {
  const whole = { main: './main.js', ...contribution };
  return {
    manifest: {
      manifestVersion: 1,
      name: contribution.name,
      version,
      apiVersion: '1',
      title: contribution.name,
      description: '',
      license: 'Apache-2.0',
      stability: 'stable',
      contributes: [whole],
    },
    contributions: [whole],
    origin: 'built-in',
    source: `/plugins/${contribution.name}`,
    root: `/plugins/${contribution.name}`,
    hash: 'built-in',
  };
}

const options: JsonSchema = {
  type: 'object',
  properties: {
    rate: { type: 'integer', minimum: 1, default: 10 },
    ratio: { type: 'number' },
    live: { type: 'boolean' },
    label: { type: 'string' },
    either: { anyOf: [{ type: 'integer' }, { type: 'string' }] },
    nested: { type: 'object', properties: { deep: { type: 'integer' } } },
    password: { type: 'string', writeOnly: true },
    url: { type: 'string', format: 'uri' },
  },
};

const plugins: UsablePlugin[] = [
  plugin('1.0.0', { kind: 'source', name: 'raw-in', produces: ['raw'], config: options }),
  plugin('1.3.0', { kind: 'source', name: 'raw-in', produces: ['raw'], config: options }),
  plugin('1.0.0', {
    kind: 'source',
    name: 'listener',
    produces: ['raw'],
    config: {
      type: 'object',
      properties: { listen, url: { type: 'string' } },
      oneOf: [{ required: ['listen'] }, { required: ['url'] }],
    },
  }),
  plugin('1.0.0', { kind: 'source', name: 'any-in', produces: ['*'] }),
  plugin('1.0.0', { kind: 'handler', name: 'decode', accepts: ['raw'], produces: ['metric:collectd/1'] }),
  plugin('1.0.0', { kind: 'handler', name: 'filter', accepts: ['*'], produces: ['same'] }),
  plugin('1.0.0', {
    kind: 'sink',
    name: 'metrics-out',
    accepts: ['metric'],
    custody: 'view',
    config: { type: 'object', properties: { host: { type: 'string' }, port: { type: 'integer', 'x-listen': 'tcp' } } },
  }),
  plugin('1.0.0', { kind: 'sink', name: 'other-metrics', accepts: ['metric:other/1'], custody: 'remote' }),
  plugin('1.0.0', { kind: 'sink', name: 'any-out', accepts: ['*'], custody: 'durable' }),
];

const catalogue: PluginLookup = {
  resolve: (kind, reference) => select(kind, reference, plugins, new Map()),
  list: () => plugins.flatMap((one) => one.contributions.map((contribution) => resolvedPlugin(one, contribution))),
};

let folder = '';
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'patchbay-config-'));
  await writeFile(join(folder, 'token'), 'from file\n');
  await writeFile(join(folder, 'large'), 'x'.repeat(2 ** 20 + 1));
  await writeFile(join(folder, 'binary'), Buffer.from([0xff, 0xfe, 0]));
});
afterAll(() => rm(folder, { recursive: true }));

function surroundings(more: Partial<ValidateOptions> = {}): ValidateOptions {
  return {
    catalogue,
    env: { RATE: '7', RATIO: '0.5', YES: 'true', WORD: 'word', NUMBER: '42', PORT: '7081', EMPTY: '' },
    folder,
    secrets: { get: (name) => Promise.resolve(name === 'es' ? 'hunter2' : undefined) },
    checkExpression: (text) =>
      text.includes('!!') ? { ok: false, message: 'unexpected !', at: text.indexOf('!!') } : { ok: true },
    ...more,
  };
}

async function check(
  text: string,
  more: Partial<ValidateOptions> = {},
): Promise<{ told: string[]; resolved: Awaited<ReturnType<typeof validateConfig>>['resolved']; messages: string[] }> {
  const { problems, resolved } = await validateConfig(parseConfig(text), surroundings(more));
  return {
    told: problems.map(
      ({ severity, code, line, column, path }) =>
        `${severity === 'warning' ? 'warning ' : ''}${code} ${line ?? '-'}:${column ?? '-'} ${path.join('.')}`,
    ),
    messages: problems.map((one) => one.message),
    resolved,
  };
}

const WHOLE = `version: 1
sources: { in: { plugin: raw-in } }
handlers: { decode: { plugin: decode }, keep: { plugin: filter, enabled: false } }
sinks: { out: { plugin: metrics-out } }
pipelines:
  main: { from: [in], through: [keep, decode], to: [out] }
settings: { control: { port: 0 } }
`;

test('a right config is resolved, with defaults', async () => {
  const { told, resolved } = await check(WHOLE);
  expect(told).toEqual([]);
  expect(resolved?.instances.get('in')).toMatchObject({
    kind: 'source',
    enabled: true,
    config: { rate: 10 },
    written: {},
    secrets: [],
    expectEveryMs: 0,
    plugin: { name: 'raw-in', version: '1.3.0' },
  });
  expect(resolved?.instances.get('keep')?.enabled).toBe(false);
  expect(resolved?.instances.get('out')?.buffer).toEqual({ kind: 'memory', maxBytes: 64 * 2 ** 20, whenFull: 'block' });
  expect(resolved?.pipelines.get('main')).toEqual({
    name: 'main',
    from: ['in'],
    where: '',
    through: ['keep', 'decode'],
    to: ['out'],
    delivery: 'at-least-once',
    enabled: true,
  });
  expect(resolved).toMatchObject({ project: 'default', control: { host: '127.0.0.1', port: 0 }, logLevel: 'info' });
});

test('the demo of the design resolves durations and sizes', async () => {
  const { resolved } = await check(
    WHOLE.replace('plugin: raw-in', 'plugin: "raw-in@~1.0", expect: { every: 30s }').replace(
      'plugin: metrics-out',
      'plugin: metrics-out, buffer: { kind: disk, max: 1GiB, whenFull: dropOldest }',
    ),
  );
  expect(resolved?.instances.get('in')).toMatchObject({ expectEveryMs: 30_000, plugin: { version: '1.0.0' } });
  expect(resolved?.instances.get('out')?.buffer).toEqual({ kind: 'disk', maxBytes: 2 ** 30, whenFull: 'dropOldest' });
});

test('what a peer confirms waits on disk unless the config says otherwise, the rest in memory', async () => {
  const { resolved } = await check(
    `version: 1
sources: { in: { plugin: raw-in } }
sinks: { far: { plugin: other-metrics, enabled: false }, near: { plugin: any-out }, held: { plugin: other-metrics, enabled: false, buffer: { kind: memory } } }
pipelines: { p: { from: [in], to: [near] } }
`,
  );
  const bufferOf = (name: string) => resolved?.instances.get(name)?.buffer;
  expect(bufferOf('far')).toEqual({ kind: 'disk', maxBytes: 2 ** 30, whenFull: 'block' });
  expect(bufferOf('near')).toEqual({ kind: 'memory', maxBytes: 64 * 2 ** 20, whenFull: 'block' });
  expect(bufferOf('held')).toEqual({ kind: 'memory', maxBytes: 64 * 2 ** 20, whenFull: 'block' });
});

test('a buffer that turns out to be memory is bounded as such', async () => {
  const { told } = await check(WHOLE.replace('plugin: metrics-out', 'plugin: metrics-out, buffer: { max: 2GiB }'));
  expect(told).toEqual([expect.stringMatching(/^PB_CONFIG_VALUE \d+:\d+ sinks\.out\.buffer\.max$/)]);
});

/** Replaces in `WHOLE`, then names what is told. */
const cases: [name: string, from: string, to: string, problems: string[]][] = [
  ['a missing plugin', 'plugin: raw-in', 'plugin: raw-on', ['PB_PLUGIN_MISSING 2:26 sources.in.plugin']],
  ['a plugin of another kind', 'plugin: raw-in', 'plugin: decode', ['PB_PLUGIN_MISSING 2:26 sources.in.plugin']],
  ['a version that is not there', 'plugin: raw-in', 'plugin: raw-in@^2', ['PB_PLUGIN_VERSION 2:26 sources.in.plugin']],
  ['a range that is none', 'plugin: raw-in', 'plugin: raw-in@hello', ['PB_PLUGIN_REFERENCE 2:26 sources.in.plugin']],
  [
    'a value out of range',
    'plugin: raw-in',
    'plugin: raw-in, config: { rate: 0 }',
    ['PB_CONFIG_VALUE 2:50 sources.in.config.rate'],
  ],
  [
    'a wrong type',
    'plugin: raw-in',
    'plugin: raw-in, config: { rate: fast }',
    ['PB_CONFIG_TYPE 2:50 sources.in.config.rate'],
  ],
  [
    'an unknown option',
    'plugin: raw-in',
    'plugin: raw-in, config: { rat: 1 }',
    ['PB_CONFIG_UNKNOWN_KEY 2:44 sources.in.config.rat'],
  ],
  [
    'an unknown option, deep inside',
    'plugin: raw-in',
    'plugin: raw-in, config: { nested: { dep: 1 } }',
    ['PB_CONFIG_UNKNOWN_KEY 2:54 sources.in.config.nested.dep'],
  ],
  [
    'an option of a plugin without any',
    'plugin: decode',
    'plugin: decode, config: { a: 1 }',
    ['PB_CONFIG_UNKNOWN_KEY 3:49 handlers.decode.config.a'],
  ],
  [
    'not a URL',
    'plugin: raw-in',
    'plugin: raw-in, config: { url: here }',
    ['PB_CONFIG_VALUE 2:49 sources.in.config.url'],
  ],
  ['none of two alternatives', 'plugin: raw-in', 'plugin: listener', ['PB_CONFIG_MISSING_KEY 2:12 sources.in.config']],
  [
    'both of two alternatives',
    'plugin: raw-in',
    'plugin: listener, config: { url: a, listen: { port: 0 } }',
    ['PB_CONFIG_VALUE 2:44 sources.in.config'],
  ],
  [
    'an unknown source',
    'from: [in]',
    'from: [inn]',
    ['warning PB_CONFIG_UNUSED 2:12 sources.in', 'PB_CONFIG_UNKNOWN_INSTANCE 6:18 pipelines.main.from.0'],
  ],
  ['a sink under from', 'from: [in]', 'from: [in, out]', ['PB_CONFIG_WRONG_KIND 6:22 pipelines.main.from.1']],
  [
    'the same name twice',
    'decode: { plugin: decode }',
    'in: { plugin: decode }',
    ['PB_CONFIG_DUPLICATE_NAME 3:13 handlers.in', 'PB_CONFIG_UNKNOWN_INSTANCE 6:39 pipelines.main.through.1'],
  ],
  [
    'an edge that does not fit',
    'through: [keep, decode]',
    'through: [keep]',
    ['warning PB_CONFIG_UNUSED 3:13 handlers.decode', 'PB_CONFIG_EDGE 6:45 pipelines.main.to.0'],
  ],
  [
    'an edge of another format',
    'plugin: metrics-out',
    'plugin: other-metrics',
    ['PB_CONFIG_EDGE 6:53 pipelines.main.to.0'],
  ],
  [
    'an edge into a handler',
    'keep: { plugin: filter, enabled: false }',
    'keep: { plugin: decode }',
    ['PB_CONFIG_EDGE 6:39 pipelines.main.through.1'],
  ],
  ['a bad condition', 'from: [in]', "from: [in], where: 'a !! b'", ['PB_CONFIG_EXPRESSION 6:30 pipelines.main.where']],
  [
    'an unset variable',
    'plugin: raw-in',
    'plugin: raw-in, config: { rate: "${env:NOPE}" }',
    ['PB_CONFIG_ENV 2:50 sources.in.config.rate'],
  ],
  [
    'a variable named like a method',
    'plugin: raw-in',
    'plugin: raw-in, config: { label: "${env:toString}" }',
    ['PB_CONFIG_ENV 2:51 sources.in.config.label'],
  ],
  [
    'a variable that is no number',
    'plugin: raw-in',
    'plugin: raw-in, config: { rate: "${env:WORD}" }',
    ['PB_CONFIG_REFERENCE_VALUE 2:50 sources.in.config.rate'],
  ],
  [
    'a variable out of range',
    'plugin: raw-in',
    'plugin: raw-in, config: { rate: "-${env:RATE}" }',
    ['PB_CONFIG_TYPE 2:50 sources.in.config.rate'],
  ],
  [
    'a missing file',
    'plugin: raw-in',
    'plugin: raw-in, config: { label: "${file:nope}" }',
    ['PB_CONFIG_FILE 2:51 sources.in.config.label'],
  ],
  [
    'a folder as a file',
    'plugin: raw-in',
    'plugin: raw-in, config: { label: "${file:.}" }',
    ['PB_CONFIG_FILE 2:51 sources.in.config.label'],
  ],
  [
    'a large file',
    'plugin: raw-in',
    'plugin: raw-in, config: { label: "${file:large}" }',
    ['PB_CONFIG_FILE 2:51 sources.in.config.label'],
  ],
  [
    'a file that is no text',
    'plugin: raw-in',
    'plugin: raw-in, config: { label: "${file:binary}" }',
    ['PB_CONFIG_FILE 2:51 sources.in.config.label'],
  ],
  [
    'a missing secret',
    'plugin: raw-in',
    'plugin: raw-in, config: { password: "${secret:no}" }',
    ['PB_CONFIG_SECRET 2:54 sources.in.config.password'],
  ],
  [
    'a reference of no kind',
    'plugin: raw-in',
    'plugin: raw-in, config: { label: "${HOME}" }',
    ['PB_CONFIG_REFERENCE 2:51 sources.in.config.label'],
  ],
  [
    'an unclosed reference',
    'plugin: raw-in',
    'plugin: raw-in, config: { label: "${env:A" }',
    ['PB_CONFIG_REFERENCE 2:51 sources.in.config.label'],
  ],
  [
    'an unset variable of what is off',
    'plugin: raw-in',
    'plugin: raw-in, enabled: false, config: { label: "${env:NOPE}" }',
    ['warning PB_CONFIG_ENV 2:67 sources.in.config.label'],
  ],
  ['an unset variable in settings', 'port: 0', 'port: "${env:NOPE}"', ['PB_CONFIG_ENV 7:30 settings.control.port']],
  [
    'a variable in settings that is no port',
    'port: 0',
    'port: "${env:WORD}"',
    ['PB_CONFIG_REFERENCE_VALUE 7:30 settings.control.port'],
  ],
  ['the control address used twice', 'port: 0 }', 'port: 9000 }', []],
];

test.each(cases)('%s', async (_name, from, to, problems) => {
  expect(WHOLE).toContain(from);
  const { told, resolved } = await check(WHOLE.replace(from, to));
  expect(told).toEqual(problems);
  expect(resolved === undefined).toBe(problems.some((one) => !one.startsWith('warning')));
});

test('everything is reported at once, in file order, faults of form too', async () => {
  const { told } = await check(`version: 1
pipelines:
  p: { from: [a, nope], to: [z] }
sinks:
  z: { plugin: metrics-outt }
  y: { plugin: any-out, enabeld: true }
sources:
  a: { plugin: raw-in, config: { rate: x } }
`);
  expect(told).toEqual([
    'PB_CONFIG_UNKNOWN_INSTANCE 3:18 pipelines.p.from.1',
    'PB_PLUGIN_MISSING 5:16 sinks.z.plugin',
    'warning PB_CONFIG_UNUSED 6:3 sinks.y',
    'PB_CONFIG_UNKNOWN_KEY 6:25 sinks.y.enabeld',
    'PB_CONFIG_TYPE 8:40 sources.a.config.rate',
  ]);
});

describe('edges', () => {
  test('name both ends and what would fit', async () => {
    const text = WHOLE.replace('through: [keep, decode]', 'through: [keep]');
    const { problems } = await validateConfig(parseConfig(text), surroundings());
    const edge = problems.find((one) => one.code === 'PB_CONFIG_EDGE');
    expect(edge?.message).toBe("'keep' gives raw, which 'out' does not take: it takes metric");
    expect(edge?.remedy).toContain('decode');
  });

  test('anything fits anything, and metrics of a format are metrics', async () => {
    for (const [source, sink] of [
      ['any-in', 'metrics-out'],
      ['raw-in', 'any-out'],
    ]) {
      const { told } = await check(
        `version: 1\nsources: { a: { plugin: ${source ?? ''} } }\nsinks: { b: { plugin: ${sink ?? ''} } }\npipelines: { p: { from: [a], to: [b] } }\n`,
      );
      expect(told).toEqual([]);
    }
  });
});

describe('references', () => {
  const config = async (written: string): Promise<unknown> => {
    const { told, resolved } = await check(WHOLE.replace('plugin: raw-in', () => `plugin: raw-in, config: ${written}`));
    expect(told).toEqual([]);
    return resolved?.instances.get('in')?.config;
  };

  test('are read as what the field is', async () => {
    expect(
      await config(
        '{ rate: "${env:RATE}", ratio: "${env:RATIO}", live: "${env:YES}", label: "${env:NUMBER}", either: "${env:NUMBER}" }',
      ),
    ).toEqual({
      rate: 7,
      ratio: 0.5,
      live: true,
      label: '42',
      either: '42',
    });
  });

  test('may be parts of a text, and $${ is none', async () => {
    expect(await config('{ label: "a ${env:WORD} $${env:WORD} $ ${file:token}." }')).toMatchObject({
      label: 'a word ${env:WORD} $ from file.',
    });
    expect(await config('{ label: "${env:EMPTY}" }')).toMatchObject({ label: '' });
  });

  test('secrets are resolved, collected, and stay references in what was written', async () => {
    const { resolved } = await check(
      WHOLE.replace('plugin: raw-in', 'plugin: raw-in, config: { label: "Bearer ${secret:es}", password: plain }'),
    );
    const instance = resolved?.instances.get('in');
    expect(instance?.config).toMatchObject({ label: 'Bearer hunter2', password: 'plain' });
    expect(instance?.written).toEqual({ label: 'Bearer ${secret:es}', password: 'plain' });
    expect([...(instance?.secrets ?? [])].sort()).toEqual(['hunter2', 'plain']);
  });

  test('a store that cannot be read says so at the place', async () => {
    const text = WHOLE.replace('plugin: raw-in', 'plugin: raw-in, config: { password: "${secret:es}" }');
    const broken = new CodedError('PB_SECRETS_UNREADABLE', { file: 'secrets' });
    const { told } = await check(text, { secrets: { get: () => Promise.reject(broken) } });
    expect(told).toEqual(['PB_SECRETS_UNREADABLE 2:54 sources.in.config.password']);
  });

  test('settings take them too', async () => {
    const { resolved } = await check(WHOLE.replace('port: 0', 'port: "${env:PORT}"'));
    expect(resolved?.control.port).toBe(7081);
  });

  test('no secret is in a problem', async () => {
    const text = WHOLE.replace(
      'plugin: raw-in',
      'plugin: raw-in, config: { rate: "${secret:es}", url: "${secret:es}", live: "${secret:es}" }',
    );
    const { told, messages } = await check(text);
    expect(told).toHaveLength(3);
    expect(messages.join()).not.toContain('hunter2');
  });
});

describe('ports', () => {
  const two = (first: string, second: string, control = '{ port: 0 }'): string => `version: 1
settings: { control: ${control} }
sources: { a: { plugin: listener, config: { listen: ${first} } } }
sinks: { b: { plugin: metrics-out, config: ${second} } }
handlers: { d: { plugin: decode } }
pipelines: { p: { from: [a], through: [d], to: [b] } }
`;
  const clash: [name: string, text: string, problems: string[]][] = [
    [
      'the same',
      two('{ port: 80 }', '{ host: 127.0.0.1, port: 80 }'),
      ['PB_CONFIG_PORT_CLASH 4:69 sinks.b.config.port'],
    ],
    ['another port', two('{ port: 80 }', '{ host: 127.0.0.1, port: 81 }'), []],
    ['another address', two('{ port: 80 }', '{ host: 127.0.0.2, port: 80 }'), []],
    [
      'every address',
      two('{ port: 80, host: 0.0.0.0 }', '{ host: 127.0.0.2, port: 80 }'),
      ['PB_CONFIG_PORT_CLASH 4:69 sinks.b.config.port'],
    ],
    [
      'every address, IPv6',
      two('{ port: 80, host: "::" }', '{ host: 127.0.0.2, port: 80 }'),
      ['PB_CONFIG_PORT_CLASH 4:69 sinks.b.config.port'],
    ],
    [
      'localhost',
      two('{ port: 80 }', '{ host: localhost, port: 80 }'),
      ['PB_CONFIG_PORT_CLASH 4:69 sinks.b.config.port'],
    ],
    ['any free port', two('{ port: 0 }', '{ host: 127.0.0.1, port: 0 }'), []],
    [
      'the control address',
      two('{ port: 7080 }', '{ port: 1 }', '{}'),
      ['PB_CONFIG_PORT_CLASH 3:61 sources.a.config.listen.port'],
    ],
  ];
  test.each(clash)('%s', async (_name, text, problems) => {
    expect((await check(text)).told).toEqual(problems);
  });

  test('what is off holds no port', async () => {
    const text = two('{ port: 80 }', '{ host: 127.0.0.1, port: 80 }').replace(
      'plugin: listener',
      'plugin: listener, enabled: false',
    );
    expect((await check(text)).told).toEqual([]);
  });

  test('a port that another program holds is found by the probe', async () => {
    const server = createServer();
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const { port } = server.address() as AddressInfo;
    const text = two(`{ port: ${port} }`, '{ host: 127.0.0.1, port: 0 }');
    const taken = await check(text, { portProbe: probePort });
    expect(taken.told).toEqual(['PB_CONFIG_PORT_TAKEN 3:61 sources.a.config.listen.port']);
    expect(taken.messages[0]).toContain('something listens there already');
    await new Promise((resolve) => server.close(resolve));
    expect((await check(text, { portProbe: probePort })).told).toEqual([]);
  });
});

describe('one instance, as it is typed', () => {
  const typed = async (plugin: string, config: unknown, kind: 'source' | 'sink' = 'source') => {
    const running = (
      await check(WHOLE.replace('plugin: metrics-out', 'plugin: metrics-out, config: { host: 127.0.0.1, port: 80 }'))
    ).resolved;
    const problems = await checkInstance({ kind, plugin, instance: 'new', config }, { ...surroundings(), running });
    return problems.map(({ code, path }) => `${code} ${path.join('.')}`);
  };

  test.each<[string, string, unknown, string[]]>([
    ['right', 'raw-in', { rate: 3 }, []],
    ['without config', 'raw-in', undefined, []],
    [
      'a wrong value',
      'raw-in',
      { rate: 0, nested: { deep: 'x' } },
      ['PB_CONFIG_VALUE sources.new.config.rate', 'PB_CONFIG_TYPE sources.new.config.nested.deep'],
    ],
    ['not a map', 'raw-in', [1], ['PB_CONFIG_TYPE sources.new.config']],
    ['a missing secret', 'raw-in', { password: '${secret:no}' }, ['PB_CONFIG_SECRET sources.new.config.password']],
    ['a missing plugin', 'nope', {}, ['PB_PLUGIN_MISSING sources.new.plugin']],
    [
      'a port that is in use here',
      'listener',
      { listen: { port: 80 } },
      ['PB_CONFIG_PORT_CLASH sources.new.config.listen.port'],
    ],
    ['a free port', 'listener', { listen: { port: 81 } }, []],
  ])('%s', async (_name, plugin, config, problems) => {
    expect(await typed(plugin, config)).toEqual(problems);
  });
});
