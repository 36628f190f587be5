import { expect, it } from 'vitest';
import { CommitClock, COMMIT_BOUNDS } from '../storage/commit-clock.ts';
import type { StatusReport } from '../protocol/model.ts';
import { METRICS } from './metric-list.ts';
import { renderMetrics } from './own-metrics.ts';

const clock = new CommitClock();
for (const ms of [0.4, 3, 3, 20_000]) clock.took(ms);

const thread = {
  state: 'up',
  delayP50Ms: 1,
  delayP99Ms: 20,
  delayMaxMs: 30,
  utilisation: 0.5,
  cpuSeconds: 12,
  heapBytes: 1,
  heapLimitBytes: 2,
  heapLevel: 'high',
  externalBytes: 3,
  arrayBufferBytes: 4,
  heartbeatAge: 0,
  restarts: 2,
};
const counts = { received: 7, created: 1, emitted: 5, filtered: 1, refused: 1, returned: 1, held: 0, restarts: 0 };
const status = {
  version: '1.2.3',
  project: 'demo',
  time: 20_000,
  uptimeSeconds: 5,
  epochStart: 'unclean',
  configVersion: 3,
  needsYou: [],
  pipelines: {
    flow: {
      received: 9,
      delivered: 1,
      filtered: 1,
      deadLettered: 1,
      dropped: 1,
      returned: 1,
      spooled: 3,
      carried: 2,
      inFlight: 1,
      addsUp: true,
      exact: true,
      bottleneck: { stage: 'out', kind: 'sink', why: 'full', reason: '' },
    },
  },
  instances: {
    in: { kind: 'source', plugin: 'x', state: 'running', addsUp: true, busy: 0.1, waiting: 0.7, ...counts },
    out: { kind: 'sink', plugin: 'x', state: 'failed', addsUp: false, busy: 0.98, waiting: 0, ...counts },
  },
  sinks: {
    out: {
      queued: 5,
      queueLimit: 10,
      oldestSeconds: 1,
      spooled: 3,
      spooledBytes: 300,
      spoolLimitBytes: 1000,
      fullSince: 18_000,
      circuit: 'open',
      paused: false,
      delivered: 1,
      refused: 2,
      retried: 3,
      dropped: 4,
    },
  },
  health: {
    threads: { control: thread, 'worker-1': thread },
    process: { rssBytes: 1, memoryLimitBytes: 2, memoryLevel: 'ok', cpuSeconds: 3 },
    disk: { freeBytes: 1, totalBytes: 2, level: 'critical' },
    storage: { queued: 4, commitBounds: COMMIT_BOUNDS, stores: { events: { commits: clock.times(), bytes: 8 } } },
  },
} as unknown as StatusReport;

const lines = async (): Promise<readonly string[]> =>
  (await renderMetrics(status, [{ instance: 'in', name: 'frames', type: 'counter', value: 6 }])).split('\n');

it('serves every metric of the list, with a value and its help', async () => {
  const text = await lines();
  for (const [name, { type, help }] of Object.entries(METRICS)) {
    expect(text, name).toContain(`# TYPE ${name} ${type}`);
    expect(text, name).toContain(`# HELP ${name} ${help}`);
    expect(
      text.some((line) => line.startsWith(`${name}${type === 'histogram' ? '_count' : ''}`)),
      name,
    ).toBe(true);
    const sample = text.find((line) => new RegExp(`^${name}(_bucket)?[{ ]`).test(line));
    expect(sample, name).toBeDefined();
    expect(name.endsWith('_total'), name).toBe(type === 'counter');
  }
});

it('serves nothing that is not in the list but what plugins report', async () => {
  const names = (await lines()).flatMap((line) => /^# TYPE (\S+)/.exec(line)?.[1] ?? []);
  expect(names.filter((name) => !(name in METRICS))).toEqual(['patchbay_plugin_frames']);
  expect(new Set(names).size).toBe(names.length);
});

it('serves what it was given', async () => {
  const text = await lines();
  for (const line of [
    'patchbay_epoch_start_unclean 1',
    'patchbay_pipeline_messages_total{pipeline="flow",outcome="dead_lettered"} 1',
    'patchbay_pipeline_spooled{pipeline="flow"} 3',
    'patchbay_pipeline_bottleneck{pipeline="flow",instance="out",why="full"} 1',
    'patchbay_instance_adds_up{instance="out",kind="sink",plugin="x"} 0',
    'patchbay_stage_saturation_ratio{instance="out",kind="sink"} 0.98',
    'patchbay_source_waiting_ratio{instance="in"} 0.7',
    'patchbay_sink_circuit_open{instance="out"} 1',
    'patchbay_sink_full_seconds{instance="out"} 2',
    'patchbay_sink_dropped_total{instance="out"} 4',
    'patchbay_thread_event_loop_delay_seconds{thread="worker-1",value="p99"} 0.02',
    'patchbay_level{of="heap of worker-1"} 1',
    'patchbay_level{of="disk"} 2',
    'patchbay_plugin_frames{instance="in"} 6',
    'patchbay_storage_commit_seconds_bucket{store="events",le="0.0005"} 1',
    'patchbay_storage_commit_seconds_bucket{store="events",le="0.005"} 3',
    'patchbay_storage_commit_seconds_bucket{store="events",le="10"} 3',
    'patchbay_storage_commit_seconds_bucket{store="events",le="+Inf"} 4',
    'patchbay_storage_commit_seconds_count{store="events"} 4',
  ])
    expect(text).toContain(line);
});
