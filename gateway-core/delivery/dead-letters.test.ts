import { expect, it, vi } from 'vitest';
import { RefuseError } from '../plugin-api/errors.ts';
import type { Message } from '../plugin-api/index.ts';
import { createMessage } from '../plugin-api/message.ts';
import type { DeadLetter } from '../storage/storage.ts';
import { DeadLetters } from './dead-letters.ts';
import { SinkQueue } from './sink-queue.ts';

/** What a sink that writes like this leaves in the dead letters, by message. */
async function refusedBy(write: (batch: readonly Message[]) => undefined | never): Promise<DeadLetter | undefined> {
  const stored: DeadLetter[] = [];
  const queue = new SinkQueue({
    name: 'out',
    concurrency: 1,
    maxMessages: 100,
    maxBytes: 1 << 20,
    whenFull: 'block',
    deadlineMs: 60_000,
    writeMs: 30_000,
    deadLetters: new DeadLetters(
      async (letters) => void stored.push(...letters),
      () => undefined,
      (text) => text.replaceAll('s3cret', '***'),
    ),
    onState: () => undefined,
  });
  await queue.attach({ open: () => undefined, write, close: () => undefined });
  let settled = false;
  queue.enqueue([createMessage('in', 'p', { data: 'x' })], 'flow', () => (settled = true));
  await vi.waitUntil(() => settled, { timeout: 10_000 });
  await queue.end();
  return stored[0];
}

it('a sink that throws leaves its stack and how often it was tried, secrets masked', async () => {
  const letter = await refusedBy(() => {
    throw new TypeError('boom s3cret');
  });
  expect(letter).toMatchObject({
    place: 'sink',
    instance: 'out',
    pipeline: 'flow',
    code: 'PB_PLUGIN_THREW',
    cause: 'boom ***',
    attempts: 3,
  });
  expect(letter?.stack).toMatch(/^TypeError: boom \*\*\*/);
});

it('a sink that refuses one message leaves the stack of its refusal', async () => {
  const letter = await refusedBy(() => {
    throw new RefuseError('ACME_BAD', 'no');
  });
  expect(letter).toMatchObject({ place: 'sink', code: 'ACME_BAD', attempts: 1 });
  expect(letter?.stack).toMatch(/^PatchbayError: no|^RefuseError: no|^Error: no/);
});
