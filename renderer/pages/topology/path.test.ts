import { describe, expect, it } from 'vitest';
import { apart, labelPoint } from './path.ts';

describe('labels of edges', () => {
  it('stand in the middle of the last stretch', () => {
    expect(
      labelPoint([
        { x: 0, y: 0 },
        { x: 10, y: 40 },
        { x: 30, y: 0 },
      ]),
    ).toEqual({ x: 20, y: 20 });
  });

  it('never lie on each other, and move only when they would', () => {
    const labels = [
      { x: 100, y: 50 },
      { x: 110, y: 55 },
      { x: 105, y: 60 },
      { x: 400, y: 52 },
    ];
    const moved = apart(labels);
    expect(moved[0]).toEqual(labels[0]);
    expect(moved[3]).toEqual(labels[3]);
    for (const [i, a] of moved.entries()) {
      for (const b of moved.slice(i + 1)) expect(Math.abs(a.x - b.x) >= 72 || Math.abs(a.y - b.y) >= 42).toBe(true);
    }
  });
});
