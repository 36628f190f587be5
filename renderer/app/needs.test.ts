import { expect, it } from 'vitest';
import type { NeedsYou, Topology } from '../../gateway-core/protocol/model.ts';
import { byUrgency, placeOf } from './needs.ts';

const need = (code: string, subject = 's', since = 1): NeedsYou => ({ code, subject, since, message: '', remedy: '' });

it('puts what stops intake first, what can wait last, and of equals the older one', () => {
  const items = [
    need('PB_SPOOL_ORPHAN'),
    need('PB_SILENCE'),
    need('PB_SOME_PLUGIN', 'late', 9),
    need('PB_SOME_PLUGIN', 'early', 2),
    need('PB_SPOOL_FULL'),
    need('PB_SPOOL_FAILING'),
  ];
  expect(byUrgency(items).map(({ code, subject }) => [code, subject])).toEqual([
    ['PB_SPOOL_FAILING', 's'],
    ['PB_SPOOL_FULL', 's'],
    ['PB_SOME_PLUGIN', 'early'],
    ['PB_SOME_PLUGIN', 'late'],
    ['PB_SILENCE', 's'],
    ['PB_SPOOL_ORPHAN', 's'],
  ]);
});

it('leads to the node, to the pipeline, or to where a sink is added', () => {
  const topology = {
    nodes: [{ name: 'out' }],
    edges: [{ from: 'in', to: 'out', pipeline: 'flow', where: '' }],
  } as unknown as Topology;
  expect(placeOf(need('PB_SPOOL_FULL', 'out'), topology)).toEqual({ kind: 'instance', path: '/topology?select=out' });
  expect(placeOf(need('PB_LEDGER', 'flow'), topology)).toEqual({
    kind: 'pipeline',
    path: '/topology?edge=in%3Eout',
  });
  expect(placeOf(need('PB_SPOOL_ORPHAN', 'gone'), topology)).toEqual({
    kind: 'sinkPlugins',
    path: '/plugins?kind=sink',
  });
  expect(placeOf(need('PB_PLUGIN_BROKEN', 'acme'), topology)).toBeUndefined();
  expect(placeOf(need('PB_SPOOL_FULL', 'out'), undefined)).toBeUndefined();
});
