import type { ResolvedConfig, ResolvedPipeline } from '../config/resolved.ts';
import { pipelineCounters, stepCounters } from '../flow/counters.ts';
import type {
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
import { addsUp } from './spool-counts.ts';
import type { Fleet, Totals } from './fleet.ts';
import type { Rates } from './rates.ts';

export interface StatusInputs {
  readonly state: GatewayState;
  readonly version: string;
  readonly epoch: string;
  readonly startedAt: number;
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
      lastMessage: counters.lastMessage,
    };
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
        since: record?.since ?? inputs.startedAt,
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

  let inPerSecond = 0;
  let outPerSecond = 0;
  for (const pipeline of config?.pipelines.values() ?? []) {
    const status = pipelineStatus(pipeline, inputs);
    pipelines[pipeline.name] = status;
    outPerSecond += rates.delivered(pipeline.name);
    if (!status.addsUp) {
      needsYou.push({
        code: 'PB_LEDGER',
        message: `The counts of ${pipeline.name} do not add up`,
        remedy: remedyOf('PB_LEDGER'),
        subject: pipeline.name,
        since: Date.now(),
      });
    }
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
    uptimeSeconds: Math.round((Date.now() - inputs.startedAt) / 1000),
    project: config?.project ?? 'default',
    pid: process.pid,
    epoch: inputs.epoch,
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

function pipelineStatus(pipeline: ResolvedPipeline, inputs: StatusInputs): PipelineStatus {
  const { fleet, totals, rates } = inputs;
  const c = totals.pipelines.get(pipeline.name) ?? pipelineCounters();
  const idle = fleet.idleReason(pipeline.name);
  const counts = fleet.spoolCounts.of(pipeline.name, c);
  const blockedBy = pipeline.to.filter((name) => isFull(totals, name));
  return {
    state: !pipeline.enabled
      ? 'disabled'
      : fleet.isPaused(pipeline.name)
        ? 'paused'
        : idle !== undefined
          ? 'stopped'
          : blockedBy.length > 0
            ? 'blocked'
            : 'running',
    ...counts,
    ratePerSecond: rates.pipeline(pipeline.name),
    blockedBy,
    addsUp: addsUp(counts) && !inputs.unbalanced.has(pipeline.name),
  };
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

function spoolNeeds(name: string, spool: SpoolState | undefined): NeedsYou[] {
  if (spool === undefined) return [];
  const since = spool.fullSince === 0 ? Date.now() : spool.fullSince;
  if (spool.failing !== '') return [coded('PB_SPOOL_FAILING', { name, reason: spool.failing }, name, since)];
  return spool.fullSince === 0 ? [] : [coded('PB_SPOOL_FULL', { name, bytes: spool.maxBytes }, name, since)];
}

function orphanNeed({ sink, messages, oldest }: OrphanSpool): NeedsYou {
  const details = { name: sink, messages: messages < 0 ? 'An unknown number of' : messages };
  return coded('PB_SPOOL_ORPHAN', details, sink, oldest === 0 ? Date.now() : oldest);
}

function coded(code: ErrorCode, details: Readonly<Record<string, unknown>>, subject: string, since: number): NeedsYou {
  const { template, remedy } = errorRegistry[code];
  return { code, message: fill(template, details), remedy: fill(remedy, details), subject, since };
}

function remedyOf(code: string): string {
  return code in errorRegistry
    ? errorRegistry[code as keyof typeof errorRegistry].remedy
    : 'See its reason; change its config or restart it.';
}
