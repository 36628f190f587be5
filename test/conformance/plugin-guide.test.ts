/** The plugin guide's examples are compiled and run: whoever copies one has something that works. */
import { execFileSync, spawnSync } from 'node:child_process';
import { mkdir, mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { errorRegistry } from '../../gateway-core/protocol/errors/index.ts';

const root = fileURLToPath(new URL('../../', import.meta.url));
const guide = await readFile(join(root, 'docs/plugin-guide.md'), 'utf8');

interface Block {
  /** `file: redact/handler.ts`, `run`, `config`; empty: unmarked. */
  readonly mark: string;
  readonly language: string;
  readonly text: string;
}

const blocks: Block[] = [...guide.matchAll(/(?:<!-- ([^>]+) -->\n)?```(\w*)\n([\s\S]*?)```/g)].map(
  ([, mark = '', language = '', text = '']) => ({ mark, language, text }),
);
const files = new Map(
  blocks.filter(({ mark }) => mark.startsWith('file: ')).map(({ mark, text }) => [mark.slice('file: '.length), text]),
);
const plugins = [...new Set([...files.keys()].map((file) => dirname(file)))];

let folder = '';
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'patchbay-guide-'));
  await writeFile(join(folder, 'package.json'), '{ "type": "module" }');
  for (const [file, text] of files) {
    await mkdir(dirname(join(folder, file)), { recursive: true });
    await writeFile(join(folder, file), text);
  }
});
afterAll(() => rm(folder, { recursive: true, force: true }));

function patchbay(args: readonly string[], cwd: string) {
  const { NODE_TEST_CONTEXT: _1, NODE_OPTIONS: _2, VITEST: _3, ...env } = process.env;
  const main = join(root, 'gateway-core/cli/main.ts');
  return spawnSync(process.execPath, [main, ...args], { cwd, env, encoding: 'utf8' });
}

it('has no block of code that nobody tries', () => {
  expect(blocks.filter(({ mark }) => mark === '')).toEqual([]);
  expect(plugins.toSorted()).toEqual(['newest', 'redact', 'ticker', 'webhook']);
});

it('has examples with right types', async () => {
  const template = await readFile(
    join(root, 'gateway-core/cli/scaffold/templates/common/tsconfig.template.json'),
    'utf8',
  );
  await writeFile(join(folder, 'tsconfig.json'), template);
  await symlink(join(root, 'gateway-core/cli/scaffold/types'), join(folder, 'types'), 'junction');
  const tsc = join(root, 'node_modules/typescript/bin/tsc');
  const types = ['--typeRoots', join(root, 'node_modules/@types')];
  expect(execFileSync(process.execPath, [tsc, '-p', '.', ...types], { cwd: folder, encoding: 'utf8' })).toBe('');
});

describe.each(plugins)('the example %s', (name) => {
  it('passes `plugins test`', () => {
    const { stdout, stderr, status } = patchbay(['plugins', 'test', name, '--json'], folder);
    const { results } = JSON.parse(stdout) as {
      results: { subject: string; check: string; result: string; detail: string }[];
    };
    expect(
      results.filter(({ result }) => result === 'failed'),
      stderr,
    ).toEqual([]);
    expect(status).toBe(0);
  });
});

it('has a quick start whose commands work', async () => {
  const [commands] = blocks.filter(({ mark }) => mark === 'run');
  const lines = commands?.text.trim().split('\n') ?? [];
  expect(lines).toHaveLength(5);
  let cwd = await mkdtemp(join(folder, 'quick-'));
  // The last one runs until it is stopped; what it would run is checked instead.
  for (const line of lines.slice(0, -1)) {
    const [command, ...args] = line.split(' ');
    if (command === 'cd') cwd = join(cwd, args[0] ?? '');
    else {
      expect(command).toBe('patchbay');
      const { status, stderr } = patchbay(args, cwd);
      expect(status, `${line}: ${stderr}`).toBe(0);
    }
  }
  const [config] = blocks.filter(({ mark }) => mark === 'config');
  await writeFile(join(cwd, 'startup.yaml'), config?.text ?? '');
  const plugin = (parse(config?.text ?? '') as { handlers: { site: { plugin: string } } }).handlers.site.plugin;
  expect(cwd.endsWith(plugin)).toBe(true);
  const { status, stderr } = patchbay(
    ['validate', 'startup.yaml', '--plugins', '.', '--data', join(folder, 'data')],
    cwd,
  );
  expect(status, stderr).toBe(0);
});

it('speaks of no code, check or export that does not exist', async () => {
  for (const [code] of guide.matchAll(/\bPB_[A-Z_]+\b/g)) {
    if (code !== 'PB_') expect(Object.keys(errorRegistry)).toContain(code);
  }
  const build = await readFile(join(root, 'gateway-core/plugin-api/testing/conformance/build.ts'), 'utf8');
  const table = guide.slice(guide.indexOf('| check | asks |'), guide.indexOf('What the tests can'));
  const told = [...table.matchAll(/^\| ([^|]+) \|/gm)].flatMap(([, names = '']) => names.split(', ')).slice(1);
  for (const name of told.filter((text) => !text.startsWith('-'))) expect(build).toContain(`'${name}'`);
});
