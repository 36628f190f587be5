/**
 * The memory on disk: chunks of digests in the order in which they were remembered. Every commit
 * adds one; many small ones become a larger one in the same commit, so that each digest is
 * written a few times at most, however small the batches. Expired chunks go as a whole.
 */
import type { State } from 'patchbay/plugin-api';
import { DIGEST_LENGTH } from './key.ts';

/** A chunk as it is stored. `runs`: from the oldest, a time and how many digests have it. */
interface Stored {
  readonly runs: readonly (readonly [time: number, count: number])[];
  readonly digests: string;
}

interface Chunk extends Stored {
  readonly name: string;
  readonly level: number;
  readonly newest: number;
}

/** So many chunks of a level become one of the next. */
const FAN = 16;
/** A chunk with more digests stays as it is. */
const FULL = 4096;
const ABOUT = 'about';
const FORMAT = 1;

export interface Remembered {
  readonly digest: string;
  readonly time: number;
}

export class Journal {
  private readonly state: State;
  private chunks: readonly Chunk[] = [];
  private next = 0;

  constructor(state: State) {
    this.state = state;
  }

  /** All that is remembered, oldest first. What was kept for another key says nothing of this one and is deleted. */
  async load(key: string): Promise<readonly Remembered[]> {
    const about = (await this.state.get(ABOUT)) as { format?: unknown; key?: unknown } | undefined;
    const names = (await this.state.keys()).filter((name) => name !== ABOUT);
    if (about?.format !== FORMAT || about.key !== key) {
      await this.state.apply({ set: { [ABOUT]: { format: FORMAT, key } }, delete: names });
      return [];
    }
    const chunks: Chunk[] = [];
    for (const name of names) {
      const stored = (await this.state.get(name)) as Stored;
      const [level = 0, number = 0] = name.split(':').map(Number);
      this.next = Math.max(this.next, number + 1);
      chunks.push({ ...stored, name, level, newest: stored.runs.at(-1)?.[0] ?? 0 });
    }
    this.chunks = chunks.toSorted((a, b) => a.newest - b.newest || numberOf(a) - numberOf(b));
    return this.chunks.flatMap(entriesOf).toSorted((a, b) => a.time - b.time);
  }

  /**
   * Resolves when `digests`, remembered at `time`, are on disk; rejects, with nothing changed, when they could not be.
   * Chunks with nothing after `since`, and the oldest that are not needed for `max` digests, go with the same commit.
   * One call at a time.
   */
  async append(digests: readonly string[], time: number, since: number, max: number): Promise<void> {
    const set: Record<string, Stored> = {};
    const gone: string[] = [];
    let { next } = this;
    const make = (level: number, { runs, digests: text }: Stored): Chunk => {
      const name = `${level}:${String(next++).padStart(12, '0')}`;
      return { name, level, runs, digests: text, newest: runs.at(-1)?.[0] ?? 0 };
    };
    const drop = (chunk: Chunk): void => {
      if (set[chunk.name] === undefined) gone.push(chunk.name);
      else delete set[chunk.name];
    };
    const add = (chunk: Chunk): void => {
      set[chunk.name] = { runs: chunk.runs, digests: chunk.digests };
    };

    let chunks = [...this.chunks];
    const fresh = make(0, { runs: [[time, digests.length]], digests: digests.join('') });
    add(fresh);
    chunks.push(fresh);
    let held = chunks.reduce((sum, chunk) => sum + countOf(chunk), 0);
    // From the oldest on, as long as what stays is enough.
    const needed = chunks.findIndex((chunk) => {
      const needless = chunk !== fresh && (chunk.newest < since || held - countOf(chunk) >= max);
      if (needless) held -= countOf(chunk);
      return !needless;
    });
    for (const chunk of chunks.splice(0, needed)) drop(chunk);
    for (let level = 0; ; level++) {
      const small = chunks.filter((chunk) => chunk.level === level && countOf(chunk) < FULL);
      if (small.length < FAN) break;
      const merged = make(level + 1, {
        runs: small.flatMap(({ runs }) => runs),
        digests: small.map(({ digests: text }) => text).join(''),
      });
      for (const chunk of small) drop(chunk);
      add(merged);
      const at = chunks.indexOf(small.at(-1) as Chunk);
      chunks[at] = merged;
      chunks = chunks.filter((chunk) => !small.includes(chunk));
    }
    await this.state.apply({ set, delete: gone });
    this.chunks = chunks;
    this.next = next;
  }
}

function numberOf({ name }: Chunk): number {
  return Number(name.split(':')[1]);
}

function countOf({ digests }: Stored): number {
  return digests.length / DIGEST_LENGTH;
}

function entriesOf({ runs, digests }: Stored): Remembered[] {
  const entries: Remembered[] = [];
  let at = 0;
  for (const [time, count] of runs) {
    for (let i = 0; i < count; i++, at += DIGEST_LENGTH)
      entries.push({ digest: digests.slice(at, at + DIGEST_LENGTH), time });
  }
  return entries;
}
