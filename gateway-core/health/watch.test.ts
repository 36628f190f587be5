import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { noTotals, type Totals } from '../engine/fleet.ts';
import type { EventReport } from '../events/report.ts';
import type { SinkStatus } from '../protocol/model.ts';
import { CommitClock } from '../storage/commit-clock.ts';
import type { ThreadFigures } from './thread-probe.ts';
import { HealthWatch } from './watch.ts';

const figures: ThreadFigures = {
  delayP50Ms: 0.1,
  delayP99Ms: 2,
  delayMaxMs: 5,
  utilisation: 0.4,
  cpuSeconds: 3,
  heapBytes: 50,
  heapLimitBytes: 100,
  externalBytes: 7,
  arrayBufferBytes: 6,
};

let folder: string;
let events: EventReport[];
let health: HealthWatch;
let reported: ReturnType<ConstructorParameters<typeof HealthWatch>[0]['storage']['figures']>;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'patchbay-health-'));
  mkdirSync(join(folder, 'store'));
  writeFileSync(join(folder, 'store', 'events.sqlite'), 'x'.repeat(100));
  writeFileSync(join(folder, 'store', 'events.sqlite-wal'), 'x'.repeat(20));
  events = [];
  const commits = { events: new CommitClock().times() };
  reported = { at: performance.now(), restarts: 1, last: { thread: figures, queued: 4, commits } };
  health = new HealthWatch({
    dataFolder: folder,
    storage: { figures: () => reported },
    spools: { figures: () => undefined },
    onEvent: (event) => events.push(event),
  });
});
afterEach(() => {
  health.stop();
  rmSync(folder, { recursive: true });
});

const totals = (heapBytes: number, of: { up?: boolean; silentSeconds?: number } = {}): Totals => ({
  ...noTotals(),
  workers: new Map([
    ['worker-1', { figures: { ...figures, heapBytes }, up: true, restarts: 3, silentSeconds: 0, ...of }],
  ]),
});

it('shows every thread, the disk and the stores', async () => {
  await health.start();
  const { threads, disk, storage, process } = health.look(totals(50));
  expect(Object.keys(threads)).toEqual(['control', 'storage', 'worker-1']);
  expect(threads['worker-1']).toMatchObject({ state: 'up', heapBytes: 50, heapLevel: 'ok', restarts: 3 });
  expect(threads['storage']).toMatchObject({ state: 'up', delayP99Ms: 2, restarts: 1, heartbeatAge: 0 });
  expect(threads['control']?.heapBytes).toBeGreaterThan(0);
  expect(storage).toMatchObject({ queued: 4, stores: { events: { bytes: 120 } } });
  expect(disk.freeBytes).toBeGreaterThan(0);
  expect(disk.freeBytes).toBeLessThanOrEqual(disk.totalBytes);
  expect(process.rssBytes).toBeLessThan(process.memoryLimitBytes);
});

it('tells a thread that is down or gives no sign of life', () => {
  const { threads } = health.look(totals(50, { up: false, silentSeconds: 4 }));
  expect(threads['worker-1']).toMatchObject({ state: 'down', heapBytes: 0, heartbeatAge: 4 });
  reported = undefined;
  expect(health.look(totals(50)).threads['storage']?.state).toBe('down');
});

it('reports a heap that is nearly full once, as long as it is, and when it no longer is', () => {
  for (let n = 0; n < 6; n++) health.look(totals(85));
  expect(events).toMatchObject([
    {
      severity: 'warning',
      type: 'level.high',
      code: 'PB_MEMORY_HIGH',
      subject: 'worker-1',
      message: 'The JavaScript heap of worker-1 uses 85 % of the 0 MB it may',
    },
  ]);
  expect(health.needs()).toMatchObject([{ code: 'PB_MEMORY_HIGH', subject: 'worker-1' }]);
  for (let n = 0; n < 6; n++) health.look(totals(97));
  expect(health.last.threads['worker-1']?.heapLevel).toBe('critical');
  health.look(totals(10));
  expect(events.map(({ type }) => type)).toEqual(['level.high', 'level.critical', 'level.ok']);
  expect(health.needs()).toEqual([]);
});

it('reports a buffer on disk that is nearly full, and none where there is no buffer', () => {
  const sink = (spooledBytes: number, spoolLimitBytes: number): SinkStatus =>
    ({ spooledBytes, spoolLimitBytes }) as SinkStatus;
  for (let n = 0; n < 3; n++) health.lookAtSpools({ search: sink(96, 100), scrape: sink(0, 0) });
  expect(events).toMatchObject([{ severity: 'critical', code: 'PB_SPOOL_HIGH', subject: 'search' }]);
  expect(health.needs()).toMatchObject([{ message: 'The buffer of search is 96 % full', subject: 'search' }]);
  health.lookAtSpools({ scrape: sink(0, 0) });
  expect(health.needs()).toEqual([]);
});
