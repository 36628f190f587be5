import { createServer, type AddressInfo } from 'node:net';
import { describe, expect, it, onTestFinished } from 'vitest';
import type { GatewayConfig } from '../../gateway-core/protocol/model.ts';
import { dataFolder, demoConfig, startRig } from './rig.ts';

async function takenPort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => new Promise<void>((resolve) => server.close(() => resolve())));
  return (server.address() as AddressInfo).port;
}

const twoSinks: GatewayConfig = demoConfig([], {
  sinks: { out: { plugin: 'prometheus', config: { port: 0 } }, second: { plugin: 'prometheus', config: { port: 0 } } },
  pipelines: { flow: { from: ['demo'], through: ['decode'], to: ['out', 'second'] } },
});

describe('a change of the running config', () => {
  it('that cannot start is put back, with the reason, and what ran runs on', async () => {
    const rig = await startRig(await dataFolder(), demoConfig([]));
    await rig.until('messages flow', ({ pipelines }) => (pipelines['flow']?.delivered ?? 0) > 50);
    const port = await takenPort();
    await expect(
      rig.call('config.edit', { edits: [{ op: 'set', path: ['sinks', 'out', 'config', 'port'], value: port }] }),
    ).rejects.toMatchObject({
      code: 'PB_PORT_IN_USE',
      place: 'out.config.port',
    });
    const before = await rig.status();
    expect(before.configVersion).toBe(1);
    await rig.until(
      'it flows on',
      ({ pipelines }) => (pipelines['flow']?.delivered ?? 0) > (before.pipelines['flow']?.delivered ?? 0) + 200,
    );
    expect((await rig.status()).pipelines['flow']).toMatchObject({ addsUp: true, returned: 0, dropped: 0 });
    expect((await rig.call('config.get', {})).yaml).not.toContain(String(port));
  });

  it('that is wrong changes nothing', async () => {
    const rig = await startRig(await dataFolder(), demoConfig([]));
    await expect(
      rig.call('config.edit', { edits: [{ op: 'set', path: ['sources', 'demo', 'config', 'rate'], value: 'fast' }] }),
    ).rejects.toMatchObject({ code: 'PB_CONFIG_INVALID' });
    expect((await rig.status()).configVersion).toBe(1);
  });

  it('of an old version is a conflict', async () => {
    const rig = await startRig(await dataFolder(), demoConfig([]));
    const edit = (rate: number) =>
      rig.call('config.edit', {
        edits: [{ op: 'set', path: ['sources', 'demo', 'config', 'rate'], value: rate }],
        baseVersion: 1,
      });
    await edit(300);
    await expect(edit(400)).rejects.toMatchObject({ code: 'PB_CONFIG_CONFLICT' });
  });

  it('is taken live where the plugin can: the rate changes, nothing restarts', async () => {
    const rig = await startRig(await dataFolder(), demoConfig([], {}, 100));
    await rig.until('slow', ({ instances }) => (instances['demo']?.ratePerSecond ?? 0) > 50);
    await rig.call('config.edit', { edits: [{ op: 'set', path: ['sources', 'demo', 'config', 'rate'], value: 2000 }] });
    const { instances } = await rig.until('fast', (status) => (status.instances['demo']?.ratePerSecond ?? 0) > 1000);
    expect(instances['demo']?.restarts).toBe(0);
  });

  it('of one sink leaves the other, and the source, alone', async () => {
    const rig = await startRig(await dataFolder(), twoSinks);
    await rig.until(
      'both flow',
      ({ instances }) => (instances['out']?.emitted ?? 0) > 50 && (instances['second']?.emitted ?? 0) > 50,
    );
    await rig.call('config.edit', { edits: [{ op: 'set', path: ['sinks', 'second', 'enabled'], value: false }] });
    const stopped = await rig.status();
    expect(stopped.instances['second']?.state).toBe('disabled');
    const { instances, pipelines } = await rig.until(
      'the other goes on',
      (status) => (status.instances['out']?.emitted ?? 0) > (stopped.instances['out']?.emitted ?? 0) + 200,
    );
    expect(instances['second']?.emitted).toBe(stopped.instances['second']?.emitted);
    expect(instances['demo']?.restarts).toBe(0);
    expect(pipelines['flow']).toMatchObject({ addsUp: true, returned: 0, dropped: 0 });
    await rig.call('config.rollback', { version: 1 });
    await rig.until(
      'it is back',
      (status) => (status.instances['second']?.emitted ?? 0) > (instances['second']?.emitted ?? 0) + 50,
    );
    expect((await rig.call('config.history', {})).versions.map(({ version }) => version)).toEqual([3, 2, 1]);
  });

  it('pauses, resumes and drains a pipeline without losing a message', async () => {
    const rig = await startRig(await dataFolder(), demoConfig([]));
    await rig.until('messages flow', ({ pipelines }) => (pipelines['flow']?.delivered ?? 0) > 50);
    await rig.call('flow.pause', { name: 'flow' });
    const paused = await rig.until('it is still', ({ pipelines }) => pipelines['flow']?.ratePerSecond === 0, 30);
    expect(paused.pipelines['flow']?.state).toBe('paused');
    await rig.call('flow.resume', { name: 'demo' });
    await rig.until(
      'it flows again',
      ({ pipelines }) => (pipelines['flow']?.delivered ?? 0) > (paused.pipelines['flow']?.delivered ?? 0) + 100,
    );
    await rig.call('flow.drain', { name: 'flow' });
    const drained = (await rig.status()).pipelines['flow'];
    expect(drained).toMatchObject({ state: 'paused', addsUp: true, dropped: 0 });
    await expect(rig.call('flow.pause', { name: 'flw' })).rejects.toMatchObject({
      code: 'PB_INSTANCE_UNKNOWN',
      message: expect.stringContaining("did you mean 'flow'"),
    });
  });

  it('starts what had failed once what it needs is free, when restarted', async () => {
    const server = createServer();
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const { port } = server.address() as AddressInfo;
    const rig = await startRig(
      await dataFolder(),
      demoConfig([], { sinks: { out: { plugin: 'prometheus', config: { port } } } }),
    );
    const failed = await rig.until('it has failed', ({ instances }) => instances['out']?.state === 'failed');
    expect(failed.needsYou).toMatchObject([{ code: 'PB_PORT_IN_USE', subject: 'out' }]);
    expect(failed.pipelines['flow']?.delivered).toBe(0);
    await new Promise<void>((resolve) => server.close(() => resolve()));
    await rig.call('instance.restart', { name: 'out' });
    const { pipelines } = await rig.until('it flows', (status) => (status.pipelines['flow']?.delivered ?? 0) > 100);
    expect(pipelines['flow']).toMatchObject({ addsUp: true, dropped: 0 });
  });

  it('says when a source with `expect` falls silent, and when it speaks again', async () => {
    const base = demoConfig([], {}, 50);
    const rig = await startRig(await dataFolder(), {
      ...base,
      sources: { demo: { plugin: 'generator', expect: { every: '1s' }, config: { rate: 50, faults: 0 } } },
    });
    await rig.until('messages flow', ({ pipelines }) => (pipelines['flow']?.delivered ?? 0) > 10);
    await rig.call('flow.pause', { name: 'flow' });
    await rig.until('silence is told', ({ needsYou }) => needsYou.some(({ code }) => code === 'PB_SILENCE'), 30);
    await rig.call('flow.resume', { name: 'flow' });
    await rig.until('it is over', ({ needsYou }) => needsYou.length === 0, 30);
    const types = (await rig.events()).map(({ type }) => type);
    expect(types).toEqual(expect.arrayContaining(['source.silent', 'source.speaks']));
  });
});

describe('a gateway inside another program', () => {
  it('takes its config as an object', async () => {
    const { createGateway } = await import('../../gateway-core/engine/gateway.ts');
    const gateway = await createGateway(demoConfig([]), {
      dataFolder: await dataFolder(),
      control: false,
      logToStderr: false,
    });
    onTestFinished(() => gateway.stop(1000));
    expect((await gateway.status()).instances['demo']).toMatchObject({ kind: 'source', plugin: 'generator' });
  });

  it('says all that is wrong with it at once', async () => {
    const { createGateway } = await import('../../gateway-core/engine/gateway.ts');
    const wrong = {
      version: 1,
      sources: { a: { plugin: 'generatr' }, b: { plugin: 'generator', config: { rate: -1 } } },
    } as const;
    const data = await dataFolder();
    await expect(createGateway(wrong, { dataFolder: data, control: false, logToStderr: false })).rejects.toMatchObject({
      code: 'PB_CONFIG_INVALID',
      details: { count: 2 },
    });
    // Nothing is left behind that holds the folder.
    await (await createGateway({ version: 1 }, { dataFolder: data, control: false, logToStderr: false })).stop(0);
  });
});
