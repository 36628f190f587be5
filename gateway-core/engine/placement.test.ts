import { describe, expect, it } from 'vitest';
import type { ResolvedConfig, ResolvedInstance, ResolvedPipeline } from '../config/resolved.ts';
import { place } from './placement.ts';

function instance(
  name: string,
  kind: ResolvedInstance['kind'],
  more: { enabled?: boolean; plugin?: string } = {},
): [string, ResolvedInstance] {
  const { enabled = true, plugin } = more;
  return [
    name,
    {
      name,
      kind,
      enabled,
      buffer: { kind: 'memory', maxBytes: 1, whenFull: 'block' },
      plugin: { name: plugin ?? name, origin: plugin === undefined ? 'built-in' : 'user' },
    } as unknown as ResolvedInstance,
  ];
}
function pipeline(name: string, from: string[], through: string[], to: string[]): [string, ResolvedPipeline] {
  return [name, { name, from, through, to, where: '', delivery: 'at-least-once', enabled: true }];
}
const configOf = (instances: [string, ResolvedInstance][], pipelines: [string, ResolvedPipeline][]): ResolvedConfig =>
  ({ instances: new Map(instances), pipelines: new Map(pipelines) }) as unknown as ResolvedConfig;
const at = (config: ResolvedConfig, settled = new Map<string, string>(), unusable = new Set<string>()) =>
  place(config, 2, settled, unusable);

describe('placement', () => {
  it('puts a source, its handlers and its sink into one thread, and spreads sources', () => {
    const { instances } = at(
      configOf(
        [
          instance('a', 'source'),
          instance('b', 'source'),
          instance('h', 'handler'),
          instance('x', 'sink'),
          instance('y', 'sink'),
        ],
        [pipeline('p', ['a'], ['h'], ['x']), pipeline('q', ['b'], [], ['y'])],
      ),
    );
    expect(Object.fromEntries(instances)).toEqual({
      a: ['worker-1'],
      b: ['worker-2'],
      h: ['worker-1'],
      x: ['worker-1'],
      y: ['worker-2'],
    });
  });

  it('reaches a shared sink over a link, and gives each thread its own copy of a shared handler', () => {
    const { instances, pipelines } = at(
      configOf(
        [instance('a', 'source'), instance('b', 'source'), instance('h', 'handler'), instance('x', 'sink')],
        [pipeline('p', ['a', 'b'], ['h'], ['x'])],
      ),
    );
    expect(instances.get('h')).toEqual(['worker-1', 'worker-2']);
    expect(pipelines.get('worker-1')).toMatchObject([
      { sources: ['a'], through: [{ remote: false }], to: [{ name: 'x', remote: false, spooled: false }] },
    ]);
    expect(pipelines.get('worker-2')).toMatchObject([
      { sources: ['b'], through: [{ remote: false }], to: [{ name: 'x', remote: true }] },
    ]);
  });

  it('never moves what has a place, whatever edge is drawn', () => {
    const settled = new Map<string, string>();
    const all = [instance('a', 'source'), instance('b', 'source'), instance('x', 'sink'), instance('y', 'sink')];
    const before = at(
      configOf(all, [pipeline('p', ['a'], [], ['x']), pipeline('q', ['b'], [], ['y'])]),
      settled,
    ).instances;
    const after = at(
      configOf(all, [pipeline('q', ['b'], [], ['y', 'x']), pipeline('p', ['a'], [], ['x', 'y'])]),
      settled,
    ).instances;
    expect(Object.fromEntries(after)).toEqual(Object.fromEntries(before));
  });

  it('gives third-party code a thread per plugin', () => {
    const { instances, pipelines } = at(
      configOf(
        [
          instance('a', 'source'),
          instance('h', 'handler', { plugin: 'acme' }),
          instance('x', 'sink', { plugin: 'acme' }),
        ],
        [pipeline('p', ['a'], ['h'], ['x'])],
      ),
    );
    expect(instances.get('h')).toEqual(['plugin:acme']);
    expect(instances.get('x')).toEqual(['plugin:acme']);
    expect(pipelines.get('worker-1')).toMatchObject([{ through: [{ remote: true }], to: [{ remote: true }] }]);
  });

  it('runs on with what is left of a pipeline, and says why one does not run', () => {
    const base = [instance('a', 'source'), instance('x', 'sink')];
    const one = at(
      configOf([...base, instance('y', 'sink', { enabled: false })], [pipeline('p', ['a'], [], ['x', 'y'])]),
    );
    expect(one.pipelines.get('worker-1')?.[0]?.to).toEqual([{ name: 'x', remote: false, spooled: false }]);
    const off = at(
      configOf([...base, instance('h', 'handler', { enabled: false })], [pipeline('p', ['a'], ['h'], ['x'])]),
    );
    expect(off.idlePipelines.get('p')).toBe('h is disabled');
    expect(off.idle.get('a')).toEqual({ state: 'stopped', reason: 'no running pipeline uses it' });
    const failed = at(
      configOf([...base, instance('h', 'handler')], [pipeline('p', ['a'], ['h'], ['x'])]),
      new Map(),
      new Set(['h']),
    );
    expect(failed.idlePipelines.get('p')).toBe('h failed');
  });
});
