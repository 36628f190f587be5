import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { parse } from 'yaml';
import { CodedError } from '../engine/error.ts';
import type { ConfigEdit } from '../protocol/model.ts';
import { editYaml } from './edit.ts';
import { parseConfig } from './parse.ts';
import { renderConfig } from './render.ts';

const TEXT = `# The gateway of the lab
version: 1

sources:
  # collectd on all hosts
  telemetry:
    plugin: amqp1      # built in
    enabled: true      # default
    config:
      listen: { host: 127.0.0.1, port: 5672 }    # embedded
      addresses: [collectd/telemetry]

sinks:
  scrape: { plugin: prometheus, config: { port: 3000 } }

pipelines:
  main: { from: [telemetry], through: [decode, keep], to: [scrape] }   # all of it
executors: {}      # none yet
`;

const set = (path: (string | number)[], value: unknown): ConfigEdit => ({ op: 'set', path, value });
const remove = (path: (string | number)[]): ConfigEdit => ({ op: 'delete', path });

/** Lines that differ, as a diff would show them. */
function changes(edits: ConfigEdit[], text = TEXT): string[] {
  const before = text.split('\n');
  const after = editYaml(text, edits).split('\n');
  return [
    ...before.filter((line) => !after.includes(line)).map((line) => `- ${line.trim()}`),
    ...after.filter((line) => !before.includes(line)).map((line) => `+ ${line.trim()}`),
  ];
}

const cases: [name: string, edits: ConfigEdit[], changes: string[]][] = [
  ['nothing', [], []],
  ['the same value', [set(['sources', 'telemetry', 'enabled'], true)], []],
  [
    'the same config',
    [
      set(['sources', 'telemetry', 'config'], {
        listen: { host: '127.0.0.1', port: 5672 },
        addresses: ['collectd/telemetry'],
      }),
    ],
    [],
  ],
  [
    'a value',
    [set(['sources', 'telemetry', 'enabled'], false)],
    ['- enabled: true      # default', '+ enabled: false # default'],
  ],
  [
    'a value in braces',
    [set(['sinks', 'scrape', 'config', 'port'], 3001)],
    [
      '- scrape: { plugin: prometheus, config: { port: 3000 } }',
      '+ scrape: { plugin: prometheus, config: { port: 3001 } }',
    ],
  ],
  [
    'a whole config keeps what is the same',
    [set(['sources', 'telemetry', 'config'], { listen: { host: '127.0.0.1', port: 5672 }, addresses: ['a'] })],
    ['- addresses: [collectd/telemetry]', '+ addresses: [a]'],
  ],
  ['a new key', [set(['sources', 'telemetry', 'expect'], { every: '30s' })], ['+ expect:', '+ every: 30s']],
  [
    'a new instance',
    [set(['handlers', 'decode'], { plugin: 'collectd-metrics' })],
    ['+ handlers:', '+ decode:', '+ plugin: collectd-metrics'],
  ],
  [
    'a first one in {}',
    [set(['executors', 'k'], { plugin: 'kubectl' })],
    ['- executors: {}      # none yet', '+ executors:', '+ # none yet', '+ k:', '+ plugin: kubectl'],
  ],
  [
    'a member gone',
    [remove(['pipelines', 'main', 'through', 0])],
    [
      '- main: { from: [telemetry], through: [decode, keep], to: [scrape] }   # all of it',
      '+ main: { from: [ telemetry ], through: [ keep ], to: [ scrape ] } # all of it',
    ],
  ],
  ['a key gone, with its comment', [remove(['sources', 'telemetry', 'enabled'])], ['- enabled: true      # default']],
  ['what is not there gone', [remove(['sources', 'nope', 'config', 'a']), remove(['x'])], []],
  [
    'a member more',
    [set(['pipelines', 'main', 'to', 1], 'file')],
    [
      '- main: { from: [telemetry], through: [decode, keep], to: [scrape] }   # all of it',
      '+ main: { from: [ telemetry ], through: [ decode, keep ], to: [ scrape, file ] } # all of it',
    ],
  ],
];

test.each(cases)('%s', (_name, edits, expected) => {
  expect(changes(edits)).toEqual(expected);
});

test('an empty text becomes a config', () => {
  expect(editYaml('', [set(['version'], 1), set(['sources', 'a', 'plugin'], 'b')])).toBe(
    'version: 1\nsources:\n  a:\n    plugin: b\n',
  );
  expect(editYaml('version: 1\nsources: # none\n', [set(['sources', 'a'], { plugin: 'b' })])).toBe(
    'version: 1\nsources:\n  # none\n  a:\n    plugin: b\n',
  );
});

test('the style of the text is kept: line ends, indentation, lists', () => {
  expect(editYaml('version: 1\r\nsources: {}\r\n', [set(['sinks'], {})])).toBe(
    'version: 1\r\nsources: {}\r\nsinks: {}\r\n',
  );
  const wide =
    'version: 1\nsources:\n    a:\n        plugin: b\n        config:\n            l:\n            - 1   # one\n            - 2\n';
  expect(editYaml(wide, [set(['sources', 'a', 'config', 'l', 1], 3)])).toBe(wide.replace('- 2', '- 3'));
});

test('text that looks like something else is quoted', () => {
  const text = editYaml('version: 1\n', [
    set(['settings', 'project'], 'yes: # no'),
    set(['settings', 'a'], '12'),
    set(['settings', 'b'], 'x\ny'),
  ]);
  expect(parse(text)).toEqual({ version: 1, settings: { project: 'yes: # no', a: '12', b: 'x\ny' } });
});

describe('edits that cannot be made', () => {
  const impossible: [name: string, text: string, edit: ConfigEdit][] = [
    ['on text that is not YAML', 'a: [', set(['a'], 1)],
    ['on a list', '- a', set(['a'], 1)],
    ['of everything', 'version: 1', set([], {})],
    ['below a single value', 'version: 1', set(['version', 'a'], 1)],
    ['in an alias', 'version: 1\na: &a { b: 1 }\nc: *a\n', set(['c', 'b'], 2)],
    ['past the end of a list', 'version: 1\na: [1]\n', set(['a', 3], 2)],
    ['of __proto__', 'version: 1\n', set(['__proto__', 'a'], 2)],
  ];
  test.each(impossible)('%s', (_name, text, edit) => {
    expect(() => editYaml(text, [edit])).toThrow(expect.objectContaining({ code: 'PB_CONFIG_EDIT' }) as Error);
  });
});

test('a config object becomes text that says the same', () => {
  const config = { version: 1, sources: { a: { plugin: 'x', config: { list: [1, 'two'], off: undefined } } } };
  const text = renderConfig(config);
  expect(text).toBe(
    'version: 1\nsources:\n  a:\n    plugin: x\n    config:\n      list:\n        - 1\n        - two\n',
  );
  expect(parseConfig(text).problems).toEqual([]);
  const circle: Record<string, unknown> = {};
  circle.circle = circle;
  for (const bad of [circle, { big: 1n }]) expect(() => renderConfig(bad)).toThrow(CodedError);
});

test('an edit and its undoing give back every comment, and nothing else changes', () => {
  const name = fc.stringMatching(/^[a-z][a-z0-9-]{0,8}$/);
  const comment = fc.stringMatching(/^[a-z #:"'{}]{0,20}$/);
  const instance = fc.record({
    plugin: name,
    note: comment,
    before: comment,
    config: fc.dictionary(name, fc.oneof(fc.integer(), fc.boolean(), fc.string())),
  });
  fc.assert(
    fc.property(
      fc.dictionary(name, instance, { minKeys: 1, maxKeys: 5 }),
      fc.jsonValue({ maxDepth: 2 }),
      (instances, any) => {
        // JSON knows no -0.
        const value: unknown = JSON.parse(JSON.stringify(any));
        const lines = ['version: 1   #   first', 'sources:'];
        for (const [key, one] of Object.entries(instances)) {
          lines.push(
            `  # ${one.before}.`,
            `  ${JSON.stringify(key)}:`,
            `    plugin:   ${JSON.stringify(one.plugin)}     # ${one.note}.`,
          );
          lines.push(`    config: ${JSON.stringify(one.config)}`);
        }
        const text = `${lines.join('\n')}\n`;
        const [first = ''] = Object.keys(instances);
        const path = ['sources', first, 'extra'];
        const edited = editYaml(text, [set(path, value)]);
        const expected = structuredClone(parse(text)) as { sources: Record<string, Record<string, unknown>> };
        (expected.sources[first] as Record<string, unknown>).extra = value;
        expect(parse(edited)).toEqual(expected);
        for (const one of lines.filter((line) => line.includes('#'))) expect(edited).toContain(one);
        expect(editYaml(edited, [remove(path)])).toBe(text);
      },
    ),
    { numRuns: 200 },
  );
});

describe('an edit of a text with comments behind keys and lists in brackets', () => {
  test('changes the lines it is about and no others', () => {
    const text = [
      'version: 1',
      'sources:',
      '  demo: # what it is',
      '    plugin: generator',
      '    config: # how fast',
      '      rate: 200',
      'pipelines:',
      '  flow:',
      '    from: [demo]',
      '    to: [out]',
      '',
    ].join('\n');
    expect(editYaml(text, [{ op: 'set', path: ['sources', 'demo', 'config', 'rate'], value: 500 }])).toBe(
      text.replace('200', '500'),
    );
    expect(editYaml(text, [{ op: 'set', path: ['pipelines', 'flow', 'to'], value: ['out', 'more'] }])).toBe(
      text.replace('[out]', '[out, more]'),
    );
    expect(editYaml(text, [{ op: 'set', path: ['sources', 'demo', 'enabled'], value: false }])).toBe(
      text.replace('      rate: 200\n', '      rate: 200\n    enabled: false\n'),
    );
  });
});
