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

/** Room a label needs, canvas units: its own box and a gap that keeps two of them apart as targets. */
const LABEL = { width: 72, height: 42 };

/** Moves labels that would lie on each other down, in the order of their height; the others stay. */
export function apart(labels: readonly Point[]): readonly Point[] {
  const placed: Point[] = [];
  const result = [...labels];
  const order = labels.map((_, index) => index).sort((a, b) => (labels[a] as Point).y - (labels[b] as Point).y);
  for (const index of order) {
    let label = labels[index] as Point;
    for (let hit = collision(label, placed); hit !== undefined; hit = collision(label, placed)) {
      label = { x: label.x, y: hit.y + LABEL.height };
    }
    placed.push(label);
    result[index] = label;
  }
  return result;
}

function collision(label: Point, placed: readonly Point[]): Point | undefined {
  return placed.find(
    (other) => Math.abs(other.x - label.x) < LABEL.width && Math.abs(other.y - label.y) < LABEL.height,
  );
}
