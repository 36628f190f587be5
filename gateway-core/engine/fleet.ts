/**
 * The workers and what runs in them: brings them from one config to the next without
 * touching what did not change, and back to where they were after a crash.
 */
import { MessageChannel, type MessagePort } from 'node:worker_threads';
import type { ResolvedConfig, ResolvedInstance } from '../config/resolved.ts';
import type { PipelineCounters, StepCounters } from '../flow/counters.ts';
import type { Injected, Injection } from '../isolation/injection.ts';
import type { InstanceSpec } from '../isolation/spec.ts';
import type { FromWorker, SinkStats, WorkerStats } from '../isolation/wire.ts';
import { EMPTY_SPOOLS, type SpoolLimits, type SpoolStats } from '../storage/spool-wire.ts';
import type { Spools } from '../storage/spools.ts';
import { WorkerHandle } from '../isolation/worker-handle.ts';
import type { TapSpec } from '../live/tap.ts';
import type { TestStep } from '../plugin-api/index.ts';
import type { InstanceState } from '../protocol/model.ts';
import { PatchbayError } from '../plugin-api/errors.ts';
import { CodedError, InstanceError } from './error.ts';
import { SpoolCounts } from './spool-counts.ts';
import { isThirdParty, place, type Placement } from './placement.ts';

export interface FleetOptions {
  readonly poolSize: number;
  readonly deadlineMs: number;
  readonly writeMs: number;
  readonly heapLimitMb: number;
  readonly watchdogSeconds: number;
  /** What an instance has to start, change or stop in, beside the time its outcomes take. */
  readonly answerSeconds: number;
  /** Folders third-party workers may read: the application and the plugin cache. */
  readonly readable: readonly string[];
  storagePort(): Promise<MessagePort>;
  /** Once the spool thread runs. */
  spools(): Promise<Spools>;
  onLog(message: Extract<FromWorker, { t: 'log' }>, worker: string): void;
  onLive(message: Extract<FromWorker, { t: 'live' }>): void;
  onState(instance: string, state: InstanceState, reason: string, code: string): void;
  /** Masks secrets: a plugin's reasons may hold what it was configured with. */
  redact(text: string): string;
  /** A worker died, came back or was given up. */
  onWorker(event: {
    worker: string;
    what: 'down' | 'up' | 'given-up';
    reason: string;
    code: string;
    instances: readonly string[];
  }): void;
}

/** What is known of an instance beside its config. */
export interface InstanceRecord {
  state: InstanceState;
  reason: string;
  code: string;
  since: number;
  restarts: number;
  placement: string;
}

export interface Totals {
  readonly instances: ReadonlyMap<string, StepCounters>;
  readonly pipelines: ReadonlyMap<string, PipelineCounters>;
  readonly sinks: ReadonlyMap<string, SinkStats>;
  /** Taken before the counts of the workers: what it says of a pipeline is theirs already. */
  readonly spools: SpoolStats;
  readonly metrics: readonly WorkerStats['metrics'][number][];
  readonly workers: ReadonlyMap<
    string,
    { readonly heapBytes: number; readonly utilisation: number; readonly restarts: number }
  >;
}

/** Outcomes of what a source has emitted are waited for this long when it is stopped. */
const SETTLE_MS = 10_000;

interface Deployed {
  readonly spec: InstanceSpec;
  readonly workers: readonly string[];
}

export class Fleet {
  private readonly options: FleetOptions;
  private readonly workers = new Map<string, WorkerHandle>();
  /** Workers on their way up for the first time. */
  private readonly starting = new Map<string, Promise<unknown>>();
  private readonly settled = new Map<string, string>();
  private readonly deployed = new Map<string, Deployed>();
  private readonly records = new Map<string, InstanceRecord>();
  private readonly unusable = new Set<string>();
  private readonly paused = new Set<string>();
  private readonly pausedSinks = new Set<string>();
  private readonly taps = new Map<string, TapSpec>();
  private readonly links = new Set<string>();
  private readonly latest = new Map<string, WorkerStats>();
  private readonly ended: { instances: Map<string, StepCounters>; pipelines: Map<string, PipelineCounters> } = {
    instances: new Map(),
    pipelines: new Map(),
  };
  private placement: Placement = {
    instances: new Map(),
    pipelines: new Map(),
    idle: new Map(),
    idlePipelines: new Map(),
  };
  private config: ResolvedConfig | undefined;
  private latestSpools: SpoolStats = EMPTY_SPOOLS;
  /** Counts of workers and spools together. */
  readonly spoolCounts = new SpoolCounts();
  private turn: Promise<unknown> = Promise.resolve();
  private stopping = false;

  constructor(options: FleetOptions) {
    this.options = options;
  }

  record(name: string): InstanceRecord | undefined {
    return this.records.get(name);
  }

  /** Why a pipeline does not run; undefined when it does. */
  idleReason(pipeline: string): string | undefined {
    return this.placement.idlePipelines.get(pipeline);
  }

  isPaused(pipeline: string): boolean {
    return this.paused.has(pipeline);
  }

  /**
   * Brings everything from the running config to `next`. With `strict`, an instance that can't
   * start as configured puts everything back and rejects; otherwise it is left failed and the
   * rest runs (at start-up).
   */
  async deploy(next: ResolvedConfig, strict: boolean): Promise<void> {
    return this.exclusive(async () => {
      const before = this.config;
      this.unusable.clear();
      try {
        await this.change(next, strict);
      } catch (error) {
        if (before !== undefined) {
          this.unusable.clear();
          await this.change(before, false);
        }
        throw error;
      }
    });
  }

  /** Stops an instance's life and begins a new one with the same config; also after it was given up. */
  async restart(name: string): Promise<void> {
    return this.exclusive(async () => {
      const { config } = this;
      if (config === undefined) return;
      const record = this.records.get(name);
      for (const worker of this.placement.instances.get(name) ?? []) await this.workers.get(worker)?.revive();
      const deployed = this.deployed.get(name);
      if (deployed !== undefined) {
        const kind = deployed.spec.kind;
        for (const worker of deployed.workers) await this.command(worker, 'stopInstance', { name, waitMs: SETTLE_MS });
        this.deployed.delete(name);
        for (const link of [...this.links]) if (link.endsWith(`>${name}`)) this.links.delete(link);
        if (kind === 'handler') this.unusable.delete(name);
      } else this.unusable.delete(name);
      await this.change(config, false);
      if (record !== undefined) record.restarts++;
    });
  }

  async pause(pipeline: string): Promise<void> {
    this.paused.add(pipeline);
    await this.everywhere('pausePipeline', { name: pipeline });
  }

  async resume(pipeline: string): Promise<void> {
    this.paused.delete(pipeline);
    await this.everywhere('resumePipeline', { name: pipeline });
  }

  /** Drops what waits to begin in a pipeline; how many messages. */
  async purge(pipeline: string): Promise<number> {
    const answers = await Promise.all(
      this.running().map((worker) => worker.command('purgePipeline', { name: pipeline })),
    );
    return answers.reduce((sum, { messages }) => sum + messages, 0);
  }

  isSinkPaused(sink: string): boolean {
    return this.pausedSinks.has(sink);
  }

  /** The sink writes nothing more; what comes waits before it. Holds over restarts of its worker. */
  async pauseSink(sink: string): Promise<void> {
    this.pausedSinks.add(sink);
    await this.everywhere('pauseSink', { name: sink });
  }

  async resumeSink(sink: string): Promise<void> {
    this.pausedSinks.delete(sink);
    await this.everywhere('resumeSink', { name: sink });
  }

  /** Resolves when nothing waits for the sink any more, in memory or in its spool. */
  async drainSink(sink: string): Promise<void> {
    await this.everywhere('drainSink', { name: sink });
  }

  /** Drops what waits for the sink, in memory and in its spool; how many messages. */
  async purgeSink(sink: string): Promise<number> {
    const answers = await Promise.all(this.running().map((worker) => worker.command('purgeSink', { name: sink })));
    const here = answers.find((answer) => answer !== undefined);
    if (here !== undefined) return here.messages;
    return this.config?.instances.get(sink)?.buffer.kind === 'disk' ? (await this.options.spools()).purge(sink) : 0;
  }

  async drain(pipeline: string): Promise<void> {
    this.paused.add(pipeline);
    await this.everywhere('drainPipeline', { name: pipeline });
  }

  /**
   * Puts refused messages back into their pipeline, in the thread of the source they came from, or
   * else of another source of the pipeline. Rejects with PB_WORKER_CRASHED when that thread dies:
   * what became of them is then not known.
   */
  async inject(origin: string, injection: Injection): Promise<Injected> {
    const leads = [...this.placement.pipelines]
      .filter(([, pipelines]) => pipelines.some(({ name }) => name === injection.pipeline))
      .map(([name]) => name);
    const home = this.placement.instances.get(origin)?.[0];
    const worker = this.workers.get(home !== undefined && leads.includes(home) ? home : (leads[0] ?? ''));
    if (worker?.up !== true) return { not: 'absent' };
    return worker.command('inject', injection);
  }

  /** Opens a tap wherever the instance's messages pass, now and after restarts. Returns whether it is there now. */
  async openTap(tap: TapSpec): Promise<boolean> {
    this.taps.set(tap.tap, tap);
    const answers = await Promise.all(
      [...this.workers.values()]
        .filter((worker) => worker.up)
        .map((worker) => worker.command('openTap', { tap }).catch(() => ({ attached: false }))),
    );
    return answers.some(({ attached }) => attached);
  }

  async closeTap(tap: string): Promise<void> {
    this.taps.delete(tap);
    await this.everywhere('closeTap', { tap });
  }

  async test(instance: ResolvedInstance): Promise<readonly TestStep[]> {
    const name = isThirdParty(instance) ? `plugin:${instance.plugin.name}` : 'worker-1';
    const worker = await this.worker(name, instance);
    return (await worker.command('testInstance', { spec: specOf(instance, '') })).steps;
  }

  /** Fresh counts of every worker that answers within a second, the last known of the others. */
  async totals(): Promise<Totals> {
    const spools = await this.spoolStats();
    await Promise.all(
      [...this.workers.values()].map(async (worker) => {
        if (!worker.up) return;
        const stats = await withTimeout(worker.command('stats', {}), 1000);
        if (stats !== undefined) this.latest.set(worker.name, stats);
      }),
    );
    return this.sum(spools);
  }

  /** The last known ones while the spool thread is away. */
  private async spoolStats(): Promise<SpoolStats> {
    const fresh = await withTimeout(
      this.options.spools().then((spools) => spools.stats()),
      1000,
    );
    if (fresh !== undefined) {
      this.latestSpools = fresh;
      this.spoolCounts.update(fresh);
    }
    return this.latestSpools;
  }

  /** Sources first, then what is in flight, then sinks; then the threads. */
  async stop(waitMs: number): Promise<void> {
    this.stopping = true;
    await this.turn.catch(() => undefined);
    const up = [...this.workers.values()].filter((worker) => worker.up);
    await Promise.allSettled(up.map((worker) => withTimeout(worker.command('shutdown', { waitMs }), waitMs + 5000)));
    await Promise.allSettled([...this.workers.values()].map((worker) => worker.end()));
  }

  private exclusive<T>(work: () => Promise<T>): Promise<T> {
    const turn = this.turn.catch(() => undefined).then(work);
    this.turn = turn.catch(() => undefined);
    return turn;
  }

  private async change(next: ResolvedConfig, strict: boolean): Promise<void> {
    const placement = place(next, this.options.poolSize, this.settled, this.unusable);
    const wanted = new Map<string, Deployed>();
    for (const [name, workers] of placement.instances) {
      wanted.set(name, { spec: specOf(next.instances.get(name) as ResolvedInstance, next.project), workers });
    }
    for (const [name, workers] of placement.instances) {
      for (const worker of workers) await this.worker(worker, next.instances.get(name) as ResolvedInstance);
    }

    await this.configureSpools(next);

    const kindOf = (name: string): InstanceSpec['kind'] | undefined =>
      (wanted.get(name) ?? this.deployed.get(name))?.spec.kind;
    const gone = [...this.deployed]
      .filter(([name, { spec }]) => wanted.get(name)?.spec.kind !== spec.kind)
      .map(([name]) => name);
    for (const name of gone)
      if (this.deployed.get(name)?.spec.kind === 'source' || wanted.has(name)) await this.remove(name);

    // Sinks and handlers before the pipelines that lead to them, sources after.
    for (const kind of ['sink', 'handler'] as const) {
      for (const [name, target] of wanted) if (target.spec.kind === kind) await this.bring(name, target, strict);
    }
    for (const [name, target] of wanted) {
      if (target.spec.kind === 'source' && !this.deployed.has(name)) await this.bring(name, target, strict);
    }
    if (wanted.size > 0 && [...wanted.keys()].some((name) => this.unusable.has(name) && kindOf(name) === 'handler')) {
      // A handler failed: its pipelines must not run without it.
      await this.change(next, strict);
      return;
    }

    this.config = next;
    this.placement = placement;
    await this.setPipelines();
    for (const [name, target] of wanted)
      if (target.spec.kind === 'source' && !this.unusable.has(name)) await this.bring(name, target, strict);
    for (const [name, target] of wanted) {
      if (target.spec.kind !== 'source' || this.unusable.has(name)) continue;
      try {
        await this.command(target.workers[0] as string, 'beginSource', { name });
      } catch (error) {
        if (strict) throw error instanceof PatchbayError ? new InstanceError(name, error) : error;
      }
    }
    for (const name of gone) if (this.deployed.has(name)) await this.remove(name);
    this.noteIdle(next, placement);
  }

  /** Before any sink starts: a spool is there for what is appended, however long its sink takes to come up. */
  private async configureSpools(next: ResolvedConfig): Promise<void> {
    const spooled: Record<string, SpoolLimits> = {};
    const inMemory: string[] = [];
    for (const { name, kind, buffer } of next.instances.values()) {
      if (kind !== 'sink') continue;
      if (buffer.kind === 'disk') spooled[name] = { maxBytes: buffer.maxBytes, whenFull: buffer.whenFull };
      else inMemory.push(name);
    }
    await (await this.options.spools()).configure(spooled, inMemory);
  }

  /** Starts or changes one instance where it belongs; nothing when it is already as wanted. */
  private async bring(name: string, target: Deployed, strict: boolean): Promise<void> {
    const current = this.deployed.get(name);
    try {
      if (current !== undefined) {
        const same = JSON.stringify(current.spec) === JSON.stringify(target.spec);
        for (const worker of target.workers) {
          if (!current.workers.includes(worker)) await this.command(worker, 'startInstance', { spec: target.spec });
          else if (!same) await this.replace(worker, target.spec);
        }
        for (const worker of current.workers) {
          if (!target.workers.includes(worker)) await this.command(worker, 'stopInstance', { name, waitMs: SETTLE_MS });
        }
      } else {
        this.note(name, 'starting', '', '', target.workers.join(', '));
        for (const worker of target.workers) await this.command(worker, 'startInstance', { spec: target.spec });
      }
      this.deployed.set(name, target);
      this.recordOf(name).placement = target.workers.join(', ');
    } catch (error) {
      if (strict) throw error instanceof PatchbayError ? new InstanceError(name, error) : error;
      if (current === undefined) {
        if (target.spec.kind === 'sink') this.deployed.set(name, target);
        else this.unusable.add(name);
      }
    }
  }

  private async replace(worker: string, spec: InstanceSpec): Promise<void> {
    try {
      await this.command(worker, 'replaceInstance', { spec, waitMs: SETTLE_MS });
    } catch (error) {
      // What could not even be loaded before is not there to be replaced.
      if (!(error instanceof Error && 'code' in error && error.code === 'PB_INSTANCE_NOT_HERE')) throw error;
      await this.command(worker, 'startInstance', { spec });
    }
  }

  private async remove(name: string): Promise<void> {
    const deployed = this.deployed.get(name);
    if (deployed === undefined) return;
    this.deployed.delete(name);
    for (const worker of deployed.workers)
      await this.command(worker, 'stopInstance', { name, waitMs: SETTLE_MS }).catch(() => undefined);
  }

  private async setPipelines(): Promise<void> {
    await this.ensureLinks();
    for (const worker of this.workers.values()) {
      if (!worker.up) continue;
      await worker.command('setPipelines', { pipelines: this.placement.pipelines.get(worker.name) ?? [] });
      for (const { name } of this.placement.pipelines.get(worker.name) ?? []) {
        if (this.paused.has(name)) await worker.command('pausePipeline', { name });
      }
    }
    await this.dropLinks();
  }

  private neededLinks(): Map<string, { client: string; name: string; kind: 'handler' | 'sink'; server: string }> {
    const needed = new Map<string, { client: string; name: string; kind: 'handler' | 'sink'; server: string }>();
    for (const [client, pipelines] of this.placement.pipelines) {
      for (const pipeline of pipelines) {
        for (const { name, remote } of pipeline.through) {
          const server = this.placement.instances.get(name)?.find((worker) => worker.startsWith('plugin:'));
          if (remote && server !== undefined)
            needed.set(`${client}>${name}`, { client, name, kind: 'handler', server });
        }
        for (const { name, remote, spooled } of pipeline.to) {
          const server = this.placement.instances.get(name)?.[0];
          if (remote && spooled !== true && server !== undefined)
            needed.set(`${client}>${name}`, { client, name, kind: 'sink', server });
        }
      }
    }
    return needed;
  }

  private async ensureLinks(): Promise<void> {
    for (const [key, { client, name, kind, server }] of this.neededLinks()) {
      const from = this.workers.get(client);
      const to = this.workers.get(server);
      if (this.links.has(key) || from?.up !== true || to?.up !== true) continue;
      const { port1, port2 } = new MessageChannel();
      try {
        await to.command('serve', { name, port: port2 }, [port2]);
        await from.command('link', { name, kind, port: port1 }, [port1]);
        this.links.add(key);
      } catch {
        // It is not there: it failed to start, or its worker died just now. The next change or restart links it.
        port1.close();
      }
    }
  }

  private async dropLinks(): Promise<void> {
    const needed = this.neededLinks();
    for (const key of [...this.links]) {
      if (needed.has(key)) continue;
      this.links.delete(key);
      const [client = '', name = ''] = key.split('>');
      await this.workers
        .get(client)
        ?.command('unlink', { name })
        .catch(() => undefined);
    }
  }

  /** Starts the first worker of the pool ahead of its use. */
  warm(): void {
    this.worker('worker-1', undefined).catch(() => {
      // Whoever needs it tries again, and hears why not.
    });
  }

  private async worker(name: string, instance: ResolvedInstance | undefined): Promise<WorkerHandle> {
    const known = this.workers.get(name);
    if (known !== undefined) {
      await this.starting.get(name);
      if (!known.up) await known.revive();
      return known;
    }
    const { options } = this;
    const worker: WorkerHandle = new WorkerHandle({
      name,
      deadlineMs: options.deadlineMs,
      writeMs: options.writeMs,
      heapLimitMb: options.heapLimitMb,
      watchdogSeconds: options.watchdogSeconds,
      sandbox: instance !== undefined && isThirdParty(instance) ? sandboxOf(instance, options.readable) : undefined,
      storagePort: () => options.storagePort(),
      spoolPort: async () => (await options.spools()).port(),
      onMessage: (message) => this.heard(name, message),
      onUp: (first) => (first ? this.reopenTaps(worker) : this.exclusive(() => this.repopulate(worker))),
      onDown: (reason, code, restartMs) => this.lost(name, reason, code, restartMs),
    });
    this.workers.set(name, worker);
    const started = worker.start();
    this.starting.set(
      name,
      started.catch(() => undefined).finally(() => this.starting.delete(name)),
    );
    await started;
    return worker;
  }

  private async reopenTaps(worker: WorkerHandle): Promise<void> {
    for (const tap of this.taps.values()) await worker.command('openTap', { tap });
  }

  /** After a crash: the same instances, pipelines, links and taps again. */
  private async repopulate(worker: WorkerHandle): Promise<void> {
    const here = [...this.deployed].filter(([, { workers }]) => workers.includes(worker.name));
    for (const kind of ['sink', 'handler', 'source'] as const) {
      for (const [name, { spec }] of here) {
        if (spec.kind !== kind) continue;
        this.recordOf(name).restarts++;
        await worker.command('startInstance', { spec }).catch(() => undefined);
        if (this.pausedSinks.has(name)) await worker.command('pauseSink', { name });
      }
    }
    const broken = [...this.links].filter(
      (key) => key.startsWith(`${worker.name}>`) || this.serverOf(key) === worker.name,
    );
    for (const key of broken) this.links.delete(key);
    await this.setPipelines();
    await this.reopenTaps(worker);
    for (const [name, { spec }] of here) {
      if (spec.kind === 'source') await worker.command('beginSource', { name }).catch(() => undefined);
    }
    this.options.onWorker({
      worker: worker.name,
      what: 'up',
      reason: '',
      code: '',
      instances: here.map(([name]) => name),
    });
  }

  private serverOf(link: string): string | undefined {
    const name = link.slice(link.indexOf('>') + 1);
    return this.placement.instances.get(name)?.find((worker) => worker !== link.slice(0, link.indexOf('>')));
  }

  private lost(name: string, reason: string, code: string, restartMs: number | undefined): void {
    this.fold(name);
    if (this.stopping) return;
    const instances = [...this.deployed]
      .filter(([, { workers }]) => workers.includes(name))
      .map(([instance]) => instance);
    for (const instance of instances) {
      if (restartMs === undefined) this.note(instance, 'failed', `its worker ${name} ${reason}`, code, name);
      else
        this.note(
          instance,
          'retrying',
          `its worker ${name} ${reason}; back in ${Math.max(1, Math.round(restartMs / 1000))} s`,
          code,
          name,
        );
    }
    for (const key of [...this.links]) if (this.serverOf(key) === name) this.links.delete(key);
    this.options.onWorker({
      worker: name,
      what: restartMs === undefined ? 'given-up' : 'down',
      reason,
      code,
      instances,
    });
  }

  /** Keeps what a dead worker had counted; what it had in flight goes back upstream with its connections. */
  private fold(name: string): void {
    const stats = this.latest.get(name);
    this.latest.delete(name);
    if (stats === undefined) return;
    for (const [instance, counters] of Object.entries(stats.instances))
      addSteps(this.ended.instances, instance, counters);
    for (const [pipeline, counters] of Object.entries(stats.pipelines)) {
      this.spoolCounts.interrupted(pipeline);
      addPipeline(this.ended.pipelines, pipeline, {
        ...counters,
        inFlight: 0,
        returned: counters.returned + counters.inFlight,
      });
    }
  }

  private sum(spools: SpoolStats): Totals {
    const instances = new Map([...this.ended.instances].map(([name, counters]) => [name, { ...counters }]));
    const pipelines = new Map([...this.ended.pipelines].map(([name, counters]) => [name, { ...counters }]));
    const sinks = new Map<string, SinkStats>();
    const workers = new Map<string, { heapBytes: number; utilisation: number; restarts: number }>();
    const metrics: WorkerStats['metrics'][number][] = [];
    for (const [name, stats] of this.latest) {
      for (const [instance, counters] of Object.entries(stats.instances)) addSteps(instances, instance, counters);
      for (const [pipeline, counters] of Object.entries(stats.pipelines)) addPipeline(pipelines, pipeline, counters);
      for (const [sink, counts] of Object.entries(stats.sinks)) sinks.set(sink, counts);
      metrics.push(...stats.metrics);
      workers.set(name, {
        heapBytes: stats.heapBytes,
        utilisation: stats.utilisation,
        restarts: this.workers.get(name)?.restarts ?? 0,
      });
    }
    return { instances, pipelines, sinks, spools, metrics, workers };
  }

  private heard(worker: string, message: FromWorker): void {
    if (message.t === 'log') this.options.onLog(message, worker);
    else if (message.t === 'live') this.options.onLive(message);
    else if (message.t === 'state') this.note(message.instance, message.state, message.reason, message.code, worker);
    else if (message.t === 'stats') this.latest.set(worker, message.stats);
  }

  private recordOf(name: string): InstanceRecord {
    let record = this.records.get(name);
    if (record === undefined) {
      record = { state: 'stopped', reason: '', code: '', since: Date.now(), restarts: 0, placement: '' };
      this.records.set(name, record);
    }
    return record;
  }

  private note(name: string, state: InstanceState, told: string, code: string, placement: string): void {
    const reason = this.options.redact(told);
    const record = this.recordOf(name);
    if (record.placement === '') record.placement = placement;
    if (record.state === state && record.reason === reason) return;
    if (state === 'retrying' && record.state !== 'retrying') record.restarts++;
    record.since = record.state === state ? record.since : Date.now();
    record.state = state;
    record.reason = reason;
    record.code = code;
    this.options.onState(name, state, reason, code);
  }

  private noteIdle(config: ResolvedConfig, placement: Placement): void {
    for (const name of [...this.records.keys()]) if (!config.instances.has(name)) this.records.delete(name);
    for (const [name, { state, reason }] of placement.idle) {
      this.recordOf(name).placement = '';
      this.note(name, state, reason, '', '');
    }
  }

  private async command<Name extends 'startInstance' | 'stopInstance' | 'replaceInstance' | 'beginSource'>(
    worker: string,
    command: Name,
    params: Parameters<WorkerHandle['command']>[1],
  ): Promise<void> {
    const handle = this.workers.get(worker);
    if (handle?.up !== true) return;
    const { name = '', waitMs = 0, spec } = params as { name?: string; waitMs?: number; spec?: InstanceSpec };
    const seconds = this.options.answerSeconds + waitMs / 1000;
    const instance = spec?.name ?? name;
    const late = Symbol('late');
    const work = handle.command(command, params as never).then(() => undefined);
    // One plugin that never answers must not keep all others from starting, changing and stopping.
    const answer = await withDeadline(work, seconds * 1000, late);
    if (answer !== late) {
      if (command !== 'stopInstance' && this.pausedSinks.has(instance))
        await handle.command('pauseSink', { name: instance });
      return;
    }
    void handle.command('abandon', {}).catch(() => undefined);
    const error = new CodedError('PB_INSTANCE_HANGS', { name: instance, what: WHAT[command], seconds });
    if (command !== 'stopInstance') this.note(instance, 'failed', error.message, error.code, worker);
    throw error;
  }

  private async everywhere(
    command:
      'pausePipeline' | 'resumePipeline' | 'drainPipeline' | 'pauseSink' | 'resumeSink' | 'drainSink' | 'closeTap',
    params: { name: string } | { tap: string },
  ): Promise<void> {
    await Promise.all(this.running().map((worker) => worker.command(command, params as never)));
  }

  private running(): WorkerHandle[] {
    return [...this.workers.values()].filter((worker) => worker.up);
  }
}

/** What a worker is told of an instance. */
function specOf(instance: ResolvedInstance, project: string): InstanceSpec {
  return {
    name: instance.name,
    kind: instance.kind as InstanceSpec['kind'],
    plugin: `${instance.plugin.name}@${instance.plugin.version}`,
    moduleUrl: instance.plugin.moduleUrl,
    config: instance.config,
    secrets: instance.secrets,
    project,
    concurrency: instance.plugin.contribution.concurrency ?? 1,
    buffer: instance.buffer.kind,
    // The bounds of a spool are the spool thread's: they change without its sink.
    maxBytes: instance.buffer.kind === 'disk' ? 0 : instance.buffer.maxBytes,
    whenFull: instance.buffer.kind === 'disk' ? 'block' : instance.buffer.whenFull,
    custody: instance.plugin.contribution.custody ?? '',
  };
}

function sandboxOf(
  instance: ResolvedInstance,
  readable: readonly string[],
): { env: Record<string, string>; read: string[]; write: string[] } {
  const { permissions } = instance.plugin.manifest;
  const env: Record<string, string> = {};
  for (const name of permissions?.env ?? []) {
    const value = process.env[name];
    if (value !== undefined) env[name] = value;
  }
  const paths = (mode: string): string[] =>
    (permissions?.files ?? []).flatMap((entry) => {
      const [access = '', ...path] = entry.split(':');
      return access === mode || access === 'readwrite' ? [path.join(':')] : [];
    });
  return { env, read: [...readable, ...paths('read')], write: paths('write') };
}

function addSteps(into: Map<string, StepCounters>, name: string, counters: StepCounters): void {
  const sum = into.get(name);
  if (sum === undefined) {
    into.set(name, { ...counters });
    return;
  }
  sum.received += counters.received;
  sum.emitted += counters.emitted;
  sum.filtered += counters.filtered;
  sum.refused += counters.refused;
  sum.lastMessage = Math.max(sum.lastMessage, counters.lastMessage);
}

function addPipeline(into: Map<string, PipelineCounters>, name: string, counters: PipelineCounters): void {
  const sum = into.get(name);
  if (sum === undefined) {
    into.set(name, { ...counters });
    return;
  }
  for (const key of Object.keys(sum) as (keyof PipelineCounters)[]) sum[key] += counters[key];
}

const WHAT = {
  startInstance: 'start',
  beginSource: 'start',
  replaceInstance: 'take its new config',
  stopInstance: 'stop',
} as const;

/** What `work` ends in, or `late` when it takes longer. */
async function withDeadline<T, Late>(work: Promise<T>, ms: number, late: Late): Promise<T | Late> {
  let timer: NodeJS.Timeout | undefined;
  const over = new Promise<Late>((resolve) => (timer = setTimeout(() => resolve(late), ms)));
  try {
    return await Promise.race([work, over]);
  } finally {
    clearTimeout(timer);
  }
}

/** The result, or undefined when it does not come in time or fails. */
async function withTimeout<T>(work: Promise<T>, ms: number): Promise<T | undefined> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<undefined>((resolve) => (timer = setTimeout(() => resolve(undefined), ms)));
  try {
    return await Promise.race([work.catch(() => undefined), late]);
  } finally {
    clearTimeout(timer);
  }
}
