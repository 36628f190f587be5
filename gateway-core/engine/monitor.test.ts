import { expect, it } from 'vitest';
import type { EventReport } from '../events/report.ts';
import { pipelineCounters, stepCounters, type PipelineCounters, type StepCounters } from '../flow/counters.ts';
import type { HealthWatch } from '../health/watch.ts';
import type { StatusReport, Topology } from '../protocol/model.ts';
import { Broadcast } from './broadcast.ts';
import { noTotals, type Fleet, type Totals } from './fleet.ts';
import { Monitor, type MonitorOptions } from './monitor.ts';
import { SpoolCounts } from './spool-counts.ts';

/** A monitor of one pipeline, `flow`: in → decode → out; with the counts given, and the events it reports. */
function monitorOf(counts: {
  readonly decode?: Partial<StepCounters>;
  readonly flow?: Partial<PipelineCounters>;
  readonly inexact?: boolean;
}) {
  const events: EventReport[] = [];
  const instance = (name: string, kind: string) => [
    name,
    {
      name,
      kind,
      enabled: true,
      expectEveryMs: 0,
      buffer: { whenFull: 'block' },
      plugin: { name: 'x', version: '1', contribution: {} },
    },
  ];
  const totals = (): Totals => ({
    ...noTotals(),
    instances: new Map([['decode', { ...stepCounters(), ...counts.decode }]]),
    pipelines: new Map([['flow', { ...pipelineCounters(), ...counts.flow }]]),
    inexact: new Map(counts.inexact === true ? [['flow', 1]] : []),
  });
  const options = {
    version: '1',
    epoch: { id: 'e', startedAt: 0, start: 'unclean', last: null },
    health: { last: { threads: {} }, look: () => undefined, lookAtSpools: () => undefined, needs: () => [] },
    keeper: {
      version: 1,
      configured: true,
      running: {
        project: 'p',
        instances: new Map([instance('in', 'source'), instance('decode', 'handler'), instance('out', 'sink')] as never),
        pipelines: new Map([['flow', { name: 'flow', enabled: true, from: ['in'], through: ['decode'], to: ['out'] }]]),
      },
    },
    fleet: {
      totals: () => Promise.resolve(totals()),
      record: () => ({ state: 'running', reason: '', code: '', since: 0, restarts: 0, placement: 'worker-1' }),
      idleReason: () => undefined,
      isPaused: () => false,
      isSinkPaused: () => false,
      spoolCounts: new SpoolCounts(),
    } as unknown as Fleet,
    events: { report: (event: EventReport) => events.push(event) },
    status: new Broadcast<StatusReport>(1),
    topology: new Broadcast<Topology>(1),
    state: () => 'running',
  };
  const monitor = new Monitor({
    ...options,
    health: options.health as unknown as HealthWatch,
  } as unknown as MonitorOptions);
  return { monitor, events };
}

async function looked(counts: Parameters<typeof monitorOf>[0]) {
  const { monitor, events } = monitorOf(counts);
  await monitor.start();
  monitor.stop();
  return { events, status: await monitor.fresh() };
}

it('reports nothing while every step and pipeline adds up', async () => {
  const { events, status } = await looked({
    decode: { received: 10, created: 2, emitted: 9, filtered: 1, refused: 1, held: 1 },
    flow: { received: 10, delivered: 8, filtered: 1, inFlight: 1 },
  });
  expect(events).toEqual([]);
  expect(status.instances['decode']).toMatchObject({ created: 2, held: 1, addsUp: true });
  expect(status.pipelines['flow']).toMatchObject({ addsUp: true, exact: true });
});

it('reports one lost message in a hundred thousand, with the step that lost it', async () => {
  const { events, status } = await looked({ decode: { received: 100_000, emitted: 99_999 } });
  expect(events).toMatchObject([
    {
      severity: 'critical',
      code: 'PB_LEDGER',
      subject: 'decode',
      message: 'The counts of handler decode do not add up: 1 messages are unaccounted for',
    },
  ]);
  expect(status.instances['decode']?.addsUp).toBe(false);
  expect(status.needsYou).toMatchObject([{ code: 'PB_LEDGER', subject: 'decode' }]);
});

it('reports a pipeline whose counts do not add up, once', async () => {
  const { monitor, events } = monitorOf({ flow: { received: 3, delivered: 4 } });
  await monitor.start();
  await monitor.start();
  monitor.stop();
  expect(events).toMatchObject([{ code: 'PB_LEDGER', subject: 'flow', details: { difference: -1 } }]);
});

it('says which epoch it is, and whether counts are exact', async () => {
  const { status } = await looked({ inexact: true });
  expect(status.epochStart).toBe('unclean');
  expect(status.pipelines['flow']?.exact).toBe(false);
});
