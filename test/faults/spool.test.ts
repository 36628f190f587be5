/** The spool before a sink, in a running gateway: what was acknowledged reaches the sink, whatever happens between. */
import { existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import Database from 'better-sqlite3';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import type { GatewayConfig } from '../../gateway-core/protocol/model.ts';
import { freePort } from '../peers/program.ts';
import { dataFolder, eventually, startRig, writePlugin } from './rig.ts';

/** A sink of custody `remote` whose peer is a folder: away while there is a file `away` in it. */
const PEER = `
import { appendFileSync, existsSync } from 'node:fs';
import { defineSink, NotConnectedError } from 'patchbay/plugin-api';
export default defineSink({
  custody: 'remote',
  create: ({ config }) => ({
    open() { if (existsSync(config.folder + '/away')) throw new NotConnectedError('the peer is away'); },
    write(batch) {
      if (existsSync(config.folder + '/away')) throw new NotConnectedError('the peer is away');
      appendFileSync(config.folder + '/got', batch.map((m) => String(m.data) + '\\n').join(''));
    },
    close() {},
  }),
});
`;

async function peerPlugin(data: string, folder: string): Promise<void> {
  await writePlugin(data, {
    name: 'peer',
    kind: 'sink',
    code: PEER,
    files: {
      'schema.json': JSON.stringify({
        type: 'object',
        required: ['folder'],
        properties: { folder: { type: 'string', description: 'Where the peer lives.' } },
        additionalProperties: false,
      }),
    },
    manifest: {
      contributes: [
        {
          kind: 'sink',
          name: 'peer',
          main: './main.js',
          accepts: ['*'],
          custody: 'remote',
          config: { $ref: './schema.json' },
        },
      ],
      permissions: { files: [`readwrite:${folder}/*`, `readwrite:${folder}`] },
    },
  });
}

/** Numbered messages over HTTP; each is accepted or not, and we know which. */
async function send(port: number, from: number, count: number): Promise<number[]> {
  const accepted: number[] = [];
  for (let i = from; i < from + count; i += 50) {
    const numbers = Array.from({ length: Math.min(50, from + count - i) }, (_, k) => i + k);
    const body = JSON.stringify(
      numbers.map((n) => ({ specversion: '1.0', id: `n${n}`, source: '/t', type: 't', data: n })),
    );
    const answer = await fetch(`http://127.0.0.1:${port}/events`, {
      method: 'POST',
      headers: { 'content-type': 'application/cloudevents-batch+json' },
      body,
      signal: AbortSignal.timeout(3000),
    }).catch(() => undefined);
    if (answer?.status !== 202) break;
    accepted.push(...numbers);
  }
  return accepted;
}

type Buffer = NonNullable<NonNullable<GatewayConfig['sinks']>[string]['buffer']>;

function configOf(folder: string, port: number, buffer: Partial<Buffer> = {}): GatewayConfig {
  return {
    version: 1,
    sources: { in: { plugin: 'http-events', config: { port } } },
    sinks: { out: { plugin: 'peer', config: { folder }, buffer: { kind: 'disk', ...buffer } } },
    pipelines: { flow: { from: ['in'], to: ['out'] } },
  };
}

async function rigged(buffer: Partial<Buffer> = {}) {
  const home = await dataFolder();
  const folder = await dataFolder();
  const port = await freePort();
  await peerPlugin(home, folder);
  const config = configOf(folder, port, buffer);
  const got = (): number[] =>
    existsSync(join(folder, 'got'))
      ? readFileSync(join(folder, 'got'), 'utf8').trim().split('\n').filter(Boolean).map(Number)
      : [];
  const away = join(folder, 'away');
  return {
    data: home,
    folder,
    port,
    config,
    got,
    leave: () => writeFileSync(away, ''),
    comeBack: () => rmSync(away, { force: true }),
    start: () => startRig(home, config),
  };
}

const spoolFile = (data: string): string =>
  join(
    data,
    'spool',
    readdirSync(join(data, 'spool')).find((name) => /^out\.[0-9a-f]{8}\.sqlite$/.test(name)) as string,
  );
const numbers = (count: number): number[] => Array.from({ length: count }, (_, i) => i);
const sorted = (list: readonly number[]): number[] => list.toSorted((a, b) => a - b);

describe('a sink whose peer is away', () => {
  it('is spooled for, upstream is told 202, and it gets everything in order when the peer is back', async () => {
    const peer = await rigged();
    peer.leave();
    const rig = await peer.start();
    expect(await send(peer.port, 0, 1000)).toHaveLength(1000);
    const waiting = await rig.until('all spooled', ({ sinks }) => sinks['out']?.spooled === 1000);
    expect(waiting.pipelines['flow']).toMatchObject({
      received: 1000,
      spooled: 1000,
      delivered: 0,
      inFlight: 0,
      addsUp: true,
    });
    expect(waiting.sinks['out']).toMatchObject({ buffer: 'disk', custody: 'remote', circuit: 'open' });
    peer.comeBack();
    const after = await rig.until('all delivered', ({ pipelines }) => pipelines['flow']?.delivered === 1000);
    expect(after.pipelines['flow']).toMatchObject({ received: 1000, spooled: 0, addsUp: true });
    expect(peer.got()).toEqual(numbers(1000));
  });

  it('keeps what is spooled over a stop, and counts it as carried over', async () => {
    const peer = await rigged();
    peer.leave();
    const first = await peer.start();
    expect(await send(peer.port, 0, 300)).toHaveLength(300);
    await first.gateway.stop(1000);
    const second = await peer.start();
    const carried = await second.until('the recount', ({ pipelines }) => pipelines['flow']?.carried === 300);
    expect(carried.pipelines['flow']).toMatchObject({ received: 300, spooled: 300, addsUp: true });
    expect(await send(peer.port, 300, 100)).toHaveLength(100);
    peer.comeBack();
    const after = await second.until('all delivered', ({ pipelines }) => pipelines['flow']?.delivered === 400);
    expect(after.pipelines['flow']).toMatchObject({ received: 400, carried: 300, spooled: 0, addsUp: true });
    expect(peer.got()).toEqual(numbers(400));
  });

  it('blocks its pipeline when the spool is full, and says so; nothing accepted is lost', async () => {
    const peer = await rigged({ max: '128KiB' });
    peer.leave();
    const rig = await peer.start();
    const accepted = await send(peer.port, 0, 3000);
    expect(accepted.length).toBeGreaterThan(100);
    expect(accepted.length).toBeLessThan(3000);
    const full = await rig.until('blocked', ({ pipelines }) => pipelines['flow']?.state === 'blocked');
    expect(full.pipelines['flow']?.blockedBy).toEqual(['out']);
    expect(full.sinks['out']?.spooledBytes).toBeLessThanOrEqual(128 * 1024);
    expect(full.needsYou.map(({ code }) => code)).toContain('PB_SPOOL_FULL');
    peer.comeBack();
    const after = await rig.until('empty', ({ sinks }) => sinks['out']?.spooled === 0);
    expect(after.pipelines['flow']).toMatchObject({ state: 'running', addsUp: true });
    expect(peer.got().filter((n) => accepted.includes(n))).toEqual(accepted);
  });

  it.each(['dropNewest', 'dropOldest'] as const)('%s: drops, counts and tells', async (whenFull) => {
    const peer = await rigged({ max: '64KiB', whenFull });
    peer.leave();
    const rig = await peer.start();
    expect(await send(peer.port, 0, 3000)).toHaveLength(3000);
    const full = await rig.until('drops', ({ pipelines }) => (pipelines['flow']?.dropped ?? 0) > 0);
    expect(full.pipelines['flow']).toMatchObject({ received: 3000, delivered: 0, addsUp: true });
    await eventually('an event', async () => (await rig.events()).some(({ type }) => type === 'spool.dropped'));
    peer.comeBack();
    const after = await rig.until('empty', ({ sinks }) => sinks['out']?.spooled === 0);
    const { delivered = 0, dropped = 0 } = after.pipelines['flow'] ?? {};
    expect(delivered + dropped).toBe(3000);
    expect(after.pipelines['flow']?.addsUp).toBe(true);
    const got = peer.got();
    expect(got).toEqual(sorted(got));
    if (whenFull === 'dropNewest') expect(got.slice(0, 100)).toEqual(numbers(100));
    else expect(got.at(-1)).toBe(2999);
  });
});

describe('what happens to the file', () => {
  it('deleted while it is in use: all of it is written anew', async () => {
    const peer = await rigged();
    peer.leave();
    const rig = await peer.start();
    expect(await send(peer.port, 0, 200)).toHaveLength(200);
    const file = spoolFile(peer.data);
    rmSync(file);
    rmSync(`${file}-wal`, { force: true });
    await eventually('an event', async () => (await rig.events()).some(({ code }) => code === 'PB_SPOOL_GONE'));
    expect(existsSync(file)).toBe(true);
    await rig.gateway.stop(1000);
    const second = await peer.start();
    peer.comeBack();
    await second.until('all delivered', ({ pipelines }) => pipelines['flow']?.delivered === 200);
    expect(peer.got()).toEqual(numbers(200));
  });

  it('damaged while stopped: what can be read is delivered, and it is said what could not', async () => {
    const peer = await rigged();
    peer.leave();
    const first = await peer.start();
    expect(await send(peer.port, 0, 2000)).toHaveLength(2000);
    await first.gateway.stop(1000);
    const file = spoolFile(peer.data);
    const bytes = readFileSync(file);
    bytes.fill(0xa5, Math.floor(bytes.length / 2), Math.floor(bytes.length / 2) + 9000);
    writeFileSync(file, bytes);
    peer.comeBack();
    const second = await peer.start();
    await second.until('empty', ({ sinks }) => sinks['out']?.spooled === 0 && (sinks['out']?.delivered ?? 0) > 0);
    expect(peer.got().length).toBeGreaterThan(500);
    expect(peer.got().length).toBeLessThan(2000);
    const codes = (await second.events()).map(({ code }) => code);
    expect(codes.some((code) => code === 'PB_SPOOL_SALVAGED' || code === 'PB_SPOOL_DAMAGED')).toBe(true);
    expect(await send(peer.port, 5000, 50)).toHaveLength(50);
    await eventually('the flow goes on', () => peer.got().includes(5049));
  });

  it('held by another program: nothing is accepted meanwhile, then it goes on by itself', async () => {
    const peer = await rigged();
    peer.leave();
    const first = await peer.start();
    expect(await send(peer.port, 0, 50)).toHaveLength(50);
    await first.gateway.stop(1000);
    const other = new Database(spoolFile(peer.data));
    onTestFinished(() => void other.close());
    other.exec('BEGIN EXCLUSIVE');
    const second = await peer.start();
    await second.until('told', ({ needsYou }) => needsYou.some(({ code }) => code === 'PB_SPOOL_FAILING'));
    expect(await send(peer.port, 50, 50)).toEqual([]);
    other.exec('ROLLBACK');
    other.close();
    peer.comeBack();
    await eventually('accepted again', async () => (await send(peer.port, 100, 50)).length === 50);
    await eventually('delivered', () => peer.got().includes(149));
    expect(peer.got().slice(0, 50)).toEqual(numbers(50));
  });
});

describe('what an operator does', () => {
  it('pauses a sink: what comes is spooled; resumes it: all is delivered', async () => {
    const peer = await rigged();
    const rig = await peer.start();
    await rig.call('flow.pause', { name: 'out' });
    expect(await send(peer.port, 0, 100)).toHaveLength(100);
    const paused = await rig.until('spooled', ({ sinks }) => sinks['out']?.spooled === 100);
    expect(paused.sinks['out']).toMatchObject({ paused: true, state: 'paused' });
    expect(peer.got()).toEqual([]);
    await rig.call('flow.resume', { name: 'out' });
    await rig.until('delivered', ({ pipelines }) => pipelines['flow']?.delivered === 100);
    expect(peer.got()).toEqual(numbers(100));
  });

  it('purges a sink: what waits is dropped and counted, what comes later is delivered', async () => {
    const peer = await rigged();
    peer.leave();
    const rig = await peer.start();
    expect(await send(peer.port, 0, 200)).toHaveLength(200);
    await rig.until('spooled', ({ sinks }) => sinks['out']?.spooled === 200);
    expect(await rig.call('flow.purge', { name: 'out' })).toEqual({ messages: 200 });
    const purged = await rig.until('counted', ({ pipelines }) => pipelines['flow']?.dropped === 200);
    expect(purged.pipelines['flow']).toMatchObject({ spooled: 0, addsUp: true });
    peer.comeBack();
    expect(await send(peer.port, 500, 10)).toHaveLength(10);
    await rig.until('delivered', ({ pipelines }) => pipelines['flow']?.delivered === 10);
    expect(peer.got()).toEqual(numbers(10).map((n) => n + 500));
    expect((await rig.events()).some(({ type }) => type === 'sink.purged')).toBe(true);
  });

  const without = (peer: { config: GatewayConfig }): string =>
    JSON.stringify({
      ...peer.config,
      sinks: { other: { plugin: 'console' } },
      pipelines: { flow: { from: ['in'], to: ['other'] } },
    });

  it('removes a sink that holds messages only with a choice; kept ones come back with a sink of that name', async () => {
    const peer = await rigged();
    peer.leave();
    const rig = await peer.start();
    expect(await send(peer.port, 0, 100)).toHaveLength(100);
    await rig.until('spooled', ({ sinks }) => sinks['out']?.spooled === 100);
    expect((await rig.call('config.plan', { yaml: without(peer) })).plan.undelivered).toEqual({ out: 100 });
    await expect(rig.call('config.apply', { yaml: without(peer) })).rejects.toMatchObject({
      code: 'PB_SPOOL_DECISION',
    });
    expect((await rig.status()).sinks['out']?.spooled).toBe(100);
    await rig.call('config.apply', { yaml: without(peer), spools: { out: 'keep' } });
    const orphaned = await rig.until('an orphan', ({ needsYou }) =>
      needsYou.some(({ code }) => code === 'PB_SPOOL_ORPHAN'),
    );
    expect(orphaned.sinks['out']).toBeUndefined();
    expect(await rig.call('spools.list', {})).toMatchObject({ spools: [{ sink: 'out', orphan: true, messages: 100 }] });
    peer.comeBack();
    await rig.call('config.apply', { yaml: JSON.stringify(peer.config) });
    await eventually('delivered', () => peer.got().length === 100);
    expect(peer.got()).toEqual(numbers(100));
  });

  it('removes a sink after it has delivered everything', async () => {
    const peer = await rigged();
    peer.leave();
    const rig = await peer.start();
    expect(await send(peer.port, 0, 100)).toHaveLength(100);
    await rig.until('spooled', ({ sinks }) => sinks['out']?.spooled === 100);
    peer.comeBack();
    await rig.call('config.apply', { yaml: without(peer), spools: { out: 'drain' } });
    expect(peer.got()).toEqual(numbers(100));
    expect(await rig.call('spools.list', {})).toEqual({ spools: [] });
    expect((await rig.status()).pipelines['flow']?.state).toBe('running');
  });

  it('puts everything back when the sink does not drain in time', async () => {
    const peer = await rigged();
    peer.leave();
    const rig = await startRig(peer.data, peer.config, { drainSeconds: 1 });
    expect(await send(peer.port, 0, 100)).toHaveLength(100);
    await rig.until('spooled', ({ sinks }) => sinks['out']?.spooled === 100);
    await expect(rig.call('config.apply', { yaml: without(peer), spools: { out: 'drain' } })).rejects.toMatchObject({
      code: 'PB_SPOOL_NOT_DRAINED',
    });
    expect((await rig.status()).pipelines['flow']?.state).toBe('running');
    expect(await send(peer.port, 100, 50)).toHaveLength(50);
    peer.comeBack();
    await eventually('delivered', () => peer.got().length === 150);
  });

  it('removes a sink with what it holds, and can discard what was kept', async () => {
    const peer = await rigged();
    peer.leave();
    const rig = await peer.start();
    expect(await send(peer.port, 0, 100)).toHaveLength(100);
    await rig.until('spooled', ({ sinks }) => sinks['out']?.spooled === 100);
    await rig.call('config.apply', { yaml: without(peer), spools: { out: 'discard' } });
    expect(await rig.call('spools.list', {})).toEqual({ spools: [] });
    await rig.call('config.apply', { yaml: JSON.stringify(peer.config) });
    expect(await send(peer.port, 100, 20)).toHaveLength(20);
    await rig.call('config.apply', { yaml: without(peer), spools: { out: 'keep' } });
    expect(await rig.call('spools.discard', { name: 'out' })).toEqual({ messages: 20 });
    expect(await rig.call('spools.list', {})).toEqual({ spools: [] });
    await expect(rig.call('spools.discard', { name: 'out' })).rejects.toMatchObject({ code: 'PB_SPOOL_UNKNOWN' });
  });

  it('turns a spooled sink into one that buffers in memory: what the spool holds is delivered all the same', async () => {
    const peer = await rigged();
    peer.leave();
    const rig = await peer.start();
    expect(await send(peer.port, 0, 100)).toHaveLength(100);
    await rig.until('spooled', ({ sinks }) => sinks['out']?.spooled === 100);
    const config = configOf(peer.folder, peer.port, { kind: 'memory' });
    await rig.call('config.apply', { yaml: JSON.stringify(config) });
    peer.comeBack();
    await eventually('delivered', () => peer.got().length === 100);
    expect(await send(peer.port, 100, 50)).toHaveLength(50);
    await eventually('delivered directly', () => peer.got().includes(149));
  });
});

describe('a sink that buffers in memory', () => {
  it('is paused, purged and drained without a spool thread', async () => {
    const peer = await rigged({ kind: 'memory' });
    const rig = await peer.start();
    await rig.call('flow.pause', { name: 'out' });
    const held = send(peer.port, 0, 50);
    await rig.until('held', ({ sinks }) => sinks['out']?.queued === 50);
    expect(await rig.call('flow.purge', { name: 'out' })).toEqual({ messages: 50 });
    expect(await held).toHaveLength(50);
    await rig.call('flow.resume', { name: 'out' });
    expect(await send(peer.port, 100, 50)).toHaveLength(50);
    await rig.call('flow.drain', { name: 'out' });
    expect(peer.got()).toEqual(numbers(50).map((n) => n + 100));
    expect((await rig.status()).pipelines['flow']).toMatchObject({
      received: 100,
      delivered: 50,
      dropped: 50,
      addsUp: true,
    });
    expect(existsSync(join(peer.data, 'spool'))).toBe(false);
  });
});
