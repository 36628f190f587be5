import { expect, it } from 'vitest';
import { dataFolder, demoConfig, startRig, writePlugin } from './rig.ts';

/** A sink whose `open` or `close` never comes back. */
const sinkCode = (open: string, close: string): string =>
  `import { defineSink } from 'patchbay/plugin-api';
const never = () => new Promise(() => {});
export default defineSink({ custody: 'view', create: () => ({ open: ${open}, write: () => undefined, close: ${close} }) });
`;
const AT_ONCE = 'async () => {}';

it('plugins that never finish starting or stopping keep neither the others nor the gateway from it', async () => {
  const data = await dataFolder();
  await writePlugin(data, { name: 'stuck', kind: 'sink', code: sinkCode('never', AT_ONCE) });
  await writePlugin(data, { name: 'clingy', kind: 'sink', code: sinkCode(AT_ONCE, 'never') });
  const base = demoConfig([]);
  const config = {
    ...base,
    sinks: { stuck: { plugin: 'stuck' }, clingy: { plugin: 'clingy' }, ...base.sinks },
    sources: { ...base.sources, other: { plugin: 'generator' }, third: { plugin: 'generator' } },
    pipelines: {
      ...base.pipelines,
      hung: { from: ['other'], to: ['stuck'] },
      clung: { from: ['third'], to: ['clingy'] },
    },
  };
  const rig = await startRig(data, config, { answerSeconds: 3 });
  const { instances, needsYou } = await rig.until(
    'the others flow',
    ({ pipelines }) => (pipelines['flow']?.delivered ?? 0) > 100 && (pipelines['clung']?.delivered ?? 0) > 100,
  );
  expect(instances['stuck']).toMatchObject({ state: 'failed', reason: 'stuck did not start within 3 s' });
  expect(needsYou).toEqual([expect.objectContaining({ subject: 'stuck', code: 'PB_INSTANCE_HANGS' })]);
  expect((await rig.events()).map(({ code }) => code)).toContain('PB_INSTANCE_HANGS');

  // Away with both of them: the rest is as before, and the gateway still ends.
  const { stuck: _stuck, clingy: _clingy, ...sinks } = config.sinks;
  await rig.call('config.apply', {
    yaml: JSON.stringify({ ...config, sinks, sources: base.sources, pipelines: base.pipelines }),
  });
  const before = (await rig.status()).pipelines['flow']?.delivered ?? 0;
  await rig.until('it flows on', ({ pipelines }) => (pipelines['flow']?.delivered ?? 0) > before + 100);
  expect(Object.keys((await rig.status()).instances)).not.toContain('clingy');
  await rig.gateway.stop(1000);
});

it('a sink of others that cannot be loaded fails alone', async () => {
  const data = await dataFolder();
  await writePlugin(data, { name: 'broken', kind: 'sink', code: "throw new Error('no such luck');" });
  const base = demoConfig([]);
  const rig = await startRig(data, {
    ...base,
    sinks: { broken: { plugin: 'broken' }, ...base.sinks },
    sources: { ...base.sources, other: { plugin: 'generator' } },
    pipelines: { ...base.pipelines, second: { from: ['other'], to: ['broken'] } },
  });
  const { instances } = await rig.until(
    'the others flow',
    ({ pipelines }) => (pipelines['flow']?.delivered ?? 0) > 100,
  );
  expect(instances['broken']).toMatchObject({
    state: 'failed',
    reason: expect.stringContaining('no such luck') as string,
  });
});
