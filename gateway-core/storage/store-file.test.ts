import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import Database from 'better-sqlite3';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { EventReport } from '../events/report.ts';
import { cacheStore } from './cache-store.ts';
import { deadLetterStore, packLetters } from './dead-letter-store.ts';
import { eventStore } from './event-store.ts';
import { stateStore } from './state-store.ts';
import { DEFAULT_LIMITS } from './storage.ts';
import { StoreFile, type StoreDefinition } from './store-file.ts';

type End = { value: unknown; code: string | undefined };

let folder: string;
let events: EventReport[];
let file: StoreFile;
let clock: number;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'patchbay-store-'));
  events = [];
  clock = 1_000_000;
});

afterEach(() => {
  file.close();
  rmSync(folder, { recursive: true, force: true });
});

function openFile(definition: StoreDefinition = stateStore): void {
  file = new StoreFile(folder, definition, {
    limits: DEFAULT_LIMITS,
    now: () => clock,
    onEvent: (event) => events.push(event),
  });
}

function execute(...items: [op: string, ...args: unknown[]][]): End[] {
  const ends: End[] = [];
  file.execute(
    items.map(([op, ...args], i) => ({
      op,
      args,
      settle: (value, error) => {
        expect(ends[i]).toBeUndefined();
        ends[i] = { value, code: error?.code };
      },
    })),
  );
  return ends;
}

const ok = (value?: unknown): End => ({ value, code: undefined });
const failed = (code: string): End => ({ value: undefined, code });

describe('StoreFile', () => {
  it('lets one faulty request fail alone', () => {
    openFile();
    const ends = execute(['stateSet', 'i', 'a', '1'], ['stateSet', 'i', null, '2'], ['stateSet', 'i', 'c', '3']);
    expect(ends).toEqual([ok(), failed('PB_STORE_IO'), ok()]);
    expect(execute(['stateKeys', 'i'])).toEqual([ok(['a', 'c'])]);
  });

  it('fails writes with a code on a full disk, still reads, says so once, and goes on when there is room', () => {
    openFile();
    execute(['stateSet', 'i', 'k', '1']);
    const db = file.database as Database.Database;
    db.pragma(`max_page_count = ${db.pragma('page_count', { simple: true }) as number}`);
    const large = 'x'.repeat(100_000);
    for (let i = 0; i < 2; i++) {
      const ends = execute(['stateSet', 'i', 'large', large], ['stateGet', 'i', 'k']);
      expect(ends).toEqual([failed('PB_STORE_FULL'), ok('1')]);
    }
    expect(events).toMatchObject([{ code: 'PB_STORE_FULL', subject: 'state.sqlite' }]);
    db.pragma('max_page_count = 100000');
    expect(execute(['stateSet', 'i', 'large', large], ['stateGet', 'i', 'large'])).toEqual([ok(), ok(large)]);
  });

  it('fails writes with a code when the file is read-only', () => {
    openFile();
    file.database?.pragma('query_only = 1');
    expect(execute(['stateSet', 'i', 'k', '1'], ['stateGet', 'i', 'k'])).toEqual([
      failed('PB_STORE_READONLY'),
      ok(undefined),
    ]);
    expect(events).toMatchObject([{ code: 'PB_STORE_READONLY' }]);
  });

  it('sets a file aside that turns out damaged at work, and stores what was asked in the new one', () => {
    let broken = true;
    openFile({
      ...stateStore,
      open(db, tools) {
        const store = stateStore.open(db, tools);
        const set = store.operations['stateSet'];
        return {
          ...store,
          operations: {
            ...store.operations,
            stateSet: {
              write: true,
              run: (args) => {
                if (broken) {
                  broken = false;
                  throw new Database.SqliteError('database disk image is malformed', 'SQLITE_CORRUPT');
                }
                return set?.run(args);
              },
            },
          },
        };
      },
    });
    expect(execute(['stateSet', 'i', 'k', '1'], ['stateGet', 'i', 'k'])).toEqual([ok(), ok('1')]);
    expect(events).toMatchObject([{ code: 'PB_STORE_CORRUPT' }]);
  });

  it('brings an older file to the newest version and keeps what is in it', () => {
    openFile();
    execute(['stateSet', 'i', 'k', '1']);
    file.close();
    const step = { version: 2, sql: 'ALTER TABLE state ADD COLUMN extra TEXT' };
    openFile({ ...stateStore, migrations: [...stateStore.migrations, step] });
    expect(execute(['stateGet', 'i', 'k'])).toEqual([ok('1')]);
    expect(file.database?.pragma('user_version', { simple: true })).toBe(2);
    file.close();
    expect(() => openFile()).toThrow(expect.objectContaining({ code: 'PB_STORE_NEWER' }));
    expect(events).toEqual([]);
  });

  it('leaves the file as it was when a migration fails', () => {
    openFile();
    execute(['stateSet', 'i', 'k', '1']);
    file.close();
    const steps = [
      { version: 2, sql: 'ALTER TABLE state ADD COLUMN extra TEXT' },
      { version: 3, sql: 'ALTER TABLE nothing ADD COLUMN extra TEXT' },
    ];
    expect(() => openFile({ ...stateStore, migrations: [...stateStore.migrations, ...steps] })).toThrow(
      expect.objectContaining({ code: 'PB_STORE_MIGRATION' }),
    );
    openFile();
    expect(execute(['stateGet', 'i', 'k'])).toEqual([ok('1')]);
  });

  it('deletes what is out of date, and says so of dead letters', () => {
    openFile(deadLetterStore);
    const letters = Array.from({ length: 1500 }, (_, n) => ({
      time: 1,
      pipeline: 'p',
      instance: 'i',
      origin: 'o',
      messageId: String(n),
      code: 'C',
      cause: '',
      attempts: 1,
      packed: new Uint8Array(1),
    }));
    execute(['deadLettersAdd', packLetters(letters)]);
    clock += DEFAULT_LIMITS.deadLetters.ageMs / 2;
    execute(['deadLettersAdd', packLetters(letters.slice(0, 3))]);
    clock += DEFAULT_LIMITS.deadLetters.ageMs / 2 + 1;
    file.maintain();
    expect(execute(['deadLettersCount'])).toEqual([ok({ p: 3 })]);
    expect(events).toMatchObject([{ code: 'PB_DEADLETTERS_EVICTED', details: { count: 1500 } }]);
  });

  it('purges expired cache entries and old events', () => {
    openFile(cacheStore);
    execute(['cacheSet', 'i', 'short', '1', 10], ['cacheSet', 'i', 'long', '2', 1000]);
    clock += 11;
    file.maintain();
    expect(file.database?.prepare('SELECT key FROM cache').pluck().all()).toEqual(['long']);
    file.close();

    openFile(eventStore);
    const row = { severity: 'info', source: 's', type: 't', version: 1, project: 'p', subject: '', message: 'm' };
    const rest = { code: '', remedy: '', details: '{}' };
    const appended = execute([
      'eventsAppend',
      [
        { ...row, ...rest, time: clock },
        { ...row, ...rest, time: clock + 10 },
      ],
    ]);
    expect(appended).toEqual([ok([1, 2])]);
    clock += DEFAULT_LIMITS.events.ageMs + 5;
    file.maintain();
    expect(execute(['eventsList', { limit: 5 }])).toMatchObject([{ value: [{ id: 2 }] }]);
  });
});
