/** What failed for good says why, holds up nobody, and comes back by the button or when its cause is gone. */
import { rmSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:net';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import type { GatewayConfig } from '../../gateway-core/protocol/model.ts';
import { freePort } from '../peers/program.ts';
import { configFor, KINDS, neighbourNeverNoticed, quietCode, withNeighbour } from './acme.ts';
import { dataFolder, demoConfig, startRig, writePlugin } from './rig.ts';

describe('what stays down', () => {
  it('a handler that keeps crashing stops its pipeline, says so, and comes back by the button', async () => {
    const data = await dataFolder();
    const flag = join(data, 'broken');
    writeFileSync(flag, '');
    await writePlugin(data, {
      name: 'acme',
      kind: 'handler',
      code: quietCode(
        'handler',
        `if (existsSync(${JSON.stringify(flag)})) setTimeout(() => { throw new Error('again'); }, 20);`,
        "import { existsSync } from 'node:fs';",
      ),
      manifest: { permissions: { files: [`read:${flag}`] } },
    });
    // The generator feeds a second pipeline, which must go on.
    const base = withNeighbour(demoConfig(['acme']));
    const config: GatewayConfig = {
      ...base,
      sinks: { ...base.sinks, look: { plugin: 'console' } },
      pipelines: { ...base.pipelines, second: { from: ['demo'], to: ['look'] } },
    };
    const rig = await startRig(data, config, { workerCrashes: 3 });
    const { instances, needsYou } = await rig.until(
      'it is given up',
      ({ instances: i, pipelines: p }) => i['acme']?.state === 'failed' && p['flow']?.state === 'stopped',
      60,
    );
    expect(instances['acme']?.reason).toContain('given up after 3 crashes in a row');
    expect(needsYou).toContainEqual(expect.objectContaining({ subject: 'acme', code: 'PB_WORKER_CRASHED' }));
    const before = (await rig.status()).pipelines['second']?.delivered ?? 0;
    await rig.until('its source goes on', ({ pipelines }) => (pipelines['second']?.delivered ?? 0) > before + 100);
    await neighbourNeverNoticed(rig);

    // The button while the cause is there: down again, with the reason, and nothing hangs.
    await rig.call('instance.restart', { name: 'acme' });
    await rig.until('it is given up again', ({ instances: i }) => i['acme']?.state === 'failed', 60);
    rmSync(flag);
    await rig.call('instance.restart', { name: 'acme' });
    const flowed = (await rig.status()).pipelines['flow']?.delivered ?? 0;
    const { pipelines } = await rig.until(
      'it flows again',
      ({ pipelines: p, instances: i }) => (p['flow']?.delivered ?? 0) > flowed + 100 && i['acme']?.state === 'running',
    );
    expect(pipelines['flow']).toMatchObject({ addsUp: true, dropped: 0, deadLettered: 0 });
    await neighbourNeverNoticed(rig);
  });

  it.each(KINDS)('a %s of others whose config cannot work comes back by the button', async (kind) => {
    const data = await dataFolder();
    const flag = join(data, 'broken');
    writeFileSync(flag, '');
    await writePlugin(data, {
      name: 'acme',
      kind,
      code: quietCode(
        kind,
        `if (existsSync(${JSON.stringify(flag)})) throw new ConfigError('ACME_FLAG', '', 'the flag is up');`,
        "import { existsSync } from 'node:fs';",
      ),
      manifest: { permissions: { files: [`read:${flag}`] } },
    });
    const rig = await startRig(data, configFor(kind));
    const { instances, needsYou } = await rig.until('it failed', (s) => s.instances['acme']?.state === 'failed');
    expect(instances['acme']?.reason).toContain('the flag is up');
    expect(needsYou).toContainEqual(expect.objectContaining({ subject: 'acme' }));
    await rig.call('instance.restart', { name: 'acme' });
    await rig.until('it failed again', (s) => s.instances['acme']?.state === 'failed');
    rmSync(flag);
    await rig.call('instance.restart', { name: 'acme' });
    await rig.until('it runs', (s) => s.instances['acme']?.state === 'running');
    if (kind !== 'source')
      await rig.until('its pipeline flows', ({ pipelines }) => (pipelines['own']?.delivered ?? 0) > 10);
  });

  it('a built-in source and a built-in sink whose ports are taken come back by the button', async () => {
    const data = await dataFolder();
    const take = (port: number): Promise<Server> =>
      new Promise((resolve) => {
        const server = createServer();
        server.listen(port, '127.0.0.1', () => resolve(server));
      });
    const ports = [await freePort(), await freePort()] as const;
    const base = demoConfig([]);
    const rig = await startRig(data, {
      ...base,
      sources: { ...base.sources, amqp: { plugin: 'amqp1', config: { listen: { port: ports[0] } } } },
      sinks: {
        ...base.sinks,
        look: { plugin: 'console' },
        scrape: { plugin: 'prometheus', config: { port: ports[1] } },
      },
      pipelines: {
        ...base.pipelines,
        amqp: { from: ['amqp'], to: ['look'] },
        second: { from: ['demo'], through: ['decode'], to: ['scrape'] },
      },
    });
    await rig.until('all run', ({ instances }) => Object.values(instances).every(({ state }) => state === 'running'));
    // Taken in the moment between its end and its start.
    await rig.call('config.edit', {
      edits: [
        { op: 'set', path: ['pipelines', 'amqp', 'enabled'], value: false },
        { op: 'set', path: ['pipelines', 'second', 'enabled'], value: false },
      ],
    });
    const takers = [await take(ports[0]), await take(ports[1])];
    onTestFinished(() => takers.forEach((server) => void server.close()));
    for (const [name, pipeline] of [
      ['amqp', 'amqp'],
      ['scrape', 'second'],
    ] as const) {
      await expect(
        rig.call('config.edit', { edits: [{ op: 'set', path: ['pipelines', pipeline, 'enabled'], value: true }] }),
      ).rejects.toThrow();
      expect((await rig.status()).instances[name]?.state).not.toBe('running');
    }
    await Promise.all(takers.map((server) => new Promise((resolve) => server.close(resolve))));
    await rig.call('config.edit', {
      edits: [
        { op: 'set', path: ['pipelines', 'amqp', 'enabled'], value: true },
        { op: 'set', path: ['pipelines', 'second', 'enabled'], value: true },
      ],
    });
    await rig.until('all run', ({ instances }) => Object.values(instances).every(({ state }) => state === 'running'));
    for (const name of ['amqp', 'scrape', 'decode', 'demo']) {
      await rig.call('instance.restart', { name });
      await rig.until(`${name} runs`, ({ instances }) => instances[name]?.state === 'running');
    }
    const { pipelines } = await rig.status();
    expect(pipelines['flow']).toMatchObject({ addsUp: true, dropped: 0, deadLettered: 0 });
  });

  it.each(KINDS)('a %s of others that could not be loaded runs when its folder is mended', async (kind) => {
    const data = await dataFolder();
    const folder = await writePlugin(data, { name: 'acme', kind, code: "throw new Error('no such luck');" });
    const rig = await startRig(data, configFor(kind));
    const { instances } = await rig.until('it failed', (s) => s.instances['acme']?.state === 'failed');
    expect(instances['acme']?.reason).toContain('no such luck');
    writeFileSync(join(folder, 'main.js'), quietCode(kind, ''));
    await rig.until('it runs', (s) => s.instances['acme']?.state === 'running', 30);
    if (kind !== 'source')
      await rig.until('its pipeline flows', ({ pipelines }) => (pipelines['own']?.delivered ?? 0) > 10);
  });

  it('a handler whose peer is away when it opens is tried again by itself', async () => {
    const data = await dataFolder();
    const flag = join(data, 'away');
    writeFileSync(flag, '');
    await writePlugin(data, {
      name: 'acme',
      kind: 'handler',
      code: quietCode(
        'handler',
        `if (existsSync(${JSON.stringify(flag)})) throw new NotConnectedError('nobody there');`,
        "import { existsSync } from 'node:fs';",
      ),
      manifest: { permissions: { files: [`read:${flag}`] } },
    });
    const rig = await startRig(data, configFor('handler'));
    await rig.until('it waits', ({ instances }) => instances['acme']?.state === 'retrying');
    rmSync(flag);
    await rig.until('its pipeline flows', ({ pipelines }) => (pipelines['own']?.delivered ?? 0) > 10);
  });
});
