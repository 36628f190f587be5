import { CodedError } from '../engine/error.ts';
import { codedEvent } from '../events/report.ts';
import type { DeadLetter } from './storage.ts';
import type { StoreDefinition } from './store-file.ts';

/** Values per letter in {@link PackedLetters.fields}; the last is the length in the block. */
const FIELDS = 9;

/**
 * Letters on their way to the storage thread: flat, since objects cost ten times as much, and
 * all packed messages in one block of its own that is moved, not copied.
 */
export interface PackedLetters {
  readonly fields: readonly (string | number)[];
  readonly block: Uint8Array<ArrayBuffer>;
}

/** Copies the packed messages: theirs may be slices of a larger buffer, which would travel whole. */
export function packLetters(letters: readonly DeadLetter[]): PackedLetters {
  let bytes = 0;
  for (const letter of letters) bytes += letter.packed.byteLength;
  const block = new Uint8Array(bytes);
  const fields: (string | number)[] = [];
  let offset = 0;
  for (const letter of letters) {
    block.set(letter.packed, offset);
    offset += letter.packed.byteLength;
    fields.push(
      letter.time,
      letter.pipeline,
      letter.instance,
      letter.origin,
      letter.messageId,
      letter.code,
      letter.cause,
      letter.attempts,
      letter.packed.byteLength,
    );
  }
  return { fields, block };
}

/** What one letter takes, beside its message: strings, row and index, roughly. */
const ROW_BYTES = 200;

/** Refused messages, with their cause; the oldest are evicted beyond a count, a size and an age, and that is reported. */
export const deadLetterStore: StoreDefinition = {
  name: 'deadletters',
  synchronous: 'FULL',
  migrations: [
    {
      version: 1,
      sql: `CREATE TABLE letters (
        id INTEGER PRIMARY KEY AUTOINCREMENT,
        stored INTEGER NOT NULL, time REAL NOT NULL, pipeline TEXT NOT NULL, instance TEXT NOT NULL,
        origin TEXT NOT NULL, message_id TEXT NOT NULL, code TEXT NOT NULL, cause TEXT NOT NULL,
        attempts INTEGER NOT NULL, bytes INTEGER NOT NULL, packed BLOB NOT NULL
      ) STRICT;
      CREATE INDEX letters_pipeline ON letters (pipeline, bytes);`,
    },
  ],
  operations: ['deadLettersAdd', 'deadLettersCount'],
  open(db, { limits: { deadLetters: limits }, now, onEvent }) {
    const add = db.prepare(
      `INSERT INTO letters (stored, time, pipeline, instance, origin, message_id, code, cause, attempts, bytes, packed)
       VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
    );
    type Gone = { pipeline: string; bytes: number };
    const oldest = db.prepare<unknown[], Gone>(
      'DELETE FROM letters WHERE id IN (SELECT id FROM letters ORDER BY id LIMIT ?) RETURNING pipeline, bytes',
    );
    const older = db.prepare<unknown[], Gone>(
      'DELETE FROM letters WHERE stored < ? AND id IN (SELECT id FROM letters ORDER BY id LIMIT 1000) RETURNING pipeline, bytes',
    );
    const sums = db.prepare<unknown[], { pipeline: string; count: number; bytes: number }>(
      'SELECT pipeline, count(*) AS count, sum(bytes) AS bytes FROM letters GROUP BY pipeline',
    );

    let counts = new Map<string, number>();
    let count = 0;
    let bytes = 0;
    /** Evicted in the transaction that runs, and in those committed since the last report. */
    let going = new Map<string, number>();
    let evicted = new Map<string, number>();
    const load = (): void => {
      counts = new Map();
      going = new Map();
      count = 0;
      bytes = 0;
      for (const row of sums.all()) {
        counts.set(row.pipeline, row.count);
        count += row.count;
        bytes += row.bytes;
      }
    };
    load();
    const evict = (gone: readonly Gone[]): void => {
      for (const letter of gone) {
        count--;
        bytes -= letter.bytes;
        counts.set(letter.pipeline, (counts.get(letter.pipeline) ?? 1) - 1);
        going.set(letter.pipeline, (going.get(letter.pipeline) ?? 0) + 1);
      }
    };
    const bound = (): void => {
      while (count > limits.count) evict(oldest.all(Math.min(1000, count - limits.count)));
      while (bytes > limits.bytes && count > 0) evict(oldest.all(1));
    };

    return {
      operations: {
        deadLettersAdd: {
          write: true,
          run: ([packed]) => {
            const { fields, block } = packed as PackedLetters;
            for (let i = FIELDS - 1; i < fields.length; i += FIELDS) {
              const length = Number(fields[i]) + ROW_BYTES;
              if (length > limits.bytes) {
                throw new CodedError('PB_DEADLETTER_TOO_LARGE', { bytes: length, limit: limits.bytes });
              }
            }
            const stored = now();
            let offset = 0;
            for (let i = 0; i < fields.length; i += FIELDS) {
              const pipeline = String(fields[i + 1]);
              const length = Number(fields[i + 8]);
              add.run(
                stored,
                fields[i],
                pipeline,
                fields[i + 2],
                fields[i + 3],
                fields[i + 4],
                fields[i + 5],
                fields[i + 6],
                fields[i + 7],
                length + ROW_BYTES,
                block.subarray(offset, offset + length),
              );
              offset += length;
              count++;
              bytes += length + ROW_BYTES;
              counts.set(pipeline, (counts.get(pipeline) ?? 0) + 1);
            }
            bound();
          },
        },
        deadLettersCount: {
          write: false,
          run: () => Object.fromEntries([...counts].filter(([, kept]) => kept > 0)),
        },
      },
      // Ids rise with the time of storing, so the oldest are the first; a thousand at a time spare an index.
      maintain: () => {
        for (let gone = older.all(now() - limits.ageMs); gone.length > 0; gone = older.all(now() - limits.ageMs)) {
          evict(gone);
        }
      },
      committed: () => {
        for (const [pipeline, gone] of going) evicted.set(pipeline, (evicted.get(pipeline) ?? 0) + gone);
        going.clear();
      },
      rolledBack: load,
      report: () => {
        if (evicted.size === 0) return;
        const pipelines = Object.fromEntries(evicted);
        const total = [...evicted.values()].reduce((sum, gone) => sum + gone, 0);
        evicted = new Map();
        const details = { count: total, pipelines };
        onEvent(
          codedEvent('warning', 'storage', 'deadletters.evicted', 'PB_DEADLETTERS_EVICTED', details, 'deadletters'),
        );
      },
    };
  },
};
