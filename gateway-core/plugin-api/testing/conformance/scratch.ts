import { mkdtemp, rm } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Scratch } from './definition.ts';

/** Runs `act` with means of its own, and takes them down. */
export async function withScratch<T>(act: (scratch: Scratch) => Promise<T>): Promise<T> {
  const folder = await mkdtemp(join(tmpdir(), 'patchbay-conformance-'));
  const ends: (() => unknown)[] = [];
  try {
    return await act({ folder, freePort, defer: (end) => void ends.push(end) });
  } finally {
    for (const end of ends.toReversed()) {
      // What failed in the check matters, not what its ruins answer.
      await Promise.resolve()
        .then(end)
        .catch(() => undefined);
    }
    await rm(folder, { recursive: true, force: true, maxRetries: 3 });
  }
}

export async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(0, '127.0.0.1', resolve);
  });
  const address = server.address();
  await new Promise<void>((resolve) => void server.close(() => resolve()));
  if (typeof address !== 'object' || address === null) throw new Error('no port');
  return address.port;
}
