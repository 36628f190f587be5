/** The least that a spool is for, without chance: it outlives the gateway. */
import { expect, it, onTestFinished } from 'vitest';
import { Forward } from './rounds/forward.ts';

it('what lies in a spool comes out after the gateway is killed, in order and whole', async () => {
  const forward = await Forward.create();
  onTestFinished(() => forward.end());
  await forward.fill(2000);
  const { accepted } = forward.journal;
  await forward.engine.kill();
  await forward.engine.start();
  const { sinks, pipelines } = await forward.engine.until(
    'what the spool holds is counted',
    (status) => (status.pipelines['flow']?.carried ?? 0) >= accepted,
  );
  expect(sinks['away']).toMatchObject({ custody: 'remote', buffer: 'disk' });
  expect(pipelines['flow']).toMatchObject({ addsUp: true, dropped: 0 });
  await forward.receiver.start();
  await forward.drained();
  expect(forward.verdict()).toEqual({ faults: [], accepted, duplicates: 0, deadLetters: 0 });
});
