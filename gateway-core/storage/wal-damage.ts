/**
 * Looks through a write-ahead log that a crash has left behind. SQLite stops at the first frame
 * whose checksum is wrong and says nothing, since that is how an unfinished write looks; commits
 * behind it would be lost without a word. Format: https://www.sqlite.org/fileformat2.html#walformat
 */
import { closeSync, existsSync, openSync, readSync, statSync } from 'node:fs';

const HEADER = 32;
const FRAME_HEADER = 24;
const MAGIC = 0x377f0682;

export interface WalDamage {
  /** Frames before the damage: what SQLite will take over. */
  readonly soundFrames: number;
  /** Commits at or behind the damage, which it will not. */
  readonly lostCommits: number;
}

/** What is wrong with the log at `path`; undefined when there is none, or it ends as a log does after a crash. */
export function walDamage(path: string): WalDamage | undefined {
  if (!existsSync(path)) return undefined;
  const { size } = statSync(path);
  if (size <= HEADER) return undefined;
  const file = openSync(path, 'r');
  try {
    const header = read(file, 0, HEADER);
    const magic = header.readUInt32BE(0);
    const pageSize = header.readUInt32BE(8);
    const readable = (magic & ~1) >>> 0 === MAGIC && pageSize >= 512 && pageSize <= 65_536;
    // Without a header that can be trusted nothing of the log is used.
    if (!readable) return { soundFrames: 0, lostCommits: 1 };
    const bigEndian = (magic & 1) === 1;
    let sums = checksum(header, 0, 24, [0, 0], bigEndian);
    if (!isSum(header, 24, sums)) return { soundFrames: 0, lostCommits: 1 };
    const frames = Math.floor((size - HEADER) / (FRAME_HEADER + pageSize));
    const salts = header.subarray(16, 24);
    let sound = 0;
    let broken = -1;
    let lostCommits = 0;
    for (let i = 0; i < frames; i++) {
      const frame = read(file, HEADER + i * (FRAME_HEADER + pageSize), FRAME_HEADER + pageSize);
      const ours = frame.subarray(8, 16).equals(salts);
      if (broken < 0) {
        const next = checksum(
          frame,
          FRAME_HEADER,
          FRAME_HEADER + pageSize,
          checksum(frame, 0, 8, sums, bigEndian),
          bigEndian,
        );
        if (ours && isSum(frame, 16, next)) {
          sums = next;
          sound++;
          continue;
        }
        broken = i;
        // Not ours: usually what an earlier round of the log has left, but see whether ours go on behind it.
        if (ours) lostCommits++;
        continue;
      }
      if (ours && frame.readUInt32BE(4) !== 0) lostCommits++;
    }
    return lostCommits === 0 ? undefined : { soundFrames: sound, lostCommits };
  } finally {
    closeSync(file);
  }
}

function read(file: number, at: number, bytes: number): Buffer {
  const buffer = Buffer.alloc(bytes);
  readSync(file, buffer, 0, bytes, at);
  return buffer;
}

type Sums = readonly [number, number];

function checksum(of: Buffer, from: number, to: number, [start0, start1]: Sums, bigEndian: boolean): Sums {
  let s0 = start0;
  let s1 = start1;
  for (let i = from; i < to; i += 8) {
    const x0 = bigEndian ? of.readUInt32BE(i) : of.readUInt32LE(i);
    const x1 = bigEndian ? of.readUInt32BE(i + 4) : of.readUInt32LE(i + 4);
    s0 = (s0 + x0 + s1) | 0;
    s1 = (s1 + x1 + s0) | 0;
  }
  return [s0 >>> 0, s1 >>> 0];
}

function isSum(of: Buffer, at: number, [s0, s1]: Sums): boolean {
  return of.readUInt32BE(at) === s0 && of.readUInt32BE(at + 4) === s1;
}
