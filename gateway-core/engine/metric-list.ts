/** Every metric of `/metrics`: the one list that the writer, docs/metrics.md and their test go by. */

export interface MetricEntry {
  readonly type: 'counter' | 'gauge' | 'histogram';
  readonly help: string;
  readonly labels: readonly string[];
}

const INSTANCE = ['instance', 'kind', 'plugin'];

export const METRICS = {
  patchbay_info: {
    type: 'gauge',
    help: 'Version of the gateway; the value is 1.',
    labels: ['version', 'project'],
  },
  patchbay_uptime_seconds: { type: 'gauge', help: 'Seconds since the gateway started.', labels: [] },
  patchbay_epoch_start_unclean: {
    type: 'gauge',
    help: '1 when the run before this one ended without being stopped: counts begin anew after a cut.',
    labels: [],
  },
  patchbay_config_version: { type: 'gauge', help: 'Number of the running config version.', labels: [] },
  patchbay_needs_attention: { type: 'gauge', help: 'Things an operator should look at.', labels: [] },

  patchbay_pipeline_received_total: {
    type: 'counter',
    help: 'Root messages a pipeline was given.',
    labels: ['pipeline'],
  },
  patchbay_pipeline_messages_total: {
    type: 'counter',
    help: 'Root messages of a pipeline by what became of them: delivered, filtered, dead_lettered, dropped, returned.',
    labels: ['pipeline', 'outcome'],
  },
  patchbay_pipeline_in_flight: {
    type: 'gauge',
    help: 'Root messages without an outcome yet.',
    labels: ['pipeline'],
  },
  patchbay_pipeline_spooled: {
    type: 'gauge',
    help: 'Root messages that lie in the buffers on disk of its sinks, acknowledged upstream.',
    labels: ['pipeline'],
  },
  patchbay_pipeline_carried: {
    type: 'gauge',
    help: 'Of those received: taken over from the buffers on disk when the gateway started.',
    labels: ['pipeline'],
  },
  patchbay_pipeline_adds_up: {
    type: 'gauge',
    help: '1 while received = the outcomes + spooled + in flight.',
    labels: ['pipeline'],
  },
  patchbay_pipeline_exact: {
    type: 'gauge',
    help: '0 when a thread died and its last counts were not to be had.',
    labels: ['pipeline'],
  },

  patchbay_instance_received_total: { type: 'counter', help: 'Messages an instance took in.', labels: INSTANCE },
  patchbay_instance_created_total: {
    type: 'counter',
    help: 'Parts beyond the first of messages a handler split.',
    labels: INSTANCE,
  },
  patchbay_instance_emitted_total: {
    type: 'counter',
    help: 'Messages an instance gave on, or a sink has done.',
    labels: INSTANCE,
  },
  patchbay_instance_filtered_total: {
    type: 'counter',
    help: 'Messages or parts an instance filtered out.',
    labels: INSTANCE,
  },
  patchbay_instance_refused_total: {
    type: 'counter',
    help: 'Messages or parts an instance refused.',
    labels: INSTANCE,
  },
  patchbay_instance_returned_total: {
    type: 'counter',
    help: 'Messages given back upstream at an instance.',
    labels: INSTANCE,
  },
  patchbay_instance_held: {
    type: 'gauge',
    help: 'Messages in an instance now: with a handler, or handed to a sink and without an outcome.',
    labels: INSTANCE,
  },
  patchbay_instance_adds_up: {
    type: 'gauge',
    help: '1 while received + created = emitted + filtered + refused + returned + held.',
    labels: INSTANCE,
  },
  patchbay_instance_up: { type: 'gauge', help: '1 while the instance runs.', labels: INSTANCE },
  patchbay_instance_restarts_total: { type: 'counter', help: 'Restarts of an instance.', labels: INSTANCE },

  patchbay_stage_saturation_ratio: {
    type: 'gauge',
    help: 'Share of the last second an instance was at work: a source in emit (with what its pipelines do at once), a handler with a batch, a sink with a write under way.',
    labels: ['instance', 'kind'],
  },
  patchbay_source_waiting_ratio: {
    type: 'gauge',
    help: 'Share of the last second a source waited for room.',
    labels: ['instance'],
  },
  patchbay_pipeline_bottleneck: {
    type: 'gauge',
    help: '1 for the instance that holds a pipeline up, and why: away, full, busy, thread.',
    labels: ['pipeline', 'instance', 'why'],
  },

  patchbay_sink_queued: { type: 'gauge', help: 'Messages waiting in memory before a sink.', labels: ['instance'] },
  patchbay_sink_queue_limit: { type: 'gauge', help: 'Most messages that may wait there.', labels: ['instance'] },
  patchbay_sink_oldest_seconds: {
    type: 'gauge',
    help: 'Age of the oldest message waiting before a sink.',
    labels: ['instance'],
  },
  patchbay_sink_spooled: { type: 'gauge', help: 'Messages in the buffer on disk of a sink.', labels: ['instance'] },
  patchbay_sink_spooled_bytes: { type: 'gauge', help: 'Bytes in the buffer on disk of a sink.', labels: ['instance'] },
  patchbay_sink_spool_limit_bytes: {
    type: 'gauge',
    help: 'Most bytes that may lie there; 0 without one.',
    labels: ['instance'],
  },
  patchbay_sink_full_seconds: {
    type: 'gauge',
    help: 'Seconds since the buffer of a sink has had no room; 0 while it has.',
    labels: ['instance'],
  },
  patchbay_sink_circuit_open: {
    type: 'gauge',
    help: '1 while the peer of a sink is left alone until the next probe.',
    labels: ['instance'],
  },
  patchbay_sink_paused: { type: 'gauge', help: '1 while a sink is paused.', labels: ['instance'] },
  patchbay_sink_delivered_total: { type: 'counter', help: 'Messages a sink has done.', labels: ['instance'] },
  patchbay_sink_refused_total: { type: 'counter', help: 'Messages a sink refused for good.', labels: ['instance'] },
  patchbay_sink_retried_total: { type: 'counter', help: 'Messages written to a sink again.', labels: ['instance'] },
  patchbay_sink_dropped_total: {
    type: 'counter',
    help: 'Messages dropped since the buffer of a sink was full.',
    labels: ['instance'],
  },

  patchbay_thread_up: { type: 'gauge', help: '1 while a thread of the engine runs.', labels: ['thread'] },
  patchbay_thread_event_loop_delay_seconds: {
    type: 'gauge',
    help: 'How late the event loop of a thread was: p50 and p99 of the last half minute to minute, max of the last second.',
    labels: ['thread', 'value'],
  },
  patchbay_thread_utilisation_ratio: {
    type: 'gauge',
    help: 'Share of the last second a thread was busy.',
    labels: ['thread'],
  },
  patchbay_thread_cpu_seconds_total: { type: 'counter', help: 'CPU time of a thread.', labels: ['thread'] },
  patchbay_thread_heap_bytes: { type: 'gauge', help: 'JavaScript heap of a thread in use.', labels: ['thread'] },
  patchbay_thread_heap_limit_bytes: {
    type: 'gauge',
    help: 'JavaScript heap a thread may use.',
    labels: ['thread'],
  },
  patchbay_thread_external_bytes: {
    type: 'gauge',
    help: 'Memory outside of the heap that a thread holds, its buffers included.',
    labels: ['thread'],
  },
  patchbay_thread_array_buffers_bytes: { type: 'gauge', help: 'Buffers of a thread.', labels: ['thread'] },
  patchbay_thread_heartbeat_age_seconds: {
    type: 'gauge',
    help: 'Seconds since the last sign of life of a thread; 0 while it is on time.',
    labels: ['thread'],
  },
  patchbay_thread_restarts_total: { type: 'counter', help: 'Restarts of a thread after a crash.', labels: ['thread'] },

  patchbay_process_resident_memory_bytes: { type: 'gauge', help: 'Resident memory of the engine.', labels: [] },
  patchbay_process_memory_limit_bytes: {
    type: 'gauge',
    help: "Memory the engine may use: its group's limit, else the machine's.",
    labels: [],
  },
  patchbay_process_cpu_seconds_total: { type: 'counter', help: 'CPU time of the engine.', labels: [] },
  patchbay_level: {
    type: 'gauge',
    help: 'How near something is to its limit: 0 ok, 1 high (from 80 %), 2 critical (from 95 %). Of `memory`, `disk`, and the heap of each thread.',
    labels: ['of'],
  },
  patchbay_disk_free_bytes: { type: 'gauge', help: 'Free on the disk of the data folder.', labels: [] },
  patchbay_disk_size_bytes: { type: 'gauge', help: 'Size of the disk of the data folder.', labels: [] },
  patchbay_storage_queue: {
    type: 'gauge',
    help: 'Most requests that waited for the storage thread at once in the last second.',
    labels: [],
  },
  patchbay_storage_commit_seconds: {
    type: 'histogram',
    help: 'Time a store took to commit, its sync to disk included.',
    labels: ['store'],
  },
  patchbay_storage_file_bytes: { type: 'gauge', help: 'Size of a store with its log.', labels: ['store'] },
} as const satisfies Record<string, MetricEntry>;

export type MetricName = keyof typeof METRICS;
