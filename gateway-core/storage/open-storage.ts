import { Worker } from 'node:worker_threads';
import { CodedError } from '../engine/error.ts';
import { makeFolder } from '../engine/make-folder.ts';
import type { ConfigVersion, GatewayEvent } from '../protocol/model.ts';
import { decode, workerStorage } from './connect.ts';
import type { EventRow } from './event-store.ts';
import { encodeJson } from './json.ts';
import { letterStorage } from './letter-client.ts';
import { DEFAULT_LIMITS, type Storage, type StorageOptions } from './storage.ts';
import { ThreadSupervisor, type StartThread } from './thread-supervisor.ts';

const startThread: StartThread = (data) =>
  new Worker(new URL('./thread.ts', import.meta.url), { workerData: data, execArgv: [], name: 'storage' });

/**
 * Starts the storage thread and resolves when all its files are open. Rejects with
 * PB_STORE_NEWER, PB_STORE_MIGRATION, PB_STORE_FULL, PB_STORE_READONLY or PB_STORE_IO.
 * A damaged file is no reason to fail: it is set aside with an event. A thread that dies later
 * is started again with back-off, with an event.
 */
export async function openStorage(options: StorageOptions, start: StartThread = startThread): Promise<Storage> {
  const folder = `${options.folder}/store`;
  try {
    makeFolder(folder);
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new CodedError('PB_STORE_READONLY', { file: folder, reason }, { cause: error });
  }
  const supervisor = new ThreadSupervisor({
    name: 'storage',
    data: { folder, limits: { ...DEFAULT_LIMITS, ...options.limits } },
    start,
    onEvent: options.onEvent,
    log: options.log,
  });
  await supervisor.start();
  return storageOf(supervisor);
}

function storageOf(supervisor: ThreadSupervisor): Storage {
  const { client } = supervisor;
  return {
    ...workerStorage(client),
    historyAppend: async ({ time, origin, comment, yaml }) =>
      (await client.call('historyAppend', [time, origin, comment, yaml], yaml.length)) as number,
    historyList: async (limit) => (await client.call('historyList', [limit])) as readonly ConfigVersion[],
    historyGet: async (version) =>
      (await client.call('historyGet', [version])) as (ConfigVersion & { yaml: string }) | undefined,
    eventsAppend: async (events) => {
      let bytes = 0;
      const rows = events.map((event): EventRow => {
        const details = encodeJson(event.details);
        bytes += 200 + event.message.length + details.length;
        return { ...event, details };
      });
      return (await client.call('eventsAppend', [rows], bytes)) as readonly number[];
    },
    eventsList: async (query) => {
      const rows = (await client.call('eventsList', [query])) as readonly (EventRow & { id: number })[];
      return rows.map((row) => ({ ...row, details: decode(row.details) }) as GatewayEvent);
    },
    settingGet: async (key) => decode(await client.call('settingGet', [key])),
    settingSet: async (key, value) => {
      const text = encodeJson(value);
      await client.call('settingSet', [key, text], text.length);
    },
    deadLettersCount: async () => (await client.call('deadLettersCount', [])) as Readonly<Record<string, number>>,
    letters: letterStorage(client, (deadLetters) => supervisor.changeLimits({ deadLetters })),
    port: () => supervisor.port(),
    close: () => supervisor.close(),
  };
}
