import { expect, it } from 'vitest';
import type { InstanceStatus, PipelineStatus, StatusReport, Topology } from '../../../gateway-core/protocol/model.ts';
import { buildGraph, edgeId, edgeRate, fillTone, neighbour, pipelineShape, pipelinesOf, shapeKey } from './graph.ts';

const node = (name: string, kind: 'source' | 'handler' | 'sink') => ({
  name,
  kind,
  plugin: 'p',
  title: 'P',
  icon: '',
  enabled: true,
});
const topology: Topology = {
  nodes: [node('a', 'source'), node('b', 'source'), node('d', 'handler'), node('k', 'sink')],
  edges: [
    { from: 'a', to: 'd', pipeline: 'two', where: '' },
    { from: 'a', to: 'd', pipeline: 'one', where: 'x == 1' },
    { from: 'd', to: 'k', pipeline: 'one', where: 'x == 1' },
    { from: 'b', to: 'k', pipeline: 'two', where: '' },
    { from: 'b', to: 'gone', pipeline: 'two', where: '' },
  ],
};

it('joins the pipelines of one pair into one edge, and drops loose ends', () => {
  const graph = buildGraph(topology);
  expect(graph.edges.map((edge) => edge.id)).toEqual([edgeId('a', 'd'), edgeId('d', 'k'), edgeId('b', 'k')]);
  expect(graph.edges[0]?.pipelines).toEqual(['one', 'two']);
});

it('keeps the picture when only words change', () => {
  const renamed = { ...topology, nodes: topology.nodes.map((n) => ({ ...n, title: 'Other', enabled: false })) };
  expect(shapeKey(buildGraph(renamed))).toBe(shapeKey(buildGraph(topology)));
  expect(shapeKey(buildGraph({ ...topology, edges: [] }))).not.toBe(shapeKey(buildGraph(topology)));
});

it('tells what a pipeline is of', () => {
  expect(pipelinesOf(topology, 'a')).toEqual(['one', 'two']);
  expect(pipelineShape(topology, 'one')).toEqual({ name: 'one', where: 'x == 1', sources: ['a'], sinks: ['k'] });
});

it('never claims more on an edge than its source brings', () => {
  const report = {
    pipelines: { one: { ratePerSecond: 100 } as PipelineStatus, two: { ratePerSecond: 50 } as PipelineStatus },
    instances: {
      a: { kind: 'source', ratePerSecond: 120 } as InstanceStatus,
      d: { kind: 'handler', ratePerSecond: 5 } as InstanceStatus,
    },
  } as unknown as StatusReport;
  const [ad, dk] = buildGraph(topology).edges;
  if (ad === undefined || dk === undefined) throw new Error('edges expected');
  expect(edgeRate(report, ad)).toBe(120);
  expect(edgeRate(report, dk)).toBe(100);
  expect(edgeRate(undefined, dk)).toBeUndefined();
});

it.each([
  [0, 0, 'ok'],
  [60, 100, 'ok'],
  [61, 100, 'warn'],
  [85, 100, 'warn'],
  [86, 100, 'bad'],
])('colours a queue of %d in %d %s', (queued, limit, tone) => {
  expect(fillTone(queued, limit)).toBe(tone);
});

it('walks to the nearest node that way', () => {
  const places = new Map([
    ['a', { x: 0, y: 0 }],
    ['b', { x: 0, y: 100 }],
    ['c', { x: 300, y: 110 }],
    ['d', { x: 300, y: 10 }],
  ]);
  expect(neighbour(places, 'a', 'ArrowRight')).toBe('d');
  expect(neighbour(places, 'a', 'ArrowDown')).toBe('b');
  expect(neighbour(places, 'c', 'ArrowLeft')).toBe('b');
  expect(neighbour(places, 'a', 'ArrowLeft')).toBeUndefined();
  expect(neighbour(places, 'nope', 'ArrowLeft')).toBeUndefined();
});
