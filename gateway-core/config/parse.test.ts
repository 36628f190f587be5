import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Migration } from './migrate.ts';
import { isUsable, parseConfig } from './parse.ts';
import { MAX_PROBLEMS } from './problem.ts';

/** `severity code line:column path` of every problem. */
function told(text: string, options = {}): string[] {
  return parseConfig(text, options).problems.map(({ severity, code, line, column, path }) =>
    `${severity === 'warning' ? 'warning ' : ''}${code} ${line ?? '-'}:${column ?? '-'} ${path.join('.')}`.trim(),
  );
}

const cases: [name: string, text: string, problems: string[]][] = [
  ['a minimal config', 'version: 1\n', []],
  ['sections with nothing in them', 'version: 1\nsources:\nhandlers: ~\nsettings:\n  log:\n', []],
  ['a config as JSON', '{"version": 1, "sources": {"a": {"plugin": "x", "config": {"b": [1]}}}}', []],
  ['a byte order mark', '\uFEFFversion: 1\n', []],
  ['an empty text', '', ['PB_CONFIG_NOT_MAP 1:1']],
  ['a comment only', '# nothing\n', ['PB_CONFIG_NOT_MAP 1:1']],
  ['a list', '\n- a\n', ['PB_CONFIG_NOT_MAP 2:1']],
  ['a word', 'hello', ['PB_CONFIG_NOT_MAP 1:1']],
  ['no version', 'sources: {}\n', ['PB_CONFIG_VERSION 1:1']],
  ['a version in words', 'sources: {}\nversion: one\n', ['PB_CONFIG_VERSION 2:10 version']],
  ['version 0', 'version: 0', ['PB_CONFIG_VERSION 1:10 version']],
  ['a newer version', 'version: 2\nwhatever: 1\n', ['PB_CONFIG_NEWER 1:10 version']],
  ['a tab as indentation', 'version: 1\nsources:\n\ta: 1\n', ['PB_CONFIG_SYNTAX 3:1']],
  ['an unclosed quote', 'version: 1\na: "x\n', ['PB_CONFIG_SYNTAX 3:1']],
  ['two documents', 'version: 1\n---\nversion: 1\n', ['PB_CONFIG_SYNTAX 2:1']],
  ['an unknown tag', 'version: 1\nsettings: { project: !secret x }\n', ['PB_CONFIG_SYNTAX 2:22']],
  ['an alias without an anchor', 'version: 1\nsources: *a\n', ['PB_CONFIG_SYNTAX 2:10']],
  ['an explicit key', 'version: 1\n? a\n: b\n', ['PB_CONFIG_SYNTAX 2:1']],
  ['a key twice', 'version: 1\nsources: {}\nsinks: {}\nsources: {}\n', ['PB_CONFIG_DUPLICATE_KEY 4:1 sources']],
  [
    'a key twice, deep inside',
    'version: 1\nsources:\n  a:\n    plugin: x\n    config: { b: 1, b: 2 }\n',
    ['PB_CONFIG_DUPLICATE_KEY 5:21 sources.a.config.b'],
  ],
  ['a list as a key', 'version: 1\n[a]: 1\n', ['PB_CONFIG_KEY 2:1']],
  ['the key __proto__', 'version: 1\nsources:\n  __proto__: { plugin: x }\n', ['PB_CONFIG_KEY 3:3 sources']],
  ['an unknown key', 'version: 1\nsource:\n  a: 1\n', ['PB_CONFIG_UNKNOWN_KEY 2:1 source']],
  [
    'an unknown key of an instance',
    'version: 1\nsinks:\n  a: { plugin: x, expect: { every: 1s } }\n',
    ['PB_CONFIG_UNKNOWN_KEY 3:19 sinks.a.expect'],
  ],
  [
    'an instance without a plugin',
    'version: 1\nsources:\n  a: { enabled: false }\n',
    ['PB_CONFIG_MISSING_KEY 3:3 sources.a'],
  ],
  ['a name with a blank', 'version: 1\nsources:\n  a b: { plugin: x }\n', ['PB_CONFIG_NAME 3:3 sources.a b']],
  [
    'a wrong type',
    'version: 1\nsources:\n  a:\n    plugin: x\n    enabled: "yes"\n',
    ['PB_CONFIG_TYPE 5:14 sources.a.enabled'],
  ],
  ['a section that is a list', 'version: 1\nsinks:\n  - plugin: x\n', ['PB_CONFIG_TYPE 3:3 sinks']],
  [
    'a word where a list belongs',
    'version: 1\npipelines:\n  p: { from: a, to: [b] }\n',
    ['PB_CONFIG_TYPE 3:14 pipelines.p.from'],
  ],
  [
    'a pipeline without ends',
    'version: 1\npipelines:\n  p: { through: [a] }\n',
    ['PB_CONFIG_MISSING_KEY 3:3 pipelines.p', 'PB_CONFIG_MISSING_KEY 3:3 pipelines.p'],
  ],
  ['an empty from', 'version: 1\npipelines:\n  p: { from: [], to: [b] }\n', ['PB_CONFIG_VALUE 3:14 pipelines.p.from']],
  [
    'the same sink twice',
    'version: 1\npipelines:\n  p: { from: [a], to: [b, b] }\n',
    ['PB_CONFIG_VALUE 3:23 pipelines.p.to'],
  ],
  [
    'a misspelled choice',
    'version: 1\nsinks:\n  a: { plugin: x, buffer: { kind: dsk } }\n',
    ['PB_CONFIG_VALUE 3:35 sinks.a.buffer.kind'],
  ],
  [
    'a duration without a unit',
    'version: 1\nsources:\n  a: { plugin: x, expect: { every: "30" } }\n',
    ['PB_CONFIG_VALUE 3:36 sources.a.expect.every'],
  ],
  [
    'an expectation of 0',
    'version: 1\nsources:\n  a: { plugin: x, expect: { every: 0s } }\n',
    ['PB_CONFIG_VALUE 3:36 sources.a.expect.every'],
  ],
  [
    'a buffer too small',
    'version: 1\nsinks:\n  a: { plugin: x, buffer: { max: 1KiB } }\n',
    ['PB_CONFIG_VALUE 3:34 sinks.a.buffer.max'],
  ],
  [
    'room for dead letters too small',
    'version: 1\nsettings:\n  deadLetters: { bytes: 1KiB }\n',
    ['PB_CONFIG_VALUE 3:25 settings.deadLetters.bytes'],
  ],
  [
    'a memory buffer too large',
    'version: 1\nsinks:\n  a: { plugin: x, buffer: { kind: memory, max: 2GiB } }\n',
    ['PB_CONFIG_VALUE 3:48 sinks.a.buffer.max'],
  ],
  [
    'a port out of range',
    'version: 1\nsettings: { control: { port: 65536 } }\n',
    ['PB_CONFIG_VALUE 2:30 settings.control.port'],
  ],
  ['a port from the environment', 'version: 1\nsettings: { control: { port: "${env:PORT}" } }\n', []],
  ['a disk buffer', 'version: 1\nsinks:\n  a: { plugin: x, buffer: { kind: disk, max: 2GiB } }\n', []],
  ['a buffer that drops', 'version: 1\nsinks:\n  a: { plugin: x, buffer: { whenFull: dropOldest } }\n', []],
  [
    'features of later versions',
    'version: 1\nevents: [{ to: x }]\nexecutors: { k: { plugin: kubectl } }\nrunbooks: { r: {} }\npipelines:\n  p: { from: [a], to: [b], workers: 2 }\n',
    [
      'warning PB_CONFIG_NOT_YET 2:1 events',
      'warning PB_CONFIG_NOT_YET 3:1 executors',
      'warning PB_CONFIG_NOT_YET 4:1 runbooks',
      'warning PB_CONFIG_NOT_YET 6:28 pipelines.p.workers',
    ],
  ],
  ['later features, unused', 'version: 1\nevents: []\nexecutors: {}\nrunbooks: {}\n', []],
  [
    'several at once, in file order',
    'sinks:\n  b: { plugn: y }\nversion: 1\nsources:\n  a: { plugin: 3 }\nsetings: {}\n',
    [
      'PB_CONFIG_MISSING_KEY 2:3 sinks.b',
      'PB_CONFIG_UNKNOWN_KEY 2:8 sinks.b.plugn',
      'PB_CONFIG_TYPE 5:16 sources.a.plugin',
      'PB_CONFIG_UNKNOWN_KEY 6:1 setings',
    ],
  ],
];

test.each(cases)('%s', (_name, text, problems) => {
  expect(told(text)).toEqual(problems);
});

test('an unknown key names the nearest and all known ones', () => {
  const [problem] = parseConfig('version: 1\nsource: {}\n').problems;
  expect(problem?.message).toBe("'source' is not a key of the config; did you mean 'sources'?");
  expect(problem?.remedy).toContain('`pipelines`');
});

test('no problem quotes a value, which may be a secret', () => {
  const texts = [
    'version: 1\nsinks:\n  a: { plugin: x, enabled: hunter2 }\n',
    'version: 1\nsinks:\n  a: { plugin: x, buffer: { kind: hunter2, max: hunter2 } }\n',
    'version: 1\nsinks:\n  a: { plugin: x, config: { password: "hunter2" "hunter2" } }\n',
    'version: 1\na: *hunter2\n',
    'version: 1\na: hunter2: hunter2: hunter2\n',
  ];
  for (const text of texts) {
    const { problems } = parseConfig(text);
    expect(problems).not.toEqual([]);
    expect(JSON.stringify(problems)).not.toContain('hunter2');
  }
});

describe('hostile texts end soon, with one problem', () => {
  const bomb =
    'version: 1\na: &a [x,x,x,x,x,x,x,x,x]\n' +
    Array.from('bcdefgh', (name, i) => `${name}: &${name} [${Array(9).fill(`*${'abcdefg'[i]}`).join(',')}]`).join('\n');
  const hostile: [name: string, text: () => string, problem: RegExp][] = [
    ['50 MB', () => 'x'.repeat(50_000_000), /^PB_CONFIG_TOO_LARGE 1:1$/],
    ['8 MiB of small values', () => `a: [${'1,'.repeat(4_000_000)}]`, /^PB_CONFIG_TOO_LARGE 1:/],
    ['a YAML bomb', () => bomb, /^PB_CONFIG_ALIASES 1:1$/],
    ['brackets without end', () => '['.repeat(100_000), /^PB_CONFIG_TOO_DEEP 1:/],
    ['balanced brackets', () => '['.repeat(500) + ']'.repeat(500), /^PB_CONFIG_TOO_DEEP 1:/],
    ['maps without end', () => '{a: '.repeat(50_000), /^PB_CONFIG_TOO_DEEP 1:/],
    ['lists in lists', () => '- '.repeat(50_000), /^PB_CONFIG_TOO_DEEP 1:/],
    ['keys of keys', () => '? '.repeat(50_000), /^PB_CONFIG_SYNTAX 1:1$/],
    ['an anchor in itself', () => 'version: 1\na: &a [*a]\n', /^PB_CONFIG_(TOO_DEEP|ALIASES) /],
    [
      'a chain of anchors',
      () =>
        `version: 1\nx:\n - &a0 [1]\n${Array.from({ length: 5000 }, (_, i) => ` - &a${i + 1} [*a${i}]`).join('\n')}\n`,
      /^PB_CONFIG_(TOO_DEEP|ALIASES) /,
    ],
  ];
  test.each(hostile)('%s', (_name, text, problem) => {
    const found = told(text());
    expect(found).toHaveLength(1);
    expect(found[0]).toMatch(problem);
  });

  test('too many problems are counted, not listed', () => {
    const found = told(`version: 1\n${Array.from({ length: 1000 }, (_, i) => `k${i}: 1`).join('\n')}\n`);
    expect(found).toHaveLength(MAX_PROBLEMS + 1);
    expect(found[0]).toBe('PB_CONFIG_UNKNOWN_KEY 2:1 k0');
    expect(found.at(-1)).toBe('PB_CONFIG_MORE -:-');
  });
});

test('older versions go through their migrations, in order', () => {
  const migrations: Migration[] = [
    { from: 1, apply: ({ inputs, ...rest }) => ({ ...rest, feeds: inputs }) },
    { from: 2, apply: ({ feeds, ...rest }) => ({ ...rest, sources: feeds }) },
  ];
  const parsed = parseConfig('version: 1\ninputs:\n  a: { plugin: x }\n', { migrations, supportedVersion: 3 });
  // Version 3 is not today's form: its number alone is wrong.
  expect(parsed.problems.map(({ code, path }) => [code, path])).toEqual([['PB_CONFIG_VALUE', ['version']]]);
  expect(parsed.config).toEqual({ version: 3, sources: { a: { plugin: 'x' } } });
  expect(told('version: 2\n', { migrations: [], supportedVersion: 3 })).toEqual(['PB_CONFIG_VERSION 1:10 version']);
});

test('any text gives a config or problems', () => {
  const fragment = fc.constantFrom(
    'version: 1',
    'sources:',
    ' a:',
    '  plugin: x',
    '- ',
    '{',
    '}',
    '[',
    ']',
    '&a',
    '*a',
    '"',
    "'",
    '|',
    '>',
    '\t',
    '\n',
    ': ',
    '#',
    '!',
    '%',
    '---',
    '...',
    '? ',
    '${env:A}',
    '\r\n',
    'é',
    '\u0000',
    '\uFEFF',
    '1e999',
    '.nan',
    '~',
    '<<: *a',
  );
  const text = fc.oneof(
    fc.string({ unit: 'binary', maxLength: 200 }),
    fc.array(fragment, { maxLength: 60 }).map((parts) => parts.join('')),
    fc.array(fragment, { maxLength: 60 }).map((parts) => parts.join('\n')),
  );
  fc.assert(
    fc.property(text, (any) => {
      const parsed = parseConfig(any);
      expect(parsed.config !== undefined || parsed.problems.length > 0).toBe(true);
      for (const problem of parsed.problems) {
        expect(problem.line).toBeGreaterThan(0);
        expect(problem.column).toBeGreaterThan(0);
        expect(problem.message).not.toMatch(/\{[a-z]+\}/);
      }
      if (isUsable(parsed)) expect(parsed.config.version).toBe(1);
    }),
    { numRuns: 500 },
  );
});

test('any data under a key gives a config or problems', () => {
  fc.assert(
    fc.property(
      fc.constantFrom('sources', 'sinks', 'pipelines', 'settings', 'events', 'runbooks'),
      fc.jsonValue(),
      (key, value) => {
        const parsed = parseConfig(JSON.stringify({ version: 1, [key]: value }));
        expect(parsed.config !== undefined || parsed.problems.length > 0).toBe(true);
      },
    ),
    { numRuns: 300 },
  );
});
