import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readdirSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { Worker } from 'node:worker_threads';
import Database from 'better-sqlite3';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { EventReport } from '../events/report.ts';
import type { Logger } from '../plugin-api/context.ts';
import { connectStorage } from './connect.ts';
import { openStorage } from './open-storage.ts';
import type { StartThread } from './thread-supervisor.ts';
import type { FreshPort, Reply } from './wire.ts';
import type { DeadLetter, Storage, StorageLimits } from './storage.ts';

const log: Logger = { debug: () => {}, info: () => {}, warn: () => {}, error: () => {} };

let folder: string;
let events: EventReport[];
let opened: Storage[];

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'patchbay-storage-'));
  events = [];
  opened = [];
});

afterEach(async () => {
  for (const storage of opened) await storage.close();
  rmSync(folder, { recursive: true, force: true });
});

async function open(limits: Partial<StorageLimits> = {}, start?: StartThread): Promise<Storage> {
  const storage = await openStorage({ folder, onEvent: (event) => events.push(event), log, limits }, start);
  opened.push(storage);
  return storage;
}

function letter(n: number, size = 100): DeadLetter {
  return {
    time: 1000.5 + n,
    pipeline: n % 2 === 0 ? 'even' : 'odd',
    instance: 'decode',
    origin: 'in',
    messageId: `m${n}`,
    code: 'PB_TEST',
    cause: 'because',
    attempts: 1,
    packed: new Uint8Array(size).fill(n % 256),
  };
}

function gatewayEvent(n: number, severity: 'debug' | 'info' | 'warning' | 'critical', source = 'flow') {
  return {
    time: n,
    severity,
    source,
    type: 't',
    version: 1 as const,
    project: 'default',
    subject: 's',
    message: `event ${n}`,
    code: 'PB_X',
    remedy: 'r',
    details: { n },
  };
}

describe('the stores', () => {
  it('keeps state by instance and key, over a restart', async () => {
    const storage = await open();
    const value = { a: [1, 'two', null, true], b: { c: 'ü' } };
    await storage.stateSet('one', 'k', value);
    await storage.stateSet('two', 'k', 2);
    await storage.stateSet('one', 'gone', 1);
    await storage.stateDelete('one', 'gone');
    await storage.close();
    const again = await open();
    expect(await again.stateGet('one', 'k')).toEqual(value);
    expect(await again.stateGet('two', 'k')).toBe(2);
    expect(await again.stateGet('one', 'gone')).toBeUndefined();
    expect(await again.stateKeys('one')).toEqual(['k']);
  });

  it('answers in order: a read sees the write before it', async () => {
    const storage = await open();
    const answers = await Promise.all([
      storage.stateSet('i', 'k', 1),
      storage.stateGet('i', 'k'),
      storage.stateSet('i', 'k', 2),
      storage.stateGet('i', 'k'),
    ]);
    expect(answers).toEqual([undefined, 1, undefined, 2]);
  });

  it('refuses a value that is not JSON, and stores nothing', async () => {
    const storage = await open();
    await expect(storage.stateSet('i', 'k', { at: new Date(0) })).rejects.toMatchObject({ code: 'PB_STATE_NOT_JSON' });
    expect(await storage.stateGet('i', 'k')).toBeUndefined();
  });

  it('forgets cached values when they expire', async () => {
    const storage = await open();
    await storage.cacheSet('i', 'long', { v: 1 }, 60_000);
    await storage.cacheSet('i', 'gone', { v: 1 }, 0);
    expect(await storage.cacheGet('i', 'long')).toEqual({ v: 1 });
    expect(await storage.cacheGet('i', 'gone')).toBeUndefined();
  });

  it('bounds the cache: what expires soonest goes', async () => {
    const storage = await open({ cache: { bytes: 10_000 } });
    const value = 'x'.repeat(300);
    await Promise.all(Array.from({ length: 100 }, (_, i) => storage.cacheSet('i', `k${i}`, value, 60_000 + i * 1000)));
    expect(await storage.cacheGet('i', 'k0')).toBeUndefined();
    expect(await storage.cacheGet('i', 'k99')).toBe(value);
  });

  it('numbers config versions and keeps the newest within the bounds', async () => {
    const storage = await open({ history: { count: 3, bytes: 1_000_000 } });
    for (let i = 1; i <= 5; i++) {
      const version = await storage.historyAppend({ yaml: `v: ${i}`, origin: 'panel', comment: `c${i}`, time: i });
      expect(version).toBe(i);
    }
    expect((await storage.historyList(10)).map((entry) => entry.version)).toEqual([5, 4, 3]);
    expect(await storage.historyGet(4)).toEqual({ version: 4, time: 4, origin: 'panel', comment: 'c4', yaml: 'v: 4' });
    expect(await storage.historyGet(1)).toBeUndefined();
    await storage.settingSet('theme', { dark: true });
    expect(await storage.settingGet('theme')).toEqual({ dark: true });
    expect(await storage.settingGet('none')).toBeUndefined();
  });

  it('keeps the running and the former version however large they are', async () => {
    const storage = await open({ history: { count: 10, bytes: 10 } });
    for (let i = 1; i <= 3; i++)
      await storage.historyAppend({ yaml: 'y'.repeat(100), origin: 'cli', comment: '', time: i });
    expect((await storage.historyList(10)).map((entry) => entry.version)).toEqual([3, 2]);
  });

  it('lists events newest first, by page, least severity and source', async () => {
    const storage = await open();
    const ids = await storage.eventsAppend([
      gatewayEvent(1, 'info'),
      gatewayEvent(2, 'warning', 'plugin'),
      gatewayEvent(3, 'critical'),
    ]);
    expect(ids).toEqual([1, 2, 3]);
    const all = await storage.eventsList({ limit: 10 });
    expect(all.map((event) => event.id)).toEqual([3, 2, 1]);
    expect(all[2]).toEqual({ id: 1, ...gatewayEvent(1, 'info') });
    expect((await storage.eventsList({ limit: 1, before: 3 })).map((event) => event.id)).toEqual([2]);
    expect((await storage.eventsList({ limit: 9, severity: 'warning' })).map((event) => event.id)).toEqual([3, 2]);
    expect((await storage.eventsList({ limit: 9, source: 'plugin' })).map((event) => event.id)).toEqual([2]);
  });

  it('keeps the newest events', async () => {
    const storage = await open({ events: { count: 10, ageMs: 1e12 } });
    for (let i = 0; i < 3; i++)
      await storage.eventsAppend(Array.from({ length: 10 }, (_, n) => gatewayEvent(n, 'info')));
    expect((await storage.eventsList({ limit: 100 })).map((event) => event.id)).toEqual([
      30, 29, 28, 27, 26, 25, 24, 23, 22, 21,
    ]);
  });

  it('keeps dead letters byte for byte, also from a slice of a larger buffer', async () => {
    const storage = await open();
    const large = new Uint8Array(1000).map((_, i) => i % 256);
    await storage.deadLettersAdd([
      { ...letter(0), packed: large.subarray(10, 20) },
      { ...letter(1), packed: large.subarray(990) },
    ]);
    expect(large.byteLength).toBe(1000);
    expect(await storage.deadLettersCount()).toEqual({ even: 1, odd: 1 });
    await storage.close();
    const db = new Database(join(folder, 'store', 'deadletters.sqlite'), { readonly: true });
    const rows = db.prepare('SELECT message_id, time, packed FROM letters ORDER BY id').all();
    db.close();
    expect(rows).toEqual([
      { message_id: 'm0', time: 1000.5, packed: Buffer.from(large.subarray(10, 20)) },
      { message_id: 'm1', time: 1001.5, packed: Buffer.from(large.subarray(990)) },
    ]);
  });

  it('evicts the oldest dead letters beyond the bounds and says how many', async () => {
    const storage = await open({ deadLetters: { count: 10, bytes: 1e9, ageMs: 1e12 } });
    await storage.deadLettersAdd(Array.from({ length: 14 }, (_, n) => letter(n)));
    expect(await storage.deadLettersCount()).toEqual({ even: 5, odd: 5 });
    await storage.close();
    const evicted = events.filter((event) => event.code === 'PB_DEADLETTERS_EVICTED');
    expect(evicted).toMatchObject([{ details: { count: 4, pipelines: { even: 2, odd: 2 } } }]);
  });

  it('bounds dead letters by bytes, and refuses one that is larger than all the room', async () => {
    const storage = await open({ deadLetters: { count: 1000, bytes: 10_000, ageMs: 1e12 } });
    await storage.deadLettersAdd(Array.from({ length: 20 }, (_, n) => letter(n * 2, 1800)));
    expect(await storage.deadLettersCount()).toEqual({ even: 5 });
    const tooLarge = storage.deadLettersAdd([letter(1), letter(3, 20_000)]);
    await expect(tooLarge).rejects.toMatchObject({ code: 'PB_DEADLETTER_TOO_LARGE' });
    expect(await storage.deadLettersCount()).toEqual({ even: 5 });
  });
});

describe('damage', () => {
  const garbage = (file: string): void => writeFileSync(file, 'this is no database, and long enough to be read as one');
  const middle = (file: string): void => {
    const bytes = readFileSync(file);
    bytes.fill(0x5a, 4096);
    writeFileSync(file, bytes);
  };
  it.each([
    ['is not a database', garbage],
    ['is truncated', (file: string) => truncateSync(file, 5000)],
    ['is empty', (file: string) => truncateSync(file, 0)],
    ['has damaged pages', middle],
  ])('sets a file aside that %s, and begins a new one', async (_name, damage) => {
    const first = await open();
    for (let i = 0; i < 200; i++) void first.stateSet('i', `key ${i}`, 'x'.repeat(500));
    await first.settingSet('other', 'file');
    await first.close();
    damage(join(folder, 'store', 'state.sqlite'));
    const storage = await open();
    expect(events).toMatchObject([{ code: 'PB_STORE_CORRUPT', subject: 'state.sqlite', severity: 'critical' }]);
    expect(readdirSync(join(folder, 'store')).filter((name) => name.startsWith('state.sqlite.corrupt-'))).not.toEqual(
      [],
    );
    expect(await storage.stateGet('i', 'key 1')).toBeUndefined();
    await storage.stateSet('i', 'k', 'new');
    expect(await storage.stateGet('i', 'k')).toBe('new');
    expect(await storage.settingGet('other')).toBe('file');
  });

  it('refuses a store of a newer version and leaves it as it is', async () => {
    await (await open()).close();
    const file = join(folder, 'store', 'events.sqlite');
    const db = new Database(file);
    db.pragma('user_version = 99');
    db.close();
    await expect(open()).rejects.toMatchObject({
      code: 'PB_STORE_NEWER',
      details: { file: 'events.sqlite', found: 99 },
    });
    expect(readdirSync(join(folder, 'store')).some((name) => name.includes('corrupt'))).toBe(false);
  });

  it('rejects with a code when the folder cannot be made', async () => {
    writeFileSync(join(folder, 'store'), 'a file');
    await expect(open()).rejects.toMatchObject({ code: 'PB_STORE_READONLY' });
  });
});

describe('ports and the thread', () => {
  it('serves a worker over a port, but only what workers may ask', async () => {
    const storage = await open();
    const fromWorker = connectStorage(await storage.port());
    await fromWorker.stateSet('w', 'k', [1]);
    expect(await storage.stateGet('w', 'k')).toEqual([1]);
    await fromWorker.deadLettersAdd([letter(1)]);
    await fromWorker.cacheSet('w', 'c', 'v', 60_000);
    expect(await fromWorker.cacheGet('w', 'c')).toBe('v');
    expect(await storage.deadLettersCount()).toEqual({ odd: 1 });

    const raw = await storage.port();
    const [fresh] = (await once(raw, 'message')) as [FreshPort];
    const replies: Reply[] = [];
    fresh.port.on('message', (some: readonly Reply[]) => replies.push(...some));
    fresh.port.postMessage('garbage');
    fresh.port.postMessage([
      null,
      ['x'],
      [1, 'settingGet', ['k']],
      [2, 'stateGet', 'no list'],
      [3, 'stateGet', [{}, {}]],
    ]);
    fresh.port.postMessage([[4, 'stateGet', ['w', 'k']]]);
    await vi.waitFor(() => expect(replies.map(([id]) => id)).toContain(4));
    expect(replies.map(([id, value, code]) => [id, value, code])).toEqual([
      [1, undefined, 'PB_INTERNAL'],
      [2, undefined, 'PB_INTERNAL'],
      [3, undefined, 'PB_INTERNAL'],
      [4, '[1]', undefined],
    ]);
    raw.close();
  });

  it('rejects what is under way when the thread dies, restarts it, and goes on for workers too', async () => {
    let worker: Worker | undefined;
    const storage = await open({}, (data) => {
      worker = new Worker(new URL('./thread.ts', import.meta.url), { workerData: data, execArgv: [] });
      return worker;
    });
    const fromWorker = connectStorage(await storage.port());
    await storage.stateSet('i', 'before', 1);
    await fromWorker.stateSet('w', 'before', 1);
    const dying = worker as unknown as Worker;
    const ended = once(dying, 'exit');
    await dying.terminate();
    await ended;
    // Sent while there is no thread: waits for the new one.
    const waiting = fromWorker.stateSet('w', 'after', 2).catch((error: unknown) => error);
    await storage.stateSet('i', 'after', 2);
    expect(await storage.stateGet('i', 'before')).toBe(1);
    const result = await waiting;
    if (result !== undefined) expect(result).toMatchObject({ code: 'PB_STORE_LOST' });
    await vi.waitFor(async () => {
      await fromWorker.stateSet('w', 'again', 3);
      expect(await storage.stateGet('w', 'again')).toBe(3);
    });
    expect(events).toMatchObject([{ code: 'PB_STORE_THREAD', severity: 'critical' }]);
  });

  it('rejects requests in flight at the death of the thread with a code', async () => {
    let worker: Worker | undefined;
    const storage = await open({}, (data) => {
      worker = new Worker(new URL('./thread.ts', import.meta.url), { workerData: data, execArgv: [] });
      return worker;
    });
    const writes = Promise.allSettled(Array.from({ length: 9000 }, (_, i) => storage.stateSet('i', `k${i}`, i)));
    await Promise.resolve();
    await (worker as unknown as Worker).terminate();
    const ends = await writes;
    const lost = ends.filter((end) => end.status === 'rejected').map((end) => end.reason as unknown);
    expect(lost).not.toEqual([]);
    for (const reason of lost) expect(reason).toMatchObject({ code: 'PB_STORE_LOST' });
    // What was promised is there.
    const promised = ends.flatMap((end, i) => (end.status === 'fulfilled' ? [`k${i}`] : []));
    const kept = new Set(await storage.stateKeys('i'));
    expect(promised.filter((key) => !kept.has(key))).toEqual([]);
  });

  it('bounds what waits', async () => {
    const storage = await open();
    const reads = Array.from({ length: 10_050 }, (_, i) => storage.stateGet('i', String(i)));
    const ends = await Promise.allSettled(reads);
    const busy = ends.filter((end) => end.status === 'rejected');
    expect(busy.length).toBe(50);
    expect(busy[0]?.reason).toMatchObject({ code: 'PB_STORE_BUSY' });
    expect(await storage.stateGet('i', 'k')).toBeUndefined();
  });

  it('commits what waits when it is closed, and takes no more', async () => {
    const storage = await open();
    const fromWorker = connectStorage(await storage.port());
    await fromWorker.stateGet('w', 'ready');
    const write = storage.stateSet('i', 'last', 1);
    const last = fromWorker.stateSet('w', 'last', 1);
    await storage.close();
    await write;
    await expect(storage.stateSet('i', 'k', 1)).rejects.toMatchObject({ code: 'PB_STORE_CLOSED' });
    await expect(storage.port()).rejects.toMatchObject({ code: 'PB_STORE_CLOSED' });
    const end = await last.then(
      () => 'stored',
      (error: { code: string }) => error.code,
    );
    const again = await open();
    expect(await again.stateGet('i', 'last')).toBe(1);
    if (end === 'stored') expect(await again.stateGet('w', 'last')).toBe(1);
    else expect(['PB_STORE_LOST', 'PB_STORE_CLOSED']).toContain(end);
  });
});

describe('durability', () => {
  it('keeps what was resolved when the process is killed', async () => {
    const script = `
      import { openStorage } from ${JSON.stringify(new URL('./open-storage.ts', import.meta.url).href)};
      const log = { debug() {}, info() {}, warn() {}, error() {} };
      const storage = await openStorage({ folder: process.argv[1], onEvent() {}, log });
      for (let n = 0; ; n++) {
        const letters = [{ time: n, pipeline: 'p', instance: 'i', origin: 'o', messageId: 'm' + n, code: 'C', cause: '',
          attempts: 1, packed: new Uint8Array(50) }];
        await Promise.all([storage.deadLettersAdd(letters), storage.stateSet('i', 'k' + n, n)]);
        process.stdout.write(n + '\\n');
      }`;
    const child = spawn(process.execPath, ['--input-type=module', '-e', script, folder], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    const exited = once(child, 'exit');
    let promised = -1;
    for await (const line of createInterface({ input: child.stdout })) {
      promised = Number(line);
      if (promised === 300) child.kill('SIGKILL');
    }
    await exited;
    expect(child.signalCode).toBe('SIGKILL');
    expect(promised).toBeGreaterThanOrEqual(300);
    const storage = await open();
    expect(events).toEqual([]);
    const keys = new Set(await storage.stateKeys('i'));
    for (let n = 0; n <= promised; n++) expect(keys.has(`k${n}`)).toBe(true);
    expect((await storage.deadLettersCount())['p']).toBeGreaterThanOrEqual(promised + 1);
  });
});
