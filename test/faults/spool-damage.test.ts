/** Spool files that are cut, flipped, deleted or held by others: told by a code, the rest intact, the gateway goes on. */
import { spawn } from 'node:child_process';
import { closeSync, existsSync, fstatSync, openSync, readSync, rmSync, truncateSync, writeSync } from 'node:fs';
import { describe, expect, it, onTestFinished } from 'vitest';
import { eventually } from '../peers/program.ts';
import { Forward } from './rounds/forward.ts';
import { chosenSeed, Random } from './rounds/random.ts';

const seed = chosenSeed();
const TOLD = ['PB_SPOOL_SALVAGED', 'PB_SPOOL_DAMAGED', 'PB_SPOOL_LOG_DAMAGED', 'PB_STORE_CORRUPT'];

async function filled(messages = 1500): Promise<Forward> {
  const forward = await Forward.create();
  onTestFinished(() => forward.end());
  await forward.fill(messages);
  return forward;
}

/** New messages go through; all of what is left comes out. */
async function goesOn(forward: Forward): Promise<void> {
  await forward.receiver.start();
  const before = forward.journal.accepted;
  forward.sender.resume();
  await forward.accepted(before + 200);
  await forward.quiet();
  await forward.drained();
}

function flip(path: string, random: Random, from: number): void {
  const file = openSync(path, 'r+');
  try {
    const at = random.between(from, fstatSync(file).size - 1);
    const byte = Buffer.alloc(1);
    readSync(file, byte, 0, 1, at);
    byte[0] = (byte[0] as number) ^ (1 << random.between(0, 7));
    writeSync(file, byte, 0, 1, at);
  } finally {
    closeSync(file);
  }
}

function cut(path: string, random: Random): void {
  const file = openSync(path, 'r');
  const { size } = fstatSync(file);
  closeSync(file);
  truncateSync(path, random.between(1, size - 1));
}

const damages: readonly (readonly [string, (spool: string, random: Random) => void, 'killed' | 'stopped'])[] = [
  ['the file is cut short', cut, 'stopped'],
  ['the log is cut short', (spool, random) => cut(`${spool}-wal`, random), 'killed'],
  ['a bit of the file is flipped', (spool, random) => flip(spool, random, 0), 'stopped'],
  ['a bit of the data is flipped', (spool, random) => flip(spool, random, 3 * 8192), 'stopped'],
  ['a bit of the log is flipped', (spool, random) => flip(`${spool}-wal`, random, 0), 'killed'],
  [
    'many bits are flipped',
    (spool, random) => {
      for (let i = 0; i < 40; i++) flip(spool, random, 0);
    },
    'stopped',
  ],
];

describe(`a spool that was damaged while the gateway was away (PATCHBAY_SEED=${seed} repeats)`, () => {
  it.each(damages)('%s', async (what, damage, how) => {
    const random = new Random(seed ^ what.length);
    const forward = await filled();
    if (how === 'killed') await forward.engine.kill();
    else await forward.engine.stop();
    damage(forward.spool(), random);
    await forward.engine.start();
    await goesOn(forward);
    const { events } = await forward.engine.call('events.list', { limit: 500 });
    const told = events.filter(({ code }) => TOLD.includes(code));
    const { faults } = forward.verdict();
    const missing = faults.filter((fault) => fault.includes('accepted and missing'));
    // What is delivered is right and in order.
    expect(faults.filter((fault) => !missing.includes(fault))).toEqual([]);
    // What is not was told, with what to do about it. A log that merely ends earlier looks as if no more had ever been written.
    if (what !== 'the log is cut short') expect(told.length).toBeGreaterThanOrEqual(missing.length);
    for (const { remedy } of told) expect(remedy).toMatch(/\w/);
  });
});

describe('a spool file', () => {
  it('that is deleted while in use is written anew, and nothing is lost', async () => {
    const forward = await filled();
    const spool = forward.spool();
    for (const suffix of ['', '-wal', '-shm']) rmSync(spool + suffix, { force: true });
    await eventually(
      () => 'it is told and there again',
      async () => (existsSync(spool) && (await forward.engine.eventCodes()).includes('PB_SPOOL_GONE')) || undefined,
    );
    await forward.engine.kill();
    await forward.engine.start();
    await goesOn(forward);
    expect(forward.verdict().faults).toEqual([]);
  });

  it('that is deleted while the gateway is away takes nothing else with it', async () => {
    const forward = await filled(300);
    await forward.engine.stop();
    const spool = forward.spool();
    for (const suffix of ['', '-wal', '-shm']) rmSync(spool + suffix, { force: true });
    await forward.engine.start();
    const before = forward.journal.entries().filter(({ accepted }) => accepted > 0).length;
    await goesOn(forward);
    const got = new Set(forward.receiver.receipts().map(({ id }) => id));
    const after = forward.journal.entries().slice(before);
    expect(after.filter(({ id }) => !got.has(id))).toEqual([]);
  });

  it('that another program holds acknowledges nothing, says so, and goes on once it is free', async () => {
    const forward = await filled();
    await forward.engine.stop();
    const holder = spawn(
      process.execPath,
      [
        '--no-warnings',
        '-e',
        `const { DatabaseSync } = require('node:sqlite');
         const db = new DatabaseSync(${JSON.stringify(forward.spool())});
         db.exec('PRAGMA locking_mode = EXCLUSIVE; BEGIN EXCLUSIVE');
         console.log('held');
         setInterval(() => db, 1000);`,
      ],
      { stdio: ['ignore', 'pipe', 'inherit'] },
    );
    onTestFinished(() => void holder.kill('SIGKILL'));
    await new Promise((resolve) => holder.stdout.once('data', resolve));
    await forward.engine.start();
    await eventually(
      () => 'it is told',
      async () => (await forward.engine.eventCodes()).includes('PB_SPOOL_FAILING') || undefined,
    );
    const { accepted } = forward.journal;
    forward.sender.resume();
    await eventually(
      () => 'messages are given back',
      () => forward.sender.counts.released > 0 || undefined,
    );
    expect(forward.journal.accepted).toBe(accepted);
    holder.kill('SIGKILL');
    await goesOn(forward);
    expect(forward.verdict().faults).toEqual([]);
  });
});
