import { describe, expect, it } from 'vitest';
import type { CatalogueEntry, GatewayConfig } from '../../../gateway-core/protocol/model.ts';
import {
  checkName,
  contributionFor,
  filterCatalogue,
  instancesOf,
  joinEdits,
  pluginName,
  removeInstance,
  suggestName,
} from './catalogue.ts';

const entry = (
  name: string,
  kinds: readonly ('source' | 'sink')[],
  more: Partial<CatalogueEntry> = {},
): CatalogueEntry => {
  const contributes = kinds.map((kind) => ({ kind, name, main: './x.js' }));
  return {
    name,
    version: '1.0.0',
    origin: 'built-in',
    folder: '/x',
    versions: [],
    instances: [],
    contributions: contributes,
    manifest: {
      manifestVersion: 1,
      name,
      version: '1.0.0',
      apiVersion: '1',
      title: name.toUpperCase(),
      description: `About ${name}`,
      license: 'Apache-2.0',
      stability: 'stable',
      contributes,
    },
    ...more,
  };
};
const problem = { code: 'PB_X', message: 'broken', remedy: 'mend' };
const all = [
  entry('zeta', ['source'], { instances: ['plant-7'] }),
  entry('alpha', ['source', 'sink']),
  entry('mid', ['sink'], { problem }),
];
const names = (text: string, kind = '', state = '') =>
  filterCatalogue(all, { text, kind, state }).map((found) => found.name);

const config: GatewayConfig = {
  version: 1,
  sources: { a: { plugin: 'gen@^1' }, b: { plugin: 'gen' } },
  handlers: { h: { plugin: 'dec' } },
  sinks: { k: { plugin: 'out' }, l: { plugin: 'out' } },
  pipelines: { p: { from: ['a', 'b'], through: ['h'], to: ['k'] }, q: { from: ['a'], to: ['k', 'l'] } },
  events: [{ to: 'k' }, { to: 'l' }],
};

it('finds by words, kind and state, sorted by title', () => {
  expect(names('')).toEqual(['alpha', 'mid', 'zeta']);
  expect(names('ABOUT eta')).toEqual(['zeta']);
  expect(names('plant', 'source')).toEqual(['zeta']);
  expect(names('', 'sink')).toEqual(['alpha', 'mid']);
  expect(names('', '', 'used')).toEqual(['zeta']);
  expect(names('', '', 'problem')).toEqual(['mid']);
  expect(names('', '', 'nonsense')).toEqual([]);
});

it('knows what an instance is of', () => {
  expect(pluginName('amqp1@^1.2')).toBe('amqp1');
  expect(pluginName('@scope/x')).toBe('@scope/x');
  expect(instancesOf(config, 'gen')).toEqual([
    { section: 'sources', name: 'a' },
    { section: 'sources', name: 'b' },
  ]);
  const both = entry('alpha', ['source', 'sink']);
  expect(contributionFor(both, 'sink')?.kind).toBe('sink');
  expect(contributionFor(both, 'handler')).toBeUndefined();
});

it('takes only free, well-formed names', () => {
  expect(checkName(config, '')).toBe('empty');
  expect(checkName(config, 'Bad name')).toBe('shape');
  expect(checkName(config, 'h')).toEqual({ taken: 'handlers' });
  expect(checkName(config, 'fresh_1-x')).toBeUndefined();
  expect(checkName(config, 'constructor')).toBeUndefined();
  expect(suggestName(config, 'a')).toBe('a-2');
  expect(suggestName(config, '@Acme/Queue')).toBe('acme-queue');
});

it('joins at the end of the right list', () => {
  expect(joinEdits(config, { section: 'handlers', name: 'n' }, ['p', 'q', 'gone'])).toEqual([
    { op: 'set', path: ['pipelines', 'p', 'through'], value: ['h', 'n'] },
    { op: 'set', path: ['pipelines', 'q', 'through'], value: ['n'] },
  ]);
});

describe('deleting', () => {
  it('takes an instance out of the pipelines that go on without it', () => {
    const removal = removeInstance(config, { section: 'sinks', name: 'l' });
    expect(removal).toMatchObject({ leaves: ['q'], emptied: [], events: true });
    expect(removal.edits).toEqual([
      { op: 'set', path: ['pipelines', 'q', 'to'], value: ['k'] },
      { op: 'set', path: ['events'], value: [{ to: 'k' }] },
      { op: 'delete', path: ['sinks', 'l'] },
    ]);
  });

  it('says which pipelines could not go on', () => {
    expect(removeInstance(config, { section: 'sources', name: 'a' })).toMatchObject({
      leaves: ['p'],
      emptied: ['q'],
      events: false,
    });
  });

  it('a pipeline goes on without handlers', () => {
    const removal = removeInstance(config, { section: 'handlers', name: 'h' });
    expect(removal.emptied).toEqual([]);
    expect(removal.edits[0]).toEqual({ op: 'delete', path: ['pipelines', 'p', 'through'] });
  });
});
