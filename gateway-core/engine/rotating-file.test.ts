import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { RotatingFile, type RotatingFileOptions } from './rotating-file.ts';

let folder: string;
let failures: Error[];
let recoveries: number[];

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'patchbay-logs-'));
  failures = [];
  recoveries = [];
});

afterEach(() => rmSync(folder, { recursive: true, force: true }));

function create(options: Partial<RotatingFileOptions> = {}, path = join(folder, 'a.log')): RotatingFile {
  return new RotatingFile(path, {
    maxBytes: 100,
    keep: 2,
    onFailure: (error) => failures.push(error),
    onRecovery: (lost) => recoveries.push(lost),
    ...options,
  });
}

const text = (name: string): string => readFileSync(join(folder, name), 'utf8');

describe('RotatingFile', () => {
  it('keeps the order and goes on with an existing file', async () => {
    const first = create();
    first.write('1\n');
    first.write('2\n');
    await first.close();
    const second = create();
    second.write('3\n');
    await second.close();
    second.write('4\n');
    expect(text('a.log')).toBe('1\n2\n3\n');
  });

  it('rotates by size, also what an earlier run has written, and keeps only so many', async () => {
    for (let n = 0; n < 6; n++) {
      const file = create();
      file.write(`${String(n).repeat(59)}\n`);
      await file.close();
    }
    const file = create();
    for (let n = 6; n < 9; n++) {
      file.write(`${String(n).repeat(59)}\n`);
      await vi.waitFor(() => expect(text('a.log').includes(String(n))).toBe(true));
    }
    await file.close();
    expect(readdirSync(folder).toSorted()).toEqual(['a.1.log', 'a.2.log', 'a.log']);
    expect([text('a.2.log')[0], text('a.1.log')[0], text('a.log')[0]]).toEqual(['6', '7', '8']);
  });

  it('tells once that it fails, and how much was lost when it works again', async () => {
    const path = join(folder, 'later', 'a.log');
    const file = create({ retryMs: 0 }, path);
    file.write('lost\n');
    await vi.waitFor(() => expect(failures).toHaveLength(1));
    file.write('lost\n');
    file.write('lost\n');
    await new Promise((resolve) => setImmediate(resolve));
    expect(failures).toHaveLength(1);
    mkdirSync(join(folder, 'later'));
    file.write('kept\n');
    await vi.waitFor(() => expect(recoveries).toEqual([3]));
    await file.close();
    expect(readFileSync(path, 'utf8')).toBe('kept\n');
  });

  it('bounds what waits for the disk', async () => {
    const file = create({ maxBytes: 1e9 });
    const line = `${'x'.repeat(1023)}\n`;
    for (let n = 0; n < 5000; n++) file.write(line);
    await vi.waitFor(() => expect(recoveries).toEqual([5000 - 4096]));
    await file.close();
    expect(text('a.log').length).toBe(4096 * 1024);
  });
});
