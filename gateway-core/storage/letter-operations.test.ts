import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import Database from 'better-sqlite3';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { EventReport } from '../events/report.ts';
import type { CodedError } from '../engine/error.ts';
import type { LetterAct, LetterFilter, LetterSelection } from '../protocol/dead-letters.ts';
import { deadLetterStore, packLetters } from './dead-letter-store.ts';
import { DEFAULT_LIMITS, type DeadLetter, type LetterResult, type LetterStorage } from './storage.ts';
import { StoreFile } from './store-file.ts';

let folder: string;
let file: StoreFile;
let events: EventReport[];
let clock: number;

function open(): StoreFile {
  return new StoreFile(folder, deadLetterStore, {
    limits: DEFAULT_LIMITS,
    now: () => clock,
    onEvent: (event) => events.push(event),
  });
}

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'patchbay-letters-'));
  events = [];
  clock = 1_000_000;
  file = open();
});
afterEach(() => {
  file.close();
  rmSync(folder, { recursive: true, force: true });
});

function ask<Result>(op: string, ...args: unknown[]): Result {
  let value: unknown;
  let failure: CodedError | undefined;
  file.execute([
    {
      op,
      args,
      settle: (result, error) => {
        value = result;
        failure = error;
      },
    },
  ]);
  if (failure !== undefined) throw failure;
  return value as Result;
}

const letter = (messageId: string, more: Partial<DeadLetter> = {}): DeadLetter => ({
  time: clock,
  pipeline: 'p',
  instance: 'decode',
  origin: 'in',
  messageId,
  code: 'X',
  cause: `cause of ${messageId}`,
  attempts: 1,
  place: 'handler',
  stack: '',
  packed: new TextEncoder().encode(`message ${messageId}`),
  ...more,
});
const add = (...letters: DeadLetter[]): void => ask('deadLettersAdd', packLetters(letters));

type Answer<Name extends keyof LetterStorage> = Awaited<ReturnType<LetterStorage[Name]>>;
const list = (filter: LetterFilter = {}, before?: number, limit = 100) =>
  ask<Answer<'list'>>('lettersList', filter, before, limit);
const ids = (filter: LetterFilter = {}): string[] => list(filter).map(({ messageId }) => messageId);
const get = (id: number) => ask<Answer<'get'>>('lettersGet', id);
const kept = () => ask<Answer<'kept'>>('lettersKept');
const settle = (results: readonly LetterResult[], watermark: number): void => ask('lettersSettle', results, watermark);
const retried: LetterAct = { act: 'retried', time: 1, by: 'me', to: 'place', ended: 'refused', code: 'X', cause: 'c' };

describe('the letters', () => {
  it('are listed newest first, page by page, by every part of a filter', () => {
    add(letter('a'), letter('b', { instance: 'other', code: 'Y' }));
    clock += 1000;
    add(letter('c', { pipeline: 'q', cause: '100% wrong_' }), letter('d'));
    expect(ids()).toEqual(['d', 'c', 'b', 'a']);
    const [, second] = list({}, undefined, 2);
    expect(list({}, second?.id, 2).map(({ messageId }) => messageId)).toEqual(['b', 'a']);
    expect(ids({ instance: 'other' })).toEqual(['b']);
    expect(ids({ code: 'Y' })).toEqual(['b']);
    expect(ids({ pipeline: 'q' })).toEqual(['c']);
    expect(ids({ from: clock })).toEqual(['d', 'c']);
    expect(ids({ to: clock - 1 })).toEqual(['b', 'a']);
    expect(ids({ text: 'CAUSE OF A' })).toEqual(['a']);
    expect(ids({ text: '0% wrong_' })).toEqual(['c']);
    expect(ids({ text: '%' })).toEqual(['c']);
    expect(ids({ text: 'b' })).toEqual(['b']);
    expect(ids({ upTo: 2 })).toEqual(['b', 'a']);
  });

  it('are summed up by cause, instance and pipeline, with the newest cause', () => {
    add(letter('a'), letter('b'), letter('c', { code: 'Y', pipeline: 'q', place: 'sink', instance: 'out' }));
    expect(ask('lettersSummary', {})).toMatchObject({
      count: 3,
      newest: 3,
      groups: [
        { pipeline: 'p', instance: 'decode', code: 'X', count: 2, cause: 'cause of b', place: 'handler' },
        { pipeline: 'q', instance: 'out', code: 'Y', count: 1, place: 'sink' },
      ],
    });
    expect(ask('lettersSummary', { code: 'Y' })).toMatchObject({ count: 1, newest: 3, groups: [{ code: 'Y' }] });
  });

  it('are taken oldest first, bounded by number and bytes, at least one', () => {
    add(letter('a'), letter('b', { packed: new Uint8Array(5000) }), letter('c'), letter('d'));
    const take = (after: number, limit: number, bytes: number, selection: LetterSelection = { filter: {} }) =>
      ask<Answer<'take'>>('lettersTake', selection, after, limit, bytes).map(({ messageId }) => messageId);
    expect(take(0, 10, 1e6)).toEqual(['a', 'b', 'c', 'd']);
    expect(take(1, 2, 1e6)).toEqual(['b', 'c']);
    expect(take(0, 10, 1000)).toEqual(['a', 'b']);
    expect(take(1, 10, 1)).toEqual(['b']);
    expect(take(0, 10, 1e6, { ids: [4, 2, 99] })).toEqual(['b', 'd']);
  });

  it('are removed oldest first, without those that are spared, and the sums follow', () => {
    add(letter('a'), letter('b'), letter('c'), letter('d', { instance: 'out' }));
    expect(ask('lettersRemove', { filter: { instance: 'decode' } }, 0, 2, [1])).toEqual({ count: 1, last: 2 });
    expect(ask('lettersRemove', { filter: { instance: 'decode' } }, 2, 2, [1])).toEqual({ count: 1, last: 3 });
    expect(ask('lettersRemove', { filter: { instance: 'decode' } }, 3, 2, [1])).toEqual({ count: 0, last: 0 });
    expect(ids()).toEqual(['d', 'a']);
    expect(kept()).toMatchObject({ count: 2, pipelines: { p: 2 }, instances: { decode: 1, out: 1 } });
    ask('lettersRemove', { filter: {} }, 0, 10, []);
    expect(kept()).toMatchObject({ count: 0, bytes: 0, pipelines: {}, instances: {} });
    expect(file.database?.prepare('SELECT count(*) AS n FROM particulars').get()).toEqual({ n: 0 });
  });

  it('keep their first original over several edits, each from the revision before', () => {
    add(letter('a'));
    const edit = (revision: number, text: string): boolean =>
      ask('lettersEdit', 1, revision, new TextEncoder().encode(text), 'me');
    expect(edit(0, 'second')).toBe(true);
    expect(edit(0, 'lost')).toBe(false);
    expect(edit(1, 'third')).toBe(true);
    const text = (bytes: Uint8Array | undefined): string => new TextDecoder().decode(bytes);
    const edited = get(1);
    expect(text(edited?.packed)).toBe('third');
    expect(text(edited?.original)).toBe('message a');
    expect(edited).toMatchObject({ edited: true, revision: 2, history: [{ act: 'edited' }, { act: 'edited' }] });
    expect(kept().bytes).toBe(edited?.bytes);
    ask('deadLettersBound', { count: 10, bytes: 5000, ageMs: 1e9 });
    expect(() => edit(2, 'x'.repeat(6000))).toThrow(expect.objectContaining({ code: 'PB_DEADLETTER_TOO_LARGE' }));
    expect(text(get(1)?.packed)).toBe('third');
  });

  it('a retry ends in one step: taken goes, kept stays and says so', () => {
    add(letter('a'), letter('b'));
    settle(
      [
        { id: 1, result: 'taken' },
        { id: 2, result: 'kept', act: retried },
      ],
      2,
    );
    expect(list()).toMatchObject([{ id: 2, retries: 1, attempts: 1 }]);
    expect(get(2)?.history).toEqual([retried]);
  });

  it('what is refused anew takes over history and attempts, each part of a split too', () => {
    add(letter('a', { attempts: 3 }));
    ask('lettersEdit', 1, 0, new Uint8Array([1]), 'me');
    add(letter('a#0'), letter('a#1'), letter('ab'), letter('a', { pipeline: 'q' }));
    settle([{ id: 1, result: 'refused', act: retried }], 1);
    expect(list()).toMatchObject([
      { messageId: 'a', pipeline: 'q', retries: 0 },
      { messageId: 'ab', retries: 0, attempts: 1 },
      { messageId: 'a#1', retries: 1, attempts: 4, edited: true },
      { messageId: 'a#0', retries: 1, attempts: 4, edited: true },
    ]);
    expect(get(2)?.history).toMatchObject([{ act: 'edited' }, { act: 'retried' }]);
    expect(new TextDecoder().decode(get(2)?.original)).toBe('message a');
  });

  it('a letter refused anew stays when the new one is not found', () => {
    add(letter('a'));
    settle([{ id: 1, result: 'refused', act: retried }], 1);
    expect(list()).toMatchObject([{ id: 1, retries: 1 }]);
  });

  it('keep to new bounds at once, by number and by age', () => {
    add(letter('a'), letter('b'));
    clock += 1000;
    add(letter('c'), letter('d'));
    ask('deadLettersBound', { count: 3, bytes: 1e9, ageMs: 1e9 });
    expect(ids()).toEqual(['d', 'c', 'b']);
    ask('deadLettersBound', { count: 3, bytes: 1e9, ageMs: 500 });
    expect(ids()).toEqual(['d', 'c']);
    add(letter('e'), letter('f'));
    expect(ids()).toEqual(['f', 'e', 'd']);
  });

  it('of stores of the first version are there, without what was not kept then', () => {
    file.close();
    rmSync(folder, { recursive: true, force: true });
    folder = mkdtempSync(join(tmpdir(), 'patchbay-letters-'));
    const old = new Database(join(folder, 'deadletters.sqlite'));
    old.exec(deadLetterStore.migrations[0]?.sql ?? '');
    old.exec(`INSERT INTO letters (stored, time, pipeline, instance, origin, message_id, code, cause, attempts, bytes, packed)
      VALUES (1, 1, 'p', 'i', 'in', 'm', 'C', 'because', 1, 300, x'00')`);
    old.pragma('user_version = 1');
    old.close();
    file = open();
    expect(events).toEqual([]);
    expect(list()).toMatchObject([{ messageId: 'm', place: '', retries: 0, edited: false }]);
    expect(kept()).toMatchObject({ count: 1, bytes: 300, instances: { i: 1 } });
    add(letter('a'));
    expect(ids()).toEqual(['a', 'm']);
  });

  it('thousands of one cause are listed and summed without reading their messages', () => {
    const many = Array.from({ length: 5000 }, (_, i) => letter(`m${i}`, { packed: new Uint8Array(2000) }));
    for (let i = 0; i < 4; i++) add(...many);
    const plan = (sql: string): string =>
      JSON.stringify(file.database?.prepare(`EXPLAIN QUERY PLAN ${sql}`).all() ?? []);
    expect(
      plan(`SELECT instance, code, pipeline, count(*), sum(bytes), min(stored), max(stored), max(id) FROM letters
        GROUP BY instance, code, pipeline`),
    ).toContain('COVERING INDEX letters_cause');
    expect(ask('lettersSummary', {})).toMatchObject({ count: 20_000, groups: [{ count: 20_000 }] });
    expect(list({}, undefined, 200)).toHaveLength(200);
  });
});
