import type { Point } from './layout.ts';

/** A smooth line through points, level at each; SVG path data. */
export function edgePath(points: readonly Point[]): string {
  const [first, ...rest] = points;
  if (first === undefined) return '';
  let path = `M${first.x},${first.y}`;
  let from = first;
  for (const to of rest) {
    const half = (to.x - from.x) / 2;
    path += ` C${from.x + half},${from.y} ${to.x - half},${to.y} ${to.x},${to.y}`;
    from = to;
  }
  return path;
}

/** Where an edge's label goes: the middle of its last stretch, beside what it feeds. */
export function labelPoint(points: readonly Point[]): Point {
  const to = points.at(-1) ?? { x: 0, y: 0 };
  const from = points.at(-2) ?? to;
  return { x: (from.x + to.x) / 2, y: (from.y + to.y) / 2 };
}
