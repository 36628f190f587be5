/** The gateway's own numbers at `/metrics`: names by Prometheus convention, `patchbay_` in front. */
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { Counter, Gauge, Registry } from 'prom-client';
import type { StatusReport } from '../protocol/model.ts';
import type { Totals } from './fleet.ts';

const delay = monitorEventLoopDelay({ resolution: 20 });
delay.enable();

/** Text format 0.0.4 of one moment. */
export async function renderMetrics(status: StatusReport, totals: Totals): Promise<string> {
  const registry = new Registry();
  const counter = (name: string, help: string, labels: string[]): Counter =>
    new Counter({ name, help, labelNames: labels, registers: [registry] });
  const gauge = (name: string, help: string, labels: string[] = []): Gauge =>
    new Gauge({ name, help, labelNames: labels, registers: [registry] });

  gauge('patchbay_info', 'Version of the gateway; the value is 1.', ['version', 'project']).set(
    { version: status.version, project: status.project },
    1,
  );
  gauge('patchbay_uptime_seconds', 'Seconds since the gateway started.').set(status.uptimeSeconds);
  gauge('patchbay_config_version', 'Number of the running config version.').set(status.configVersion);
  gauge('patchbay_needs_attention', 'Things an operator should look at.').set(status.needsYou.length);
  gauge('patchbay_process_resident_memory_bytes', 'Resident memory of the engine.').set(process.memoryUsage.rss());
  gauge(
    'patchbay_event_loop_delay_p99_seconds',
    'Event-loop delay of the control thread, 99th percentile since the last scrape.',
  ).set(delay.percentile(99) / 1e9 || 0);
  delay.reset();

  const outcomes = counter('patchbay_pipeline_messages_total', 'Root messages of a pipeline by what became of them.', [
    'pipeline',
    'outcome',
  ]);
  const received = counter('patchbay_pipeline_received_total', 'Root messages a pipeline was given.', ['pipeline']);
  const inFlight = gauge('patchbay_pipeline_in_flight', 'Root messages without an outcome yet.', ['pipeline']);
  for (const [pipeline, counts] of Object.entries(status.pipelines)) {
    received.inc({ pipeline }, counts.received);
    outcomes.inc({ pipeline, outcome: 'delivered' }, counts.delivered);
    outcomes.inc({ pipeline, outcome: 'filtered' }, counts.filtered);
    outcomes.inc({ pipeline, outcome: 'dead_lettered' }, counts.deadLettered);
    outcomes.inc({ pipeline, outcome: 'dropped' }, counts.dropped);
    outcomes.inc({ pipeline, outcome: 'returned' }, counts.returned);
    inFlight.set({ pipeline }, counts.inFlight);
  }

  const labels = ['instance', 'kind', 'plugin'];
  const into = counter('patchbay_instance_received_total', 'Messages an instance took in.', labels);
  const outOf = counter('patchbay_instance_emitted_total', 'Messages an instance gave on, or a sink has done.', labels);
  const refused = counter('patchbay_instance_refused_total', 'Messages or parts an instance refused.', labels);
  const filtered = counter('patchbay_instance_filtered_total', 'Messages or parts an instance filtered out.', labels);
  const up = gauge('patchbay_instance_up', '1 while the instance runs.', labels);
  const restarts = counter('patchbay_instance_restarts_total', 'Restarts of an instance.', labels);
  for (const [instance, { kind, plugin, ...counts }] of Object.entries(status.instances)) {
    const of = { instance, kind, plugin };
    into.inc(of, counts.received);
    outOf.inc(of, counts.emitted);
    refused.inc(of, counts.refused);
    filtered.inc(of, counts.filtered);
    restarts.inc(of, counts.restarts);
    up.set(of, counts.state === 'running' ? 1 : 0);
  }

  const queued = gauge('patchbay_sink_queued', 'Messages waiting before a sink.', ['instance']);
  const oldest = gauge('patchbay_sink_oldest_seconds', 'Age of the oldest message waiting before a sink.', [
    'instance',
  ]);
  for (const [instance, sink] of Object.entries(status.sinks)) {
    queued.set({ instance }, sink.queued);
    oldest.set({ instance }, sink.oldestSeconds);
  }

  const heap = gauge('patchbay_worker_heap_bytes', 'JavaScript heap of a worker.', ['worker']);
  const busy = gauge('patchbay_worker_utilisation_ratio', "Share of a worker thread's time spent busy.", ['worker']);
  const crashes = counter('patchbay_worker_restarts_total', 'Restarts of a worker after a crash.', ['worker']);
  for (const [worker, stats] of totals.workers) {
    heap.set({ worker }, stats.heapBytes);
    busy.set({ worker }, stats.utilisation);
    crashes.inc({ worker }, stats.restarts);
  }

  const own = new Map<string, Counter | Gauge>();
  for (const { instance, name, type, value } of totals.metrics) {
    const full = `patchbay_plugin_${name}`;
    let metric = own.get(full);
    if (metric === undefined) {
      metric =
        type === 'counter'
          ? counter(full, `Reported by plugins as ${name}.`, ['instance'])
          : gauge(full, `Reported by plugins as ${name}.`, ['instance']);
      own.set(full, metric);
    }
    if (Number.isFinite(value)) metric.inc({ instance }, value);
  }
  return registry.metrics();
}
