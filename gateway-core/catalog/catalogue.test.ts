import { chmod, cp, mkdir, mkdtemp, readFile, rename, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { compileSchema } from '../config/schema-check.ts';
import { CodedError } from '../engine/error.ts';
import { openCatalogue, type Catalogue, type CatalogueOptions } from './catalogue.ts';

let root = '';
const open = new Set<Catalogue>();

beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'patchbay-catalogue-'));
  for (const folder of ['built-in', 'user', 'cache']) await mkdir(join(root, folder));
});
afterEach(async () => {
  for (const catalogue of open) await catalogue.close();
  open.clear();
  await rm(root, { recursive: true, force: true });
});

function manifest(name: string, more: Record<string, unknown> = {}): Record<string, unknown> {
  return {
    manifestVersion: 1,
    name,
    version: '1.0.0',
    apiVersion: '1',
    title: name,
    description: 'A test',
    license: 'Apache-2.0',
    stability: 'stable',
    contributes: [
      { kind: 'source', name, main: './source.js', produces: ['raw'], config: { $ref: './source.schema.json' } },
    ],
    ...more,
  };
}

const SCHEMA = { type: 'object', properties: { rate: { type: 'integer', default: 1 } } };

/** Writes a plugin folder; `files` add to or replace those of a right one. */
async function put(
  place: string,
  name: string,
  more: Record<string, unknown> = {},
  files: Record<string, string | undefined> = {},
): Promise<string> {
  const folder = join(root, place);
  const all: Record<string, string | undefined> = {
    'source.js': 'export default 1;\n',
    'source.schema.json': JSON.stringify(SCHEMA),
    'lib/part.js': 'export const part = 1;\n',
    ...files,
    // Last, as a careful copier would.
    'plugin.json': files['plugin.json'] ?? JSON.stringify(manifest(name, more)),
  };
  for (const [path, text] of Object.entries(all)) {
    if (text === undefined) continue;
    await mkdir(dirname(join(folder, path)), { recursive: true });
    await writeFile(join(folder, path), text);
  }
  return folder;
}

async function openAll(more: Partial<CatalogueOptions> = {}): Promise<Catalogue> {
  const catalogue = await openCatalogue({
    builtInFolder: join(root, 'built-in'),
    userFolder: join(root, 'user'),
    cacheFolder: join(root, 'cache'),
    debounceMs: 20,
    settleMs: 50,
    rescanMs: 200,
    ...more,
  });
  open.add(catalogue);
  return catalogue;
}

function code(act: () => unknown): string {
  try {
    act();
  } catch (error) {
    if (error instanceof CodedError) return error.code;
    throw error;
  }
  return 'none';
}

/** Waits for the condition; fails after five seconds. */
async function until(condition: () => boolean | Promise<boolean>, what: string): Promise<void> {
  const end = Date.now() + 5000;
  while (!(await condition())) {
    if (Date.now() > end) throw new Error(`not within 5 s: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}

describe('the built-in plugins', () => {
  test('are all right, and every schema compiles', async () => {
    const builtInFolder = fileURLToPath(new URL('../../plugins/', import.meta.url));
    const catalogue = await openAll({ builtInFolder });
    expect(catalogue.entries().filter((one) => one.problem !== undefined)).toEqual([]);
    expect(catalogue.list().length).toBeGreaterThan(0);
    for (const { contribution } of catalogue.list()) {
      if (contribution.config !== undefined) expect(() => compileSchema(contribution.config ?? {})).not.toThrow();
    }
  });

  test('run in place; those of the user from a copy', async () => {
    await put('built-in/a', 'a');
    await put('user/b', 'b');
    const catalogue = await openAll();
    expect(catalogue.resolve('source', 'a')).toMatchObject({
      origin: 'built-in',
      hash: 'built-in',
      root: join(root, 'built-in/a'),
    });
    const b = catalogue.resolve('source', 'b');
    expect(b).toMatchObject({
      origin: 'user',
      root: join(root, 'cache', b.hash),
      moduleUrl: `file://${join(root, 'cache', b.hash, 'source.js')}`,
    });
    expect(b.contribution.config).toEqual(SCHEMA);
    expect(await readFile(join(b.root, 'lib/part.js'), 'utf8')).toBe('export const part = 1;\n');
  });
});

describe('which one is meant', () => {
  test.each<[reference: string, kind: 'source' | 'sink', expected: string]>([
    ['a', 'source', '2.0.0 user'],
    ['a@^1', 'source', '1.5.0 built-in'],
    ['a@1.0.0', 'source', '1.0.0 user'],
    ['a@>=1 <1.2', 'source', '1.0.0 user'],
    ['a@^3', 'source', 'PB_PLUGIN_VERSION'],
    ['a@', 'source', 'PB_PLUGIN_REFERENCE'],
    ['a@x y z', 'source', 'PB_PLUGIN_REFERENCE'],
    ['', 'source', 'PB_PLUGIN_REFERENCE'],
    ['b', 'source', 'PB_PLUGIN_MISSING'],
    ['a', 'sink', 'PB_PLUGIN_MISSING'],
    ['__proto__', 'source', 'PB_PLUGIN_MISSING'],
    ['../a', 'source', 'PB_PLUGIN_MISSING'],
  ])('%s as a %s: %s', async (reference, kind, expected) => {
    await put('built-in/a', 'a', { version: '1.5.0' });
    await put('user/a-old', 'a');
    await put('user/a-new', 'a', { version: '2.0.0' });
    const catalogue = await openAll();
    let found = '';
    const failed = code(() => {
      const plugin = catalogue.resolve(kind, reference);
      found = `${plugin.version} ${plugin.origin}`;
    });
    expect(failed === 'none' ? found : failed).toBe(expected);
  });

  test('a plugin may have a source and a sink of one name', async () => {
    const contributes = [
      { kind: 'source', name: 'q', main: './source.js' },
      { kind: 'sink', name: 'q', main: './lib/part.js', custody: 'remote' },
      { kind: 'sink', name: 'q-fast', main: './source.js', custody: 'remote' },
    ];
    await put('user/q', 'q', { contributes });
    const catalogue = await openAll();
    expect(catalogue.resolve('source', 'q').moduleUrl).toMatch(/source\.js$/);
    expect(catalogue.resolve('sink', 'q').moduleUrl).toMatch(/part\.js$/);
    expect(catalogue.resolve('sink', 'q-fast').moduleUrl).toMatch(/source\.js$/);
  });

  test('a plugin of that name goes before another that contributes the name', async () => {
    await put('built-in/a', 'a');
    await put('user/evil', 'evil', {
      version: '9.0.0',
      contributes: [{ kind: 'source', name: 'a', main: './source.js' }],
    });
    expect((await openAll()).resolve('source', 'a').name).toBe('a');
  });

  test('a higher version of the user goes before a built-in, and the entry says where it is from', async () => {
    await put('built-in/a', 'a');
    await put('user/a', 'a', { version: '1.0.1' });
    expect((await openAll()).entries()).toMatchObject([
      { name: 'a', version: '1.0.1', origin: 'user', folder: join(root, 'user/a'), versions: ['1.0.0'] },
    ]);
  });

  test('the nearest name is suggested', async () => {
    await put('built-in/a', 'generator');
    const catalogue = await openAll();
    expect(() => catalogue.resolve('source', 'genrator')).toThrow("; did you mean 'generator'?");
    expect(() => catalogue.resolve('sink', 'generator')).toThrow("; 'generator' is a source");
  });
});

describe('a folder that cannot be used is an entry with its reason', () => {
  const deep = `${'{"a":'.repeat(100)}1${'}'.repeat(100)}`;
  const faults: [
    name: string,
    more: Record<string, unknown>,
    files: Record<string, string | undefined>,
    code: string,
    message: RegExp,
  ][] = [
    ['no JSON', {}, { 'plugin.json': '{' }, 'PB_PLUGIN_MANIFEST', /not JSON/],
    ['a list', {}, { 'plugin.json': '[]' }, 'PB_PLUGIN_MANIFEST', /a map, but is a list/],
    [
      'a huge manifest',
      {},
      { 'plugin.json': `{"x":"${'y'.repeat(300_000)}"}` },
      'PB_PLUGIN_MANIFEST',
      /at most 256 KiB/,
    ],
    ['a deep manifest', {}, { 'plugin.json': deep }, 'PB_PLUGIN_MANIFEST', /nested deeper/],
    ['an unknown key', { contributs: [] }, {}, 'PB_PLUGIN_MANIFEST', /did you mean 'contributes'/],
    ['a missing key', { license: undefined }, {}, 'PB_PLUGIN_MANIFEST', /needs the key 'license'/],
    ['a name for a path', { name: '../../x' }, {}, 'PB_PLUGIN_MANIFEST', /'name'/],
    ['a version that is none', { version: '1.0' }, {}, 'PB_PLUGIN_MANIFEST', /semantic version/],
    ['another generation', { apiVersion: '2' }, {}, 'PB_PLUGIN_INCOMPATIBLE', /plugin interface 2/],
    [
      'a newer manifest',
      { manifestVersion: 2, contributes: 'else' },
      {},
      'PB_PLUGIN_INCOMPATIBLE',
      /manifest version 2/,
    ],
    [
      'the same twice',
      { contributes: [1, 2].map(() => ({ kind: 'source', name: 'a', main: './source.js' })) },
      {},
      'PB_PLUGIN_MANIFEST',
      /twice/,
    ],
    [
      'a sink without custody',
      { contributes: [{ kind: 'sink', name: 'a', main: './source.js' }] },
      {},
      'PB_PLUGIN_MANIFEST',
      /custody/,
    ],
    [
      'a strange edge',
      { contributes: [{ kind: 'source', name: 'a', main: './source.js', produces: ['metrics'] }] },
      {},
      'PB_PLUGIN_MANIFEST',
      /produces/,
    ],
    ['no module', {}, { 'source.js': undefined }, 'PB_PLUGIN_MODULE', /\.\/source\.js/],
    [
      'a module outside',
      { contributes: [{ kind: 'source', name: 'a', main: './../../outside.js' }] },
      {},
      'PB_PLUGIN_MODULE',
      /outside/,
    ],
    ['no schema', {}, { 'source.schema.json': undefined }, 'PB_PLUGIN_SCHEMA', /does not exist/],
    [
      'a schema that is none',
      {},
      { 'source.schema.json': '{"type": "nonsense"}' },
      'PB_PLUGIN_SCHEMA',
      /schema is invalid/,
    ],
    [
      'a schema of references outside',
      {},
      { 'source.schema.json': '{"$ref": "https://example.org/x"}' },
      'PB_PLUGIN_SCHEMA',
      /leads out/,
    ],
    ['a deep schema', {}, { 'source.schema.json': deep }, 'PB_PLUGIN_SCHEMA', /nested deeper/],
    [
      'a schema outside',
      { contributes: [{ kind: 'source', name: 'a', main: './source.js', config: { $ref: './../x.json' } }] },
      {},
      'PB_PLUGIN_SCHEMA',
      /a file of the plugin/,
    ],
    [
      'a program',
      { command: ['./a'], protocol: 'go-plugin', contributes: [{ kind: 'executor', name: 'a' }] },
      {},
      'PB_PLUGIN_NOT_YET',
      /external/,
    ],
  ];
  test.each(faults)('%s', async (_name, more, files, expected, message) => {
    await put('user/a', 'a', more, files);
    await put('user/good', 'good');
    const catalogue = await openAll();
    const entry = catalogue.entries().find((one) => one.folder === join(root, 'user/a'));
    expect(entry?.problem?.code).toBe(expected);
    expect(entry?.problem?.message).toMatch(message);
    expect(code(() => catalogue.resolve('source', entry?.name ?? ''))).toBe(expected);
    expect(catalogue.resolve('source', 'good').name).toBe('good');
  });

  test('links: inside they stay, outside they are refused, loops end', async () => {
    const inside = await put('user/inside', 'inside');
    await symlink('lib/part.js', join(inside, 'alias.js'));
    await symlink('..', join(inside, 'lib/up'));
    const outside = await put('user/outside', 'outside');
    await symlink('../../cache', join(outside, 'lib/away'));
    await symlink('/etc/hostname', join(outside, 'etc'));
    await symlink('loop', join(root, 'user/loop'));
    const dev = await put('elsewhere', 'linked');
    await symlink(dev, join(root, 'user/linked'));
    const catalogue = await openAll();
    expect(catalogue.entries().map(({ name, problem }) => [name, problem?.code])).toEqual([
      ['inside', undefined],
      ['linked', undefined],
      ['outside', 'PB_PLUGIN_LINK'],
    ]);
    const { root: copy } = catalogue.resolve('source', 'inside');
    expect(await readFile(join(copy, 'alias.js'), 'utf8')).toBe('export const part = 1;\n');
  });

  test('too many files, too many bytes', async () => {
    await put('user/many', 'many', {}, Object.fromEntries(Array.from({ length: 20 }, (_, i) => [`f${i}`, ''])));
    await put('user/large', 'large', {}, { data: 'x'.repeat(20_000) });
    const catalogue = await openAll({ limits: { maxFiles: 10, maxBytes: 10_000 } });
    expect(catalogue.entries().map(({ name, problem }) => [name, problem?.code])).toEqual([
      ['large', 'PB_PLUGIN_TOO_LARGE'],
      ['many', 'PB_PLUGIN_TOO_LARGE'],
    ]);
  });

  test('the same version twice: one is used, the other says so', async () => {
    await put('user/one', 'a');
    await put('user/two', 'a');
    const entries = (await openAll()).entries();
    expect(entries.map(({ folder, problem }) => [folder, problem?.code])).toEqual([
      [join(root, 'user/one'), undefined],
      [join(root, 'user/two'), 'PB_PLUGIN_DUPLICATE'],
    ]);
  });
});

describe('copies', () => {
  test('one that was tampered with is made anew', async () => {
    await put('user/a', 'a');
    const { root: copy, hash } = (await openAll()).resolve('source', 'a');
    await chmod(join(copy, 'source.js'), 0o644);
    await writeFile(join(copy, 'source.js'), 'evil');
    const again = (await openAll()).resolve('source', 'a');
    expect(again.hash).toBe(hash);
    expect(await readFile(join(again.root, 'source.js'), 'utf8')).toBe('export default 1;\n');
  });

  test('the same content has the same hash; a changed import, name or mode another', async () => {
    const folder = await put('user/a', 'a');
    const catalogue = await openAll();
    const hashes = new Set([catalogue.resolve('source', 'a').hash]);
    const changedTo = async (act: () => Promise<unknown>): Promise<string> => {
      await act();
      await catalogue.refresh();
      return catalogue.resolve('source', 'a').hash;
    };
    expect(hashes).toContain(await changedTo(() => writeFile(join(folder, 'source.js'), 'export default 1;\n')));
    expect(hashes).toContain(await changedTo(() => mkdir(join(folder, '.git'))));
    for (const act of [
      () => writeFile(join(folder, 'lib/part.js'), 'export const part = 2;\n'),
      () => rename(join(folder, 'lib/part.js'), join(folder, 'lib/other.js')),
      () => chmod(join(folder, 'lib/other.js'), 0o755),
    ]) {
      const hash = await changedTo(act);
      expect(hashes).not.toContain(hash);
      hashes.add(hash);
    }
    // Four copies: the present one and the one before stay, and the first, which still runs.
    const [first = ''] = hashes;
    expect(await catalogue.prune(new Set([first]))).toBe(1);
    expect(await catalogue.prune(new Set())).toBe(1);
    expect(await catalogue.prune(new Set())).toBe(0);
  });
});

describe('changes on disk', () => {
  test('new, changed and removed plugins are told by name, others are left alone', async () => {
    await put('user/a', 'a');
    await put('user/b', 'b');
    const catalogue = await openAll();
    const b = catalogue.resolve('source', 'b');
    const told: string[][] = [];
    catalogue.watch((names) => told.push([...names]));

    const before = catalogue.resolve('source', 'a').hash;
    await writeFile(join(root, 'user/a/lib/part.js'), 'export const part = 2;\n');
    await until(() => told.length === 1, 'the change of a');
    expect(catalogue.resolve('source', 'a').hash).not.toBe(before);

    await cp(join(root, 'user/a'), join(root, 'user/.c'), { recursive: true });
    await writeFile(join(root, 'user/.c/plugin.json'), JSON.stringify(manifest('c')));
    await rename(join(root, 'user/.c'), join(root, 'user/c'));
    await until(() => told.length === 2, 'the new c');

    await rm(join(root, 'user/a'), { recursive: true });
    await until(() => told.length === 3, 'the end of a');
    expect(told).toEqual([['a'], ['c'], ['a']]);
    expect(code(() => catalogue.resolve('source', 'a'))).toBe('PB_PLUGIN_MISSING');
    expect(catalogue.resolve('source', 'b')).toEqual(b);
  });

  test('half a copy is no fault yet; what stays broken is one', async () => {
    const catalogue = await openAll({ settleMs: 300 });
    const told: string[][] = [];
    const seen: (string | undefined)[] = [];
    catalogue.watch((names) => {
      told.push([...names]);
      seen.push(catalogue.entries().find((one) => one.name === 'slow')?.problem?.code);
    });
    const folder = join(root, 'user/slow');
    await mkdir(join(folder, 'lib'), { recursive: true });
    const text = JSON.stringify(manifest('slow'));
    for (const part of [text.slice(0, 20), text]) {
      await writeFile(join(folder, 'plugin.json'), part);
      // Longer than the debounce: the half folder is looked at.
      await new Promise((resolve) => setTimeout(resolve, 60));
    }
    await writeFile(join(folder, 'source.schema.json'), JSON.stringify(SCHEMA));
    await writeFile(join(folder, 'source.js'), '');
    await until(() => told.length === 1, 'the whole plugin');
    expect([told, seen]).toEqual([[['slow']], [undefined]]);

    await rm(join(folder, 'source.js'));
    await until(() => told.length === 2, 'the fault');
    expect(seen[1]).toBe('PB_PLUGIN_MODULE');
    // The last good copy still answers.
    expect(await readFile(fileURLToPath(catalogue.resolve('source', 'slow').moduleUrl), 'utf8')).toBe('');
  });

  test('code that did not start is not used again: the one before is, until the folder changes', async () => {
    const folder = await put('user/a', 'a');
    const catalogue = await openAll();
    const good = catalogue.resolve('source', 'a').hash;
    await writeFile(join(folder, 'source.js'), 'throw 1');
    expect(await catalogue.refresh()).toEqual(['a']);
    const bad = catalogue.resolve('source', 'a').hash;
    expect(bad).not.toBe(good);
    catalogue.reject(bad, new CodedError('PB_PLUGIN_THREW', { plugin: 'a', message: '1' }));
    expect(catalogue.resolve('source', 'a').hash).toBe(good);
    expect(catalogue.entries()[0]?.problem?.code).toBe('PB_PLUGIN_THREW');
    await writeFile(join(folder, 'source.js'), 'export default 3;');
    expect(await catalogue.refresh()).toEqual(['a']);
    expect(catalogue.entries()[0]?.problem).toBeUndefined();
    expect(catalogue.resolve('source', 'a').hash).not.toBe(good);
  });
});

test('the detail has the README, what is enforced, and who uses it', async () => {
  await put('user/a', 'a', { permissions: { network: ['listen'], env: ['TOKEN'] } }, { 'README.md': '# A' });
  await put('user/b', 'b', {}, { 'README.md': 'x'.repeat(300_000) });
  const catalogue = await openAll();
  const detail = await catalogue.detail('a', undefined, new Map([['a', ['one', 'two']]]));
  expect(detail).toMatchObject({ name: 'a', readme: '# A', instances: ['one', 'two'] });
  expect(detail.enforced.map(({ permission, declared }) => [permission, declared])).toContainEqual([
    'network',
    'listen',
  ]);
  expect((await catalogue.detail('b')).readme).toBe('');
  await expect(catalogue.detail('c')).rejects.toMatchObject({ code: 'PB_PLUGIN_MISSING' });
  await expect(catalogue.detail('a', '2.0.0')).rejects.toMatchObject({ code: 'PB_PLUGIN_VERSION' });
});

test('plugins under development: a folder of them or one itself', async () => {
  await put('dev/a', 'a');
  const single = await put('single', 'b');
  const catalogue = await openAll({ extraFolders: [join(root, 'dev'), single, join(root, 'nothing')] });
  expect(catalogue.entries().map(({ name, origin }) => `${name} ${origin}`)).toEqual([
    'a development',
    'b development',
  ]);
});
