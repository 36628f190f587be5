import type { ResolvedConfig, ResolvedPipeline } from '../config/resolved.ts';
import { pipelineCounters, stepCounters, stepDifference } from '../flow/counters.ts';
import { bottleneckOf, type ThreadLoad } from '../health/bottleneck.ts';
import type {
  Bottleneck,
  EngineHealth,
  GatewayState,
  InstanceStatus,
  NeedsYou,
  PipelineStatus,
  SinkStatus,
  StatusReport,
  Topology,
} from '../protocol/model.ts';
import type { SinkStats } from '../isolation/wire.ts';
import { errorRegistry, fill, type ErrorCode } from '../protocol/errors/index.ts';
import type { OrphanSpool, SpoolState } from '../storage/spool-wire.ts';
import type { Epoch } from './epoch.ts';
import { addsUp } from './spool-counts.ts';
import type { Fleet, Totals } from './fleet.ts';
import type { Rates } from './rates.ts';
import { orphanNeed, spoolNeeds } from './spool-needs.ts';

export interface StatusInputs {
  readonly state: GatewayState;
  readonly version: string;
  readonly epoch: Epoch;
  readonly health: EngineHealth;
  readonly configVersion: number;
  readonly configured: boolean;
  readonly config: ResolvedConfig | null;
  readonly fleet: Fleet;
  readonly totals: Totals;
  readonly rates: Rates;
  readonly silent: ReadonlyMap<string, number>;
  /** Pipelines of which workers and spools say different things. */
  readonly unbalanced: ReadonlySet<string>;
  /** What the catalogue and others have to say. */
  readonly otherNeeds: readonly NeedsYou[];
}

const QUEUE_LIMIT = 10_000;

/** The whole report of `status` (design §9). */
export function reportStatus(inputs: StatusInputs): StatusReport {
  const { config, fleet, totals, rates } = inputs;
  const instances: Record<string, InstanceStatus> = {};
  const sinks: Record<string, SinkStatus> = {};
  const pipelines: Record<string, PipelineStatus> = {};
  const needsYou: NeedsYou[] = [];

  for (const instance of config?.instances.values() ?? []) {
    const record = fleet.record(instance.name);
    const counters = totals.instances.get(instance.name) ?? stepCounters();
    const known = record?.state ?? (instance.enabled ? 'stopped' : 'disabled');
    const state = known === 'running' && fleet.isSinkPaused(instance.name) ? 'paused' : known;
    const shares = totals.stages.get(instance.name);
    const balanced = stepDifference(counters) === 0;
    instances[instance.name] = {
      kind: instance.kind,
      plugin: instance.plugin.name,
      version: instance.plugin.version,
      state,
      reason: record?.reason ?? '',
      restarts: record?.restarts ?? 0,
      ratePerSecond: rates.instance(instance.name),
      placement: record?.placement ?? '',
      received: counters.received,
      emitted: counters.emitted,
      refused: counters.refused,
      filtered: counters.filtered,
      created: counters.created,
      returned: counters.returned,
      held: counters.held,
      addsUp: balanced,
      lastMessage: counters.lastMessage,
      busy: round(shares?.busy),
      waiting: round(shares?.waiting),
    };
    if (!balanced) needsYou.push(unbalanced(`${instance.kind} ${instance.name}`, instance.name));
    if (instance.kind === 'sink') {
      const queue = totals.sinks.get(instance.name);
      const spool = totals.spools.sinks[instance.name];
      sinks[instance.name] = {
        custody: instance.plugin.contribution.custody ?? 'view',
        spooled: spool?.messages ?? 0,
        oldestSeconds: Math.round(oldestSeconds(queue, spool) * 10) / 10,
        state,
        queued: queue?.queued ?? 0,
        queueLimit: QUEUE_LIMIT,
        buffer: instance.buffer.kind,
        spooledBytes: spool?.bytes ?? 0,
        spoolLimitBytes: spool?.maxBytes ?? 0,
        whenFull: instance.buffer.whenFull,
        fullSince: spool?.fullSince ?? 0,
        paused: fleet.isSinkPaused(instance.name),
        circuit: queue?.circuit ?? 'closed',
        delivered: queue?.delivered ?? 0,
        refused: queue?.refused ?? 0,
        retried: queue?.retried ?? 0,
        dropped: (queue?.dropped ?? 0) + (spool?.dropped ?? 0),
      };
    }
    if (instance.kind === 'sink') needsYou.push(...spoolNeeds(instance.name, totals.spools.sinks[instance.name]));
    if (state === 'failed' || state === 'retrying') {
      const code = record?.code ?? '';
      needsYou.push({
        code: code === '' ? 'PB_INSTANCE_DOWN' : code,
        message: `${instance.name} ${state === 'failed' ? 'has failed' : 'is being retried'}: ${record?.reason ?? ''}`,
        remedy: remedyOf(code),
        subject: instance.name,
        since: record?.since ?? inputs.epoch.startedAt,
      });
    }
    const silentSince = inputs.silent.get(instance.name);
    if (silentSince !== undefined) {
      needsYou.push({
        code: 'PB_SILENCE',
        message: `${instance.name} is silent; a message is expected every ${instance.expectEveryMs / 1000} s`,
        remedy: remedyOf('PB_SILENCE'),
        subject: instance.name,
        since: silentSince,
      });
    }
  }

  const loads = loadsOf(inputs.health, instances);
  let inPerSecond = 0;
  let outPerSecond = 0;
  for (const pipeline of config?.pipelines.values() ?? []) {
    const status = pipelineStatus(pipeline, inputs, instances, sinks, loads);
    pipelines[pipeline.name] = status;
    outPerSecond += rates.delivered(pipeline.name);
    if (!status.addsUp) needsYou.push(unbalanced(pipeline.name, pipeline.name));
  }
  for (const [name, instance] of Object.entries(instances))
    if (instance.kind === 'source') inPerSecond += rates.instance(name);
  for (const orphan of totals.spools.orphans) needsYou.push(orphanNeed(orphan));
  needsYou.push(...inputs.otherNeeds);

  const degraded =
    inputs.state === 'running' &&
    Object.values(instances).some(({ state }) => state === 'failed' || state === 'retrying' || state === 'degraded');
  return {
    state: degraded ? 'degraded' : inputs.state,
    version: inputs.version,
    time: Date.now(),
    uptimeSeconds: Math.round((Date.now() - inputs.epoch.startedAt) / 1000),
    project: config?.project ?? 'default',
    pid: process.pid,
    epoch: inputs.epoch.id,
    epochStart: inputs.epoch.start,
    lastEpoch: inputs.epoch.last,
    health: inputs.health,
    configVersion: inputs.configVersion,
    configured: inputs.configured,
    inPerSecond: Math.round(inPerSecond * 10) / 10,
    outPerSecond: Math.round(outPerSecond * 10) / 10,
    pipelines,
    instances,
    sinks,
    needsYou,
  };
}

function pipelineStatus(
  pipeline: ResolvedPipeline,
  inputs: StatusInputs,
  instances: StatusReport['instances'],
  sinks: StatusReport['sinks'],
  loads: ReadonlyMap<string, ThreadLoad>,
): PipelineStatus {
  const { fleet, totals, rates } = inputs;
  const c = totals.pipelines.get(pipeline.name) ?? pipelineCounters();
  const idle = fleet.idleReason(pipeline.name);
  const counts = fleet.spoolCounts.of(pipeline.name, c);
  const blockedBy = pipeline.to.filter((name) => isFull(totals, name));
  const state = !pipeline.enabled
    ? 'disabled'
    : fleet.isPaused(pipeline.name)
      ? 'paused'
      : idle !== undefined
        ? 'stopped'
        : blockedBy.length > 0
          ? 'blocked'
          : 'running';
  return {
    state,
    ...counts,
    ratePerSecond: rates.pipeline(pipeline.name),
    blockedBy,
    addsUp: addsUp(counts) && !inputs.unbalanced.has(pipeline.name),
    exact: !totals.inexact.has(pipeline.name),
    bottleneck: state === 'running' || state === 'blocked' ? verdict(pipeline, instances, sinks, loads) : null,
  };
}

function verdict(
  pipeline: ResolvedPipeline,
  instances: StatusReport['instances'],
  sinks: StatusReport['sinks'],
  threads: ReadonlyMap<string, ThreadLoad>,
): Bottleneck | null {
  const stage = (name: string) => {
    const { placement = '', busy = 0, waiting = 0 } = instances[name] ?? {};
    return { name, thread: placement, busy, waiting };
  };
  return bottleneckOf({
    sources: pipeline.from.map(stage),
    handlers: pipeline.through.map(stage),
    sinks: pipeline.to.map((name) => {
      const sink = sinks[name];
      const inMemory = (sink?.queued ?? 0) / Math.max(1, sink?.queueLimit ?? 1);
      const onDisk = (sink?.spooledBytes ?? 0) / Math.max(1, sink?.spoolLimitBytes ?? 1);
      return {
        ...stage(name),
        // Memory before a sink with a spool is only a window on it: that may be full all the time.
        fill: sink?.buffer === 'disk' ? onDisk : inMemory,
        away: sink !== undefined && (sink.state === 'retrying' || sink.state === 'failed' || sink.circuit === 'open'),
      };
    }),
    threads,
  });
}

/** What each thread's time goes to. Instances with copies count for each of their threads alike. */
function loadsOf(health: EngineHealth, instances: StatusReport['instances']): ReadonlyMap<string, ThreadLoad> {
  const loads = new Map<string, ThreadLoad>();
  for (const [thread, { utilisation: busy }] of Object.entries(health.threads)) {
    const here = Object.entries(instances).flatMap(([name, { kind, placement, busy: share }]) =>
      kind !== 'executor' && kind !== 'action' && kind !== 'driver' && placement.split(', ').includes(thread)
        ? [{ name, kind, busy: share }]
        : [],
    );
    const sources = here.filter(({ kind }) => kind === 'source');
    const emitting = sources.reduce((sum, source) => sum + source.busy, 0);
    const own = Math.max(0, busy - emitting) / Math.max(1, sources.length);
    const stages = here.map((stage) => (stage.kind === 'source' ? { ...stage, busy: own } : stage));
    loads.set(thread, { busy, stages });
  }
  return loads;
}

function unbalanced(what: string, subject: string): NeedsYou {
  return {
    code: 'PB_LEDGER',
    message: `The counts of ${what} do not add up`,
    remedy: remedyOf('PB_LEDGER'),
    subject,
    since: Date.now(),
  };
}

function round(share = 0): number {
  return Math.round(share * 1000) / 1000;
}

/** Nodes and edges of the running config. */
export function topologyOf(config: ResolvedConfig | null): Topology {
  if (config === null) return { nodes: [], edges: [] };
  const nodes = [...config.instances.values()].map((instance) => ({
    name: instance.name,
    kind: instance.kind,
    plugin: instance.plugin.name,
    title: instance.plugin.contribution.title ?? instance.plugin.manifest.title,
    icon: instance.plugin.manifest.icon ?? '',
    enabled: instance.enabled,
  }));
  const edges = [...config.pipelines.values()].flatMap((pipeline) => {
    const { name, where } = pipeline;
    const [first, ...rest] = pipeline.through;
    const last = pipeline.through.at(-1);
    if (first === undefined || last === undefined)
      return pipeline.from.flatMap((from) => pipeline.to.map((to) => ({ from, to, pipeline: name, where })));
    return [
      ...pipeline.from.map((from) => ({ from, to: first, pipeline: name, where })),
      ...rest.map((to, i) => ({ from: pipeline.through[i] as string, to, pipeline: name, where: '' })),
      ...pipeline.to.map((to) => ({ from: last, to, pipeline: name, where: '' })),
    ];
  });
  return { nodes, edges };
}

/** No room before the sink: in its spool, or in memory. */
function isFull({ sinks, spools }: Totals, name: string): boolean {
  const spool = spools.sinks[name];
  if (spool !== undefined) return spool.fullSince > 0 && (spool.whenFull === 'block' || spool.failing !== '');
  return sinks.get(name)?.full === true;
}

function oldestSeconds(queue: SinkStats | undefined, spool: SpoolState | undefined): number {
  const inSpool = spool === undefined || spool.oldest === 0 ? 0 : (Date.now() - spool.oldest) / 1000;
  return Math.max(0, inSpool, queue?.oldestSeconds ?? 0);
}

function remedyOf(code: string): string {
  return code in errorRegistry
    ? errorRegistry[code as keyof typeof errorRegistry].remedy
    : 'See its reason; change its config or restart it.';
}
