import {
  copyFileSync,
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { EventReport } from '../events/report.ts';
import { SpoolFile } from './spool-file.ts';
import { walDamage } from './wal-damage.ts';

let folder = '';
let events: EventReport[] = [];
let open: SpoolFile[] = [];
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'patchbay-spool-'));
  events = [];
  open = [];
});
afterEach(() => {
  for (const file of open) {
    try {
      file.close();
    } catch {
      // Closed by the test.
    }
  }
  rmSync(folder, { recursive: true, force: true });
});

const path = (): string => join(folder, 'out.00000001.sqlite');
function spool(at = path()): SpoolFile {
  const file = new SpoolFile(at, { sink: 'out', now: () => 1000, onEvent: (event) => events.push(event) });
  open.push(file);
  return file;
}
const block = (text: string, size = 0): Uint8Array => Buffer.concat([Buffer.from(text), Buffer.alloc(size, text)]);
function add(file: SpoolFile, ...texts: string[]): number[] {
  const seqs: number[] = [];
  file.transact(() => {
    for (const text of texts)
      seqs.push(file.append('p', { flight: text, size: 2, spools: 1, roots: undefined }, 2, block(text, 400)));
  });
  return seqs;
}
const texts = (file: SpoolFile): string[] =>
  file.read(0, Number.MAX_SAFE_INTEGER, 1e9).rows.map((row) => Buffer.from(row.block).toString().slice(0, 2));
const many = (count: number): string[] => Array.from({ length: count }, (_, i) => String(i).padStart(2, '0'));

describe('a spool file', () => {
  it('gives back what was committed, in order, after it was opened again', () => {
    const first = spool();
    add(first, 'a1', 'a2');
    add(first, 'a3');
    first.close();
    const second = spool();
    expect(texts(second)).toEqual(['a1', 'a2', 'a3']);
    expect([second.messages, second.first, second.head]).toEqual([6, 1, 3]);
  });

  it('changes nothing when the work throws', () => {
    const file = spool();
    add(file, 'a1');
    expect(() =>
      file.transact(() => {
        file.append('p', { flight: 'x', size: 1, spools: 1, roots: undefined }, 1, block('x'));
        throw new Error('no');
      }),
    ).toThrow('no');
    expect(texts(file)).toEqual(['a1']);
    expect([file.messages, file.head]).toEqual([2, 1]);
    expect(add(file, 'a2')).toEqual([2]);
  });

  it('never gives a number twice, also when it was empty in between', () => {
    const first = spool();
    first.transact(() => void 0);
    const [seq = 0] = add(first, 'a1');
    first.transact(() => void first.remove(seq, undefined));
    first.close();
    expect(add(spool(), 'a2')).toEqual([seq + 1]);
  });

  it('remembers which messages of a batch are done', () => {
    const first = spool();
    const [seq = 0] = add(first, 'a1');
    first.transact(() => void first.remove(seq, [1]));
    expect(first.messages).toBe(1);
    first.close();
    const second = spool();
    expect(second.read(0, 9, 1e9).rows[0]?.done).toEqual(Uint8Array.from([0, 1]));
    let again: unknown;
    second.transact(() => (again = second.remove(seq, [1])));
    expect(again).toBeUndefined();
    second.transact(() => void second.remove(seq, [0]));
    expect([second.messages, second.bytes, texts(second)]).toEqual([0, 0, []]);
  });

  it('reads no more than asked for, but at least one batch, and says how far it looked', () => {
    const file = spool();
    add(file, 'a1', 'a2', 'a3');
    expect(file.read(1, 4, 1)).toMatchObject({ rows: [{ seq: 1 }], scanned: 1 });
    expect(file.read(2, 3, 1e9)).toMatchObject({ rows: [{ seq: 2 }], scanned: 2 });
    expect(file.read(4, 99, 1e9)).toMatchObject({ rows: [], scanned: 3 });
  });

  it('drops the oldest above what a reader holds', () => {
    const file = spool();
    add(file, 'a1', 'a2', 'a3', 'a4');
    file.transact(() => void file.dropOldest(1, 600));
    expect(texts(file)).toEqual(['a1', 'a4']);
  });

  it('moves aside a batch whose bytes have changed, and delivers the rest', () => {
    const first = spool();
    add(first, 'a1', 'a2', 'a3');
    first.close();
    const bytes = readFileSync(path());
    const at = bytes.indexOf(Buffer.from('a2a2a2a2a2'));
    expect(at).toBeGreaterThan(0);
    bytes[at + 3] = 0x58;
    writeFileSync(path(), bytes);
    const second = spool();
    const { rows, damaged } = second.read(0, 99, 1e9);
    expect(rows.map(({ seq }) => seq)).toEqual([1, 3]);
    expect(damaged).toHaveLength(1);
    expect(second.messages).toBe(4);
  });

  it('takes over what can be read of a truncated file', () => {
    const first = spool();
    for (let i = 0; i < 5; i++) add(first, ...many(100));
    first.close();
    truncateSync(path(), Math.floor(readFileSync(path()).length * 0.7));
    const second = spool();
    expect(events.map(({ code }) => code)).toEqual(['PB_STORE_CORRUPT', 'PB_SPOOL_SALVAGED']);
    expect(second.messages).toBeGreaterThan(0);
    expect(second.messages).toBeLessThan(1000);
    expect(add(second, 'zz')[0]).toBeGreaterThan(second.first);
  });

  it('begins anew when nothing can be read, and says so', () => {
    const first = spool();
    add(first, 'a1');
    first.close();
    writeFileSync(path(), 'this is no database at all, but it is long enough to be taken for one'.repeat(200));
    const second = spool();
    expect(events.map(({ code }) => code)).toEqual(['PB_STORE_CORRUPT', 'PB_SPOOL_SALVAGED']);
    expect(second.messages).toBe(0);
    expect(readdirSync(folder).some((name) => name.includes('.corrupt-'))).toBe(true);
  });

  it('writes everything anew when the file was deleted under it', () => {
    const file = spool();
    add(file, ...many(50));
    expect(file.present()).toBe(true);
    rmSync(path());
    rmSync(`${path()}-wal`, { force: true });
    expect(file.present()).toBe(false);
    expect(file.rescue()).toBe(50);
    expect(file.present()).toBe(true);
    add(file, 'zz');
    file.close();
    expect(texts(spool())).toEqual([...many(50), 'zz']);
  });

  it('puts aside a file that took its place', () => {
    const file = spool();
    add(file, 'a1');
    rmSync(path());
    writeFileSync(path(), 'somebody else');
    expect(file.rescue()).toBe(1);
    expect(events.map(({ code }) => code)).toContain('PB_STORE_CORRUPT');
    expect(texts(file)).toEqual(['a1']);
  });

  it('tells of commits in a log that a crash left and that cannot be read any more', () => {
    const file = spool();
    for (const text of many(20)) add(file, text);
    const crashed = join(folder, 'out.00000002.sqlite');
    copyFileSync(path(), crashed);
    copyFileSync(`${path()}-wal`, `${crashed}-wal`);
    expect(walDamage(`${crashed}-wal`)).toBeUndefined();
    const log = readFileSync(`${crashed}-wal`);
    const middle = Math.floor(log.length / 2);
    log[middle] = (log[middle] ?? 0) ^ 0x10;
    writeFileSync(`${crashed}-wal`, log);
    expect(walDamage(`${crashed}-wal`)?.lostCommits).toBeGreaterThan(5);
    const second = spool(crashed);
    expect(events.map(({ code }) => code)).toContain('PB_SPOOL_LOG_DAMAGED');
    expect(second.messages).toBeLessThan(40);
    expect(existsSync(`${crashed}-wal`)).toBe(true);
  });

  it('takes a log without complaint that ends in the middle of a write', () => {
    const file = spool();
    for (const text of many(20)) add(file, text);
    const crashed = join(folder, 'out.00000003.sqlite');
    copyFileSync(path(), crashed);
    copyFileSync(`${path()}-wal`, `${crashed}-wal`);
    truncateSync(`${crashed}-wal`, readFileSync(`${crashed}-wal`).length - 5000);
    const second = spool(crashed);
    expect(events).toEqual([]);
    expect(second.messages).toBeGreaterThan(30);
  });
});
