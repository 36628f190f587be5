/**
 * All that runs in one worker: instances, the pipelines of its sources, links to other
 * workers, taps. Carries out the engine's commands, one after another.
 */
import type { MessagePort } from 'node:worker_threads';
import { DeadLetters } from '../delivery/dead-letters.ts';
import { SinkQueue } from '../delivery/sink-queue.ts';
import type { SpoolClient } from '../delivery/spool-client.ts';
import { SpoolReader } from '../delivery/spool-reader.ts';
import { SpoolTarget } from '../delivery/spool-target.ts';
import type { Target } from '../delivery/target.ts';
import { pipelineCounters, stepCounters, type PipelineCounters, type StepCounters } from '../flow/counters.ts';
import { compileExpression } from '../flow/expression.ts';
import { HandlerStep } from '../flow/handler-step.ts';
import { PipelineRun, type PipelineParts, type TargetStep } from '../flow/pipeline-run.ts';
import { SourceFeed } from '../flow/source-feed.ts';
import { createRedactor } from '../engine/redaction.ts';
import { TapPoint } from '../live/tap-point.ts';
import { Tap, type TapReport, type TapSpec } from '../live/tap.ts';
import { PatchbayError } from '../plugin-api/errors.ts';
import type { HandlerDefinition, SinkDefinition, SourceDefinition, TestStep } from '../plugin-api/index.ts';
import type { InstanceState } from '../protocol/model.ts';
import { HostedHandler } from './hosted-handler.ts';
import { HostedSink } from './hosted-sink.ts';
import { HostedSource, within } from './hosted-source.ts';
import { inject } from './injection.ts';
import { beginLife, type ContextServices } from './instance-context.ts';
import { loadPlugin } from './load-plugin.ts';
import { RemoteHandler, serveHandler } from './remote-handler.ts';
import { RemoteSink, serveSink } from './remote-sink.ts';
import type { InstanceSpec, PipelineSpec, StepRef } from './spec.ts';
import type { CommandName, Commands, SinkStats, WorkerStats } from './wire.ts';

export interface RuntimeOptions {
  readonly deadlineMs: number;
  readonly writeMs: number;
  readonly spools: SpoolClient;
  readonly services: ContextServices;
  onState(instance: string, state: InstanceState, reason: string, error?: unknown): void;
  onTapReport(report: TapReport): void;
}

const MAX_QUEUED = 10_000;

interface RemoteStep {
  readonly handler: RemoteHandler;
  readonly step: HandlerStep;
}

export class Runtime {
  private readonly options: RuntimeOptions;
  private readonly deadLetters: DeadLetters;
  private readonly secrets = createRedactor();
  private readonly sources = new Map<string, HostedSource>();
  private readonly handlers = new Map<string, HostedHandler>();
  private readonly sinks = new Map<string, HostedSink>();
  private readonly remoteHandlers = new Map<string, RemoteStep>();
  private readonly remoteSinks = new Map<string, RemoteSink>();
  private readonly spoolTargets = new Map<string, SpoolTarget>();
  private readonly pipelines = new Map<string, PipelineRun>();
  private readonly instanceCounters = new Map<string, StepCounters>();
  private readonly pipelineCounts = new Map<string, PipelineCounters>();
  private readonly tapPoints = new Map<string, TapPoint>();
  private readonly taps = new Map<string, Tap>();
  private readonly sweepTimer: NodeJS.Timeout;
  private lastUtilisation = performance.eventLoopUtilization();

  constructor(options: RuntimeOptions) {
    this.options = options;
    this.deadLetters = new DeadLetters(
      (letters) => options.services.storage.deadLettersAdd(letters),
      (error, count) =>
        options.services.logger('').error(`${count} refused messages could not be stored`, { error: String(error) }),
      (text) => this.secrets.redact(text),
    );
    this.sweepTimer = setInterval(() => this.sweep(), 1000).unref();
  }

  /** Carries out one command; rejects with what it threw. */
  async run<Name extends CommandName>(
    command: Name,
    params: Commands[Name]['params'],
  ): Promise<Commands[Name]['result']> {
    return (await (this.commands[command] as (params: Commands[Name]['params']) => unknown)(
      params,
    )) as Commands[Name]['result'];
  }

  /** Rows and counts of every tap since the last call; to be called at `REPORT_MS`. */
  reportTaps(): void {
    for (const tap of this.taps.values()) {
      const report = tap.report();
      if (report !== undefined) this.options.onTapReport(report);
    }
  }

  private readonly commands: {
    readonly [Name in CommandName]: (
      params: Commands[Name]['params'],
    ) => Commands[Name]['result'] | Promise<Commands[Name]['result']>;
  } = {
    startInstance: ({ spec }) => this.startInstance(spec),
    stopInstance: ({ name, waitMs }) => this.stopInstance(name, waitMs),
    replaceInstance: async ({ spec, waitMs }) => ({ live: await this.replaceInstance(spec, waitMs) }),
    beginSource: ({ name }) => this.sources.get(name)?.begin(),
    setPipelines: ({ pipelines }) => this.setPipelines(pipelines),
    link: ({ name, kind, port }) => this.link(name, kind, port),
    unlink: ({ name }) => this.unlink(name),
    serve: ({ name, port }) => this.serve(name, port),
    pausePipeline: ({ name }) => this.pipelines.get(name)?.pause(),
    resumePipeline: ({ name }) => this.pipelines.get(name)?.resume(),
    // The order of commands is the worker's entry's: it lets the next one begin.
    abandon: () => undefined,
    drainPipeline: ({ name }) => this.pipelines.get(name)?.drain(),
    purgePipeline: ({ name }) => ({ messages: this.pipelines.get(name)?.purge() ?? 0 }),
    pauseSink: ({ name }) => this.sinks.get(name)?.queue.pause(),
    resumeSink: ({ name }) => this.sinks.get(name)?.queue.resume(),
    purgeSink: ({ name }) => this.purgeSink(name),
    drainSink: ({ name }) => this.sinks.get(name)?.drained(),
    inject: (injection) => inject(this.pipelines.get(injection.pipeline), injection),
    openTap: ({ tap }) => ({ attached: this.openTap(tap) }),
    closeTap: ({ tap }) => this.closeTap(tap),
    stats: () => this.stats(),
    testInstance: async ({ spec }) => ({ steps: await this.testInstance(spec) }),
    shutdown: ({ waitMs }) => this.shutdown(waitMs),
  };

  private async startInstance(spec: InstanceSpec): Promise<void> {
    const { services } = this.options;
    const { name } = spec;
    this.secrets.register(spec.secrets);
    const report = (state: InstanceState, reason: string, error?: unknown): void =>
      this.options.onState(name, state, reason, error);
    try {
      const definition = await loadPlugin(spec);
      if (definition.kind === 'source') {
        const feed = new SourceFeed(name, this.countersOf(name), this.tapPoint(name));
        this.sources.set(name, new HostedSource(spec, definition, feed, services, report));
      } else if (definition.kind === 'handler') {
        this.handlers.set(
          name,
          await HostedHandler.begin(spec, definition, this.countersOf(name), this.tapPoint(name), services, report),
        );
      } else {
        const queue = this.queueOf(spec, report);
        const reader = new SpoolReader(name, this.options.spools, queue, (error) =>
          services.logger(name).error('a batch of the spool cannot be read', { error: String(error) }),
        );
        const sink = new HostedSink(spec, definition, queue, reader, services, report);
        this.sinks.set(name, sink);
        await sink.begin();
      }
    } catch (error) {
      report('failed', error instanceof Error ? error.message : String(error), error);
      throw error;
    }
  }

  /** Before a spool's sink the queue is only a window: the spool keeps what waits, however long. */
  private queueOf(
    spec: InstanceSpec,
    onState: (state: InstanceState, reason: string, error?: unknown) => void,
  ): SinkQueue {
    const disk = spec.buffer === 'disk';
    return new SinkQueue({
      name: spec.name,
      concurrency: spec.concurrency,
      maxMessages: disk ? Infinity : MAX_QUEUED,
      maxBytes: disk ? Infinity : spec.maxBytes,
      whenFull: disk ? 'block' : spec.whenFull,
      deadlineMs: disk ? Infinity : this.options.deadlineMs,
      writeMs: this.options.writeMs,
      deadLetters: this.deadLetters,
      onState,
    });
  }

  private async stopInstance(name: string, waitMs: number): Promise<void> {
    const source = this.sources.get(name);
    const handler = this.handlers.get(name);
    const sink = this.sinks.get(name);
    this.sources.delete(name);
    this.handlers.delete(name);
    this.sinks.delete(name);
    await source?.end(waitMs);
    await handler?.end();
    await sink?.end();
    this.options.services.metrics.forget(name);
    this.options.onState(name, 'stopped', '');
  }

  private async replaceInstance(spec: InstanceSpec, waitMs: number): Promise<boolean> {
    if (this.sinks.get(spec.name)?.canBecome(spec) === false) {
      await this.stopInstance(spec.name, waitMs);
      await this.startInstance(spec);
      return false;
    }
    const definition = await loadPlugin(spec);
    this.secrets.register(spec.secrets);
    switch (definition.kind) {
      case 'source':
        return this.hosted(this.sources, spec.name).replace(spec, definition as SourceDefinition<unknown>, waitMs);
      case 'handler':
        return this.hosted(this.handlers, spec.name).replace(spec, definition as HandlerDefinition<unknown>);
      case 'sink':
        return this.hosted(this.sinks, spec.name).replace(spec, definition as SinkDefinition<unknown>);
    }
  }

  private hosted<Hosted>(of: Map<string, Hosted>, name: string): Hosted {
    const hosted = of.get(name);
    if (hosted === undefined) throw new PatchbayError('PB_INSTANCE_NOT_HERE', `${name} does not run in this worker`);
    return hosted;
  }

  /** Builds every pipeline's new parts first, then switches them all; a pipeline that is gone ends when its batches have. */
  private setPipelines(specs: readonly PipelineSpec[]): void {
    const parts = specs.map((spec) => this.partsOf(spec));
    const names = new Set(specs.map((spec) => spec.name));
    for (const [name, run] of this.pipelines) {
      if (names.has(name)) continue;
      this.pipelines.delete(name);
      void run.drain();
    }
    specs.forEach((spec, i) => {
      const run = this.pipelines.get(spec.name);
      if (run !== undefined) run.replace(parts[i] as PipelineParts);
      else
        this.pipelines.set(
          spec.name,
          new PipelineRun(spec.name, parts[i] as PipelineParts, this.pipelineCountersOf(spec.name), this.deadLetters),
        );
    });
    for (const [name, source] of this.sources) {
      source.feed.connect(
        specs.filter((spec) => spec.sources.includes(name)).map((spec) => this.pipelines.get(spec.name) as PipelineRun),
      );
    }
  }

  private partsOf(spec: PipelineSpec): PipelineParts {
    return {
      where: spec.where === '' ? undefined : compileExpression(spec.where),
      steps: spec.through.map((ref) => this.stepOf(ref)),
      targets: spec.to.map((ref) => this.targetOf(ref)),
      atMostOnce: spec.atMostOnce,
      flights: this.options.spools,
    };
  }

  private stepOf({ name, remote }: StepRef): HandlerStep {
    if (!remote) return this.hosted(this.handlers, name).step;
    let known = this.remoteHandlers.get(name);
    if (known === undefined) {
      const handler = new RemoteHandler(name);
      known = { handler, step: new HandlerStep(name, handler, this.countersOf(name), this.tapPoint(name)) };
      this.remoteHandlers.set(name, known);
    }
    return known.step;
  }

  private targetOf({ name, remote, spooled }: StepRef): TargetStep {
    let target: Target | undefined =
      spooled === true
        ? this.spoolTarget(name)
        : ((remote ? undefined : this.sinks.get(name)?.queue) ?? this.remoteSinks.get(name));
    if (target === undefined) {
      // Elsewhere, or here but not loaded: either way messages wait at this end for it to appear.
      const sink = new RemoteSink(name, this.options.deadlineMs);
      this.remoteSinks.set(name, sink);
      target = sink;
    }
    return { target, counters: this.countersOf(name), tap: this.tapPoint(name) };
  }

  private spoolTarget(name: string): SpoolTarget {
    let target = this.spoolTargets.get(name);
    if (target === undefined) {
      const { spools, deadlineMs } = this.options;
      target = new SpoolTarget(name, spools, deadlineMs, () => this.sinks.get(name)?.reader);
      this.spoolTargets.set(name, target);
    }
    return target;
  }

  private link(name: string, kind: 'handler' | 'sink', port: MessagePort): void {
    if (kind === 'handler') {
      this.stepOf({ name, remote: true });
      this.remoteHandlers.get(name)?.handler.connect(port);
    } else {
      this.targetOf({ name, remote: true });
      this.remoteSinks.get(name)?.connect(port);
    }
  }

  private unlink(name: string): void {
    this.remoteHandlers.get(name)?.handler.end();
    this.remoteHandlers.delete(name);
    this.remoteSinks.get(name)?.end();
    this.remoteSinks.delete(name);
  }

  private serve(name: string, port: MessagePort): void {
    const sink = this.sinks.get(name);
    const handler = this.handlers.get(name);
    if (sink !== undefined) serveSink(port, sink.queue);
    else if (handler !== undefined) serveHandler(port, handler.step, (text) => this.secrets.redact(text));
    else port.close();
  }

  private async purgeSink(name: string): Promise<{ messages: number } | undefined> {
    const sink = this.sinks.get(name);
    return sink === undefined ? undefined : { messages: await sink.purge() };
  }

  private openTap(spec: TapSpec): boolean {
    const tap = new Tap(spec);
    this.taps.set(spec.tap, tap);
    this.tapPoint(spec.instance).add(tap);
    return (
      this.sources.has(spec.instance) ||
      this.handlers.has(spec.instance) ||
      this.sinks.has(spec.instance) ||
      this.remoteHandlers.has(spec.instance) ||
      this.remoteSinks.has(spec.instance)
    );
  }

  private closeTap(id: string): void {
    const tap = this.taps.get(id);
    if (tap === undefined) return;
    this.taps.delete(id);
    this.tapPoint(tap.spec.instance).remove(tap);
  }

  private async testInstance(spec: InstanceSpec): Promise<readonly TestStep[]> {
    const definition = await loadPlugin(spec);
    if (definition.kind === 'handler' || definition.test === undefined) return [];
    const life = beginLife(
      spec,
      this.options.services,
      () => undefined,
      () => undefined,
    );
    try {
      return await definition.test(life.context);
    } finally {
      life.end();
    }
  }

  private stats(): WorkerStats {
    const utilisation = performance.eventLoopUtilization();
    const share = performance.eventLoopUtilization(utilisation, this.lastUtilisation).utilization;
    this.lastUtilisation = utilisation;
    const sinks: Record<string, SinkStats> = {};
    for (const [name, { queue }] of this.sinks)
      sinks[name] = {
        queued: queue.queued,
        oldestSeconds: queue.oldestSeconds,
        full: queue.full,
        paused: queue.isPaused,
        circuit: queue.circuit,
        delivered: queue.counts.delivered,
        refused: queue.counts.refused,
        retried: queue.counts.retried,
        dropped: queue.counts.dropped,
      };
    return {
      instances: Object.fromEntries([...this.instanceCounters].map(([name, counters]) => [name, { ...counters }])),
      pipelines: Object.fromEntries([...this.pipelineCounts].map(([name, counters]) => [name, { ...counters }])),
      sinks,
      metrics: this.options.services.metrics.list(),
      heapBytes: process.memoryUsage().heapUsed,
      utilisation: share,
    };
  }

  private async shutdown(waitMs: number): Promise<void> {
    await Promise.allSettled([...this.sources.values()].map((source) => source.end(waitMs)));
    await within(
      Promise.all([...this.pipelines.values()].map((run) => run.drain())).then(() => undefined),
      waitMs,
    );
    for (const { handler } of this.remoteHandlers.values()) handler.end();
    for (const sink of this.remoteSinks.values()) sink.end();
    await Promise.allSettled([...this.handlers.values()].map((handler) => handler.end()));
    await Promise.allSettled([...this.sinks.values()].map((sink) => sink.end()));
    clearInterval(this.sweepTimer);
  }

  private sweep(): void {
    const before = performance.now() - this.options.deadlineMs;
    for (const run of this.pipelines.values()) run.giveBackLate(before);
    for (const sink of this.remoteSinks.values()) sink.sweep();
    for (const target of this.spoolTargets.values()) target.sweep();
  }

  private countersOf(name: string): StepCounters {
    let counters = this.instanceCounters.get(name);
    if (counters === undefined) this.instanceCounters.set(name, (counters = stepCounters()));
    return counters;
  }

  private pipelineCountersOf(name: string): PipelineCounters {
    let counters = this.pipelineCounts.get(name);
    if (counters === undefined) this.pipelineCounts.set(name, (counters = pipelineCounters()));
    return counters;
  }

  private tapPoint(name: string): TapPoint {
    let point = this.tapPoints.get(name);
    if (point === undefined) this.tapPoints.set(name, (point = new TapPoint()));
    return point;
  }
}
