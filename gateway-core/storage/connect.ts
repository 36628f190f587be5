import type { MessagePort } from 'node:worker_threads';
import { StoreClient } from './client.ts';
import { packLetters } from './dead-letter-store.ts';
import { encodeJson } from './json.ts';
import type { WorkerStorage } from './storage.ts';
import type { FreshPort } from './wire.ts';

/**
 * A worker's storage, over a port of `Storage.port()` that was transferred to it. It survives a
 * restart of the storage thread: requests under way then reject with PB_STORE_LOST, later ones
 * wait for the new thread. Closing the port ends it.
 */
export function connectStorage(port: MessagePort): WorkerStorage {
  const client = new StoreClient();
  port.on('message', (fresh: FreshPort) => client.attach(fresh.port));
  port.on('close', () => client.close());
  port.unref();
  return workerStorage(client);
}

/** {@link WorkerStorage} over a client. */
export function workerStorage(client: StoreClient): WorkerStorage {
  return {
    stateGet: async (instance, key) => decode(await client.call('stateGet', [instance, key])),
    stateSet: async (instance, key, value) => {
      const text = encodeJson(value);
      await client.call('stateSet', [instance, key, text], text.length);
    },
    stateDelete: async (instance, key) => {
      await client.call('stateDelete', [instance, key]);
    },
    stateKeys: async (instance) => (await client.call('stateKeys', [instance])) as readonly string[],
    stateApply: async (instance, { set = {}, delete: gone = [] }) => {
      const entries = Object.entries(set).map(([key, value]) => [key, encodeJson(value)] as const);
      const bytes = entries.reduce((sum, [key, text]) => sum + key.length + text.length, 0);
      await client.call('stateApply', [instance, gone, entries], bytes);
    },
    cacheGet: async (instance, key) => decode(await client.call('cacheGet', [instance, key])),
    cacheSet: async (instance, key, value, ttlMs) => {
      const text = encodeJson(value);
      await client.call('cacheSet', [instance, key, text, ttlMs], text.length);
    },
    deadLettersAdd: async (letters) => {
      if (letters.length === 0) return;
      const packed = packLetters(letters);
      const bytes = packed.block.byteLength + letters.length * 200;
      await client.call('deadLettersAdd', [packed], bytes, packed.block.buffer);
    },
  };
}

/** The value of a stored JSON text; undefined when there is none. */
export function decode(text: unknown): unknown {
  return text === undefined ? undefined : (JSON.parse(text as string) as unknown);
}
