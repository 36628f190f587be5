/** Clocks that jump and machines that sleep: retries, deadlines and spools go by the time that passed, not by the date. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { expect, it, onTestFinished } from 'vitest';
import { lacking } from './needs.ts';
import { Forward } from './rounds/forward.ts';

const lacks = lacking('libfaketime');
const FAKETIME = '/usr/lib/x86_64-linux-gnu/faketime/libfaketimeMT.so.1';
/** Longer than the ten seconds after which a worker counts as hanging. */
const SLEEP_MS = 13_000;

it('a gateway that slept for longer than its watchdog goes on, with all its workers and all its messages', async () => {
  const forward = await Forward.create();
  onTestFinished(() => forward.end());
  await forward.receiver.start();
  forward.sender.start();
  await forward.accepted(1000);
  forward.engine.signal('SIGSTOP');
  await wait(SLEEP_MS);
  forward.engine.signal('SIGCONT');
  await forward.accepted(forward.journal.accepted + 1000);
  await forward.quiet();
  await forward.drained();
  expect(forward.verdict().faults).toEqual([]);
  // The peer's connection may have been given up meanwhile; no thread was taken for a hanging one.
  const codes = await forward.engine.eventCodes();
  expect(codes.filter((code) => code.startsWith('PB_WORKER'))).toEqual([]);
  expect((await forward.engine.status()).instances['telemetry']?.restarts).toBe(0);
});

it.skipIf(lacks !== '').each([
  ['back by a day', '-1d'],
  ['ahead by a year', '+365d'],
])(`a clock that is set %s loses nothing and holds up nothing${lacks}`, async (_what, offset) => {
  const folder = mkdtempSync(join(tmpdir(), 'patchbay-clock-'));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  const clock = join(folder, 'clock');
  writeFileSync(clock, '+0\n');
  const forward = await Forward.create({
    engine: {
      env: {
        LD_PRELOAD: FAKETIME,
        FAKETIME_TIMESTAMP_FILE: clock,
        FAKETIME_NO_CACHE: '1',
        FAKETIME_DONT_FAKE_MONOTONIC: '1',
      },
    },
  });
  onTestFinished(() => forward.end());
  forward.sender.start();
  await forward.accepted(1000);
  writeFileSync(clock, `${offset}\n`);
  await forward.engine.until('the clock has jumped', ({ time }) => Math.abs(time - Date.now()) > 3_600_000);
  await forward.accepted(forward.journal.accepted + 1000);
  await forward.receiver.start();
  await forward.accepted(forward.journal.accepted + 500);
  await forward.quiet();
  await forward.drained();
  expect(forward.verdict().faults).toEqual([]);
  const { sinks } = await forward.engine.status();
  expect(sinks['away']?.oldestSeconds).toBe(0);
});
