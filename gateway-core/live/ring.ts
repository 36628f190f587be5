import type { LiveRow } from '../protocol/model.ts';

export interface RingEntry {
  readonly row: LiveRow;
  /** What came in, then what came out, packed (flow/pack.ts). */
  readonly packed: Uint8Array;
}

const OVERHEAD = 400;

/** The rows of one tap, bounded by bytes: the oldest leave first. Numbers run on from 1 without gaps. */
export class LiveRing {
  private readonly maxBytes: number;
  private entries: (RingEntry & { readonly size: number })[] = [];
  private head = 0;
  private bytes = 0;
  private last = 0;
  evicted = 0;

  constructor(maxBytes: number) {
    this.maxBytes = maxBytes;
  }

  get newest(): number {
    return this.last;
  }

  /** Number of the oldest row still here; `newest + 1` when there is none. */
  get oldest(): number {
    return this.entries[this.head]?.row.seq ?? this.last + 1;
  }

  push(row: Omit<LiveRow, 'seq'>, packed: Uint8Array): void {
    const size = packed.byteLength + row.summary.length * 2 + row.after.length * 2 + OVERHEAD;
    this.entries.push({ row: { ...row, seq: ++this.last }, packed, size });
    this.bytes += size;
    while (this.bytes > this.maxBytes && this.entries.length - this.head > 1) {
      this.bytes -= (this.entries[this.head] as { size: number }).size;
      this.head++;
      this.evicted++;
    }
    if (this.head > 1024 && this.head * 2 > this.entries.length) {
      this.entries = this.entries.slice(this.head);
      this.head = 0;
    }
  }

  at(seq: number): RingEntry | undefined {
    return seq < this.oldest ? undefined : this.entries[this.head + seq - this.oldest];
  }

  /** Entries with `from <= seq < to`, oldest first, as far as they are still here. */
  slice(from: number, to: number): readonly RingEntry[] {
    const { oldest } = this;
    const start = Math.max(from, oldest);
    return to <= start ? [] : this.entries.slice(this.head + start - oldest, this.head + to - oldest);
  }
}
