/**
 * A layered layout for our kind of graph: sources in the first column, sinks in the last,
 * handlers between them as far left as what feeds them allows. Own and not elkjs or dagre:
 * both place sinks wherever their path ends, elkjs is 1.6 MB and wants a worker, and this is
 * quick enough (200 instances: a few ms) to run before the first paint.
 *
 * The method is Sugiyama's: layers by longest path, a placeholder per layer a long edge
 * crosses, order by barycentres with the fewest crossings kept, and heights by isotonic
 * regression: as near to the neighbours' middle as order and spacing allow.
 */
import type { PluginKind } from '../../../gateway-core/protocol/model.ts';

export interface LayoutNode {
  readonly name: string;
  readonly kind: PluginKind;
}

export interface LayoutEdge {
  readonly id: string;
  readonly from: string;
  readonly to: string;
}

export interface Point {
  readonly x: number;
  readonly y: number;
}

export interface Layout {
  /** Upper left corners. */
  readonly places: ReadonlyMap<string, Point>;
  /** Points a long edge passes between its ends, left to right. */
  readonly bends: ReadonlyMap<string, readonly Point[]>;
  /** Where what no pipeline uses begins; undefined when there is none. */
  readonly looseY: number | undefined;
  readonly width: number;
  readonly height: number;
}

export const NODE_WIDTH = 208;
export const NODE_HEIGHT = 58;
const COLUMN_GAP = 132;
const ROW_GAP = 26;
/** Room for an edge that passes between nodes. */
const PASS_HEIGHT = 14;
const COLUMN = NODE_WIDTH + COLUMN_GAP;
const SWEEPS = 12;

interface Cell {
  readonly name: string;
  readonly layer: number;
  /** Set for the placeholder of a long edge. */
  readonly edge: string | undefined;
  readonly left: Cell[];
  readonly right: Cell[];
  index: number;
  y: number;
}

export function layOut(nodes: readonly LayoutNode[], edges: readonly LayoutEdge[]): Layout {
  const used = new Set(edges.flatMap((edge) => [edge.from, edge.to]));
  const joined = nodes.filter((node) => used.has(node.name));
  const loose = nodes.filter((node) => !used.has(node.name));
  const layers = makeLayers(joined, edges);
  orderLayers(layers);
  placeRows(layers);

  const places = new Map<string, Point>();
  const bends = new Map<string, Point[]>();
  let height = 0;
  for (const layer of layers) {
    for (const cell of layer) {
      if (cell.edge === undefined) {
        places.set(cell.name, { x: cell.layer * COLUMN, y: Math.round(cell.y - NODE_HEIGHT / 2) });
        height = Math.max(height, cell.y + NODE_HEIGHT / 2);
      } else {
        const bend = { x: cell.layer * COLUMN + NODE_WIDTH / 2, y: Math.round(cell.y) };
        bends.set(cell.edge, [...(bends.get(cell.edge) ?? []), bend]);
      }
    }
  }
  const columns = Math.max(layers.length, Math.min(loose.length, 4), 1);
  const looseY = loose.length === 0 ? undefined : height === 0 ? 0 : height + 72;
  loose.forEach((node, index) => {
    places.set(node.name, {
      x: (index % columns) * COLUMN,
      y: (looseY ?? 0) + 30 + Math.floor(index / columns) * (NODE_HEIGHT + ROW_GAP),
    });
  });
  if (looseY !== undefined) height = looseY + 30 + Math.ceil(loose.length / columns) * (NODE_HEIGHT + ROW_GAP);
  return { places, bends, looseY, width: columns * COLUMN - COLUMN_GAP, height };
}

/** Columns by longest path; edges that close a circle count as none. */
function makeLayers(nodes: readonly LayoutNode[], edges: readonly LayoutEdge[]): Cell[][] {
  const outgoing = new Map<string, LayoutEdge[]>();
  for (const edge of edges) outgoing.set(edge.from, [...(outgoing.get(edge.from) ?? []), edge]);
  const { order, forward } = sortForward(nodes, outgoing);

  const rank = new Map<string, number>();
  for (const name of order) {
    for (const edge of outgoing.get(name) ?? []) {
      if (forward.has(edge.id)) rank.set(edge.to, Math.max(rank.get(edge.to) ?? 0, (rank.get(name) ?? 0) + 1));
    }
  }
  const last = Math.max(0, ...rank.values());
  for (const node of nodes) {
    if (node.kind === 'source') rank.set(node.name, 0);
    else if (node.kind === 'sink') rank.set(node.name, last);
  }

  const layers: Cell[][] = Array.from({ length: nodes.length === 0 ? 0 : last + 1 }, () => []);
  const cells = new Map<string, Cell>();
  for (const name of order) {
    const cell = newCell(name, rank.get(name) ?? 0, undefined);
    cells.set(name, cell);
    layers[cell.layer]?.push(cell);
  }
  for (const name of order) {
    for (const edge of outgoing.get(name) ?? []) {
      const from = cells.get(edge.from);
      const to = cells.get(edge.to);
      if (from === undefined || to === undefined || to.layer <= from.layer) continue;
      let before = from;
      for (let layer = from.layer + 1; layer < to.layer; layer++) {
        const pass = newCell(edge.id, layer, edge.id);
        layers[layer]?.push(pass);
        join(before, pass);
        before = pass;
      }
      join(before, to);
    }
  }
  return layers;
}

function newCell(name: string, layer: number, edge: string | undefined): Cell {
  return { name, layer, edge, left: [], right: [], index: 0, y: 0 };
}

function join(left: Cell, right: Cell): void {
  left.right.push(right);
  right.left.push(left);
}

/** Names so that every forward edge leads from earlier to later, and which edges those are. */
function sortForward(
  nodes: readonly LayoutNode[],
  outgoing: ReadonlyMap<string, readonly LayoutEdge[]>,
): { order: readonly string[]; forward: ReadonlySet<string> } {
  const done: string[] = [];
  const state = new Map<string, 'open' | 'done'>();
  const forward = new Set<string>();
  const starts = [...nodes].sort((a, b) => Number(b.kind === 'source') - Number(a.kind === 'source'));
  for (const { name: start } of starts) {
    if (state.has(start)) continue;
    state.set(start, 'open');
    // A stack of its own: a long chain must not exhaust the call stack.
    const stack = [{ name: start, next: 0 }];
    for (let top = stack.at(-1); top !== undefined; top = stack.at(-1)) {
      const edge = outgoing.get(top.name)?.[top.next++];
      if (edge === undefined) {
        state.set(top.name, 'done');
        done.push(top.name);
        stack.pop();
      } else if (state.get(edge.to) !== 'open') {
        forward.add(edge.id);
        if (!state.has(edge.to)) {
          state.set(edge.to, 'open');
          stack.push({ name: edge.to, next: 0 });
        }
      }
    }
  }
  return { order: done.reverse(), forward };
}

function orderLayers(layers: Cell[][]): void {
  const number = (layer: Cell[]): void => layer.forEach((cell, index) => (cell.index = index));
  layers.forEach(number);
  let best = layers.map((layer) => [...layer]);
  let fewest = crossings(layers);
  for (let sweep = 0; sweep < SWEEPS && fewest > 0; sweep++) {
    const leftward = sweep % 2 === 1;
    for (const layer of leftward ? [...layers].reverse() : layers) {
      const middle = new Map(
        layer.map((cell) => [cell, mean(leftward ? cell.right : cell.left, (other) => other.index) ?? cell.index]),
      );
      layer.sort((a, b) => (middle.get(a) ?? 0) - (middle.get(b) ?? 0) || a.index - b.index);
      number(layer);
    }
    const now = crossings(layers);
    if (now < fewest) {
      fewest = now;
      best = layers.map((layer) => [...layer]);
    }
  }
  best.forEach((layer, index) => {
    layers[index] = layer;
    number(layer);
  });
}

/** How many pairs of edges between neighbouring columns cross. */
function crossings(layers: readonly (readonly Cell[])[]): number {
  let count = 0;
  for (const layer of layers) {
    const ends = layer.flatMap((cell) => cell.right.map((other) => other.index).sort((a, b) => a - b));
    for (let i = 0; i < ends.length; i++) {
      for (let j = i + 1; j < ends.length; j++) if ((ends[i] ?? 0) > (ends[j] ?? 0)) count++;
    }
  }
  return count;
}

function placeRows(layers: readonly (readonly Cell[])[]): void {
  for (const layer of layers) fit(layer, (cell) => cell.index * (NODE_HEIGHT + ROW_GAP));
  for (let sweep = 0; sweep < SWEEPS; sweep++) {
    const leftward = sweep % 2 === 1;
    for (const layer of leftward ? [...layers].reverse() : layers) {
      const near = (cell: Cell): Cell[] => {
        // The last sweeps look both ways, so that the middle column sits between its neighbours.
        if (sweep >= SWEEPS - 2) return [...cell.left, ...cell.right];
        return leftward ? cell.right : cell.left;
      };
      fit(layer, (cell) => mean(near(cell), (other) => other.y) ?? cell.y);
    }
  }
  const top = Math.min(...layers.flat().map((cell) => cell.y - halfHeight(cell)));
  for (const cell of layers.flat()) cell.y -= top;
}

function halfHeight(cell: Cell): number {
  return (cell.edge === undefined ? NODE_HEIGHT : PASS_HEIGHT) / 2;
}

/** Least squares to the wished heights, order and spacing kept (pool adjacent violators). */
function fit(layer: readonly Cell[], wish: (cell: Cell) => number): void {
  const blocks: { sum: number; count: number }[] = [];
  const offsets: number[] = [];
  let offset = 0;
  layer.forEach((cell, index) => {
    const above = layer[index - 1];
    if (above !== undefined) offset += halfHeight(above) + ROW_GAP + halfHeight(cell);
    offsets.push(offset);
    let block = { sum: wish(cell) - offset, count: 1 };
    for (
      let last = blocks.at(-1);
      last !== undefined && last.sum / last.count > block.sum / block.count;
      last = blocks.at(-1)
    ) {
      block = { sum: block.sum + last.sum, count: block.count + last.count };
      blocks.pop();
    }
    blocks.push(block);
  });
  let at = 0;
  for (const block of blocks) {
    for (let i = 0; i < block.count; i++, at++) {
      const cell = layer[at];
      if (cell !== undefined) cell.y = block.sum / block.count + (offsets[at] ?? 0);
    }
  }
}

function mean<T>(items: readonly T[], value: (item: T) => number): number | undefined {
  if (items.length === 0) return undefined;
  return items.reduce((sum, item) => sum + value(item), 0) / items.length;
}
