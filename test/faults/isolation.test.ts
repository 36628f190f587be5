/** Each way in which a plugin can misbehave: what ran there comes back or says why not, the rest never notices. */
import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:net';
import { join } from 'node:path';
import type { Worker } from 'node:worker_threads';
import { describe, expect, it, onTestFinished } from 'vitest';
import { RheaPeer } from '../../gateway-core/amqp/test-peer.ts';
import type { GatewayConfig } from '../../gateway-core/protocol/model.ts';
import { freePort } from '../peers/program.ts';
import { dataFolder, demoConfig, eventually, handlerCode, startRig, writePlugin, type Rig } from './rig.ts';

/** Beside the plugin under test, a pipeline that must never notice. */
function withNeighbour(config: GatewayConfig): GatewayConfig {
  return {
    ...config,
    sources: { ...config.sources, calm: { plugin: 'generator', config: { rate: 200, faults: 0 } } },
    sinks: { ...config.sinks, beside: { plugin: 'prometheus', config: { port: 0 } } },
    handlers: { ...config.handlers, plain: { plugin: 'collectd-metrics' } },
    pipelines: { ...config.pipelines, neighbour: { from: ['calm'], through: ['plain'], to: ['beside'] } },
  };
}

async function neighbourNeverNoticed(rig: Rig): Promise<void> {
  const before = (await rig.status()).pipelines['neighbour']?.delivered ?? 0;
  const { pipelines, instances } = await rig.until(
    'the neighbour flows',
    (status) => (status.pipelines['neighbour']?.delivered ?? 0) > before + 100,
  );
  expect(pipelines['neighbour']).toMatchObject({ addsUp: true, returned: 0, dropped: 0, state: 'running' });
  expect([instances['calm']?.restarts, instances['beside']?.restarts]).toEqual([0, 0]);
}

const hasEvent = async (rig: Rig, code: string, text = ''): Promise<boolean> =>
  (await rig.events()).some((event) => event.code === code && event.message.includes(text));

/** Code of a plugin that does what `open` says when it begins, and else nothing wrong. */
function quietCode(kind: 'source' | 'handler' | 'sink', open: string, head = ''): string {
  const made = {
    source: `({ async start() { ${open} }, stop() {}, close() {} })`,
    handler: `({ async open() { ${open} }, handle: (batch) => batch })`,
    sink: `({ async open() { ${open} }, write: () => undefined, close() {} })`,
  };
  const custody = kind === 'sink' ? "custody: 'view', " : '';
  const define = `define${kind[0]?.toUpperCase() ?? ''}${kind.slice(1)}`;
  return `import { ${define}, ConfigError, NotConnectedError } from 'patchbay/plugin-api';\n${head}\nexport default ${define}({ ${custody}create: (context) => ${made[kind]} });\n`;
}

/** The plugin `acme` in its place in a pipeline of its own, `own`. */
function configFor(kind: 'source' | 'handler' | 'sink'): GatewayConfig {
  const base = demoConfig([]);
  const acme = { acme: { plugin: 'acme' } };
  return {
    ...base,
    sources: { ...base.sources, other: { plugin: 'generator' }, ...(kind === 'source' ? acme : {}) },
    handlers: { ...base.handlers, ...(kind === 'handler' ? acme : {}) },
    sinks: { ...base.sinks, look: { plugin: 'console' }, ...(kind === 'sink' ? acme : {}) },
    pipelines: {
      ...base.pipelines,
      own: {
        from: [kind === 'source' ? 'acme' : 'other'],
        through: kind === 'handler' ? ['acme'] : [],
        to: [kind === 'sink' ? 'acme' : 'look'],
      },
    },
  };
}

const KINDS = ['source', 'handler', 'sink'] as const;

describe('memory', () => {
  it('in Buffers, in a loop that never ends, ends the worker that holds it', async () => {
    const data = await dataFolder();
    await writePlugin(data, {
      name: 'acme',
      kind: 'handler',
      code: handlerCode(
        'if (n++ > 50) for (;;) { if (hoard.length < 400) hoard.push(Buffer.alloc(1 << 20, 1)); } return m;',
        'const hoard = []; let n = 0;',
      ),
    });
    const rig = await startRig(data, withNeighbour(demoConfig(['acme'])), { workerBuffersMb: 128 });
    await eventually('the limit', () => hasEvent(rig, 'PB_WORKER_MEMORY', 'in Buffers; 128 MB are allowed'), 60);
    await neighbourNeverNoticed(rig);
  });
});

describe('a rejected promise that nobody handles', () => {
  it.each(KINDS)('is told of the %s it came from, and restarts it when it repeats', async (kind) => {
    const data = await dataFolder();
    const reject = `setTimeout(async () => { throw new Error('forgotten ' + life); }, 10);`;
    await writePlugin(data, {
      name: 'acme',
      kind,
      code: quietCode(
        kind,
        `globalThis.lives = (globalThis.lives ?? 0) + 1; const life = globalThis.lives; ${reject} if (life === 1) { setTimeout(() => { ${reject} }, 2500); setTimeout(() => { ${reject} }, 2600); }`,
      ),
    });
    const rig = await startRig(data, withNeighbour(configFor(kind)));
    const { instances } = await rig.until('it is degraded', (status) => status.instances['acme']?.state === 'degraded');
    expect(instances['acme']?.reason).toContain('forgotten 1');
    expect(await hasEvent(rig, 'PB_INSTANCE_REJECTION', 'acme left a rejected promise unhandled')).toBe(true);
    await rig.until('its next life', (status) => status.instances['acme']?.reason.includes('forgotten 2') ?? false);
    expect((await rig.status()).instances['acme']).toMatchObject({ state: 'degraded' });
    expect(await hasEvent(rig, 'PB_WORKER_CRASHED')).toBe(false);
    await neighbourNeverNoticed(rig);
  });
});

describe('an error that nobody caught', () => {
  it('names the instance it came from', async () => {
    const data = await dataFolder();
    await writePlugin(data, {
      name: 'acme',
      kind: 'sink',
      code: quietCode('sink', `setTimeout(() => { throw new Error('out of nowhere'); }, 50);`),
    });
    const rig = await startRig(data, withNeighbour(configFor('sink')));
    await eventually('the crash', () => hasEvent(rig, 'PB_WORKER_CRASHED', 'of an error in acme: out of nowhere'));
    await neighbourNeverNoticed(rig);
  });
});

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
    onTestFinished(() => void takers.forEach((server) => server.close()));
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

describe('what an instance leaves behind', () => {
  it('keeps no port from its next life, and is told of', async () => {
    const data = await dataFolder();
    const port = await freePort();
    await writePlugin(data, {
      name: 'acme',
      kind: 'source',
      code: quietCode(
        'source',
        `setInterval(() => {}, 1000); const server = createServer(); await new Promise((resolve, reject) => { server.once('error', reject); server.listen(${port}, '127.0.0.1', resolve); });`,
        "import { createServer } from 'node:net';",
      ),
    });
    const rig = await startRig(data, withNeighbour(configFor('source')));
    await rig.until('it runs', ({ instances }) => instances['acme']?.state === 'running');
    await rig.call('instance.restart', { name: 'acme' });
    await rig.until('it runs again', ({ instances }) => instances['acme']?.state === 'running');
    await eventually('the port', () =>
      hasEvent(rig, 'PB_INSTANCE_LEAKS', 'acme has ended and left behind: 1 listening port'),
    );
    await eventually('the interval', () => hasEvent(rig, 'PB_INSTANCE_LEAKS', '1 interval'));
    await neighbourNeverNoticed(rig);

    // Removed: its thread, and with it all it had left, is gone.
    const gone = threadEnds('plugin:acme');
    await rig.call('config.edit', {
      edits: [
        { op: 'delete', path: ['pipelines', 'own'] },
        { op: 'delete', path: ['sources', 'acme'] },
      ],
    });
    await gone;
    await neighbourNeverNoticed(rig);
  });
});

/** Threads of gateways of this process. */
const threads = new Map<string, Worker>();
const noticed = (message: unknown): void => {
  const { worker } = message as { worker: Worker & { threadName?: string } };
  threads.set(worker.threadName ?? '', worker);
};
subscribe('worker_threads', noticed);
const threadEnds = (name: string): Promise<unknown> =>
  new Promise((resolve) => (threads.get(name) as Worker).once('exit', resolve));

describe('a worker of the pool that dies', () => {
  it('takes no connection, message or order from instances in other workers', async () => {
    onTestFinished(() => void unsubscribe('worker_threads', noticed));
    const data = await dataFolder();
    const ports = [await freePort(), await freePort()] as const;
    const files = ports.map((port) => join(data, `${port}.jsonl`));
    const rig = await startRig(
      data,
      {
        version: 1,
        sources: Object.fromEntries(
          ports.map((port, i) => [`in${i}`, { plugin: 'amqp1', config: { listen: { port } } }]),
        ),
        sinks: Object.fromEntries(files.map((path, i) => [`out${i}`, { plugin: 'json-file', config: { path } }])),
        pipelines: Object.fromEntries(ports.map((_, i) => [`flow${i}`, { from: [`in${i}`], to: [`out${i}`] }])),
      },
      { workers: 2 },
    );
    const { instances } = await rig.until('both run', (s) =>
      ['in0', 'in1', 'out0', 'out1'].every((name) => s.instances[name]?.state === 'running'),
    );
    expect([instances['in0']?.placement, instances['out0']?.placement]).toEqual(['worker-1', 'worker-1']);
    expect([instances['in1']?.placement, instances['out1']?.placement]).toEqual(['worker-2', 'worker-2']);
    const peer = new RheaPeer(ports[1], 'a');
    onTestFinished(() => peer.close());
    let sent = 0;
    const keepSending = (): void => {
      while (peer.unsent < 100 && sent < 20_000) peer.send({ body: String(sent), message_id: String(sent++) });
    };
    const toldMoreThan = async (count: number): Promise<void> =>
      eventually(`${count} were told`, () => {
        keepSending();
        return peer.told.length > count;
      });
    await toldMoreThan(500);
    await (threads.get('worker-1') as Worker).terminate();
    const before = peer.told.length;
    await toldMoreThan(before + 500);
    await rig.until('the other is back', (s) => s.instances['in0']?.state === 'running');
    await toldMoreThan(peer.told.length + 500);
    await eventually('all were told', () => peer.told.length === sent);
    expect(peer.errors).toEqual([]);
    expect(new Set(peer.told.map(({ outcome }) => outcome))).toEqual(new Set(['accepted']));
    const lines = readFileSync(files[1] as string, 'utf8')
      .trimEnd()
      .split('\n');
    expect(lines.map((line) => Number((JSON.parse(line) as { data: string }).data))).toEqual(
      Array.from({ length: sent }, (_, i) => i),
    );
    expect((await rig.status()).instances['in1']?.restarts).toBe(0);
    expect((await rig.status()).pipelines['flow1']).toMatchObject({ addsUp: true, returned: 0 });
    expect(existsSync(files[0] as string)).toBe(true);
  });
});

describe('the state of a plugin', () => {
  it('is there after a crash of its worker and after an update', async () => {
    const data = await dataFolder();
    const code = (version: number): string => `
      import { defineSource } from 'patchbay/plugin-api';
      export default defineSource({ create: (context) => ({
        async start() {
          const lives = [...((await context.state.get('lives')) ?? []), ${version}];
          await context.state.apply({ set: { lives, ['life ' + lives.length]: true }, delete: ['life ' + (lives.length - 1)] });
          const keys = await context.state.keys();
          setTimeout(() => context.health({ state: 'degraded', reason: JSON.stringify([lives, keys]) }), 50);
          if (lives.length === 1) setTimeout(() => { throw new Error('crash'); }, 300);
        }, stop() {}, close() {} }) });`;
    await writePlugin(data, { name: 'acme', kind: 'source', code: code(1) });
    const rig = await startRig(data, configFor('source'));
    const seen = (lives: number[]): Promise<unknown> =>
      rig.until(
        `its lives are ${lives.join()}`,
        ({ instances }) => instances['acme']?.reason === JSON.stringify([lives, [`life ${lives.length}`, 'lives']]),
      );
    await seen([1, 1]);
    await writePlugin(data, { name: 'acme', kind: 'source', code: code(2), version: '2.0.0' });
    await seen([1, 1, 2]);
  });
});
