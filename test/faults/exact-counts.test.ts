import { expect, it } from 'vitest';
import { dataFolder, startRig, writePlugin } from './rig.ts';

/** Emits 500 messages and ends its thread in the same turn: nothing of it was ever reported. */
const BURST = `import { defineSource } from 'patchbay/plugin-api';
export default defineSource({ create: (context) => ({
  start(emit) {
    setTimeout(() => {
      for (let n = 0; n < 5; n++) emit(Array.from({ length: 100 }, () => context.message({ data: 'x' })));
      process.exit(1);
    }, 100);
  },
  stop() {},
  close() {},
}) });
`;

it('counts are exact after a thread has died in the middle of its work', async () => {
  const data = await dataFolder();
  await writePlugin(data, { name: 'burst', kind: 'source', code: BURST });
  const rig = await startRig(data, {
    version: 1,
    sources: { in: { plugin: 'burst' } },
    sinks: { out: { plugin: 'console' } },
    pipelines: { flow: { from: ['in'], to: ['out'] } },
  });
  const { pipelines, instances } = await rig.until(
    'two crashes',
    ({ instances }) => (instances['in']?.restarts ?? 0) >= 2 && instances['in']?.state === 'retrying',
  );
  const flow = pipelines['flow'];
  expect(flow?.received).toBeGreaterThanOrEqual(1000);
  expect((flow?.received ?? 0) % 500).toBe(0);
  expect(flow).toMatchObject({ addsUp: true, exact: true, inFlight: 0 });
  expect((flow?.returned ?? 0) + (flow?.delivered ?? 0) + (flow?.deadLettered ?? 0)).toBe(flow?.received);
  expect(instances['in']).toMatchObject({ emitted: flow?.received, addsUp: true });
  expect(instances['out']).toMatchObject({ received: flow?.received, held: 0, addsUp: true });
});
