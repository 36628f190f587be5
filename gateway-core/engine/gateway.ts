/**
 * The gateway: puts its parts together, starts them in order and stops them in reverse. Runs
 * in an Electron utility process, behind `patchbay run`, or inside another program.
 */
import { randomUUID } from 'node:crypto';
import { existsSync, realpathSync } from 'node:fs';
import { availableParallelism, totalmem } from 'node:os';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { openCatalogue } from '../catalog/catalogue.ts';
import { renderConfig } from '../config/render.ts';
import { createEventLog, type EventLog } from '../events/event-log.ts';
import { codedEvent } from '../events/report.ts';
import { HealthWatch } from '../health/watch.ts';
import { defaultProcessLimitMb } from '../isolation/memory-watch.ts';
import { LiveHub } from '../live/hub.ts';
import type { Logger } from '../plugin-api/index.ts';
import type { ContractHandlers } from '../protocol/handlers.ts';
import type { GatewayConfig, GatewayState, Problem, StatusReport, Topology } from '../protocol/model.ts';
import { openSpools } from '../storage/spools.ts';
import { openStorage } from '../storage/open-storage.ts';
import { DEFAULT_LIMITS } from '../storage/storage.ts';
import { Broadcast } from './broadcast.ts';
import { ConfigKeeper, readConfigFile } from './config-keeper.ts';
import { configChecker } from './config-checker.ts';
import { watchConfigFile } from './config-watch.ts';
import { contractHandlers, type EngineParts } from './contract-handlers.ts';
import type { Control } from './control-address.ts';
import { openDataFolder } from './data-folder.ts';
import { DeadLetterDesk } from './dead-letter-desk.ts';
import { remedyIn } from './remedies.ts';
import { Epoch } from './epoch.ts';
import { Fleet } from './fleet.ts';
import { openLog } from './log.ts';
import { Monitor } from './monitor.ts';
import { watchPlugins } from './plugin-watch.ts';
import { openSecrets } from './secrets.ts';
import { SpoolDesk } from './spool-desk.ts';
import { VERSION } from './version.ts';

export interface GatewayOptions {
  /** Where the config comes from: a file, its text (from standard input), or an object. Absent: `<data>/startup.yaml` if there is one, else first run. */
  readonly config?: { readonly file: string } | { readonly text: string } | { readonly object: GatewayConfig };
  /** Default: the platform's data folder, or `PATCHBAY_DATA`. */
  readonly dataFolder?: string;
  /** Further folders of plugins, beside the built-in ones and `<data>/plugins`. */
  readonly pluginFolders?: readonly string[];
  /** `false`: no control server. Fields override the config's `settings.control`. */
  readonly control?: false | { readonly host?: string; readonly port?: number };
  /** `false`: the control server serves no panel. */
  readonly panel?: boolean;
  /** Takes over the config file whenever it changes on disk, as SIGHUP does; default false. */
  readonly watch?: boolean;
  /** Log lines on standard error; default true. */
  readonly logToStderr?: boolean;
  /** Worker threads for built-in plugins; default: one per core. */
  readonly workers?: number;
  /** Milliseconds after which a message without outcome is given back upstream; default 60 000. */
  readonly deadlineMs?: number;
  /** Milliseconds a sink has for one `write` before it counts as disconnected; default 30 000. */
  readonly writeMs?: number;
  /** Seconds a sink has to deliver what its spool holds when it is drained to be removed; default 60. */
  readonly drainSeconds?: number;
  /** Seconds without a sign of life after which a worker is ended; default 10. */
  readonly watchdogSeconds?: number;
  /** Crashes in a row after which a worker stays down until someone tries again; default 8. */
  readonly workerCrashes?: number;
  /** Seconds an instance has to start, change or stop in; default 30. */
  readonly answerSeconds?: number;
  /** Megabytes of JavaScript heap per worker; default 512. */
  readonly workerHeapMb?: number;
  /** Megabytes of Buffers and the like per worker, beside its heap; default 1 024. */
  readonly workerBuffersMb?: number;
  /** Megabytes of resident memory, above which the largest worker is ended; default: four fifths of the machine's, or of its container's. */
  readonly memoryMb?: number;
}

export interface Gateway {
  readonly handlers: ContractHandlers;
  readonly dataFolder: string;
  /** Address of the control server; undefined without one. */
  readonly control: { readonly host: string; readonly port: number; oneTimeLink(): string } | undefined;
  /** Warnings of the config it started with. */
  readonly warnings: readonly Problem[];
  status(): Promise<StatusReport>;
  /** Reads the config file again (SIGHUP). */
  reload(): Promise<void>;
  /** Drains and stops everything: sources first, then what is in flight (at most `waitMs`), then sinks. Can be called twice. */
  stop(waitMs?: number): Promise<void>;
}

const APPLICATION = fileURLToPath(new URL('../../', import.meta.url));
const BUILT_IN = join(APPLICATION, 'plugins');

/**
 * Starts a gateway. Resolves when it runs; instances that fail do not keep it from running.
 * Rejects, with nothing left running, with PB_CONFIG_INVALID (all problems in `details`),
 * PB_DATA_LOCKED, PB_PORT_IN_USE and the like.
 *
 * `given` is a config as an object, of the same form as startup.yaml, or options that say where the config is.
 */
export function createGateway(
  given: GatewayConfig | GatewayOptions = {},
  options: Omit<GatewayOptions, 'config'> = {},
): Promise<Gateway> {
  return startGateway('version' in given ? { ...options, config: { object: given } } : { ...options, ...given });
}

async function startGateway(options: GatewayOptions): Promise<Gateway> {
  const startedAt = Date.now();
  const undo: (() => Promise<unknown> | void)[] = [];
  let state: GatewayState = 'starting';
  try {
    const log = openLog({
      onEvent: (event) => eventLog.report(event),
      ...(options.logToStderr === false ? { stream: { write: () => true } } : {}),
    });
    const logOf = (instance: string): Logger => log.child({ instance });
    const eventLog: EventLog = createEventLog({ project: 'default', redact: (text) => log.redact(text) });
    const folder = await openDataFolder(options.dataFolder, { onEvent: (event) => eventLog.report(event) });
    undo.push(() => folder.close());
    log.writeFiles(folder.logs);
    undo.push(() => log.close());
    undo.push(() => eventLog.close());

    const secrets = openSecrets(folder.path, { onEvent: (event) => eventLog.report(event) });
    const source = await configSource(options, folder.path);
    // From here on several things get ready at once, each in a thread of its own: the stores,
    // the first worker; this thread reads the plugins and loads the control server meanwhile.
    const opening = openStorage({
      folder: folder.path,
      onEvent: (event) => eventLog.report(event),
      log: logOf('storage'),
    });
    undo.push(async () => (await opening.catch(() => undefined))?.close());
    const openingSpools = openSpools({
      folder: folder.path,
      onEvent: (event) => eventLog.report(event),
      log: logOf('spool'),
    });
    undo.push(async () => (await openingSpools.catch(() => undefined))?.close());

    const changes = new Broadcast<{ readonly what: 'plugins' | 'config' }>(10);
    const status = new Broadcast<StatusReport>(1);
    const topology = new Broadcast<Topology>(1);
    const hub = new LiveHub({
      openTap: (spec) => fleet.openTap(spec),
      closeTap: (tap) => fleet.closeTap(tap),
      presence: (instance) => presenceOf(fleet, instance),
    });
    const fleet = new Fleet({
      poolSize: options.workers ?? availableParallelism(),
      deadlineMs: options.deadlineMs ?? 60_000,
      writeMs: options.writeMs ?? 30_000,
      heapLimitMb: options.workerHeapMb ?? 512,
      buffersLimitMb: options.workerBuffersMb ?? 1024,
      processLimitMb: options.memoryMb ?? defaultProcessLimitMb(totalmem(), process.constrainedMemory()),
      watchdogSeconds: options.watchdogSeconds ?? 10,
      maxCrashes: options.workerCrashes ?? 8,
      answerSeconds: options.answerSeconds ?? 30,
      readable: readable([APPLICATION, join(APPLICATION, 'node_modules'), folder.pluginsCache]),
      storagePort: async () => (await opening).port(),
      spools: () => openingSpools,
      onLog: ({ instance, level, message, fields }, worker) =>
        logOf(instance === '' ? worker : instance)[level](message, fields),
      onLive: ({ report }) => hub.report(report),
      redact: (text) => log.redact(text),
      onNotice: ({ instance, code, details }) =>
        eventLog.report(codedEvent('warning', 'flow', NOTICES[code], code, details, instance)),
      onMemoryHigh: (used, limit) =>
        eventLog.report(codedEvent('warning', 'engine', 'memory.high', 'PB_PROCESS_MEMORY', { used, limit })),
      onState: (instance, is, reason, code) => {
        if (is === 'failed')
          eventLog.report({
            severity: 'critical',
            source: 'flow',
            type: 'instance.failed',
            subject: instance,
            message: `${instance} has failed: ${reason}`,
            code,
          });
        else if (is === 'retrying')
          eventLog.report({
            severity: 'warning',
            source: 'flow',
            type: 'instance.retrying',
            subject: instance,
            message: `${instance} is being retried: ${reason}`,
            code,
          });
      },
      onWorker: ({ worker, what, reason, code, instances }) => {
        if (what === 'up')
          eventLog.report({
            severity: 'info',
            source: 'engine',
            type: 'worker.up',
            subject: worker,
            message: `Worker ${worker} runs again`,
            details: { instances },
          });
        else
          eventLog.report({
            severity: what === 'down' ? 'warning' : 'critical',
            source: 'engine',
            type: `worker.${what}`,
            subject: worker,
            message: `Worker ${worker} ${reason}`,
            code,
            details: { instances },
          });
      },
    });
    undo.push(() => fleet.stop(0));
    if (source.text !== undefined) fleet.warm();
    const [storage, spools, catalogue, { startControl }] = await Promise.all([
      opening,
      openingSpools,
      openCatalogue({
        builtInFolder: BUILT_IN,
        userFolder: folder.plugins,
        extraFolders: (options.pluginFolders ?? []).map((path) => resolve(path)),
        cacheFolder: folder.pluginsCache,
        log: logOf('catalogue'),
      }),
      import('./control-address.ts'),
    ]);
    undo.push(() => catalogue.close());
    eventLog.attach(storage);
    const epoch = await Epoch.open(storage, { id: randomUUID(), startedAt, version: VERSION });
    undo.push(() => epoch.end());
    const health = new HealthWatch({
      dataFolder: folder.path,
      storage,
      spools,
      onEvent: (event) => eventLog.report(event),
    });
    undo.push(() => health.stop());

    const checker = configChecker({ catalogue, secrets, folder: source.folder });
    const spoolDesk: SpoolDesk = new SpoolDesk({
      fleet,
      spools,
      events: eventLog,
      running: () => keeper.running,
      drainSeconds: options.drainSeconds ?? 60,
    });
    const keeper: ConfigKeeper = new ConfigKeeper({
      undelivered: (next) => spoolDesk.undelivered(next),
      beforeChange: (next, chosen, ask) => spoolDesk.beforeChange(next, chosen, ask),
      file: source.file,
      storage,
      check: (text) => checker.check(text),
      deploy: async (next, strict) => {
        log.registerSecrets([...next.instances.values()].flatMap((instance) => instance.secrets));
        log.setLevel(next.logLevel);
        await fleet.deploy(next, strict);
        // A store that is away for now is no reason to undo the change; its next thread knows the bounds.
        await storage.letters
          .bound(next.deadLetters)
          .catch((error: unknown) =>
            logOf('storage').warn('the dead letters keep their bounds', { error: String(error) }),
          );
      },
      onChange: ({ version, plan }, origin, comment) => {
        eventLog.report({
          severity: 'info',
          source: 'config',
          type: 'config.applied',
          subject: `version ${version}`,
          message: `Config version ${version} runs (by ${origin}${comment === '' ? '' : `: ${comment}`})`,
          details: { origin, steps: plan.steps.filter(({ act }) => act !== 'keep') },
        });
        changes.send({ what: 'config' });
        monitor.configChanged();
      },
    });
    const monitor: Monitor = new Monitor({
      version: VERSION,
      epoch,
      health,
      keeper,
      fleet,
      catalogue,
      events: eventLog,
      status,
      topology,
      state: () => state,
    });
    undo.push(() => monitor.stop());

    const warnings = await keeper.start(source.text, source.origin);
    for (const warning of warnings)
      logOf('config').warn(warning.message, { code: warning.code, path: warning.path.join('.') });

    const desk = new DeadLetterDesk({
      letters: storage.letters,
      ways: () => ({
        config: keeper.running,
        idleReason: (pipeline) => fleet.idleReason(pipeline),
        isPaused: (pipeline) => fleet.isPaused(pipeline),
      }),
      inject: (origin, injection) => fleet.inject(origin, injection),
      bounds: () => keeper.running?.deadLetters ?? DEFAULT_LIMITS.deadLetters,
      remedyOf: (code) => remedyIn(keeper.running, code),
      redact: (text) => log.redact(text),
      report: (event) => eventLog.report(event),
    });
    undo.push(() => desk.stop());

    let control: Control | undefined;
    const parts: EngineParts = {
      version: VERSION,
      epoch: epoch.id,
      keeper,
      catalogue,
      fleet,
      hub,
      events: eventLog,
      storage,
      spoolDesk,
      desk,
      log,
      status,
      topology,
      changes,
      checkOptions: () => checker.options(),
      freshStatus: () => monitor.fresh(),
      lastStatus: () => monitor.last,
      currentTopology: () => monitor.topology(),
      link: () => control?.oneTimeLink() ?? '',
    };
    const handlers = contractHandlers(parts);
    if (options.control !== false) {
      control = await startControl({
        override: options.control ?? {},
        config: keeper.running,
        token: folder.controlToken,
        sessionFile: join(folder.path, 'sessions'),
        handlers,
        panel: options.panel ?? true,
        application: APPLICATION,
        monitor,
        log: logOf('control'),
        state: () => state,
      });
      const opened = control;
      undo.push(() => opened.close());
      await folder.announce(`http://${control.host}:${control.port}`);
    }
    undo.push(
      watchPlugins({
        catalogue,
        keeper,
        checker,
        events: eventLog,
        monitor,
        onChange: () => changes.send({ what: 'plugins' }),
      }),
    );
    await health.start();
    await monitor.start();
    await epoch.begin();
    state = 'running';
    logOf('engine').info('running', {
      version: VERSION,
      pid: process.pid,
      data: folder.path,
      readyMs: Date.now() - startedAt,
    });
    eventLog.report({
      severity: 'info',
      source: 'engine',
      type: 'gateway.started',
      message: `Patchbay ${VERSION} runs`,
      details: { pid: process.pid },
    });
    if (epoch.start === 'unclean' && epoch.last !== null) {
      const lastAlive = new Date(epoch.last.lastAlive).toISOString();
      const details = { ...epoch.last, lastAlive, startedAt: new Date(epoch.last.startedAt).toISOString() };
      eventLog.report(codedEvent('warning', 'engine', 'gateway.unclean', 'PB_UNCLEAN_END', details));
    }

    let stopping: Promise<void> | undefined;
    const stop = async (waitMs: number): Promise<void> => {
      state = 'draining';
      logOf('engine').info('draining');
      desk.cancelAll();
      await fleet.stop(waitMs);
      state = 'stopped';
      eventLog.report({ severity: 'info', source: 'engine', type: 'gateway.stopped', message: 'Patchbay was stopped' });
      await unwind(undo);
    };
    const reload = async (): Promise<void> => {
      try {
        await keeper.reload();
      } catch (error) {
        eventLog.report({
          severity: 'warning',
          source: 'config',
          type: 'config.refused',
          message: error instanceof Error ? error.message : String(error),
          ...(error instanceof Error && 'code' in error ? { code: String(error.code) } : {}),
        });
        throw error;
      }
    };
    if (options.watch === true && source.file !== '') {
      undo.push(
        watchConfigFile(source.file, () => {
          reload().catch(() => {
            // Told by an event; the running config goes on.
          });
        }),
      );
    }
    return {
      handlers,
      dataFolder: folder.path,
      control,
      warnings,
      status: () => monitor.fresh(),
      reload,
      stop: (waitMs = 10_000) => (stopping ??= stop(waitMs)),
    };
  } catch (error) {
    await unwind(undo);
    throw error;
  }
}

/** What a worker's notice is called among the events. */
const NOTICES = { PB_INSTANCE_REJECTION: 'instance.rejection', PB_INSTANCE_LEAKS: 'instance.leaks' } as const;

async function unwind(undo: readonly (() => Promise<unknown> | void)[]): Promise<void> {
  for (const step of undo.toReversed()) {
    try {
      await step();
    } catch {
      // The rest must be released all the same.
    }
  }
}

interface ConfigSource {
  readonly text: string | undefined;
  /** Where changes are written; empty: nowhere. */
  readonly file: string;
  /** What `${file:…}` is relative to. */
  readonly folder: string;
  readonly origin: string;
}

async function configSource({ config }: GatewayOptions, data: string): Promise<ConfigSource> {
  if (config !== undefined && 'file' in config) {
    const file = resolve(config.file);
    return { text: await readConfigFile(file), file, folder: join(file, '..'), origin: 'file' };
  }
  if (config !== undefined && 'text' in config)
    return { text: config.text, file: '', folder: process.cwd(), origin: 'start' };
  if (config !== undefined)
    return { text: renderConfig(config.object), file: '', folder: process.cwd(), origin: 'start' };
  const file = join(data, 'startup.yaml');
  return { text: existsSync(file) ? await readConfigFile(file) : undefined, file, folder: data, origin: 'file' };
}

/** Folders as Node's permission flags want them; where one is a link, what it leads to as well. */
function readable(folders: readonly string[]): string[] {
  const all = folders.flatMap((folder) => (existsSync(folder) ? [folder, realpathSync(folder)] : [folder]));
  return [...new Set(all.map((folder) => join(folder, '*')))];
}

function presenceOf(fleet: Fleet, instance: string): { attached: boolean; reason: string } {
  const record = fleet.record(instance);
  if (record === undefined) return { attached: false, reason: `${instance} was removed` };
  const attached = record.state === 'running' || record.state === 'degraded' || record.state === 'starting';
  return {
    attached,
    reason: attached ? '' : `${instance} is ${record.state}${record.reason === '' ? '' : `: ${record.reason}`}`,
  };
}
