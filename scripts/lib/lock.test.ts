import { existsSync, mkdtempSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { acquireLock } from './lock.mjs';

let folder: string;
let file: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'patchbay-lock-'));
  file = join(folder, 'lock');
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const options = () => ({
  limitMs: 10_000,
  onWait: vi.fn<(pid: number) => void>(),
  onLimit: (pid: number) => new Error(`busy ${pid}`),
});

describe('lock', () => {
  it('lets the second in when the first is done', async () => {
    const release = await acquireLock(file, options());
    const second = options();
    let entered = false;
    const waiting = acquireLock(file, second).then((own) => {
      entered = true;
      return own;
    });
    await vi.waitFor(() => expect(second.onWait).toHaveBeenCalledExactlyOnceWith(process.pid));
    expect(entered).toBe(false);
    release();
    (await waiting)();
    expect(existsSync(file)).toBe(false);
  });

  it('is taken over from a process that is gone', async () => {
    // No process has this number: it is above every system's limit.
    writeFileSync(file, '2147483646 dead');
    const waiting = options();
    const release = await acquireLock(file, waiting);
    expect(waiting.onWait).not.toHaveBeenCalled();
    release();
  });

  it('is taken over when its holder stopped touching it, though its number lives on', async () => {
    writeFileSync(file, `${process.pid} other`);
    utimesSync(file, new Date(Date.now() - 60_000), new Date(Date.now() - 60_000));
    const release = await acquireLock(file, options());
    release();
  });

  it('gives up after the limit, naming the holder', async () => {
    const release = await acquireLock(file, options());
    await expect(acquireLock(file, { ...options(), limitMs: 0 })).rejects.toThrow(`busy ${process.pid}`);
    release();
  });

  it('leaves a lock alone that another has taken over', async () => {
    const release = await acquireLock(file, options());
    writeFileSync(file, `${process.pid} other`);
    release();
    expect(existsSync(file)).toBe(true);
  });
});
