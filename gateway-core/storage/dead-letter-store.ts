import { CodedError } from '../engine/error.ts';
import { codedEvent } from '../events/report.ts';
import type { LetterBounds } from '../protocol/dead-letters.ts';
import { LetterAccount, type Counted } from './letter-account.ts';
import { LETTER_OPERATIONS, letterOperations } from './letter-operations.ts';
import type { DeadLetter } from './storage.ts';
import type { StoreDefinition } from './store-file.ts';

/** Values per letter in {@link PackedLetters.fields}; the last is the length in the block. */
const FIELDS = 11;

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
      letter.place ?? '',
      letter.stack ?? '',
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
    {
      // In a table of its own: behind the packed message each of these would cost reading through it.
      version: 2,
      sql: `CREATE TABLE particulars (
        id INTEGER PRIMARY KEY, place TEXT NOT NULL, stack TEXT NOT NULL,
        revision INTEGER NOT NULL DEFAULT 0, retries INTEGER NOT NULL DEFAULT 0, edited INTEGER NOT NULL DEFAULT 0,
        history TEXT NOT NULL DEFAULT '[]', original BLOB
      ) STRICT;
      INSERT INTO particulars (id, place, stack) SELECT id, '', '' FROM letters;
      CREATE TRIGGER letters_gone AFTER DELETE ON letters BEGIN DELETE FROM particulars WHERE id = old.id; END;
      DROP INDEX letters_pipeline;
      CREATE INDEX letters_cause ON letters (instance, code, pipeline, bytes, stored);
      CREATE INDEX letters_message ON letters (message_id);`,
    },
  ],
  operations: ['deadLettersAdd', 'deadLettersCount', 'deadLettersBound', ...LETTER_OPERATIONS],
  open(db, { limits: { deadLetters }, now, onEvent }) {
    let limits: LetterBounds = deadLetters;
    const add = db.prepare(
      `INSERT INTO letters (stored, time, pipeline, instance, origin, message_id, code, cause, attempts, bytes, packed)
       VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
    );
    const addParticulars = db.prepare('INSERT INTO particulars (id, place, stack) VALUES (?, ?, ?)');
    const oldest = db.prepare<unknown[], Counted>(
      'DELETE FROM letters WHERE id IN (SELECT id FROM letters ORDER BY id LIMIT ?) RETURNING pipeline, instance, bytes',
    );
    const older = db.prepare<unknown[], Counted>(
      `DELETE FROM letters WHERE stored < ? AND id IN (SELECT id FROM letters ORDER BY id LIMIT 1000)
       RETURNING pipeline, instance, bytes`,
    );
    const sums = db.prepare<unknown[], Counted & { count: number }>(
      'SELECT pipeline, instance, count(*) AS count, sum(bytes) AS bytes FROM letters GROUP BY pipeline, instance',
    );

    const account = new LetterAccount();
    /** Evicted in the transaction that runs, and in those committed since the last report. */
    let going = new Map<string, number>();
    let evicted = new Map<string, number>();
    const load = (): void => {
      going = new Map();
      account.load(sums.all());
    };
    load();
    const evict = (gone: readonly Counted[]): void => {
      for (const letter of gone) {
        account.remove(letter);
        going.set(letter.pipeline, (going.get(letter.pipeline) ?? 0) + 1);
      }
    };
    const bound = (): void => {
      while (account.count > limits.count) evict(oldest.all(Math.min(1000, account.count - limits.count)));
      while (account.bytes > limits.bytes && account.count > 0) evict(oldest.all(1));
    };
    const expire = (): void => {
      for (let gone = older.all(now() - limits.ageMs); gone.length > 0; gone = older.all(now() - limits.ageMs)) {
        evict(gone);
      }
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
              const instance = String(fields[i + 2]);
              const stack = String(fields[i + 9]);
              const length = Number(fields[i + 10]);
              const kept = length + ROW_BYTES + stack.length;
              const { lastInsertRowid } = add.run(
                stored,
                fields[i],
                pipeline,
                instance,
                fields[i + 3],
                fields[i + 4],
                fields[i + 5],
                fields[i + 6],
                fields[i + 7],
                kept,
                block.subarray(offset, offset + length),
              );
              addParticulars.run(lastInsertRowid, fields[i + 8], stack);
              offset += length;
              account.add({ pipeline, instance, bytes: kept });
            }
            bound();
          },
        },
        deadLettersCount: {
          write: false,
          run: () => Object.fromEntries(account.pipelines),
        },
        deadLettersBound: {
          write: true,
          run: ([bounds]) => {
            limits = bounds as LetterBounds;
            expire();
            bound();
          },
        },
        ...letterOperations(db, { account, limit: () => limits.bytes, bound, now }),
      },
      // Ids rise with the time of storing, so the oldest are the first; a thousand at a time spare an index.
      maintain: expire,
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
