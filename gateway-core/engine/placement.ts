import type { ResolvedConfig, ResolvedInstance, ResolvedPipeline } from '../config/resolved.ts';
import type { PipelineSpec } from '../isolation/spec.ts';

/** Where everything runs: by worker, the instances and the pipelines of its sources. */
export interface Placement {
  /** Instance → the workers that run it: one for sources and sinks, as many as need it for handlers. */
  readonly instances: ReadonlyMap<string, readonly string[]>;
  readonly pipelines: ReadonlyMap<string, readonly PipelineSpec[]>;
  /** Why an instance that is there does not run. */
  readonly idle: ReadonlyMap<string, { readonly state: 'disabled' | 'stopped' | 'failed'; readonly reason: string }>;
  /** Why a pipeline that is there does not run. */
  readonly idlePipelines: ReadonlyMap<string, string>;
}

/**
 * Decides where things run (design §2): a source and its handlers share a thread; a sink
 * goes to the thread of its first source; third-party code has a thread per plugin. What has
 * a place keeps it (`settled`), so that drawing an edge never moves a running instance.
 */
export function place(
  config: ResolvedConfig,
  poolSize: number,
  settled: Map<string, string>,
  unusable: ReadonlySet<string>,
): Placement {
  const idlePipelines = new Map<string, string>();
  const running: { pipeline: ResolvedPipeline; sources: string[]; sinks: string[] }[] = [];
  for (const pipeline of config.pipelines.values()) {
    const enabled = (name: string): boolean => config.instances.get(name)?.enabled === true;
    const stopped = pipeline.through.find((name) => !enabled(name) || unusable.has(name));
    const sources = pipeline.from.filter(enabled);
    const sinks = pipeline.to.filter(enabled);
    if (!pipeline.enabled) idlePipelines.set(pipeline.name, 'disabled');
    else if (stopped !== undefined)
      idlePipelines.set(pipeline.name, `${stopped} ${enabled(stopped) ? 'failed' : 'is disabled'}`);
    else if (sources.length === 0) idlePipelines.set(pipeline.name, 'all its sources are disabled');
    else if (sinks.length === 0) idlePipelines.set(pipeline.name, 'all its sinks are disabled');
    else running.push({ pipeline, sources, sinks });
  }

  const used = new Set(running.flatMap(({ pipeline, sources, sinks }) => [...sources, ...pipeline.through, ...sinks]));
  const idle = new Map<string, { state: 'disabled' | 'stopped' | 'failed'; reason: string }>();
  for (const instance of config.instances.values()) {
    const { name } = instance;
    if (instance.unavailable !== undefined) idle.set(name, { state: 'failed', reason: instance.unavailable });
    else if (!instance.enabled) idle.set(name, { state: 'disabled', reason: '' });
    else if (!used.has(name) && !unusable.has(name))
      idle.set(name, { state: 'stopped', reason: 'no running pipeline uses it' });
  }

  for (const name of settled.keys()) if (!used.has(name)) settled.delete(name);
  const load = new Map<string, number>();
  for (let i = 1; i <= poolSize; i++) load.set(`worker-${i}`, 0);
  for (const worker of settled.values()) if (load.has(worker)) load.set(worker, (load.get(worker) ?? 0) + 1);
  const lightest = (): string => [...load].reduce((a, b) => (b[1] < a[1] ? b : a))[0];
  const settle = (instance: ResolvedInstance, beside: string | undefined): string => {
    const known = settled.get(instance.name);
    const own = isThirdParty(instance) ? `plugin:${instance.plugin.name}` : undefined;
    if (known !== undefined && (own === undefined ? load.has(known) : known === own)) return known;
    const worker = own ?? (beside !== undefined && load.has(beside) ? beside : lightest());
    settled.set(instance.name, worker);
    if (load.has(worker)) load.set(worker, (load.get(worker) ?? 0) + 1);
    return worker;
  };

  const places = new Map<string, string[]>();
  const instanceOf = (name: string): ResolvedInstance => config.instances.get(name) as ResolvedInstance;
  for (const { sources } of running)
    for (const name of sources) places.set(name, [settle(instanceOf(name), undefined)]);
  for (const { sources, sinks } of running) {
    const beside = places.get(sources[0] as string)?.[0];
    for (const name of sinks) places.set(name, [settle(instanceOf(name), beside)]);
  }
  const pipelines = new Map<string, PipelineSpec[]>();
  for (const { pipeline, sources, sinks } of running) {
    const workers = new Set(sources.map((name) => places.get(name)?.[0] as string));
    for (const worker of workers) {
      const through = pipeline.through.map((name) => {
        const instance = instanceOf(name);
        const home = isThirdParty(instance) ? `plugin:${instance.plugin.name}` : worker;
        const at = places.get(name) ?? [];
        if (!at.includes(home)) places.set(name, [...at, home]);
        return { name, remote: home !== worker };
      });
      const spec: PipelineSpec = {
        name: pipeline.name,
        sources: sources.filter((name) => places.get(name)?.[0] === worker),
        where: pipeline.where,
        through,
        to: sinks.map((name) => ({
          name,
          remote: places.get(name)?.[0] !== worker,
          spooled: instanceOf(name).buffer.kind === 'disk',
        })),
        atMostOnce: pipeline.delivery === 'at-most-once',
      };
      pipelines.set(worker, [...(pipelines.get(worker) ?? []), spec]);
    }
  }
  return { instances: places, pipelines, idle, idlePipelines };
}

/** Built-in plugins share the pool; everything else has a thread of its own. */
export function isThirdParty(instance: ResolvedInstance): boolean {
  return instance.plugin.origin !== 'built-in';
}
