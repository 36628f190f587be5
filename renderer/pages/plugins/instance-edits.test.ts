import { expect, it } from 'vitest';
import type { GatewayConfig } from '../../../gateway-core/protocol/model.ts';
import {
  addEdits,
  changeEdits,
  checkJoining,
  NOT_JOINED,
  readInstance,
  rebase,
  type Joining,
} from './instance-edits.ts';

const config: GatewayConfig = {
  version: 1,
  sources: { a: { plugin: 'gen', config: { rate: 10, hosts: 2 }, expect: { every: '30s' } }, bare: { plugin: 'gen' } },
  sinks: { k: { plugin: 'out' } },
  pipelines: { p: { from: ['a'], to: ['k'] } },
};
const a = { section: 'sources', name: 'a' } as const;
const bare = { section: 'sources', name: 'bare' } as const;
const fresh = (more: Partial<Joining['fresh']>): Joining => ({
  ...NOT_JOINED,
  mode: 'fresh',
  fresh: { ...NOT_JOINED.fresh, ...more },
});

it('edits only what was changed, at its place', () => {
  const draft = readInstance(config, a);
  if (draft === undefined) throw new Error('instance expected');
  expect(changeEdits(config, a, draft)).toEqual([]);
  expect(changeEdits(config, a, { config: { rate: 20, hosts: 2 }, around: {} })).toEqual([
    { op: 'set', path: ['sources', 'a', 'config', 'rate'], value: 20 },
    { op: 'delete', path: ['sources', 'a', 'expect'] },
  ]);
});

it('writes a config where there was none, and no empty one', () => {
  expect(changeEdits(config, bare, { config: {}, around: {} })).toEqual([]);
  expect(changeEdits(config, bare, { config: { rate: 1 }, around: {} })).toEqual([
    { op: 'set', path: ['sources', 'bare', 'config'], value: { rate: 1 } },
  ]);
});

it('adds an instance, alone, to a pipeline, or with a new one', () => {
  const placed = { section: 'sources', name: 'n' } as const;
  const draft = { config: {}, around: {} };
  const alone = { op: 'set', path: ['sources', 'n'], value: { plugin: 'gen' } };
  expect(addEdits(config, placed, 'gen', draft, NOT_JOINED)).toEqual([alone]);
  expect(addEdits(config, placed, 'gen', draft, { ...NOT_JOINED, mode: 'existing', pipelines: ['p'] })).toEqual([
    alone,
    { op: 'set', path: ['pipelines', 'p', 'from'], value: ['a', 'n'] },
  ]);
  expect(addEdits(config, placed, 'gen', draft, fresh({ name: 'q', to: ['k'] }))[1]).toEqual({
    op: 'set',
    path: ['pipelines', 'q'],
    value: { from: ['n'], to: ['k'] },
  });
});

it('says what a new pipeline lacks', () => {
  expect(checkJoining(config, 'sources', NOT_JOINED)).toBeUndefined();
  expect(checkJoining(config, 'sources', { ...NOT_JOINED, mode: 'existing' })).toBe('choose');
  expect(checkJoining(config, 'sources', fresh({}))).toBe('name');
  expect(checkJoining(config, 'sources', fresh({ name: 'A b' }))).toBe('shape');
  expect(checkJoining(config, 'sources', fresh({ name: 'p' }))).toBe('taken');
  expect(checkJoining(config, 'sources', fresh({ name: 'q' }))).toBe('sink');
  expect(checkJoining(config, 'sinks', fresh({ name: 'q' }))).toBe('source');
  expect(checkJoining(config, 'handlers', fresh({ name: 'q', from: ['a'], to: ['k'] }))).toBeUndefined();
});

it('keeps both sides of a conflict', () => {
  const newer: GatewayConfig = { ...config, sources: { a: { plugin: 'gen', config: { rate: 10, hosts: 9 } } } };
  expect(rebase(config, newer, a, { config: { rate: 77, hosts: 2 }, around: { expect: { every: '30s' } } })).toEqual({
    config: { rate: 77, hosts: 9 },
    around: {},
  });
  expect(rebase(config, { version: 1 }, a, { config: {}, around: {} })).toBeUndefined();
});
