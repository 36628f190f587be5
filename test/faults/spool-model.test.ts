/** A spool file against a list in memory, by random commands: what is committed is there, in order, over any crash. */
import { copyFileSync, existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, expect, it } from 'vitest';
import { SpoolLedger } from '../../gateway-core/storage/spool-ledger.ts';
import { SpoolFile, type Departure } from '../../gateway-core/storage/spool-file.ts';
import type { SpoolEnd } from '../../gateway-core/storage/spool-wire.ts';
import { chosenSeed } from './rounds/random.ts';

const folder = mkdtempSync(join(tmpdir(), 'patchbay-model-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

interface ModelRow {
  readonly seq: number;
  readonly text: string;
  readonly done: boolean[];
}

/** Rows that are there, and what became of messages since the last start. */
interface Model {
  rows: ModelRow[];
  next: number;
  ended: Record<SpoolEnd, number>;
}

let files = 0;
const events: string[] = [];

class Real {
  path = join(folder, `${files++}.sqlite`);
  file = this.open();
  ledger = new SpoolLedger();
  private readonly left: SpoolFile[] = [];

  private open(): SpoolFile {
    return new SpoolFile(this.path, { sink: 'out', now: () => 1000, onEvent: ({ type }) => events.push(type) });
  }

  /** What a new process finds: the file and its log as they lie there, whoever had them open. */
  crash(): void {
    const from = this.path;
    this.path = join(folder, `${files++}.sqlite`);
    for (const suffix of ['', '-wal']) if (existsSync(from + suffix)) copyFileSync(from + suffix, this.path + suffix);
    this.left.push(this.file);
    this.begin();
  }

  reopen(): void {
    this.file.close();
    this.begin();
  }

  private begin(): void {
    this.file = this.open();
    this.ledger = new SpoolLedger();
    const { whole, others } = this.file.tally(0, Number.MAX_SAFE_INTEGER);
    for (const { pipeline, messages } of whole) this.ledger.carriedWhole(pipeline, messages);
    for (const { row, gone } of others) this.ledger.carried(row, gone);
  }

  end(): void {
    for (const file of [this.file, ...this.left]) file.discard();
  }

  depart(departures: readonly Departure[], end: SpoolEnd): void {
    for (const { row, indexes, gone } of departures) this.ledger.finished(row, indexes, gone, end);
  }
}

const leftOf = ({ done }: ModelRow): number => done.filter((is) => !is).length;
const PIPELINE = 'flow';

function compare(model: Model, real: Real): void {
  const rows = model.rows.filter((row) => leftOf(row) > 0);
  const found = real.file.read(0, Number.MAX_SAFE_INTEGER, 1e9);
  expect(found.damaged).toEqual([]);
  expect(
    found.rows.map(({ seq, block, done }) => ({
      seq,
      text: Buffer.from(block).toString(),
      done: done === undefined ? [] : [...done].map((flag) => flag === 1),
    })),
  ).toEqual(rows.map(({ seq, text, done }) => ({ seq, text, done: done.some(Boolean) ? done : [] })));
  expect(real.file.messages).toBe(rows.reduce((sum, row) => sum + leftOf(row), 0));
  expect(real.file.first).toBe(rows[0]?.seq ?? model.next);
  const counts = real.ledger.counts()[PIPELINE];
  expect(counts?.spooled ?? 0).toBe(real.file.messages);
  for (const end of ['delivered', 'deadLettered', 'dropped'] as const)
    expect(counts?.[end] ?? 0).toBe(model.ended[end]);
}

function command(name: string, run: (model: Model, real: Real) => void): fc.Command<Model, Real> {
  return {
    check: () => true,
    run(model, real) {
      run(model, real);
      compare(model, real);
    },
    toString: () => name,
  };
}

function append(model: Model, real: Real, sizes: readonly number[]): void {
  const added: ModelRow[] = [];
  let seq = model.next;
  real.file.transact(() => {
    for (const count of sizes) {
      const text = `${seq}:${'x'.repeat(count * 300)}`;
      const lineage = { flight: `f${seq}`, size: count, spools: 1, roots: undefined };
      expect(real.file.append(PIPELINE, lineage, count, Buffer.from(text))).toBe(seq);
      added.push({ seq: seq++, text, done: Array.from({ length: count }, () => false) });
    }
  });
  for (const row of added) {
    const { seq: number, done } = row;
    real.ledger.appended({
      pipeline: PIPELINE,
      flight: `f${number}`,
      size: done.length,
      spools: 1,
      roots: undefined,
      count: done.length,
    });
    real.ledger.settled(`f${number}`, PIPELINE, done.length, []);
  }
  model.rows.push(...added);
  model.next = seq;
}

function finish(model: Model, real: Real, place: number, indexes: readonly number[] | undefined, end: SpoolEnd): void {
  const row = model.rows[place % Math.max(1, model.rows.length)];
  if (row === undefined) return;
  const places = indexes === undefined ? undefined : [...new Set(indexes.map((index) => index % row.done.length))];
  let departure: Departure | undefined;
  real.file.transact(() => (departure = real.file.remove(row.seq, places)));
  if (departure !== undefined) real.depart([departure], end);
  for (let index = 0; index < row.done.length; index++) {
    if (row.done[index] === true || (places !== undefined && !places.includes(index))) continue;
    row.done[index] = true;
    model.ended[end]++;
  }
}

const end = fc.constantFrom<SpoolEnd>('delivered', 'deadLettered', 'dropped');
const sizes = fc.array(fc.integer({ min: 1, max: 6 }), { minLength: 1, maxLength: 4 });

const commands = fc.commands(
  [
    sizes.map((each) => command(`append ${each.join()}`, (model, real) => append(model, real, each))),
    sizes.map((each) =>
      command(`append ${each.join()}, commit fails`, (model, real) => {
        expect(() =>
          real.file.transact(() => {
            for (const count of each)
              real.file.append(
                PIPELINE,
                { flight: 'never', size: count, spools: 1, roots: undefined },
                count,
                Buffer.from('never'),
              );
            throw new Error('disk full');
          }),
        ).toThrow('disk full');
        void model;
      }),
    ),
    fc
      .tuple(fc.nat({ max: 50 }), end)
      .map(([place, how]) =>
        command(`row ${place} ${how}`, (model, real) => finish(model, real, place, undefined, how)),
      ),
    fc
      .tuple(fc.nat({ max: 50 }), fc.array(fc.nat({ max: 5 }), { minLength: 1, maxLength: 4 }), end)
      .map(([place, indexes, how]) =>
        command(`row ${place}, ${indexes.join()} ${how}`, (model, real) => finish(model, real, place, indexes, how)),
      ),
    fc.array(fc.nat({ max: 20 }), { maxLength: 3 }).map((keep) =>
      command(`purge but ${keep.join()}`, (model, real) => {
        const kept = new Set(keep.flatMap((place) => model.rows[place]?.seq ?? []));
        let departures: Departure[] = [];
        real.file.transact(() => (departures = real.file.purge(kept)));
        real.depart(departures, 'dropped');
        for (const row of model.rows) if (!kept.has(row.seq)) model.ended.dropped += leftOf(row);
        model.rows = model.rows.filter(({ seq }) => kept.has(seq));
      }),
    ),
    fc.integer({ min: 1, max: 4000 }).map((bytes) =>
      command(`drop the oldest ${bytes} bytes`, (model, real) => {
        let departures: Departure[] = [];
        const before = real.file.bytes;
        real.file.transact(() => (departures = real.file.dropOldest(0, bytes)));
        real.depart(departures, 'dropped');
        // As many as needed, from the front, and no more.
        const there = model.rows.filter((row) => leftOf(row) > 0);
        const gone = there.slice(0, departures.length);
        expect(before - real.file.bytes >= bytes || gone.length === there.length).toBe(true);
        for (const row of gone) model.ended.dropped += leftOf(row);
        model.rows = model.rows.filter((row) => !gone.includes(row));
      }),
    ),
    ...(['crash', 'reopen'] as const).map((how) =>
      fc.constant(
        command(how, (model, real) => {
          real[how]();
          model.ended = { delivered: 0, deadLettered: 0, dropped: 0 };
        }),
      ),
    ),
  ],
  { maxCommands: 60 },
);

it('holds what a list in memory holds, over commits that fail, crashes, partial ends, drops and purges', () => {
  const seed = chosenSeed() | 0;
  fc.assert(
    fc.property(commands, (all) => {
      const real = new Real();
      try {
        fc.modelRun(
          () => ({ model: { rows: [], next: 1, ended: { delivered: 0, deadLettered: 0, dropped: 0 } }, real }),
          all,
        );
      } finally {
        real.end();
      }
    }),
    { seed, numRuns: 60 },
  );
  expect(events).toEqual([]);
});
