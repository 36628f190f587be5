/** The topology as the canvas needs it: one edge per pair of nodes, whatever pipelines share it. */
import type { StatusReport, Topology, TopologyEdge, TopologyNode } from '../../../gateway-core/protocol/model.ts';

export interface GraphEdge {
  /** `edgeId(from, to)`. */
  readonly id: string;
  readonly from: string;
  readonly to: string;
  /** Sorted by name; never empty. */
  readonly pipelines: readonly string[];
}

export interface Graph {
  readonly nodes: readonly TopologyNode[];
  readonly edges: readonly GraphEdge[];
}

export interface PipelineShape {
  readonly name: string;
  readonly where: string;
  readonly sources: readonly string[];
  readonly sinks: readonly string[];
}

export function edgeId(from: string, to: string): string {
  return JSON.stringify([from, to]);
}

/** Edges to or from what is not there are left out; several pipelines over one pair share an edge. */
export function buildGraph(topology: Topology): Graph {
  const known = new Set(topology.nodes.map((node) => node.name));
  const merged = new Map<string, { from: string; to: string; pipelines: Set<string> }>();
  for (const { from, to, pipeline } of topology.edges) {
    if (!known.has(from) || !known.has(to) || from === to) continue;
    const id = edgeId(from, to);
    const edge = merged.get(id) ?? { from, to, pipelines: new Set() };
    edge.pipelines.add(pipeline);
    merged.set(id, edge);
  }
  return {
    nodes: topology.nodes,
    edges: [...merged].map(([id, edge]) => ({
      id,
      from: edge.from,
      to: edge.to,
      pipelines: [...edge.pipelines].sort((a, b) => a.localeCompare(b)),
    })),
  };
}

/** Equal keys, equal picture: only then is the layout kept. Titles and icons do not move anything. */
export function shapeKey(graph: Graph): string {
  return JSON.stringify([
    graph.nodes.map((node) => [node.name, node.kind]),
    graph.edges.map((edge) => [edge.from, edge.to]),
  ]);
}

/** Names of the pipelines an instance takes part in, sorted. */
export function pipelinesOf(topology: Topology, instance: string): readonly string[] {
  const names = topology.edges
    .filter((edge) => edge.from === instance || edge.to === instance)
    .map((edge) => edge.pipeline);
  return [...new Set(names)].sort((a, b) => a.localeCompare(b));
}

/** What a pipeline's edges say of it. */
export function pipelineShape(topology: Topology, name: string): PipelineShape {
  const edges = topology.edges.filter((edge) => edge.pipeline === name);
  const kinds = new Map(topology.nodes.map((node) => [node.name, node.kind]));
  const ends = (kind: string, end: (edge: TopologyEdge) => string) => [
    ...new Set(edges.map(end).filter((node) => kinds.get(node) === kind)),
  ];
  return {
    name,
    where: edges.find((edge) => edge.where !== '')?.where ?? '',
    sources: ends('source', (edge) => edge.from),
    sinks: ends('sink', (edge) => edge.to),
  };
}

/** What flows over an edge: the rates of its pipelines together. Undefined: not known yet. */
export function edgeRate(report: StatusReport | undefined, edge: GraphEdge): number | undefined {
  if (report === undefined) return undefined;
  const rates = edge.pipelines.map((name) => report.pipelines[name]?.ratePerSecond ?? 0);
  const total = rates.reduce((sum, rate) => sum + rate, 0);
  // A pipeline counts all its sources; one source of several cannot bring in more than it has.
  const upstream = report.instances[edge.from];
  return upstream?.kind === 'source' ? Math.min(total, upstream.ratePerSecond) : total;
}

export type Fill = 'ok' | 'warn' | 'bad';

/** How full a queue is: green to 60 %, amber to 85 %, red above. */
export function fillTone(queued: number, limit: number): Fill {
  const share = limit > 0 ? queued / limit : 0;
  if (share <= 0.6) return 'ok';
  return share <= 0.85 ? 'warn' : 'bad';
}

/** Node in a direction of the keyboard from another: nearest, with what is straight ahead preferred. */
export function neighbour(
  places: ReadonlyMap<string, { readonly x: number; readonly y: number }>,
  from: string,
  key: 'ArrowLeft' | 'ArrowRight' | 'ArrowUp' | 'ArrowDown',
): string | undefined {
  const here = places.get(from);
  if (here === undefined) return undefined;
  let best: string | undefined;
  let bestCost = Infinity;
  for (const [name, place] of places) {
    const dx = place.x - here.x;
    const dy = place.y - here.y;
    const ahead = { ArrowLeft: -dx, ArrowRight: dx, ArrowUp: -dy, ArrowDown: dy }[key];
    const aside = key === 'ArrowLeft' || key === 'ArrowRight' ? Math.abs(dy) : Math.abs(dx);
    const cost = ahead + aside * 2;
    if (ahead > 1 && cost < bestCost) [best, bestCost] = [name, cost];
  }
  return best;
}

/** Why an instance holds a pipeline up, in words; undefined when it holds none up. */
export function bottleneckAt(report: StatusReport | undefined, name: string): string | undefined {
  for (const { bottleneck } of Object.values(report?.pipelines ?? {}))
    if (bottleneck?.stage === name) return bottleneck.reason;
  return undefined;
}
