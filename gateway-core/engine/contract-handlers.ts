/** The control protocol's calls and streams, each in terms of the engine's parts. */
import type { Catalogue } from '../catalog/catalogue.ts';
import type { EventLog } from '../events/event-log.ts';
import { checkExpression } from '../flow/expression.ts';
import type { LiveHub } from '../live/hub.ts';
import type { Applied } from '../protocol/contract.ts';
import type { CallHandlers, ContractHandlers, Session, StreamHandlers } from '../protocol/handlers.ts';
import type { GatewayEvent, LogLine, StatusReport, Topology } from '../protocol/model.ts';
import type { Storage } from '../storage/storage.ts';
import type { Broadcast } from './broadcast.ts';
import type { ConfigKeeper } from './config-keeper.ts';
import type { DeadLetterDesk } from './dead-letter-desk.ts';
import { demoConfig, EMPTY_CONFIG } from './demo.ts';
import { CodedError, maskError } from './error.ts';
import type { Fleet } from './fleet.ts';
import type { Log } from './log.ts';
import type { SpoolDesk } from './spool-desk.ts';
import { hint } from '../config/nearest.ts';
import { checkInstance } from '../config/check-instance.ts';
import type { ValidateOptions } from '../config/validate.ts';

export interface EngineParts {
  readonly version: string;
  readonly epoch: string;
  readonly keeper: ConfigKeeper;
  readonly catalogue: Catalogue;
  readonly fleet: Fleet;
  readonly hub: LiveHub;
  readonly events: EventLog;
  readonly storage: Storage;
  readonly spoolDesk: SpoolDesk;
  readonly desk: DeadLetterDesk;
  readonly log: Log;
  readonly status: Broadcast<StatusReport>;
  readonly topology: Broadcast<Topology>;
  readonly changes: Broadcast<{ readonly what: 'plugins' | 'config' }>;
  readonly checkOptions: () => ValidateOptions;
  /** A report from counts as fresh as can be. */
  freshStatus(): Promise<StatusReport>;
  /** The last report, at most a second old. */
  lastStatus(): StatusReport | undefined;
  currentTopology(): Topology;
  link(): string;
}

export function contractHandlers(parts: EngineParts): ContractHandlers {
  return {
    calls: masked(callHandlers(parts), (text) => parts.log.redact(text)),
    streams: streamHandlers(parts),
    engineVersion: parts.version,
    epoch: parts.epoch,
  };
}

/** The same calls, with the secrets masked in what they end in: a plugin's error may hold what it was configured with. */
function masked(calls: CallHandlers, redact: (text: string) => string): CallHandlers {
  const guard =
    (call: (...args: never[]) => Promise<unknown>) =>
    async (...args: never[]): Promise<unknown> => {
      try {
        return await call(...args);
      } catch (error) {
        throw maskError(error, redact);
      }
    };
  return Object.fromEntries(
    Object.entries(calls).map(([name, call]) => [name, guard(call)]),
  ) as unknown as CallHandlers;
}

function callHandlers(parts: EngineParts): CallHandlers {
  const { keeper, catalogue, fleet, hub, events, storage, desk } = parts;
  const origin = (session: Session): string => session.client;
  return {
    'status.get': () => parts.freshStatus(),
    'topology.get': async () => parts.currentTopology(),

    'config.get': async () => keeper.document(),
    'config.validate': async ({ yaml }) => ({ problems: (await keeper.plan(yaml)).problems }),
    'config.plan': ({ yaml }) => keeper.plan(yaml),
    'config.apply': ({ yaml, baseVersion, comment, spools }, session) =>
      keeper.apply(yaml, origin(session), comment ?? '', baseVersion, spools),
    'config.preview': ({ edits }) => keeper.preview(edits),
    'config.edit': ({ edits, baseVersion, comment, spools }, session) =>
      keeper.edit(edits, origin(session), comment ?? '', baseVersion, spools),
    'config.history': async ({ limit }) => ({ versions: await storage.historyList(limit ?? 100) }),
    'config.version': async ({ version }) => {
      const past = await storage.historyGet(version);
      if (past === undefined) throw new CodedError('PB_CONFIG_VERSION_UNKNOWN', { version });
      return past;
    },
    'config.rollback': ({ version, spools }, session) => keeper.rollback(version, origin(session), spools),

    'setup.demo': async (_params, session) => firstConfig(parts, await demoConfig(), origin(session)),
    'setup.empty': (_params, session) => firstConfig(parts, EMPTY_CONFIG, origin(session)),
    'setup.import': ({ yaml }, session) => firstConfig(parts, yaml, origin(session)),

    'plugins.list': async () => ({ plugins: catalogue.entries(instancesByPlugin(parts)) }),
    'plugins.get': async ({ name, version }) => catalogue.detail(name, version, instancesByPlugin(parts)),
    'plugins.check': async (params) => ({
      problems: await checkInstance(params, { ...parts.checkOptions(), running: keeper.running ?? undefined }),
    }),

    'flow.pause': (params, session) => flow(parts, params, session, 'pause'),
    'flow.resume': (params, session) => flow(parts, params, session, 'resume'),
    'flow.drain': (params, session) => flow(parts, params, session, 'drain'),
    'flow.purge': (params, session) => purge(parts, params, session),
    'spools.list': async () => ({ spools: await parts.spoolDesk.list() }),
    'spools.discard': async ({ name }, session) => {
      const messages = await parts.spoolDesk.discardOrphan(name);
      const what = `The spool of ${name} was discarded: ${messages} messages`;
      reportAct(parts, session, 'warning', 'spool.discarded', name, what, { messages });
      return { messages };
    },
    'instance.restart': async ({ name }, session) => {
      if (keeper.running?.instances.has(name) !== true) throw unknownName(parts, name);
      await fleet.restart(name);
      events.report({
        severity: 'info',
        source: 'flow',
        type: 'instance.restarted',
        subject: name,
        message: `${name} was restarted (by ${session.client})`,
      });
      return {};
    },

    'filter.check': async ({ expression }) => checkExpression(expression),
    'live.message': async ({ tap, seq }) => hub.message(tap, seq),
    'live.page': async ({ tap, before, limit }) => hub.page(tap, before, limit),

    'deadletters.list': (params) => desk.list(params),
    'deadletters.summary': (params) => desk.summary(params),
    'deadletters.show': (params) => desk.show(params),
    'deadletters.edit': (params, session) => desk.edit(params, origin(session)),
    'deadletters.retry': (params, session) => desk.retry(params, origin(session)),
    'deadletters.cancel': async (params) => desk.cancel(params),
    'deadletters.discard': (params, session) => desk.discard(params, origin(session)),

    'events.list': async ({ limit, ...query }) => ({ events: await events.list({ limit: limit ?? 200, ...query }) }),
    'control.link': async () => ({ link: parts.link() }),
  };
}

function streamHandlers(parts: EngineParts): StreamHandlers {
  const { hub, events, log } = parts;
  return {
    status: (_params, out) => {
      const last = parts.lastStatus();
      if (last !== undefined) out.send(last);
      return parts.status.add(out);
    },
    topology: (_params, out) => {
      out.send(parts.currentTopology());
      return parts.topology.add(out);
    },
    live: (params, out) => {
      if (parts.keeper.running?.instances.has(params.instance) !== true) throw unknownName(parts, params.instance);
      return hub.open(params, out);
    },
    events: (_params, out) => events.subscribe((event: GatewayEvent) => void out.send(event)),
    logs: ({ instance }, out) =>
      log.subscribe((line: LogLine) => void out.send(line), instance === undefined ? {} : { instance }),
    deadletters: (_params, out) => parts.desk.watch(out),
    'deadletters.export': ({ selection }, out) => parts.desk.export(selection, out),
    changes: (_params, out) => parts.changes.add(out),
  };
}

/** First run may choose once; later a config is changed, not set up. */
async function firstConfig(parts: EngineParts, yaml: string, origin: string): Promise<Applied> {
  if (parts.keeper.configured) throw new CodedError('PB_SETUP_DONE');
  return parts.keeper.apply(yaml, origin, 'first run');
}

/** Instances of the running config by the plugin they are of. */
function instancesByPlugin({ keeper }: EngineParts): ReadonlyMap<string, readonly string[]> {
  const byPlugin = new Map<string, string[]>();
  for (const { name, plugin } of keeper.running?.instances.values() ?? [])
    byPlugin.set(plugin.name, [...(byPlugin.get(plugin.name) ?? []), name]);
  return byPlugin;
}

const DONE = { pause: 'paused', resume: 'resumed', drain: 'drained' } as const;

/** For a sink, the sink; else the pipeline of that name, or every pipeline the instance is part of. */
async function flow(
  parts: EngineParts,
  { name }: { readonly name: string },
  session: Session,
  act: keyof typeof DONE,
): Promise<Record<string, never>> {
  const { spoolDesk, fleet } = parts;
  if (isSink(parts, name)) {
    await spoolDesk[act](name);
    reportAct(parts, session, 'info', `sink.${DONE[act]}`, name, `${name} was ${DONE[act]}`);
    return {};
  }
  const pipelines = pipelinesOf(parts, name);
  await Promise.all(pipelines.map((pipeline) => fleet[act](pipeline)));
  for (const pipeline of pipelines)
    reportAct(parts, session, 'info', `pipeline.${DONE[act]}`, pipeline, `${pipeline} was ${DONE[act]}`);
  return {};
}

async function purge(
  parts: EngineParts,
  { name }: { readonly name: string },
  session: Session,
): Promise<{ messages: number }> {
  const { spoolDesk, fleet } = parts;
  const counts = isSink(parts, name)
    ? [await spoolDesk.purge(name)]
    : await Promise.all(pipelinesOf(parts, name).map((pipeline) => fleet.purge(pipeline)));
  const messages = counts.reduce((sum, count) => sum + count, 0);
  const type = isSink(parts, name) ? 'sink.purged' : 'pipeline.purged';
  reportAct(parts, session, 'warning', type, name, `${name} was purged: ${messages} messages dropped`, { messages });
  return { messages };
}

/** What an operator did, with who. */
function reportAct(
  { events }: EngineParts,
  { client }: Session,
  severity: 'info' | 'warning',
  type: string,
  subject: string,
  what: string,
  details: Readonly<Record<string, unknown>> = {},
): void {
  const message = `${what} (by ${client})`;
  events.report({ severity, source: 'flow', type, subject, message, details: { ...details, by: client } });
}

function isSink({ keeper }: EngineParts, name: string): boolean {
  return keeper.running?.pipelines.has(name) !== true && keeper.running?.instances.get(name)?.kind === 'sink';
}

function pipelinesOf(parts: EngineParts, name: string): readonly string[] {
  const config = parts.keeper.running;
  if (config?.pipelines.has(name) === true) return [name];
  if (config?.instances.has(name) !== true) throw unknownName(parts, name);
  return [...config.pipelines.values()]
    .filter(({ from, through, to }) => [...from, ...through, ...to].includes(name))
    .map((pipeline) => pipeline.name);
}

function unknownName({ keeper }: EngineParts, name: string): CodedError {
  const names = [...(keeper.running?.instances.keys() ?? []), ...(keeper.running?.pipelines.keys() ?? [])];
  return new CodedError('PB_INSTANCE_UNKNOWN', { name, hint: hint(name, names) });
}
