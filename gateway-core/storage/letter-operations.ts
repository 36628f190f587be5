/** What the engine may ask of the dead letters: look, take, change, remove. Adding and bounding is the store's. */
import type { Database, Statement } from 'better-sqlite3';
import type { LetterAct, LetterFilter, LetterGroup, LetterPlace, LetterSelection } from '../protocol/dead-letters.ts';
import { CodedError } from '../engine/error.ts';
import type { Counted, LetterAccount } from './letter-account.ts';
import { condition } from './letter-selection.ts';
import type { LetterResult, LettersKept, StoredLetter, WholeLetter } from './storage.ts';
import type { Operation } from './store-file.ts';

/** Acts kept per letter. */
const HISTORY = 20;
const MAX_GROUPS = 500;
const LISTED_CAUSE = 500;

type Row = Omit<StoredLetter, 'edited'> & { readonly edited: number };
type WholeRow = Row & {
  readonly stack: string;
  readonly history: string;
  readonly packed: Buffer;
  readonly original: Buffer | null;
};
type Gone = Counted & { readonly id: number };

const listed = (
  cause: string,
): string => `letters.id, stored, pipeline, instance, place, origin, message_id AS messageId,
  code, ${cause} AS cause, attempts, bytes, retries, edited, revision`;
const WHOLE = `${listed('cause')}, stack, history, packed, original`;
const FROM = 'FROM letters JOIN particulars USING (id)';

export const LETTER_OPERATIONS = [
  'lettersKept',
  'lettersList',
  'lettersSummary',
  'lettersGet',
  'lettersMeasure',
  'lettersTake',
  'lettersRemove',
  'lettersEdit',
  'lettersSettle',
] as const;

/** What the store itself keeps of its letters. */
export interface LetterKeeping {
  readonly account: LetterAccount;
  /** Bytes of all letters, at most. */
  readonly limit: () => number;
  /** To be called after whatever may have made the letters larger. */
  readonly bound: () => void;
  readonly now: () => number;
}

export function letterOperations(
  db: Database,
  { account, limit, bound, now }: LetterKeeping,
): Readonly<Record<(typeof LETTER_OPERATIONS)[number], Operation>> {
  /** One statement per form of a filter: there are few. */
  const statements = new Map<string, Statement>();
  const prepared = <Result>(sql: string): Statement<unknown[], Result> => {
    let statement = statements.get(sql);
    if (statement === undefined) statements.set(sql, (statement = db.prepare(sql)));
    return statement as Statement<unknown[], Result>;
  };
  const newest = db.prepare<unknown[], { id: number | null }>('SELECT max(id) AS id FROM letters');
  const one = db.prepare<unknown[], WholeRow>(`SELECT ${WHOLE} ${FROM} WHERE letters.id = ?`);
  const example = db.prepare<unknown[], { cause: string; place: LetterPlace }>(
    `SELECT substr(cause, 1, ${LISTED_CAUSE}) AS cause, place ${FROM} WHERE letters.id = ?`,
  );
  const removeOne = db.prepare<unknown[], Gone>(
    'DELETE FROM letters WHERE id = ? RETURNING id, pipeline, instance, bytes',
  );
  const replace = db.prepare('UPDATE letters SET packed = ?, bytes = bytes + ? WHERE id = ?');
  const enlarge = db.prepare('UPDATE letters SET attempts = attempts + ?, bytes = bytes + ? WHERE id = ?');
  const markEdited = db.prepare(
    'UPDATE particulars SET original = coalesce(original, ?), edited = 1, revision = revision + 1, history = ? WHERE id = ?',
  );
  const note = db.prepare('UPDATE particulars SET retries = retries + 1, history = ? WHERE id = ?');
  const inherit = db.prepare(
    'UPDATE particulars SET retries = ?, edited = ?, original = coalesce(original, ?), history = ? WHERE id = ?',
  );
  // A message that was split is refused in parts, whose ids are `<id>#<n>`.
  const anew = db.prepare<unknown[], { id: number }>(
    `SELECT letters.id ${FROM} WHERE letters.id > ? AND pipeline = ? AND history = '[]'
     AND (message_id = ? OR (message_id > ? || '#' AND message_id < ? || '$'))`,
  );

  const newestId = (): number => newest.get()?.id ?? 0;

  const summary = (filter: LetterFilter): { count: number; bytes: number; newest: number; groups: LetterGroup[] } => {
    const { sql, values } = condition({ filter });
    const groups = prepared<Omit<LetterGroup, 'cause' | 'place'> & { last: number }>(
      `SELECT pipeline, instance, code, count(*) AS count, sum(bytes) AS bytes, min(stored) AS oldest,
       max(stored) AS newest, max(letters.id) AS last FROM letters WHERE ${sql} GROUP BY instance, code, pipeline`,
    ).all(...values);
    return {
      count: groups.reduce((sum, group) => sum + group.count, 0),
      bytes: groups.reduce((sum, group) => sum + group.bytes, 0),
      newest: newestId(),
      groups: groups
        .toSorted((a, b) => b.count - a.count)
        .slice(0, MAX_GROUPS)
        .map(({ last, ...group }) => ({ ...group, ...(example.get(last) ?? { cause: '', place: '' }) })),
    };
  };

  const take = (selection: LetterSelection, after: number, limit: number, bytes: number): WholeLetter[] => {
    const { sql, values } = condition(selection, { after });
    const taken: WholeLetter[] = [];
    let size = 0;
    for (const row of prepared<WholeRow>(`SELECT ${WHOLE} ${FROM} WHERE ${sql} ORDER BY letters.id LIMIT ?`).iterate(
      ...values,
      limit,
    )) {
      taken.push(wholeOf(row));
      size += row.packed.byteLength + (row.original?.byteLength ?? 0);
      if (size >= bytes) break;
    }
    return taken;
  };

  const remove = (
    selection: LetterSelection,
    after: number,
    limit: number,
    spare: readonly number[],
  ): { count: number; last: number } => {
    const { sql, values } = condition(selection, { after });
    const ids = prepared<{ id: number }>(`SELECT id FROM letters WHERE ${sql} ORDER BY id LIMIT ?`).all(
      ...values,
      limit,
    );
    const spared = new Set(spare);
    let count = 0;
    for (const { id } of ids) {
      if (spared.has(id)) continue;
      for (const gone of removeOne.all(id)) account.remove(gone);
      count++;
    }
    return { count, last: ids.at(-1)?.id ?? 0 };
  };

  const edit = (id: number, revision: number, packed: Uint8Array, by: string): boolean => {
    const letter = one.get(id);
    if (letter === undefined || letter.revision !== revision) return false;
    const grown =
      packed.byteLength - letter.packed.byteLength + (letter.original === null ? letter.packed.byteLength : 0);
    if (letter.bytes + grown > limit())
      throw new CodedError('PB_DEADLETTER_TOO_LARGE', { bytes: letter.bytes + grown, limit: limit() });
    replace.run(packed, grown, id);
    markEdited.run(letter.packed, lengthened(letter.history, { act: 'edited', time: now(), by }), id);
    account.grow(grown);
    bound();
    return true;
  };

  const settle = (results: readonly LetterResult[], watermark: number): void => {
    for (const { id, result, act } of results) {
      if (result === 'taken') {
        for (const gone of removeOne.all(id)) account.remove(gone);
        continue;
      }
      const letter = one.get(id);
      if (letter === undefined || act === undefined) continue;
      const history = lengthened(letter.history, act);
      const { pipeline, messageId } = letter;
      const heirs = result === 'refused' ? anew.all(watermark, pipeline, messageId, messageId, messageId) : [];
      if (heirs.length === 0) {
        note.run(history, id);
        account.grow(0);
        continue;
      }
      for (const heir of heirs) {
        const grown = letter.original?.byteLength ?? 0;
        enlarge.run(letter.attempts, grown, heir.id);
        account.grow(grown);
        inherit.run(letter.retries + 1, letter.edited, letter.original, history, heir.id);
      }
      for (const gone of removeOne.all(id)) account.remove(gone);
    }
    bound();
  };

  return {
    lettersKept: {
      write: false,
      run: (): LettersKept => ({
        count: account.count,
        bytes: account.bytes,
        changes: account.changes,
        pipelines: Object.fromEntries(account.pipelines),
        instances: Object.fromEntries(account.instances),
      }),
    },
    lettersList: {
      write: false,
      run: ([filter, before, limit]) => {
        const { sql, values } = condition(
          { filter: filter as LetterFilter },
          { before: (before as number | undefined) ?? Number.MAX_SAFE_INTEGER },
        );
        const columns = listed(`substr(cause, 1, ${LISTED_CAUSE})`);
        return prepared<Row>(`SELECT ${columns} ${FROM} WHERE ${sql} ORDER BY letters.id DESC LIMIT ?`)
          .all(...values, limit)
          .map(storedOf);
      },
    },
    lettersSummary: { write: false, run: ([filter]) => summary(filter as LetterFilter) },
    lettersGet: {
      write: false,
      run: ([id]) => {
        const row = one.get(id);
        return row === undefined ? undefined : wholeOf(row);
      },
    },
    lettersMeasure: {
      write: false,
      run: ([selection]) => {
        const { sql, values } = condition(selection as LetterSelection);
        const sums = prepared<{ count: number; bytes: number | null }>(
          `SELECT count(*) AS count, sum(bytes) AS bytes FROM letters WHERE ${sql}`,
        ).get(...values);
        return { count: sums?.count ?? 0, bytes: sums?.bytes ?? 0, newest: newestId() };
      },
    },
    lettersTake: {
      write: false,
      run: ([selection, after, limit, bytes]) =>
        take(selection as LetterSelection, Number(after), Number(limit), Number(bytes)),
    },
    lettersRemove: {
      write: true,
      run: ([selection, after, limit, spare]) =>
        remove(selection as LetterSelection, Number(after), Number(limit), spare as readonly number[]),
    },
    lettersEdit: {
      write: true,
      run: ([id, revision, packed, by]) => edit(Number(id), Number(revision), packed as Uint8Array, String(by)),
    },
    lettersSettle: {
      write: true,
      run: ([results, watermark]) => settle(results as readonly LetterResult[], Number(watermark)),
    },
  };
}

function storedOf({ edited, ...row }: Row): StoredLetter {
  return { ...row, edited: edited !== 0 };
}

function wholeOf({ edited, history, original, ...row }: WholeRow): WholeLetter {
  return {
    ...row,
    edited: edited !== 0,
    history: JSON.parse(history) as LetterAct[],
    original: original ?? undefined,
  };
}

function lengthened(history: string, act: LetterAct): string {
  const acts = [...(JSON.parse(history) as LetterAct[]), act];
  return JSON.stringify(acts.slice(-HISTORY));
}
