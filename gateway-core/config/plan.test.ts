import { expect, test } from 'vitest';
import type { ResolvedPlugin } from '../catalog/resolved-plugin.ts';
import { changedKeys, isIdle, planChange } from './plan.ts';
import type { ResolvedConfig, ResolvedInstance, ResolvedPipeline } from './resolved.ts';

const plugin: ResolvedPlugin = {
  name: 'x',
  version: '1.0.0',
  kind: 'source',
  manifest: {
    manifestVersion: 1,
    name: 'x',
    version: '1.0.0',
    apiVersion: '1',
    title: 'X',
    description: '',
    license: '',
    stability: 'stable',
    contributes: [],
  },
  contribution: { kind: 'source', name: 'x', main: './x.js' },
  origin: 'user',
  root: '/x',
  moduleUrl: 'file:///x/x.js',
  hash: 'a',
};
const instance = (
  name: string,
  kind: 'source' | 'handler' | 'sink',
  more: Partial<ResolvedInstance> = {},
): ResolvedInstance => ({
  name,
  kind,
  plugin: { ...plugin, kind },
  enabled: true,
  config: { rate: 1, listen: { port: 1 }, password: 'one' },
  written: {},
  secrets: [],
  expectEveryMs: 0,
  buffer: { kind: 'memory', maxBytes: 1, whenFull: 'block' },
  ...more,
});
const pipeline = (more: Partial<ResolvedPipeline> = {}): ResolvedPipeline => ({
  name: 'p',
  from: ['a'],
  where: '',
  through: [],
  to: ['z'],
  delivery: 'at-least-once',
  enabled: true,
  ...more,
});
function config(
  instances: ResolvedInstance[],
  pipelines: ResolvedPipeline[] = [],
  more: Partial<ResolvedConfig> = {},
): ResolvedConfig {
  return {
    written: { version: 1 },
    instances: new Map(instances.map((one) => [one.name, one])),
    pipelines: new Map(pipelines.map((one) => [one.name, one])),
    project: 'default',
    control: { host: '127.0.0.1', port: 0 },
    logLevel: 'info',
    deadLetters: { count: 1, bytes: 1, ageMs: 1 },
    ...more,
  };
}
const [a, z] = [instance('a', 'source'), instance('z', 'sink')];
const base = config([a, z], [pipeline()]);

/** `act name: reason (gap)`. */
function steps(before: ResolvedConfig | null, after: ResolvedConfig, kept = false): string[] {
  return planChange(before, after)
    .steps.filter((one) => kept || one.act !== 'keep')
    .map(({ act, name, reason, gap }) => `${act} ${name}: ${reason}${gap === '' ? '' : ` (${gap})`}`);
}

test('from nothing, everything starts', () => {
  expect(steps(null, base)).toEqual(['start a: new', 'start z: new', 'start p: new']);
});

test('no change keeps everything', () => {
  expect(steps(base, config([a, z], [pipeline()]), true)).toEqual([
    'keep a: unchanged',
    'keep z: unchanged',
    'keep p: unchanged',
  ]);
  expect(isIdle(planChange(base, base))).toBe(true);
  expect(isIdle(planChange(null, base))).toBe(false);
});

const changed: [name: string, after: Partial<ResolvedInstance>, step: string][] = [
  [
    'config',
    { config: { rate: 2, listen: { port: 2 }, password: 'one' } },
    'reconfigure a: config changed: rate, listen.port (if it cannot take the change while running: a takes nothing in while it restarts)',
  ],
  [
    'a secret, by its key alone',
    { config: { rate: 1, listen: { port: 1 }, password: 'two' } },
    'reconfigure a: config changed: password (if it cannot take the change while running: a takes nothing in while it restarts)',
  ],
  [
    'a key gone',
    { config: { rate: 1, password: 'one' } },
    'reconfigure a: config changed: listen (if it cannot take the change while running: a takes nothing in while it restarts)',
  ],
  ['expect', { expectEveryMs: 5 }, 'reconfigure a: expect changed'],
  ['disabled', { enabled: false }, 'stop a: disabled (a takes nothing in any more)'],
  [
    'another version',
    { plugin: { ...plugin, version: '2.0.0', hash: 'b' } },
    'restart a: plugin x changed: 1.0.0 to 2.0.0 (a takes nothing in while it restarts)',
  ],
  [
    'edited code',
    { plugin: { ...plugin, hash: 'b' } },
    'restart a: code of plugin x changed (a takes nothing in while it restarts)',
  ],
  [
    'another plugin',
    { plugin: { ...plugin, name: 'y', contribution: { ...plugin.contribution, name: 'y' } } },
    'restart a: plugin changed: x to y (a takes nothing in while it restarts)',
  ],
  [
    'another kind',
    { kind: 'handler' },
    'restart a: now a handler, was a source (a takes nothing in while it restarts)',
  ],
];
test.each(changed)('an instance: %s', (_name, after, step) => {
  expect(steps(base, config([{ ...a, ...after }, z], [pipeline()]))).toEqual([step]);
});

test('what was off starts when switched on, and stays off whatever changes', () => {
  const off = config([{ ...a, enabled: false }, z], [pipeline()]);
  expect(steps(off, base)).toEqual(['start a: enabled']);
  expect(steps(off, config([{ ...a, enabled: false, config: {} }, z], [pipeline()]), true)[0]).toBe('keep a: disabled');
});

test('what is gone stops first; another project restarts all', () => {
  expect(steps(base, config([z]))).toEqual([
    'stop a: removed (a takes nothing in any more)',
    'stop p: removed (nothing goes from a to z any more by this way)',
  ]);
  expect(steps(base, config([a, z], [pipeline()], { project: 'other' }))).toEqual([
    'restart a: project changed (a takes nothing in while it restarts)',
    'restart z: project changed (messages wait for z while it restarts)',
  ]);
});

const rerouted: [Partial<ResolvedPipeline>, string][] = [
  [{ to: ['z', 'y'] }, 'reconfigure p: to changed: +y'],
  [{ from: ['b'], through: ['h'] }, 'reconfigure p: from changed: +b -a; through changed: +h'],
  [{ where: 'true' }, 'reconfigure p: where changed'],
  [{ delivery: 'at-most-once' }, 'reconfigure p: delivery changed: at-most-once'],
  [{ enabled: false }, 'stop p: disabled (nothing goes to z by this way)'],
];
test.each(rerouted)('a pipeline: %o', (after, step) => {
  expect(steps(base, config([a, z], [pipeline(after)]))).toEqual([step]);
});

test('an edge drawn touches no instance', () => {
  const plan = planChange(base, config([a, z], [pipeline({ to: ['z', 'y'] })]));
  expect(plan.steps.filter((one) => one.subject === 'instance').every((one) => one.act === 'keep')).toBe(true);
});

test('changed keys are paths', () => {
  expect(changedKeys({ a: { b: [1, 2], 'c d': 1 } }, { a: { b: [1, 3], 'c d': 2 } })).toEqual(['a.b', 'a["c d"]']);
});
