import { mkdtemp, open, readdir, readFile, rename, rm, truncate, writeFile, type FileHandle } from 'node:fs/promises';
import { execFileSync } from 'node:child_process';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { NotConnectedError, type Message, type WriteException } from 'patchbay/plugin-api';
import { fakeContext } from 'patchbay/plugin-api/testing';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { LINE_START, type OpenFile } from './line-file.ts';
import jsonFile, { JsonFileSink, type JsonFileConfig } from './sink.ts';

let folder = '';
let path = '';
const closing: { close(): void | Promise<void> }[] = [];

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'json-file-'));
  path = join(folder, 'out.jsonl');
});
afterEach(async () => {
  for (const one of closing.splice(0)) await one.close();
  vi.useRealTimers();
  await rm(folder, { recursive: true });
});

const config = { fsync: 'always', fsyncInterval: 1000, maxSize: 64, rotateEvery: 'never', keep: 10 } as const;

function make(changes: Partial<JsonFileConfig> = {}, openFile?: OpenFile) {
  const context = fakeContext<JsonFileConfig>({ config: { ...config, path, ...changes } });
  const sink = openFile === undefined ? jsonFile.create(context) : new JsonFileSink(context, openFile);
  closing.push(sink);
  const batch = (...ids: string[]): Message[] => ids.map((id) => context.message({ id, data: { text: 'ü' } }));
  return { context, sink, batch };
}

const idsIn = async (file: string): Promise<string[]> => {
  const text = await readFile(file, 'utf8');
  expect(text === '' || text.endsWith('\n')).toBe(true);
  return text
    .split('\n')
    .slice(0, -1)
    .map((line) => (JSON.parse(line) as { id: string }).id);
};
const rotated = async (): Promise<string[]> =>
  (await readdir(folder)).filter((name) => name.startsWith('out.jsonl.')).sort();

describe('writing', () => {
  it('appends one CloudEvent per line, and goes on after a restart', async () => {
    const first = make();
    await first.sink.open();
    expect(await first.sink.write(first.batch('a', 'b'))).toEqual([]);
    await first.sink.close();
    const second = make();
    await second.sink.open();
    await second.sink.write(second.batch('c'));
    expect(await idsIn(path)).toEqual(['a', 'b', 'c']);
    expect((await readFile(path, 'utf8')).startsWith(LINE_START)).toBe(true);
    expect(second.context.logs).toEqual([]);
  });

  it('makes missing folders and refuses what has no JSON, alone', async () => {
    const nested = join(folder, 'a', 'b', 'c.jsonl');
    const { sink, context, batch } = make({ path: nested });
    await sink.open();
    const bad = context.message({
      data: {
        toJSON: () => {
          throw new Error('no');
        },
      },
    });
    expect(await sink.write([...batch('a'), bad, ...batch('b')])).toEqual([
      { index: 1, kind: 'refuse', code: 'PB_JSON_FILE_MESSAGE', cause: 'no' },
    ]);
    expect(await idsIn(nested)).toEqual(['a', 'b']);
  });

  it('writes on when a write takes only part of the bytes', async () => {
    const { sink, batch } = make(
      {},
      patched({ write: (handle, buffer, at, length) => handle.write(buffer, at, Math.min(7, length)) }),
    );
    await sink.open();
    await sink.write(batch('a', 'b'));
    expect(await idsIn(path)).toEqual(['a', 'b']);
  });
});

describe('a torn last line', () => {
  it.each([
    ['cut within the line', `${LINE_START},"id":"b`],
    ['cut within its first characters', '{"sp'],
    ['zeros', '\0'.repeat(100)],
    ['long', `${LINE_START},"id":"${'x'.repeat(200_000)}`],
  ])('%s, is cut at open, and logged', async (_name, torn) => {
    await writeFile(path, `${LINE_START},"id":"a"}\n${torn}`);
    const { sink, context, batch } = make();
    await sink.open();
    await sink.write(batch('c'));
    expect(await idsIn(path)).toEqual(['a', 'c']);
    expect(context.logs).toMatchObject([{ level: 'warn', fields: { bytes: torn.length } }]);
  });

  it('of a file that has nothing else is cut too', async () => {
    await writeFile(path, '{"specversion":"1.0","id"');
    const { sink } = make();
    await sink.open();
    expect(await readFile(path, 'utf8')).toBe('');
  });

  it("is left alone in someone else's file", async () => {
    await writeFile(path, 'precious');
    await expect(make().sink.open()).rejects.toMatchObject({ code: 'PB_JSON_FILE_FOREIGN', path: 'path' });
    expect(await readFile(path, 'utf8')).toBe('precious');
  });
});

describe('what is no file', () => {
  it('is told at open', async () => {
    await expect(make({ path: folder }).sink.open()).rejects.toMatchObject({ code: 'PB_JSON_FILE_FOREIGN' });
    execFileSync('mkfifo', [path]);
    await expect(make().sink.open()).rejects.toMatchObject({ code: 'PB_JSON_FILE_FOREIGN' });
    await rm(path);
    await writeFile(path, '');
    await expect(make({ path: join(path, 'below') }).sink.open()).rejects.toMatchObject({
      code: 'PB_JSON_FILE_ACCESS',
      path: 'path',
    });
    const denied = Object.assign(new Error('EACCES: permission denied'), { code: 'EACCES' });
    await expect(make({}, () => Promise.reject(denied)).sink.open()).rejects.toMatchObject({
      code: 'PB_JSON_FILE_ACCESS',
      name: 'ConfigError',
    });
  });

  it.runIf(process.platform === 'linux')('a folder that cannot be made is an answer, not a wait', async () => {
    await expect(make({ path: '/proc/patchbay/out.jsonl' }).sink.open()).rejects.toThrow();
  });
});

describe('rotation', () => {
  it('by size: no file grows beyond, so many stay, none is lost before', async () => {
    const { sink, context } = make({ maxSize: 1, keep: 2 });
    await sink.open();
    const big = 'x'.repeat(400_000);
    for (let i = 0; i < 9; i++) await sink.write([context.message({ id: `m${i}`, data: { big } })]);
    const names = await rotated();
    expect(names).toHaveLength(2);
    expect(await idsIn(join(folder, names[0]!))).toEqual(['m4', 'm5']);
    expect(await idsIn(join(folder, names[1]!))).toEqual(['m6', 'm7']);
    expect(await idsIn(path)).toEqual(['m8']);
  });

  it('by time: with the first message of the next hour, also after a restart', async () => {
    vi.useFakeTimers({ toFake: ['Date'], now: Date.UTC(2030, 0, 1, 10, 59, 59) });
    const { sink, batch } = make({ rotateEvery: 'hour' });
    await sink.open();
    await sink.write(batch('a'));
    await sink.write(batch('b'));
    expect(await rotated()).toEqual([]);
    vi.setSystemTime(Date.UTC(2030, 0, 1, 11, 0, 1));
    await sink.write(batch('c'));
    await sink.write(batch('d'));
    expect(await rotated()).toEqual(['out.jsonl.2030-01-01T11-00-01.000Z']);
    expect(await idsIn(path)).toEqual(['c', 'd']);
    await sink.close();
    const again = make({ rotateEvery: 'day' });
    await again.sink.open();
    await again.sink.write(again.batch('e'));
    // The file itself was written today, by the real clock.
    expect(await rotated()).toHaveLength(2);
  });

  it('never deletes files that only look similar', async () => {
    await writeFile(join(folder, 'out.jsonl.backup'), 'x');
    await writeFile(join(folder, 'out.jsonl.2020-01-01'), 'x');
    const { sink, context } = make({ maxSize: 1, keep: 1 });
    await sink.open();
    for (let i = 0; i < 4; i++) await sink.write([context.message({ data: 'x'.repeat(900_000) })]);
    expect(await rotated()).toEqual(expect.arrayContaining(['out.jsonl.2020-01-01', 'out.jsonl.backup']));
    expect(await rotated()).toHaveLength(3);
  });
});

describe('what others do to the file', () => {
  it('moved or deleted: the next batch goes to a new one', async () => {
    const { sink, batch } = make();
    await sink.open();
    await sink.write(batch('a'));
    await rename(path, `${path}.moved`);
    await sink.write(batch('b'));
    await rm(path);
    await sink.write(batch('c'));
    expect([await idsIn(`${path}.moved`), await idsIn(path)]).toEqual([['a'], ['c']]);
  });

  it('deleted while it was written to: the batch is written again', async () => {
    let deleted = false;
    const { sink, batch } = make(
      {},
      patched({
        write: async (handle, buffer, at, length) => {
          if (!deleted) await rm(path);
          deleted = true;
          return handle.write(buffer, at, length);
        },
      }),
    );
    await sink.open();
    await sink.write(batch('a'));
    expect(await idsIn(path)).toEqual(['a']);
  });

  it('truncated: no hole is left', async () => {
    const { sink, batch } = make();
    await sink.open();
    await sink.write(batch('a'));
    await truncate(path, 0);
    await sink.write(batch('b'));
    expect(await idsIn(path)).toEqual(['b']);
  });
});

describe('a disk that fails', () => {
  const full = Object.assign(new Error('ENOSPC: no space left on device'), { code: 'ENOSPC' });

  it('full: nothing of the batch stays, all of it is to be tried again', async () => {
    let room = true;
    const { sink, batch, context } = make(
      {},
      patched({
        write: async (handle, buffer, at, length) => {
          if (room) return handle.write(buffer, at, length);
          if (at > 0) throw full;
          return handle.write(buffer, at, 30);
        },
      }),
    );
    await sink.open();
    await sink.write(batch('a'));
    room = false;
    const result = (await sink.write(batch('b', 'c'))) as WriteException[];
    expect(result.map(({ index, kind, code }) => [index, kind, code])).toEqual([
      [0, 'retry', 'PB_JSON_FILE_FULL'],
      [1, 'retry', 'PB_JSON_FILE_FULL'],
    ]);
    expect(await idsIn(path)).toEqual(['a']);
    expect(context.healths.at(-1)).toMatchObject({ state: 'degraded' });
    room = true;
    await sink.write(batch('b', 'c'));
    expect(await idsIn(path)).toEqual(['a', 'b', 'c']);
    expect(context.healths.at(-1)).toEqual({ state: 'running' });
  });

  it('full, and the part cannot be taken out: no line is glued to it', async () => {
    let room = false;
    const { sink, batch } = make(
      {},
      patched({
        write: async (handle, buffer, at, length) => {
          if (room) return handle.write(buffer, at, length);
          if (at > 0) throw full;
          return handle.write(buffer, at, 30);
        },
        truncate: (handle, size) => (room ? handle.truncate(size) : Promise.reject(full)),
      }),
    );
    await sink.open();
    await sink.write(batch('a'));
    room = true;
    await sink.write(batch('b'));
    expect(await idsIn(path)).toEqual(['b']);
  });

  it('not synced is not done', async () => {
    const io = Object.assign(new Error('EIO: i/o error'), { code: 'EIO' });
    let syncs = 0;
    const { sink, batch } = make(
      {},
      patched({
        datasync: () => {
          syncs++;
          return Promise.reject(io);
        },
      }),
    );
    await sink.open();
    await expect(sink.write(batch('a'))).rejects.toBeInstanceOf(NotConnectedError);
    expect(syncs).toBe(1);
    expect(await readFile(path, 'utf8')).toBe('');
  });

  it('that cannot rotate is written on', async () => {
    // A name that is long enough leaves no room for the time behind it.
    const long = join(folder, `${'n'.repeat(245)}.jsonl`);
    const { sink, context } = make({ path: long, maxSize: 1 });
    await sink.open();
    const message = (id: string): Message => context.message({ id, data: 'x'.repeat(900_000) });
    await sink.write([message('a')]);
    await sink.write([message('b')]);
    await sink.write([message('c')]);
    expect(await readdir(folder)).toHaveLength(1);
    expect(await idsIn(long)).toEqual(['a', 'b', 'c']);
    expect(context.healths).toEqual([
      { state: 'degraded', reason: expect.stringContaining('ENAMETOOLONG') as unknown },
    ]);
  });
});

describe('fsync', () => {
  it.each(['always', 'interval', 'never'] as const)('%s', async (fsync) => {
    let syncs = 0;
    const { sink, batch } = make(
      { fsync, fsyncInterval: 10 },
      patched({
        datasync: (handle) => {
          syncs++;
          return handle.datasync();
        },
      }),
    );
    await sink.open();
    await sink.write(batch('a'));
    expect(syncs).toBe(fsync === 'always' ? 1 : 0);
    if (fsync === 'interval') await vi.waitUntil(() => syncs === 1, { timeout: 5000 });
    expect(await idsIn(path)).toEqual(['a']);
  });
});

interface Patch {
  write?(handle: FileHandle, buffer: Buffer, at: number, length: number): Promise<{ bytesWritten: number }>;
  datasync?(handle: FileHandle): Promise<void>;
  truncate?(handle: FileHandle, size: number): Promise<void>;
}

/** The real file system, with some calls on the open file replaced. */
function patched(patch: Patch): OpenFile {
  return async (...args) => {
    const handle = await open(...args);
    return new Proxy(handle, {
      get(target, name: keyof FileHandle) {
        const own = name === 'write' || name === 'datasync' || name === 'truncate' ? patch[name] : undefined;
        if (own !== undefined) return (...rest: never[]) => (own as (...all: unknown[]) => unknown)(target, ...rest);
        const value = target[name] as unknown;
        return typeof value === 'function' ? (value.bind(target) as unknown) : value;
      },
    });
  };
}
