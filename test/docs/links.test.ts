/** Whatever the documentation points at is there: pages, anchors, commands, options, and configs that are valid. */
import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync, statSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Command } from 'commander';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openCatalogue, type Catalogue } from '../../gateway-core/catalog/catalogue.ts';
import { program } from '../../gateway-core/cli/main.ts';
import { parseConfig } from '../../gateway-core/config/parse.ts';
import { validateConfig } from '../../gateway-core/config/validate.ts';
import { checkExpression } from '../../gateway-core/flow/expression.ts';
import { anchors, commands, fences, links } from './markdown.ts';

const root = fileURLToPath(new URL('../../', import.meta.url));
const read = (path: string): string => readFileSync(join(root, path), 'utf8');

/** Plugins that the reader is to write. */
const IMAGINED = /'(?:acme|example)-[\w-]+'/;

/** What is in the repository or about to be. */
const files = execFileSync('git', ['ls-files', '--cached', '--others', '--exclude-standard', '-z'], {
  cwd: root,
  encoding: 'utf8',
})
  .split('\0')
  .filter((path) => path !== '' && existsSync(join(root, path)));
const pages = files.filter((path) => path.endsWith('.md') && !path.startsWith('test/fixtures/'));

describe('links', () => {
  it.each(pages)('%s', (page) => {
    const broken = links(read(page)).filter((link) => {
      if (/^[a-z][a-z+.-]*:/i.test(link)) return false;
      const [path = '', anchor = ''] = link.split('#');
      const target = path === '' ? page : relative(root, join(root, dirname(page), decodeURIComponent(path)));
      if (target.startsWith('..') || !existsSync(join(root, target))) return true;
      if (anchor === '') return false;
      return statSync(join(root, target)).isDirectory() || !anchors(read(target)).has(decodeURIComponent(anchor));
    });
    expect(broken).toEqual([]);
  });
});

describe('commands', () => {
  it.each(pages)('%s', (page) => {
    const wrong = commands(read(page))
      .map((command) => ({ command, fault: faultOf(command) }))
      .filter(({ fault }) => fault !== '');
    expect(wrong).toEqual([]);
  });
});

describe('configs', () => {
  let catalogue: Catalogue;
  beforeAll(async () => {
    catalogue = await openCatalogue({
      builtInFolder: join(root, 'plugins'),
      userFolder: join(root, 'docs/none'),
      cacheFolder: join(root, 'docs/none'),
    });
  });
  afterAll(() => catalogue.close());

  const blocks = pages.flatMap((page) =>
    fences(read(page))
      .filter(({ language, text }) => language === 'yaml' && /^version: 1$/m.test(text))
      .map(({ text, line }) => ({ place: `${page}:${line}`, text })),
  );

  it.each(blocks)('$place', async ({ text }) => {
    const { problems } = await validateConfig(parseConfig(text), {
      catalogue,
      env: {},
      folder: root,
      secrets: { get: () => Promise.resolve('a secret of the docs') },
      checkExpression,
    });
    const faults = problems.filter(
      ({ severity, code, message }) =>
        severity === 'error' && !(code === 'PB_PLUGIN_MISSING' && IMAGINED.test(message)),
    );
    expect(faults).toEqual([]);
  });

  it('finds those of the README and of the plugins', () => {
    expect(blocks.some(({ place }) => place.startsWith('README.md'))).toBe(true);
    expect(blocks.filter(({ place }) => place.startsWith('plugins/')).length).toBeGreaterThan(5);
  });
});

it('shows files of the repository as they are', () => {
  const shown = pages.flatMap((page) => fences(read(page)).filter(({ label }) => files.includes(label)));
  expect(shown.length).toBeGreaterThan(2);
  for (const { label, text } of shown) expect(text, label).toBe(read(label));
});

it('names no machine and no registry', () => {
  const foreign = new RegExp(
    [
      // As parts, or this file would find itself.
      String.raw`(?<![\w.@-])/(?:work|mnt|workspace)/\w`,
      String.raw`/(?:home|Users)/(?!(?:you|a)\b)\w`,
      String.raw`registry\.(?:npmjs|yarnpkg|npmmirror)`,
      String.raw`\b(?:artifactory|verdaccio)\b`,
    ].join('|'),
  );
  const named = files
    .filter((path) => path !== 'test/docs/links.test.ts' && !/\.(png|ico|icns|gz|sqlite|bin)$/.test(path))
    .filter((path) => statSync(join(root, path)).isFile())
    .flatMap((path) =>
      read(path)
        .split('\n')
        .map((line, i) => ({ line, place: `${path}:${i + 1}` }))
        .filter(({ line }) => foreign.test(line))
        .map(({ line, place }) => `${place}: ${line.trim().slice(0, 120)}`),
    );
  expect(named).toEqual([]);
});

/** What is wrong with one command of ours; empty for a right one, and for those of other programs. */
function faultOf(command: string): string {
  const npm = /^npm (?:run (?:--silent )?([\w-]+)|(start|test)\b)(.*)$/.exec(command);
  if (npm !== null) {
    const name = npm[1] ?? npm[2] ?? '';
    const fault = scriptFault(name);
    if (fault !== '') return fault;
    const args = words((npm[3] ?? '').replace(/^\s*--\s?/, ''));
    if (name === 'gateway') return commandFault(args);
    if (name === 'start') return commandFault(['run', ...args]);
    if (name === 'test') {
      const unknown = args.filter((arg) => /^[a-z]/.test(arg) && !isSection(arg));
      return unknown.length === 0 ? '' : `no section ${unknown.join(', ')}`;
    }
    return '';
  }
  const ours = /^(?:gateway -- |patchbay )(.+)$/.exec(command);
  return ours === null ? '' : commandFault(words(ours[1] ?? ''));
}

function isSection(name: string): boolean {
  return name === 'static' || name === 'unit' || existsSync(join(root, 'test', name));
}

function scriptFault(name: string): string {
  const { scripts } = JSON.parse(read('package.json')) as { scripts: Record<string, string> };
  const script = scripts[name];
  if (script === undefined) return `package.json has no script ${name}`;
  const missing = words(script).filter((word) => /\.(mjs|ts)$/.test(word) && !existsSync(join(root, word)));
  return missing.length === 0 ? '' : `${name} runs ${missing.join(', ')}, which is not there`;
}

/** Follows the words through the real command line. What is written in capitals or has `…` stands for something. */
function commandFault(args: readonly string[]): string {
  let at: Command = program(() => undefined);
  const known = new Set(['--help']);
  const learn = (): void => {
    for (const { long, negate } of at.options)
      if (typeof long === 'string') known.add(negate ? long : long.replace(/^--no-/, '--'));
  };
  learn();
  for (const arg of args) {
    if (arg.startsWith('--')) {
      const name = arg.replace(/=.*$/, '');
      if (!known.has(name)) return `${at.name()} has no option ${name}`;
    } else if (at.commands.length > 0) {
      if (!/^[a-z]/.test(arg)) return '';
      const next = at.commands.find((command) => command.name() === arg);
      if (next === undefined) return `${at.name()} has no command ${arg}`;
      at = next;
      learn();
    }
  }
  return '';
}

function words(text: string): string[] {
  return [...text.matchAll(/'[^']*'|"[^"]*"|\S+/g)].map(([word]) => word);
}
