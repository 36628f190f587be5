/** A line diff with a few unchanged lines around each change. */

export interface DiffLine {
  readonly kind: 'same' | 'added' | 'removed' | 'skipped';
  readonly text: string;
  /** 1-based, in the text it is of; of the new text where it is in both. */
  readonly line: number;
}

/** More differing lines than this on both sides are shown as replaced: the table would grow with their product. */
const MAX_TABLE = 4_000_000;

export function diffLines(before: string, after: string, context = 3): readonly DiffLine[] {
  const a = before.split('\n');
  const b = after.split('\n');
  let head = 0;
  while (head < a.length && head < b.length && a[head] === b[head]) head++;
  let tail = 0;
  while (tail < a.length - head && tail < b.length - head && a[a.length - 1 - tail] === b[b.length - 1 - tail]) tail++;
  const middle = diffMiddle(a.slice(head, a.length - tail), b.slice(head, b.length - tail), head);
  const all: DiffLine[] = [
    ...b.slice(0, head).map((text, index): DiffLine => ({ kind: 'same', text, line: index + 1 })),
    ...middle,
    ...b
      .slice(b.length - tail)
      .map((text, index): DiffLine => ({ kind: 'same', text, line: b.length - tail + index + 1 })),
  ];
  if (middle.length === 0) return [];
  return collapse(all, context);
}

function diffMiddle(a: readonly string[], b: readonly string[], offset: number): readonly DiffLine[] {
  const removed = (i: number): DiffLine => ({ kind: 'removed', text: a[i] ?? '', line: offset + i + 1 });
  const added = (j: number): DiffLine => ({ kind: 'added', text: b[j] ?? '', line: offset + j + 1 });
  if (a.length * b.length > MAX_TABLE) return [...a.map((_, i) => removed(i)), ...b.map((_, j) => added(j))];
  const width = b.length + 1;
  const common = new Uint32Array((a.length + 1) * width);
  const at = (i: number, j: number): number => common[i * width + j] ?? 0;
  for (let i = a.length - 1; i >= 0; i--) {
    for (let j = b.length - 1; j >= 0; j--) {
      common[i * width + j] = a[i] === b[j] ? at(i + 1, j + 1) + 1 : Math.max(at(i + 1, j), at(i, j + 1));
    }
  }
  const lines: DiffLine[] = [];
  let i = 0;
  let j = 0;
  while (i < a.length || j < b.length) {
    if (i < a.length && j < b.length && a[i] === b[j]) {
      lines.push({ kind: 'same', text: b[j] ?? '', line: offset + j + 1 });
      i++;
      j++;
    } else if (j >= b.length || (i < a.length && at(i + 1, j) >= at(i, j + 1))) lines.push(removed(i++));
    else lines.push(added(j++));
  }
  return lines;
}

function collapse(lines: readonly DiffLine[], context: number): readonly DiffLine[] {
  const near = lines.map((_, index) =>
    lines.slice(Math.max(0, index - context), index + context + 1).some((line) => line.kind !== 'same'),
  );
  const shown: DiffLine[] = [];
  lines.forEach((line, index) => {
    if (near[index]) shown.push(line);
    else if (shown.length > 0 && shown.at(-1)?.kind !== 'skipped' && near.indexOf(true, index) !== -1) {
      shown.push({ kind: 'skipped', text: '', line: line.line });
    }
  });
  return shown;
}
