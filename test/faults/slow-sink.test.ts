/** A peer that takes next to nothing, and one that refuses for a while: they slow their own pipeline and no other. */
import { expect, it, onTestFinished } from 'vitest';
import type { GatewayConfig } from '../../gateway-core/protocol/model.ts';
import { Forward } from './rounds/forward.ts';

/** What a window of 8 MiB on disk, and as much again in memory, may cost. */
const GROWTH_MB = 150;

const withNeighbour = (config: GatewayConfig): GatewayConfig => ({
  ...config,
  sources: { ...config.sources, calm: { plugin: 'generator', config: { rate: 200, faults: 0 } } },
  handlers: { decode: { plugin: 'collectd-metrics' } },
  sinks: { ...config.sinks, beside: { plugin: 'prometheus', config: { port: 0 } } },
  pipelines: { ...config.pipelines, neighbour: { from: ['calm'], through: ['decode'], to: ['beside'] } },
});

it('a peer that takes one message a second closes the credit, takes no memory, and stops nobody else', async () => {
  const forward = await Forward.create({
    buffer: { max: '8MiB' },
    sender: { padding: 2000, rate: 3000 },
    change: withNeighbour,
  });
  onTestFinished(() => forward.end());
  await forward.receiver.start();
  forward.receiver.answer({ delay: 1000 });
  forward.sender.start();
  await forward.accepted(500);
  const before = forward.engine.residentMb();
  const blocked = await forward.engine.until(
    'its pipeline waits for it',
    ({ pipelines }) => pipelines['flow']?.blockedBy.includes('away') === true,
  );
  const { accepted } = forward.journal;
  const passed = blocked.pipelines['neighbour']?.delivered ?? 0;
  const { pipelines } = await forward.engine.until(
    'the neighbour flows',
    (status) => (status.pipelines['neighbour']?.delivered ?? 0) > passed + 1000,
  );
  // A message a second makes room for very few others.
  expect(forward.journal.accepted - accepted).toBeLessThan(2000);
  expect(pipelines['neighbour']).toMatchObject({ addsUp: true, returned: 0, dropped: 0 });
  expect(forward.engine.residentMb() - before).toBeLessThan(GROWTH_MB);
  forward.receiver.answer({});
  await forward.accepted(forward.journal.accepted + 1000);
  await forward.quiet();
  await forward.drained();
  expect(forward.verdict().faults).toEqual([]);
});

it('a peer that gives everything back is left alone after some tries, and given all of it once it takes again', async () => {
  const forward = await Forward.create();
  onTestFinished(() => forward.end());
  await forward.receiver.start();
  forward.receiver.answer({ release: 1 });
  forward.sender.start();
  await forward.engine.until('the circuit opens', ({ sinks }) => sinks['away']?.circuit === 'open');
  await forward.accepted(forward.journal.accepted + 2000);
  expect((await forward.engine.status()).instances['away']?.state).toBe('retrying');
  forward.receiver.answer({});
  await forward.quiet();
  await forward.drained(90);
  expect(forward.verdict().faults).toEqual([]);
});
