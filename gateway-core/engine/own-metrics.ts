/** The gateway's own numbers at `/metrics`: names by Prometheus convention, `patchbay_` in front. */
import { Counter, Gauge, Registry, type Metric } from 'prom-client';
import type { CommitTimes, EngineHealth, Level, SinkStatus, StatusReport } from '../protocol/model.ts';
import type { Totals } from './fleet.ts';
import { METRICS, type MetricName } from './metric-list.ts';

type Labels = Readonly<Record<string, string>>;

interface Timed {
  readonly labels: Labels;
  readonly bounds: readonly number[];
  readonly times: CommitTimes;
}

/** Takes values by name; every metric of the list is there even without any. */
class Exposition {
  readonly registry = new Registry();
  private readonly byName = new Map<string, Counter | Gauge>();
  private readonly histograms = new Map<string, Timed[]>();

  constructor() {
    for (const [name, { type, help, labels }] of Object.entries(METRICS)) {
      if (type === 'histogram') this.histogram(name, help);
      else this.simple(name, type, help, labels);
    }
  }

  set(name: MetricName, labels: Labels, value: number): void {
    this.byName.get(name)?.inc(labels, value);
  }

  times(name: MetricName, timed: Timed): void {
    this.histograms.get(name)?.push(timed);
  }

  /** A number that a plugin keeps. */
  plugin(name: string, type: 'counter' | 'gauge', instance: string, value: number): void {
    const full = `patchbay_plugin_${name}`;
    const metric = this.byName.get(full) ?? this.simple(full, type, `Reported by plugins as ${name}.`, ['instance']);
    if (Number.isFinite(value)) metric.inc({ instance }, value);
  }

  private simple(name: string, type: 'counter' | 'gauge', help: string, labels: readonly string[]): Counter | Gauge {
    const options = { name, help, labelNames: [...labels], registers: [this.registry] };
    const metric = type === 'counter' ? new Counter(options) : new Gauge(options);
    this.byName.set(name, metric);
    return metric;
  }

  /** One whose buckets were counted elsewhere: the library's own can only observe. */
  private histogram(name: string, help: string): void {
    const all: Timed[] = [];
    this.histograms.set(name, all);
    const metric = {
      name,
      get: () =>
        Promise.resolve({
          name,
          help,
          type: 'histogram',
          aggregator: 'sum',
          values: all.flatMap(({ labels, bounds, times: { counts, sumSeconds } }) => {
            let sum = 0;
            const buckets = counts.map((count, i) => ({
              metricName: `${name}_bucket`,
              labels: { ...labels, le: bounds[i] === undefined ? '+Inf' : String(bounds[i]) },
              value: (sum += count),
            }));
            return [
              ...buckets,
              { metricName: `${name}_sum`, labels, value: sumSeconds },
              { metricName: `${name}_count`, labels, value: sum },
            ];
          }),
        }),
    };
    this.registry.registerMetric(metric as unknown as Metric);
  }
}

/** Text format 0.0.4 of one moment. */
export async function renderMetrics(status: StatusReport, plugins: Totals['metrics']): Promise<string> {
  const to = new Exposition();
  to.set('patchbay_info', { version: status.version, project: status.project }, 1);
  to.set('patchbay_uptime_seconds', {}, status.uptimeSeconds);
  to.set('patchbay_epoch_start_unclean', {}, bit(status.epochStart === 'unclean'));
  to.set('patchbay_config_version', {}, status.configVersion);
  to.set('patchbay_needs_attention', {}, status.needsYou.length);
  addPipelines(to, status.pipelines);
  addInstances(to, status.instances);
  for (const [instance, sink] of Object.entries(status.sinks)) addSink(to, instance, sink, status.time);
  addHealth(to, status.health);
  for (const { instance, name, type, value } of plugins) to.plugin(name, type, instance, value);
  return to.registry.metrics();
}

function addPipelines(to: Exposition, pipelines: StatusReport['pipelines']): void {
  for (const [pipeline, counts] of Object.entries(pipelines)) {
    const of = { pipeline };
    to.set('patchbay_pipeline_received_total', of, counts.received);
    const outcomes = {
      delivered: counts.delivered,
      filtered: counts.filtered,
      dead_lettered: counts.deadLettered,
      dropped: counts.dropped,
      returned: counts.returned,
    };
    for (const [outcome, count] of Object.entries(outcomes))
      to.set('patchbay_pipeline_messages_total', { pipeline, outcome }, count);
    to.set('patchbay_pipeline_in_flight', of, counts.inFlight);
    to.set('patchbay_pipeline_spooled', of, counts.spooled);
    to.set('patchbay_pipeline_carried', of, counts.carried);
    to.set('patchbay_pipeline_adds_up', of, bit(counts.addsUp));
    to.set('patchbay_pipeline_exact', of, bit(counts.exact));
    if (counts.bottleneck !== null) {
      const { stage, why } = counts.bottleneck;
      to.set('patchbay_pipeline_bottleneck', { pipeline, instance: stage, why }, 1);
    }
  }
}

function addInstances(to: Exposition, instances: StatusReport['instances']): void {
  for (const [instance, { kind, plugin, ...counts }] of Object.entries(instances)) {
    const of = { instance, kind, plugin };
    to.set('patchbay_instance_received_total', of, counts.received);
    to.set('patchbay_instance_created_total', of, counts.created);
    to.set('patchbay_instance_emitted_total', of, counts.emitted);
    to.set('patchbay_instance_filtered_total', of, counts.filtered);
    to.set('patchbay_instance_refused_total', of, counts.refused);
    to.set('patchbay_instance_returned_total', of, counts.returned);
    to.set('patchbay_instance_held', of, counts.held);
    to.set('patchbay_instance_adds_up', of, bit(counts.addsUp));
    to.set('patchbay_instance_up', of, bit(counts.state === 'running'));
    to.set('patchbay_instance_restarts_total', of, counts.restarts);
    to.set('patchbay_stage_saturation_ratio', { instance, kind }, counts.busy);
    if (kind === 'source') to.set('patchbay_source_waiting_ratio', { instance }, counts.waiting);
  }
}

function addSink(to: Exposition, instance: string, sink: SinkStatus, now: number): void {
  const of = { instance };
  to.set('patchbay_sink_queued', of, sink.queued);
  to.set('patchbay_sink_queue_limit', of, sink.queueLimit);
  to.set('patchbay_sink_oldest_seconds', of, sink.oldestSeconds);
  to.set('patchbay_sink_spooled', of, sink.spooled);
  to.set('patchbay_sink_spooled_bytes', of, sink.spooledBytes);
  to.set('patchbay_sink_spool_limit_bytes', of, sink.spoolLimitBytes);
  to.set('patchbay_sink_full_seconds', of, sink.fullSince === 0 ? 0 : Math.max(0, now - sink.fullSince) / 1000);
  to.set('patchbay_sink_circuit_open', of, bit(sink.circuit === 'open'));
  to.set('patchbay_sink_paused', of, bit(sink.paused));
  to.set('patchbay_sink_delivered_total', of, sink.delivered);
  to.set('patchbay_sink_refused_total', of, sink.refused);
  to.set('patchbay_sink_retried_total', of, sink.retried);
  to.set('patchbay_sink_dropped_total', of, sink.dropped);
}

function addHealth(to: Exposition, { threads, process, disk, storage }: EngineHealth): void {
  for (const [thread, health] of Object.entries(threads)) {
    const of = { thread };
    const delays = { p50: health.delayP50Ms, p99: health.delayP99Ms, max: health.delayMaxMs };
    for (const [value, ms] of Object.entries(delays))
      to.set('patchbay_thread_event_loop_delay_seconds', { thread, value }, ms / 1000);
    to.set('patchbay_thread_up', of, bit(health.state === 'up'));
    to.set('patchbay_thread_utilisation_ratio', of, health.utilisation);
    to.set('patchbay_thread_cpu_seconds_total', of, health.cpuSeconds);
    to.set('patchbay_thread_heap_bytes', of, health.heapBytes);
    to.set('patchbay_thread_heap_limit_bytes', of, health.heapLimitBytes);
    to.set('patchbay_thread_external_bytes', of, health.externalBytes);
    to.set('patchbay_thread_array_buffers_bytes', of, health.arrayBufferBytes);
    to.set('patchbay_thread_heartbeat_age_seconds', of, health.heartbeatAge);
    to.set('patchbay_thread_restarts_total', of, health.restarts);
    to.set('patchbay_level', { of: `heap of ${thread}` }, RANK[health.heapLevel]);
  }
  to.set('patchbay_process_resident_memory_bytes', {}, process.rssBytes);
  to.set('patchbay_process_memory_limit_bytes', {}, process.memoryLimitBytes);
  to.set('patchbay_process_cpu_seconds_total', {}, process.cpuSeconds);
  to.set('patchbay_level', { of: 'memory' }, RANK[process.memoryLevel]);
  to.set('patchbay_level', { of: 'disk' }, RANK[disk.level]);
  to.set('patchbay_disk_free_bytes', {}, disk.freeBytes);
  to.set('patchbay_disk_size_bytes', {}, disk.totalBytes);
  to.set('patchbay_storage_queue', {}, storage.queued);
  for (const [store, { commits, bytes }] of Object.entries(storage.stores)) {
    const timed = { labels: { store }, bounds: storage.commitBounds, times: commits };
    to.times('patchbay_storage_commit_seconds', timed);
    to.set('patchbay_storage_file_bytes', { store }, bytes);
  }
}

const RANK: Readonly<Record<Level, number>> = { ok: 0, high: 1, critical: 2 };

function bit(value: boolean): number {
  return value ? 1 : 0;
}
