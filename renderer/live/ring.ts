/**
 * What the live view shows, oldest first: rows, and marks where rows are missing. Bounded; it
 * lives outside React. Positions are 0 to length - 1 and shift when entries leave at the front.
 */
import type { LiveRow } from '../../gateway-core/protocol/model.ts';

export interface RowEntry {
  readonly kind: 'row';
  readonly row: LiveRow;
  /** The tap its `seq` belongs to, for `live.message`. */
  readonly tap: string;
}

/** Rows after `after` and before `before` of one tap are not here. */
export interface GapEntry {
  readonly kind: 'gap';
  readonly tap: string;
  readonly after: number;
  readonly before: number;
  /** The engine's ring does not have them any more: asking again is no use. */
  readonly lost: boolean;
}

/** From here on rows are of another tap: the engine restarted, or the stream broke off. */
export interface BreakEntry {
  readonly kind: 'break';
  /** When the new tap opened, ms since the epoch. */
  readonly time: number;
}

export type Entry = RowEntry | GapEntry | BreakEntry;

export function missing(gap: GapEntry): number {
  return gap.before - gap.after - 1;
}

export class LiveRing {
  readonly capacity: number;
  #items: Entry[] = [];
  /** Entries before it have left; the array is cut now and then, not at every push. */
  #head = 0;

  constructor(capacity: number) {
    if (!Number.isInteger(capacity) || capacity < 1) throw new RangeError(`capacity ${capacity}`);
    this.capacity = capacity;
  }

  get length(): number {
    return this.#items.length - this.#head;
  }

  at(index: number): Entry | undefined {
    return index < 0 ? undefined : this.#items[this.#head + index];
  }

  /** The newest row; marks are passed over. */
  lastRow(): RowEntry | undefined {
    for (let i = this.#items.length - 1; i >= this.#head; i--) {
      const entry = this.#items[i];
      if (entry?.kind === 'row') return entry;
    }
    return undefined;
  }

  /** The oldest row; marks are passed over. */
  firstRow(): RowEntry | undefined {
    for (let i = this.#head; i < this.#items.length; i++) {
      const entry = this.#items[i];
      if (entry?.kind === 'row') return entry;
    }
    return undefined;
  }

  /** Position of the row with this `seq` and `id`; -1 when it is not here. The newest wins. */
  find(seq: number, id: string): number {
    for (let i = this.#items.length - 1; i >= this.#head; i--) {
      const entry = this.#items[i];
      if (entry?.kind === 'row' && entry.row.seq === seq && entry.row.id === id) return i - this.#head;
    }
    return -1;
  }

  /** Adds rows at the end, with a gap mark where a `seq` is missing. Rows already here are left out. */
  append(rows: readonly LiveRow[], tap: string): void {
    for (const row of rows) {
      const last = this.#items.at(-1);
      if (last?.kind === 'row' && last.tap === tap) {
        if (row.seq <= last.row.seq) continue;
        if (row.seq > last.row.seq + 1)
          this.#push({ kind: 'gap', tap, after: last.row.seq, before: row.seq, lost: false });
      }
      this.#push({ kind: 'row', row, tap });
    }
  }

  /** Adds entries of another ring at the end, joined like rows of {@link append}. */
  appendAll(other: LiveRing): void {
    for (let i = 0; i < other.length; i++) {
      const entry = other.at(i);
      if (entry?.kind === 'row') this.append([entry.row], entry.tap);
      else if (entry !== undefined) this.#push(entry);
    }
  }

  appendBreak(time: number): void {
    if (this.length === 0 || this.#items.at(-1)?.kind !== 'break') this.#push({ kind: 'break', time });
  }

  /**
   * Adds older rows (ascending) before the oldest. Over capacity the newest leave: whoever pages
   * back is not looking at them, and they are the engine's to give again.
   * Returns how many entries were added.
   */
  prepend(rows: readonly LiveRow[], tap: string): number {
    const first = this.at(0);
    const older = first?.kind === 'row' && first.tap === tap ? rows.filter((row) => row.seq < first.row.seq) : rows;
    if (older.length === 0) return 0;
    const added = older.slice(-this.capacity).map((row): Entry => ({ kind: 'row', row, tap }));
    const items = [...added, ...this.#items.slice(this.#head)];
    this.#items = items.slice(0, this.capacity);
    this.#head = 0;
    return added.length;
  }

  /**
   * Puts rows (ascending, of the gap's range) into a gap, next to its newer end, and marks what is
   * still missing: as lost when it is older than the engine's `oldest`.
   * Returns by how much the ring grew; 0 when the gap has left meanwhile.
   */
  fill(gap: GapEntry, rows: readonly LiveRow[], oldest: number): number {
    const index = this.#items.indexOf(gap, this.#head);
    if (index === -1) return 0;
    const fitting = rows.filter((row) => row.seq > gap.after && row.seq < gap.before);
    const before = fitting[0]?.seq ?? gap.before;
    const put: Entry[] = fitting.map((row) => ({ kind: 'row', row, tap: gap.tap }));
    if (before > gap.after + 1)
      put.unshift({
        kind: 'gap',
        tap: gap.tap,
        after: gap.after,
        before,
        lost: fitting.length === 0 || before <= oldest,
      });
    const length = this.length;
    this.#items = [...this.#items.slice(this.#head, index), ...put, ...this.#items.slice(index + 1)].slice(
      0,
      this.capacity,
    );
    this.#head = 0;
    return this.length - length;
  }

  clear(): void {
    this.#items = [];
    this.#head = 0;
  }

  #push(entry: Entry): void {
    this.#items.push(entry);
    if (this.#items.length - this.#head > this.capacity) this.#head++;
    if (this.#head > this.capacity / 4 + 64) {
      this.#items = this.#items.slice(this.#head);
      this.#head = 0;
    }
  }
}
