import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import Database from 'better-sqlite3';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { EventReport } from '../events/report.ts';
import { SpoolLedger } from './spool-ledger.ts';
import type { SpoolLimits } from './spool-wire.ts';
import { Spool } from './spool.ts';

let folder = '';
let events: EventReport[] = [];
let room: boolean[] = [];
const cleanup: (() => void)[] = [];
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'patchbay-spool-'));
  events = [];
  room = [];
});
afterEach(() => {
  for (const undo of cleanup.splice(0)) undo();
  rmSync(folder, { recursive: true, force: true });
});

const path = (): string => join(folder, 'out.00000001.sqlite');
function spool(limits: Partial<SpoolLimits> = {}) {
  const ledger = new SpoolLedger();
  const made = new Spool(
    'out',
    { maxBytes: 1 << 30, whenFull: 'block', ...limits },
    {
      ledger,
      now: Date.now,
      onEvent: (event) => events.push(event),
      pathOf: path,
      onRoom: (_sink, full) => room.push(full),
      onGone: () => undefined,
    },
  );
  cleanup.push(() => made.close());
  const answers: string[] = [];
  let flight = 0;
  /** A size that is no whole number is refused by the file. */
  const append = (bytes = 100, size = 1): void =>
    made.append({
      pipeline: 'p',
      lineage: { flight: `f${flight++}`, size, spools: 1, roots: undefined },
      count: 1,
      block: Buffer.alloc(bytes, 1),
      stored: (seq) => answers.push(`stored ${seq}`),
      dropped: () => answers.push('dropped'),
      failed: (code) => answers.push(`failed ${code}`),
    });
  return { spool: made, ledger, answers, append };
}

describe('a spool', () => {
  it('acknowledges after one commit for all that came together', () => {
    const { spool: out, answers, append } = spool();
    append();
    append();
    expect(answers).toEqual([]);
    out.flush(false);
    expect(answers).toEqual(['stored 1', 'stored 2']);
    expect(out.state()).toMatchObject({ messages: 2, commits: 1 });
  });

  it('acknowledges nothing whose commit fails, and goes on with the next', () => {
    const { spool: out, answers, append } = spool();
    append();
    append(100, 1.5);
    out.flush(false);
    expect(answers).toEqual(['failed PB_SPOOL_FAILING', 'failed PB_SPOOL_FAILING']);
    expect(out.state().messages).toBe(0);
    expect(room.at(-1)).toBe(true);
    append();
    out.flush(false);
    expect(answers.slice(2)).toEqual(['stored 1']);
    expect(room.at(-1)).toBe(false);
    expect(events.map(({ type }) => type)).toEqual(['spool.failing', 'spool.works']);
  });

  it('acknowledges nothing while its file is held by another program', () => {
    const first = spool();
    first.spool.close();
    const other = new Database(path());
    cleanup.push(() => other.close());
    other.exec('BEGIN EXCLUSIVE');
    const { spool: out, answers, append } = spool();
    append();
    out.flush(false);
    expect(answers).toEqual(['failed PB_SPOOL_FAILING']);
    expect(room.at(-1)).toBe(true);
    expect(events.map(({ code }) => code)).toContain('PB_SPOOL_FAILING');
    expect(out.state().failingCode).toBe('PB_STORE_IO');
  });

  it('lets what has left wait for company, and what comes not', () => {
    const { spool: out, answers, append } = spool();
    append();
    out.flush(false);
    out.done(1, undefined, 'delivered', 1);
    out.flush(false);
    expect(out.state()).toMatchObject({ messages: 1, commits: 1 });
    append();
    out.flush(false);
    expect(answers).toEqual(['stored 1', 'stored 2']);
    expect(out.state()).toMatchObject({ messages: 1, commits: 2 });
  });

  it('takes nothing beyond its bound, and has room again when something has left', () => {
    const { spool: out, answers, append } = spool({ maxBytes: 10_000 });
    for (let i = 0; i < 10; i++) append(1500);
    out.flush(false);
    expect(answers.filter((each) => each.startsWith('stored'))).toHaveLength(6);
    expect(answers.slice(6).every((each) => each === 'failed PB_SPOOL_FULL')).toBe(true);
    expect(out.state().bytes).toBeLessThanOrEqual(10_000);
    expect(room.at(-1)).toBe(true);
    expect(out.state().fullSince).toBeGreaterThan(0);
    for (let seq = 1; seq <= 4; seq++) out.done(seq, undefined, 'delivered', seq);
    out.flush(true);
    expect(room.at(-1)).toBe(false);
    expect(out.state().fullSince).toBe(0);
  });

  it('takes a batch that is larger than its bound when it is empty: else it would never pass', () => {
    const { spool: out, answers, append } = spool({ maxBytes: 1000 });
    append(5000);
    append(10);
    out.flush(false);
    expect(answers).toEqual(['stored 1', 'failed PB_SPOOL_FULL']);
  });

  it('drops the oldest that no reader holds, and counts them in the ledger', () => {
    const { spool: out, ledger, answers, append } = spool({ maxBytes: 10_000, whenFull: 'dropOldest' });
    for (let i = 0; i < 6; i++) append(1500);
    out.flush(false);
    for (let i = 0; i < 6; i++) ledger.settled(`f${i}`, 'p', 1, []);
    out.done(1, undefined, 'delivered', 2);
    append(1500);
    append(1500);
    append(1500);
    out.flush(false);
    expect(answers.every((each) => each.startsWith('stored'))).toBe(true);
    expect(out.read(1, 99, 1e9)?.rows.map(({ seq }) => seq)).toEqual([2, 5, 6, 7, 8, 9]);
    expect(ledger.counts()['p']).toMatchObject({ spooled: 3, delivered: 1, dropped: 2 });
    expect(out.state().dropped).toBe(2);
  });

  it('counts what an earlier run has left, also what leaves before it was counted', () => {
    const first = spool();
    for (let i = 0; i < 5; i++) first.append();
    first.spool.flush(false);
    first.spool.close();
    const { spool: out, ledger } = spool();
    expect(out.recounting).toBe(true);
    out.done(2, undefined, 'delivered', 2);
    out.flush(true);
    expect(ledger.counts()['p']).toMatchObject({ carried: 1, delivered: 1, spooled: 0 });
    while (out.countMore());
    expect(out.recounting).toBe(false);
    expect(ledger.counts()['p']).toMatchObject({ carried: 5, delivered: 1, spooled: 4 });
  });

  it('counts whole rows, parts of rows and rows of several spools of an earlier run alike', () => {
    const first = spool();
    const store = (flight: string, spools: number, roots: readonly number[] | undefined): void =>
      first.spool.append({
        pipeline: 'p',
        lineage: { flight, size: 3, spools, roots },
        count: 3,
        block: Buffer.alloc(10, 1),
        stored: () => undefined,
        dropped: () => undefined,
        failed: () => undefined,
      });
    store('whole', 1, undefined);
    store('split', 1, [0, 0, 2]);
    // As two spools would have it, of the same batch.
    store('twice', 2, undefined);
    store('twice', 2, undefined);
    store('begun', 1, undefined);
    store('left', 1, undefined);
    first.spool.flush(false);
    first.spool.done(5, [1], 'delivered', 5);
    first.spool.done(6, undefined, 'delivered', 6);
    first.spool.flush(true);
    first.spool.close();
    const { spool: out, ledger } = spool();
    // Begun now, before the recount comes to it.
    out.done(1, [0], 'deadLettered', 1);
    out.flush(true);
    while (out.countMore());
    expect(ledger.counts()['p']).toMatchObject({ carried: 10, spooled: 9, deadLettered: 1 });
    for (let seq = 1; seq <= 5; seq++) out.done(seq, undefined, 'delivered', seq);
    out.flush(true);
    expect(ledger.counts()['p']).toMatchObject({ carried: 10, spooled: 0, deadLettered: 1, delivered: 9 });
  });

  it('counts what is purged before the recount has come to it', () => {
    const first = spool();
    for (let i = 0; i < 5; i++) first.append();
    first.spool.flush(false);
    first.spool.close();
    const { spool: out, ledger } = spool();
    expect(out.purge(new Set([3]))).toBe(4);
    while (out.countMore());
    expect(ledger.counts()['p']).toMatchObject({ carried: 5, dropped: 4, spooled: 1 });
  });
});
