/** The engine's way to the spool thread. */
import { existsSync, readdirSync } from 'node:fs';
import { Worker, type MessagePort } from 'node:worker_threads';
import { CodedError } from '../engine/error.ts';
import type { EventReport } from '../events/report.ts';
import type { Logger } from '../plugin-api/context.ts';
import { DEFAULT_LIMITS } from './storage.ts';
import { EMPTY_SPOOLS, type SpoolLimits, type SpoolStats } from './spool-wire.ts';
import { ThreadSupervisor, type StartThread } from './thread-supervisor.ts';

export interface Spools {
  /**
   * The sinks that have a spool from now on, with their bounds. Those of other sinks are closed
   * and kept on disk, as orphans; but a sink of `inMemory` is given what is left in its file. Holds
   * over a restart of the thread.
   */
  configure(sinks: Readonly<Record<string, SpoolLimits>>, inMemory: readonly string[]): Promise<void>;
  stats(): Promise<SpoolStats>;
  /** Drops all that is in the spool of a configured sink; how many messages. PB_SPOOL_UNKNOWN, PB_SPOOL_FAILING. */
  purge(sink: string): Promise<number>;
  /** Deletes the sink's file, also an orphan's; how many messages it had. */
  discard(sink: string): Promise<number>;
  /** The thread's last report; undefined until the first, and while no thread runs. */
  figures(): ReturnType<ThreadSupervisor['figures']>;
  /** A port for one worker, to be transferred to it; the worker wraps it with `SpoolClient`. */
  port(): Promise<MessagePort>;
  /** Commits what waits and ends the thread. */
  close(): Promise<void>;
}

const startThread: StartThread = (data) =>
  new Worker(new URL('./spool-thread.ts', import.meta.url), { workerData: data, execArgv: [], name: 'spool' });

/**
 * The spools' files lie in `<folder>/spool/`. The thread is started when there are some, or with the first sink that
 * has one: without it costs its memory for nothing. Rejects with the coded errors of the stores.
 */
export async function openSpools(options: {
  readonly folder: string;
  readonly onEvent: (event: EventReport) => void;
  readonly log: Logger;
}): Promise<Spools> {
  let wanted: readonly [Readonly<Record<string, SpoolLimits>>, readonly string[]] = [{}, []];
  let first = true;
  const supervisor: ThreadSupervisor = new ThreadSupervisor({
    name: 'spool',
    data: { folder: `${options.folder}/spool`, limits: DEFAULT_LIMITS },
    start: startThread,
    onEvent: options.onEvent,
    log: options.log,
    onUp: () => {
      if (!first)
        supervisor.client.call('spoolConfigure', wanted).catch((error: unknown) => {
          options.log.error('the spools could not be opened again', { error: String(error) });
        });
      first = false;
    },
  });
  const { client } = supervisor;
  let started: Promise<void> | undefined;
  const start = (): Promise<void> => (started ??= supervisor.start());
  if (hasFiles(`${options.folder}/spool`)) await start();
  const call = async (op: string, sink: string): Promise<unknown> => {
    if (started === undefined) throw new CodedError('PB_SPOOL_UNKNOWN', { name: sink });
    return client.call(op, [sink]);
  };
  return {
    configure: async (sinks, inMemory) => {
      wanted = [sinks, inMemory];
      if (Object.keys(sinks).length > 0) await start();
      if (started === undefined) return;
      await client.call('spoolConfigure', wanted);
    },
    stats: async () => (started === undefined ? EMPTY_SPOOLS : ((await client.call('spoolStats', [])) as SpoolStats)),
    purge: async (sink) => (await call('spoolPurge', sink)) as number,
    discard: async (sink) => (await call('spoolDiscard', sink)) as number,
    figures: () => supervisor.figures(),
    port: () => supervisor.port(),
    close: () => supervisor.close(),
  };
}

/** True also when it can't be told: the thread says what is wrong with the folder. */
function hasFiles(folder: string): boolean {
  if (!existsSync(folder)) return false;
  try {
    return readdirSync(folder).length > 0;
  } catch {
    return true;
  }
}
