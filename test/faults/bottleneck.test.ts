import { describe, expect, it } from 'vitest';
import { dataFolder, demoConfig, handlerCode, startRig, writePlugin } from './rig.ts';

/** Keeps its thread busy for a few milliseconds a message. */
const SLOW_HANDLER = handlerCode('const end = performance.now() + 5; while (performance.now() < end); return m;');

/** Takes its time over every batch, without keeping its thread busy. */
const SLOW_SINK = `import { defineSink } from 'patchbay/plugin-api';
export default defineSink({ custody: 'view', create: () => ({
  open() {},
  write: () => new Promise((resolve) => setTimeout(resolve, 400)),
  close() {},
}) });
`;

describe('what holds a pipeline up', () => {
  it('is a handler that cannot keep up, and its pipeline alone is held up', async () => {
    const data = await dataFolder();
    await writePlugin(data, { name: 'slow', kind: 'handler', code: SLOW_HANDLER });
    const base = demoConfig(['slow'], {}, 2000);
    const rig = await startRig(data, {
      ...base,
      sources: { ...base.sources, other: { plugin: 'generator', config: { rate: 20 } } },
      sinks: { ...base.sinks, log: { plugin: 'console' } },
      pipelines: { ...base.pipelines, calm: { from: ['other'], to: ['log'] } },
    });
    const { pipelines, instances, health } = await rig.until(
      'the slow handler is named, and no other pipeline is held up',
      (status) =>
        status.pipelines['flow']?.bottleneck?.stage === 'slow' &&
        status.pipelines['calm']?.bottleneck === null &&
        (status.instances['slow']?.busy ?? 0) > 0.5,
    );
    expect(pipelines['flow']?.bottleneck).toMatchObject({ kind: 'handler' });
    expect(instances['slow']).toMatchObject({ addsUp: true });
    expect(Object.keys(health.threads)).toEqual(expect.arrayContaining(['control', 'storage', 'plugin:slow']));
  });

  it('is a sink whose queue has filled', async () => {
    const data = await dataFolder();
    await writePlugin(data, { name: 'slow', kind: 'sink', code: SLOW_SINK });
    const rig = await startRig(data, {
      version: 1,
      sources: { in: { plugin: 'generator', config: { rate: 20_000 } } },
      sinks: { slow: { plugin: 'slow' } },
      pipelines: { flow: { from: ['in'], to: ['slow'] } },
    });
    const { pipelines, instances } = await rig.until(
      'the slow sink is named, and its source waits',
      (status) =>
        status.pipelines['flow']?.bottleneck?.why === 'full' &&
        (status.instances['in']?.waiting ?? 0) > 0.3 &&
        (status.instances['slow']?.busy ?? 0) > 0.9,
    );
    expect(pipelines['flow']?.bottleneck).toMatchObject({ stage: 'slow', kind: 'sink' });
    expect(instances['slow']).toMatchObject({ addsUp: true });
  });
});
