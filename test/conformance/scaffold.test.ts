/** What `plugins new` writes works where it is: types, its own tests, the conformance tests. */
import { execFile } from 'node:child_process';
import { mkdir, mkdtemp, readFile, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

const root = fileURLToPath(new URL('../../', import.meta.url));
let parent = '';
beforeAll(async () => void (parent = await mkdtemp(join(tmpdir(), 'patchbay-scaffold-'))));
afterAll(() => rm(parent, { recursive: true, force: true }));

interface Answer {
  readonly code: number;
  readonly out: string;
  readonly err: string;
}

function node(args: readonly string[], cwd = parent): Promise<Answer> {
  // Not what the test runner sets for itself: `node --test` would take itself for a child.
  const { NODE_TEST_CONTEXT: _1, NODE_OPTIONS: _2, VITEST: _3, ...env } = process.env;
  return new Promise((resolve) => {
    execFile(process.execPath, args, { cwd, env, maxBuffer: 2 ** 24 }, (error, out, err) => {
      resolve({ code: error === null ? 0 : typeof error.code === 'number' ? error.code : -1, out, err });
    });
  });
}

const patchbay = (...args: string[]): Promise<Answer> => node([join(root, 'gateway-core/cli/main.ts'), ...args]);

describe.each(['handler', 'source', 'sink'])('a new %s', (kind) => {
  const folder = (): string => join(parent, `acme-${kind}`);

  it('is written, with its name everywhere', async () => {
    const { code, out } = await patchbay('plugins', 'new', folder(), '--kind', kind, '--json');
    expect(code).toBe(0);
    expect(JSON.parse(out)).toMatchObject({
      kind,
      files: expect.arrayContaining(['plugin.json', `${kind}.ts`, 'README.md']),
    });
    for (const entry of await readdir(folder(), { withFileTypes: true })) {
      if (!entry.isFile()) continue;
      expect(await readFile(join(folder(), entry.name), 'utf8'), entry.name).not.toMatch(/example.plugin/i);
    }
  });

  it('has types that an editor finds', async () => {
    // Without skipLibCheck: what the types refer to is in the folder too.
    const tsc = join(root, 'node_modules/typescript/bin/tsc');
    const types = ['--typeRoots', join(root, 'node_modules/@types')];
    const { out } = await node([tsc, '-p', '.', '--skipLibCheck', 'false', ...types], folder());
    expect(out.split('\n').filter((line) => !line.includes('node_modules') && line.trim() !== '')).toEqual([]);
    await writeFile(join(folder(), 'wrong.ts'), "import { derive } from 'patchbay/plugin-api';\nderive(1);\n");
    expect((await node([tsc, '-p', '.', ...types], folder())).out).toContain('wrong.ts(2');
    await rm(join(folder(), 'wrong.ts'));
  });

  it('passes `plugins test`', async () => {
    const { code, out, err } = await patchbay('plugins', 'test', folder(), '--json');
    const answer = JSON.parse(out) as { ok: boolean; results: { subject: string; check: string; result: string }[] };
    expect(
      answer.results.filter(({ result }) => result === 'failed'),
      err,
    ).toEqual([]);
    expect(code).toBe(0);
    const ran = answer.results.filter(({ result }) => result === 'ok').map(({ check }) => check);
    expect(ran).toEqual(
      expect.arrayContaining([
        'manifest',
        'definition',
        'opens and closes',
        'order',
        'refused messages',
        'stop while busy',
      ]),
    );
    // Its own tests, too.
    expect(answer.results.some(({ subject, result }) => subject === `${kind}.test.ts` && result === 'ok')).toBe(true);
  });

  it('passes plain `node --test`', async () => {
    const { code, out } = await node(['--test', '--test-reporter=tap'], folder());
    expect(code, out).toBe(0);
    expect(out).toContain('opens and closes');
  });
});

describe('plugins new', () => {
  it('leaves a folder alone that is not empty', async () => {
    const folder = join(parent, 'taken');
    await mkdir(folder);
    await writeFile(join(folder, 'mine.txt'), 'mine');
    const { code, out } = await patchbay('plugins', 'new', folder, '--json');
    expect(code).toBe(2);
    expect(JSON.parse(out)).toMatchObject({ error: { code: 'PB_PLUGIN_FOLDER_TAKEN' } });
    expect(await readdir(folder)).toEqual(['mine.txt']);
  });

  it('takes only names that plugins may have', async () => {
    const { code, err } = await patchbay('plugins', 'new', join(parent, 'Not_A_Name'));
    expect(code).toBe(2);
    expect(err).toContain('PB_PLUGIN_FOLDER_NAME');
    expect(await readdir(parent)).not.toContain('Not_A_Name');
  });

  it('has types made from the sources as they are', async () => {
    const { code, err } = await node([join(root, 'scripts/plugin-types.mjs'), '--check']);
    expect(err).toBe('');
    expect(code).toBe(0);
  });
});

describe('plugins test', () => {
  const fixture = (name: string): string => join(root, 'test/fixtures/broken-plugins', name);

  it('exits 1 and says what failed', async () => {
    const { code, out } = await patchbay('plugins', 'test', fixture('handler-reorders'));
    expect(code).toBe(1);
    expect(out).toMatch(/handler fixture +order +failed +result \d+ is made of message \d+/);
    expect(out).toMatch(/\d+ ok, \d+ failed, 0 not applicable/);
  });

  it('exits 2 where there is no plugin', async () => {
    const { code, err } = await patchbay('plugins', 'test', join(parent, 'nowhere'));
    expect(code).toBe(2);
    expect(err).toContain('PB_PLUGIN_NONE_HERE');
  });

  it.each([
    ['ends the process', 'process.exit(0);', /ended its thread/],
    ['throws out of nowhere', "setImmediate(() => { throw new Error('boo'); });", /outside of any call: boo/],
  ])('goes on after a plugin that %s', async (_, code, message) => {
    const folder = await mkdtemp(join(parent, 'faulty-'));
    const manifest = {
      ...{
        manifestVersion: 1,
        name: 'faulty',
        version: '1.0.0',
        apiVersion: '1',
        title: 'Faulty',
        description: 'Faulty',
      },
      ...{ license: 'Apache-2.0', stability: 'experimental' },
      contributes: [{ kind: 'handler', name: 'faulty', main: './handler.js', accepts: ['raw'], produces: ['raw'] }],
    };
    await writeFile(join(folder, 'plugin.json'), JSON.stringify(manifest));
    await writeFile(
      join(folder, 'handler.js'),
      `import { defineHandler } from 'patchbay/plugin-api';
       export default defineHandler({ create: () => ({
         handle: (batch) => batch,
         async close() { ${code} await new Promise((resolve) => setTimeout(resolve, 50)); },
       }) });`,
    );
    const answer = await patchbay('plugins', 'test', folder, '--json');
    expect(answer.code).toBe(1);
    const { results } = JSON.parse(answer.out) as { results: { check: string; result: string; detail: string }[] };
    const failed = results.filter(({ result }) => result === 'failed');
    expect(failed[0]?.detail).toMatch(message);
    expect(results.map(({ check }) => check)).toContain('stop while busy');
  });
});
