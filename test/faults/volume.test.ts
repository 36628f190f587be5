/** Much of it: what happens to one message in tens of thousands shows only then. */
import { expect, it, onTestFinished } from 'vitest';
import { Forward } from './rounds/forward.ts';

const MESSAGES = 100_000;
const KEYS = Object.fromEntries(Array.from({ length: 80 }, (_, n) => [`k${n}`, 50]));

it('of a hundred thousand messages through a spool each one arrives, in the order of its key', async () => {
  const forward = await Forward.create({ sender: { keys: KEYS, rate: 40_000, padding: 0 } });
  onTestFinished(() => forward.end());
  await forward.receiver.start();
  await forward.fill(MESSAGES, 100);
  await forward.drained();
  const { faults, accepted, duplicates } = forward.verdict();
  expect(faults).toEqual([]);
  expect(accepted).toBeGreaterThanOrEqual(MESSAGES);
  expect(duplicates).toBe(0);
});
