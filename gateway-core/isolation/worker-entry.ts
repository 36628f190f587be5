/** Entry of a worker thread: binds the runtime to the engine's messages. */
import { parentPort, workerData, type MessagePort } from 'node:worker_threads';
import { createAmqpHost } from '../amqp/host.ts';
import { SpoolClient } from '../delivery/spool-client.ts';
import { REPORT_MS } from '../live/tap.ts';
import { PatchbayError } from '../plugin-api/errors.ts';
import type { Logger } from '../plugin-api/index.ts';
import { connectStorage } from '../storage/connect.ts';
import { reportFault } from './fault.ts';
import { provideApi } from './load-plugin.ts';
import { logger } from './worker-log.ts';
import { PluginMetrics } from './plugin-metrics.ts';
import { Runtime } from './runtime.ts';
import type { WorkerSettings } from './spec.ts';
import type { FromWorker, ToWorker } from './wire.ts';

/** How the engine starts a worker. */
export interface WorkerStart {
  readonly settings: WorkerSettings;
  readonly storage: MessagePort;
  readonly spools: MessagePort;
}

const engine = parentPort as MessagePort;
const { settings, storage, spools } = workerData as WorkerStart;
const say = (message: FromWorker): void => engine.postMessage(message);

provideApi();
const loggers = new Map<string, Logger>();
const loggerOf = (instance: string): Logger => {
  let known = loggers.get(instance);
  if (known === undefined) loggers.set(instance, (known = logger(instance, say)));
  return known;
};

const runtime = new Runtime({
  deadlineMs: settings.deadlineMs,
  writeMs: settings.writeMs,
  spools: new SpoolClient(spools),
  services: {
    storage: connectStorage(storage),
    metrics: new PluginMetrics(),
    logger: loggerOf,
    amqp: (instance, signal) => createAmqpHost({ log: loggerOf(instance), signal }),
  },
  onState: (instance, state, reason, error) =>
    say({ t: 'state', instance, state, reason, code: error instanceof PatchbayError ? error.code : '' }),
  onTapReport: (report) => say({ t: 'live', report }),
});

const heartbeat = new Int32Array(settings.heartbeat);
setInterval(() => Atomics.add(heartbeat, 0, 1), 500);
setInterval(() => runtime.reportTaps(), REPORT_MS).unref();

// A promise that a plugin forgot is a fault to be told, not a reason to take the whole thread down.
process.on('unhandledRejection', (error) =>
  loggerOf('').error('a rejected promise was not handled', {
    error: error instanceof Error ? (error.stack ?? error.message) : String(error),
  }),
);

/** Commands run one after another, except those that only look or may take long. */
const AT_ONCE: ReadonlySet<string> = new Set([
  'stats',
  'openTap',
  'closeTap',
  'drainPipeline',
  'inject',
  'pausePipeline',
  'resumePipeline',
  'purgePipeline',
  'pauseSink',
  'resumeSink',
  'purgeSink',
  'drainSink',
  'testInstance',
  'abandon',
  'link',
  'serve',
  'unlink',
]);
let turn: Promise<unknown> = Promise.resolve();
let abandon = (): void => undefined;

engine.on('message', ({ id, command, params }: ToWorker) => {
  const run = (): Promise<void> =>
    runtime.run(command, params as never).then(
      (value) => say({ t: 'done', id, value }),
      (error: unknown) => say({ t: 'failed', id, error: reportFault(error) }),
    );
  if (command === 'abandon') abandon();
  if (AT_ONCE.has(command)) void run();
  else turn = turn.then(() => Promise.race([run(), new Promise<void>((resolve) => (abandon = resolve))]));
});

say({ t: 'ready' });
