/** The disk of the data folder runs full: nothing accepted is lost, it is told, and it goes on when there is room. */
import { spawnSync } from 'node:child_process';
import { closeSync, existsSync, mkdtempSync, openSync, rmSync, statfsSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it, onTestFinished } from 'vitest';
import { eventually } from '../peers/program.ts';
import { lacking } from './needs.ts';
import { Forward } from './rounds/forward.ts';

const lacks = lacking('root and mount');

/** A file system of its own, gone after the test. */
function smallDisk(megabytes: number): string {
  const path = mkdtempSync(join(tmpdir(), 'patchbay-disk-'));
  const { status, stderr } = spawnSync('mount', ['-t', 'tmpfs', '-o', `size=${megabytes}m`, 'patchbay-test', path]);
  if (status !== 0) throw new Error(`no small disk: ${stderr.toString()}`);
  onTestFinished(() => {
    spawnSync('umount', ['-l', path]);
    rmSync(path, { recursive: true, force: true });
  });
  return path;
}

/** Takes all space but `left` bytes. */
function hoard(path: string, left: number): void {
  const file = openSync(path, 'w');
  try {
    const block = Buffer.alloc(64 * 1024);
    for (;;) {
      const { bavail, bsize } = statfsSync(path);
      if (bavail * bsize <= left + block.length) return;
      writeSync(file, block);
    }
  } finally {
    closeSync(file);
  }
}

const TOLD = ['PB_SPOOL_FULL', 'PB_SPOOL_LOW_DISK', 'PB_SPOOL_FAILING'];

/** The sink takes nothing more, and the status says so: events may find no room on this disk either. */
async function blocked(forward: Forward): Promise<void> {
  await forward.engine.until(
    'the spool takes nothing more',
    ({ sinks, needsYou }) =>
      (sinks['away']?.fullSince ?? 0) > 0 &&
      needsYou.some(({ code, subject, remedy }) => subject === 'away' && TOLD.includes(code) && remedy !== ''),
  );
  let last = -1;
  await eventually(
    () => 'no more is accepted',
    async () => {
      const now = forward.journal.accepted;
      const still = now === last;
      last = now;
      await new Promise((resolve) => setTimeout(resolve, 500));
      return still || undefined;
    },
  );
}

it.skipIf(lacks !== '')(
  `a disk that spools fill blocks the senders, and all goes on once the peer is back${lacks}`,
  async () => {
    const disk = smallDisk(96);
    const forward = await Forward.create({
      engine: { data: join(disk, 'data') },
      sender: { padding: 20_000, rate: 3000 },
    });
    onTestFinished(() => forward.end());
    forward.sender.start();
    await blocked(forward);
    expect(forward.journal.accepted).toBeGreaterThan(300);
    await forward.receiver.start();
    await forward.accepted(forward.journal.accepted + 1000);
    await forward.quiet();
    await forward.drained();
    expect(forward.verdict().faults).toEqual([]);
  },
);

it.skipIf(lacks !== '')(
  `a disk that others fill to the last byte loses nothing accepted, over a kill too${lacks}`,
  async () => {
    const disk = smallDisk(96);
    const forward = await Forward.create({
      engine: { data: join(disk, 'data') },
      sender: { padding: 2000, rate: 2000 },
    });
    onTestFinished(() => forward.end());
    forward.sender.start();
    await forward.accepted(500);
    const hog = join(disk, 'hog');
    hoard(hog, 0);
    await blocked(forward);
    await forward.engine.kill();
    expect(existsSync(hog)).toBe(true);
    rmSync(hog);
    await forward.engine.start();
    await forward.receiver.start();
    await forward.accepted(forward.journal.accepted + 500);
    await forward.quiet();
    await forward.drained();
    expect(forward.verdict().faults).toEqual([]);
  },
);
