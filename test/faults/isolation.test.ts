/** Each way in which a plugin can misbehave: what ran there comes back or says why not, the rest never notices. */
import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Worker } from 'node:worker_threads';
import { describe, expect, it, onTestFinished } from 'vitest';
import { RheaPeer } from '../../gateway-core/amqp/test-peer.ts';
import { freePort } from '../peers/program.ts';
import { configFor, hasEvent, KINDS, neighbourNeverNoticed, quietCode, withNeighbour } from './acme.ts';
import { dataFolder, demoConfig, eventually, handlerCode, startRig, writePlugin } from './rig.ts';

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

describe('memory of the whole process', () => {
  it('above its limit ends the worker that uses most, and the gateway lives on', async () => {
    const data = await dataFolder();
    await writePlugin(data, {
      name: 'acme',
      kind: 'handler',
      code: handlerCode('hoard.push(Buffer.alloc(4 << 20, 1)); return m;', 'const hoard = [];'),
    });
    const memoryMb = Math.round(process.memoryUsage.rss() / 2 ** 20) + 500;
    const rig = await startRig(data, withNeighbour(demoConfig(['acme'], {}, 100)), {
      memoryMb,
      workerBuffersMb: 100_000,
    });
    await eventually('the warning', () => hasEvent(rig, 'PB_PROCESS_MEMORY'), 60);
    await eventually('the end', () => hasEvent(rig, 'PB_WORKER_MEMORY', 'Worker plugin:acme was the largest'), 60);
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
