import fc from 'fast-check';
import { expect, it } from 'vitest';
import type { PluginKind } from '../../../gateway-core/protocol/model.ts';
import { layOut, NODE_HEIGHT, NODE_WIDTH, type Layout, type LayoutEdge, type LayoutNode } from './layout.ts';

const node = (name: string): LayoutNode => ({
  name,
  kind:
    ({ s: 'source', h: 'handler', k: 'sink', x: 'executor' } as Record<string, PluginKind>)[name.charAt(0)] ??
    'handler',
});
const edges = (...pairs: string[]): LayoutEdge[] =>
  pairs.map((pair) => {
    const [from = '', to = ''] = pair.split('>');
    return { id: pair, from, to };
  });
const nodesOf = (list: readonly LayoutEdge[]): LayoutNode[] =>
  [...new Set(list.flatMap((e) => [e.from, e.to]))].map(node);
const x = (layout: Layout, name: string): number => layout.places.get(name)?.x ?? NaN;
const y = (layout: Layout, name: string): number => layout.places.get(name)?.y ?? NaN;

function overlaps(layout: Layout): boolean {
  const all = [...layout.places.values()];
  return all.some((a, i) =>
    all.slice(i + 1).some((b) => Math.abs(a.x - b.x) < NODE_WIDTH && Math.abs(a.y - b.y) < NODE_HEIGHT),
  );
}

it('puts sources left, sinks right, handlers between', () => {
  const list = edges('s1>h1', 'h1>h2', 'h2>k1', 's2>k2', 's1>k2');
  const layout = layOut(nodesOf(list), list);
  expect(x(layout, 's1')).toBe(0);
  expect(x(layout, 's2')).toBe(0);
  expect(x(layout, 'k1')).toBe(x(layout, 'k2'));
  expect(x(layout, 'h1')).toBeLessThan(x(layout, 'h2'));
  expect(x(layout, 'h2')).toBeLessThan(x(layout, 'k1'));
});

it('leads a long edge through every column it crosses', () => {
  const list = edges('s1>h1', 'h1>h2', 'h2>k1', 's1>k1');
  const layout = layOut(nodesOf(list), list);
  expect(layout.bends.get('s1>k1')).toHaveLength(2);
  // Not through a node.
  for (const bend of layout.bends.get('s1>k1') ?? []) {
    for (const place of layout.places.values()) {
      const inside =
        bend.x > place.x && bend.x < place.x + NODE_WIDTH && bend.y > place.y && bend.y < place.y + NODE_HEIGHT;
      expect(inside).toBe(false);
    }
  }
});

it('keeps a straight pipeline straight', () => {
  const list = edges('s1>h1', 'h1>k1');
  const layout = layOut(nodesOf(list), list);
  expect(new Set(['s1', 'h1', 'k1'].map((name) => y(layout, name))).size).toBe(1);
});

it('does not cross what need not cross', () => {
  const list = edges('s1>k2', 's2>k1');
  const layout = layOut([node('s1'), node('s2'), node('k1'), node('k2')], list);
  expect(y(layout, 's1') < y(layout, 's2')).toBe(y(layout, 'k2') < y(layout, 'k1'));
});

it('puts what no pipeline uses below the rest', () => {
  const list = edges('s1>k1');
  const layout = layOut([...nodesOf(list), node('x1'), node('h9')], list);
  expect(layout.looseY).toBeGreaterThan(y(layout, 's1') + NODE_HEIGHT);
  expect(y(layout, 'x1')).toBeGreaterThan(layout.looseY ?? Infinity);
  expect(overlaps(layout)).toBe(false);
});

it('lays out nothing, and nodes without edges', () => {
  expect(layOut([], []).places.size).toBe(0);
  expect(layOut([node('s1')], []).places.get('s1')).toEqual({ x: 0, y: 30 });
});

it('survives circles and never lets nodes overlap', () => {
  const names = ['s1', 's2', 's3', 'h1', 'h2', 'h3', 'h4', 'k1', 'k2', 'k3', 'x1'];
  const pair = fc.tuple(fc.constantFrom(...names), fc.constantFrom(...names)).filter(([from, to]) => from !== to);
  fc.assert(
    fc.property(fc.uniqueArray(pair, { selector: ([a, b]) => `${a}>${b}`, maxLength: 30 }), (pairs) => {
      const list = pairs.map(([from, to]) => ({ id: `${from}>${to}`, from, to }));
      const layout = layOut(names.map(node), list);
      expect(layout.places.size).toBe(names.length);
      expect([...layout.places.values()].every((p) => Number.isFinite(p.x) && Number.isFinite(p.y))).toBe(true);
      expect(overlaps(layout)).toBe(false);
    }),
  );
});

it('gives the same picture for the same graph', () => {
  const list = edges('s1>h1', 's2>h1', 'h1>k1', 'h1>k2', 's2>k2');
  expect(layOut(nodesOf(list), list)).toEqual(layOut(nodesOf(list), list));
});

it('is quick with 200 instances', () => {
  const list = Array.from({ length: 70 }, (_, i) =>
    edges(`s${i}>h${i}`, `h${i}>k${i % 60}`, `h${i}>k${(i * 7) % 60}`),
  ).flat();
  const begin = performance.now();
  const layout = layOut(nodesOf(list), list);
  expect(layout.places.size).toBe(200);
  expect(overlaps(layout)).toBe(false);
  // A few ms alone; the bound is for a machine that does eight other things.
  expect(performance.now() - begin).toBeLessThan(1000);
});
