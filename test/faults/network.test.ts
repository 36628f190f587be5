/** Cables that are pulled: connections that look open and carry nothing. */
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { eventually } from '../peers/program.ts';
import { lacking } from './needs.ts';
import { Network } from './net/network.ts';
import { Forward } from './rounds/forward.ts';

const lacks = lacking('root and network namespaces');

describe.skipIf(lacks !== '')(`a network that swallows packets${lacks}`, () => {
  let network: Network;
  beforeAll(() => {
    network = new Network();
  });
  afterAll(() => network.remove());

  async function apart(): Promise<Forward> {
    const gateway = network.address('gateway');
    const forward = await Forward.create({
      engine: { wrapper: network.on('gateway'), controlHost: gateway },
      receiver: { wrapper: network.on('peer') },
      sourceHost: gateway,
      receiverHost: network.address('peer'),
      sender: { rate: 1000, idleMs: 4000 },
    });
    onTestFinished(() => forward.end());
    return forward;
  }

  it.each(['peer', 'gateway'] as const)(
    'between gateway and peer, towards the %s: the spool takes it all, and is delivered after',
    async (towards) => {
      const forward = await apart();
      await forward.receiver.start();
      forward.sender.start();
      await forward.accepted(500);
      network.cut(towards === 'peer' ? 'peer' : 'gateway');
      // Towards the gateway everything of the sender is lost too: then nothing is accepted meanwhile.
      if (towards === 'peer') await forward.accepted(forward.journal.accepted + 1500);
      else
        await eventually(
          () => 'the sender gives its connection up',
          () => forward.sender.counts.disconnected > 0 || undefined,
        );
      network.mend(towards === 'peer' ? 'peer' : 'gateway');
      await forward.accepted(forward.journal.accepted + 500);
      await forward.quiet();
      await forward.drained(90);
      expect(forward.verdict().faults).toEqual([]);
    },
  );

  it('between sender and gateway, one way: what was not told is sent again, nothing is lost', async () => {
    const forward = await apart();
    await forward.receiver.start();
    forward.sender.start();
    await forward.accepted(500);
    network.cut('here');
    await eventually(
      () => 'the sender gives its connection up',
      () => forward.sender.counts.disconnected > 0 || undefined,
    );
    network.mend('here');
    await forward.accepted(forward.journal.accepted + 500);
    await forward.quiet();
    await forward.drained();
    const { faults, duplicates } = forward.verdict();
    expect(faults).toEqual([]);
    // What had come and was not answered came again.
    expect(duplicates).toBeGreaterThan(0);
  });
});
