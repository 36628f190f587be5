/** Dedupe remembers what was delivered, and only that, whatever dies in between. */
import { cpSync, existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, describe, expect, it, onTestFinished } from 'vitest';
import { RheaPeer } from '../../gateway-core/amqp/test-peer.ts';
import { endsWithTest, folder, removeFolders, startGateway, type RunningGateway } from '../cli/patchbay.ts';
import { eventually as until, freePort } from '../peers/program.ts';
import { dataFolder, eventually, startRig, writePlugin } from './rig.ts';

afterAll(removeFolders);

/** How often each body is in the file. */
function countsIn(file: string): Map<string, number> {
  const counts = new Map<string, number>();
  if (!existsSync(file)) return counts;
  for (const line of readFileSync(file, 'utf8').split('\n')) {
    if (line === '') continue;
    const { data } = JSON.parse(line) as { data: string };
    counts.set(data, (counts.get(data) ?? 0) + 1);
  }
  return counts;
}

it('killed again and again: nothing is swallowed, and nothing that was accepted passes twice', async () => {
  const port = await freePort();
  const out = join(folder('out'), 'out.jsonl');
  const data = folder('data');
  const input = `version: 1
sources:
  telemetry: { plugin: amqp1, config: { listen: { port: ${port} } } }
handlers:
  once: { plugin: dedupe, config: { key: data, window: 1h } }
sinks:
  file: { plugin: json-file, config: { path: ${out} } }
pipelines:
  flow: { from: [telemetry], through: [once], to: [file] }
`;
  const run = async (): Promise<RunningGateway> => endsWithTest(await startGateway('-', { data, input }));
  const told = new Map<string, number>();
  const sent = new Map<string, number>();
  /** Accepted when it was first sent: it was delivered once, and is known since. */
  const acceptedAtFirst = new Set<string>();
  let names = 0;
  for (let round = 0; round < 4; round++) {
    const gateway = await run();
    const peer = new RheaPeer(port, 'a');
    // What was not accepted comes again, as its sender would do; and some of what was, as a sender that lost count.
    const again = [...sent.keys()].filter((name) => !told.has(name));
    again.push(...[...told.keys()].slice(-1000));
    const atStart = names;
    await until(
      () => `${peer.told.length} were accepted in round ${round}`,
      () => {
        while (peer.unsent < 5000) {
          const name = again.shift() ?? `m${names++}`;
          sent.set(name, (sent.get(name) ?? 0) + 1);
          peer.send({ body: name });
          // At once, too: its first one is under way.
          if (names % 10 === 0) peer.send({ body: name });
        }
        return (again.length === 0 && names > atStart && peer.told.length > 3000 * (round + 1)) || undefined;
      },
    );
    gateway.signal('SIGKILL');
    await gateway.ended;
    await until(
      () => 'the sender has lost its connection',
      () => peer.errors.length > 0 || undefined,
    );
    for (const { body, outcome } of peer.told) {
      if (outcome !== 'accepted') continue;
      const name = String(body);
      told.set(name, round);
      if (sent.get(name) === 1) acceptedAtFirst.add(name);
    }
    peer.close();
  }
  // The rest, in peace.
  const last = await run();
  const peer = new RheaPeer(port, 'a');
  const rest = [...sent.keys()].filter((name) => !told.has(name));
  for (const name of rest) peer.send({ body: name });
  await until(
    () => `${peer.told.length} of ${rest.length} were accepted`,
    () => peer.told.length === rest.length || undefined,
  );
  expect(new Set(peer.told.map(({ outcome }) => outcome))).toEqual(new Set(rest.length === 0 ? [] : ['accepted']));
  last.signal('SIGTERM');
  expect((await last.ended).code).toBe(0);
  peer.close();

  const counts = countsIn(out);
  expect([...sent.keys()].filter((name) => !counts.has(name))).toEqual([]);
  expect(acceptedAtFirst.size).toBeGreaterThan(5000);
  expect([...acceptedAtFirst].filter((name) => counts.get(name) !== 1)).toEqual([]);
});

describe('a message that was given back', () => {
  it('is not swallowed when it is sent again, nor is a duplicate that came meanwhile', async () => {
    const data = await dataFolder();
    const port = await freePort();
    const away = join(data, 'away');
    writeFileSync(away, '');
    const got = join(data, 'got');
    await writePlugin(data, {
      name: 'acme',
      kind: 'sink',
      code: `import { defineSink, NotConnectedError } from 'patchbay/plugin-api';
import { appendFileSync, existsSync } from 'node:fs';
const check = () => { if (existsSync(${JSON.stringify(away)})) throw new NotConnectedError('away'); };
export default defineSink({ custody: 'view', create: () => ({ open: check, write(batch) { check(); for (const { data } of batch) appendFileSync(${JSON.stringify(got)}, data + '\\n'); }, close() {} }) });`,
      manifest: { permissions: { files: [`read:${away}`, `readwrite:${got}`] } },
    });
    const rig = await startRig(
      data,
      {
        version: 1,
        sources: { in: { plugin: 'amqp1', config: { listen: { port } } } },
        handlers: { once: { plugin: 'dedupe', config: { key: 'data' } } },
        sinks: { out: { plugin: 'acme' } },
        pipelines: { flow: { from: ['in'], through: ['once'], to: ['out'] } },
      },
      { deadlineMs: 2000 },
    );
    await rig.until('it listens', ({ instances }) => instances['in']?.state === 'running');
    const peer = new RheaPeer(port, 'a');
    onTestFinished(() => peer.close());
    peer.send({ body: 'one' });
    peer.send({ body: 'two' });
    await rig.until('they wait', ({ pipelines }) => pipelines['flow']?.inFlight === 2);
    peer.send({ body: 'one' });
    await eventually('all three are given back', () => peer.told.length === 3);
    expect(peer.told.map(({ outcome }) => outcome)).toEqual(['released', 'released', 'released']);
    rmSync(away);
    await rig.until('the sink is back', ({ instances }) => instances['out']?.state === 'running', 60);
    for (const body of ['one', 'one', 'two']) peer.send({ body });
    await eventually('all are taken', () => peer.told.length === 6, 60);
    expect(peer.told.slice(3).map(({ outcome }) => outcome)).toEqual(['accepted', 'accepted', 'accepted']);
    expect(readFileSync(got, 'utf8').trim().split('\n').toSorted()).toEqual(['one', 'two']);
    const { pipelines } = await rig.status();
    expect(pipelines['flow']).toMatchObject({ delivered: 2, filtered: 1, returned: 3, addsUp: true });
  });
});

describe('one memory', () => {
  it('serves sources in different threads, also as a plugin of others that dies', async () => {
    const data = await dataFolder();
    const home = join(data, 'plugins', 'acme-once');
    cpSync(fileURLToPath(new URL('../../plugins/dedupe', import.meta.url)), home, { recursive: true });
    const manifest = JSON.parse(readFileSync(join(home, 'plugin.json'), 'utf8')) as {
      name: string;
      contributes: { name: string; main: string }[];
    };
    manifest.name = 'acme-once';
    Object.assign(manifest.contributes[0] as object, { name: 'acme-once', main: './mortal.ts' });
    writeFileSync(join(home, 'plugin.json'), JSON.stringify(manifest));
    // It dies of one message, as often as it gets it.
    writeFileSync(
      join(home, 'mortal.ts'),
      `import { defineHandler, type Context } from 'patchbay/plugin-api';
import dedupe, { type DedupeConfig } from './handler.ts';
export default defineHandler<DedupeConfig>({
  create(context: Context<DedupeConfig>) {
    const made = dedupe.create(context);
    return {
      open: () => made.open?.(),
      settled: (results) => made.settled?.(results),
      handle(batch) {
        if (batch.some(({ data }) => data === 'deadly')) for (;;) process.exit(1);
        return made.handle(batch);
      },
    };
  },
});
`,
    );
    const ports = [await freePort(), await freePort()] as const;
    const out = join(data, 'out.jsonl');
    const rig = await startRig(
      data,
      {
        version: 1,
        sources: Object.fromEntries(
          ports.map((port, i) => [`in${i}`, { plugin: 'amqp1', config: { listen: { port } } }]),
        ),
        handlers: { once: { plugin: 'acme-once', config: { key: 'data' } } },
        sinks: { file: { plugin: 'json-file', config: { path: out } } },
        pipelines: { flow: { from: ['in0', 'in1'], through: ['once'], to: ['file'] } },
      },
      { workers: 2 },
    );
    const { instances } = await rig.until('all run', (s) =>
      ['in0', 'in1', 'once', 'file'].every((name) => s.instances[name]?.state === 'running'),
    );
    expect(instances['in0']?.placement).not.toBe(instances['in1']?.placement);
    expect(instances['once']?.placement).toBe('plugin:acme-once');
    const peers = ports.map((port) => new RheaPeer(port, 'a'));
    onTestFinished(() => peers.forEach((peer) => peer.close()));
    const COUNT = 3000;
    for (let i = 0; i < COUNT; i++) {
      if (i === COUNT / 2) peers[0]?.send({ body: 'deadly' });
      for (const peer of peers) peer.send({ body: `m${i}` });
    }
    await eventually(
      'both were told everything',
      () => peers[0]?.told.length === COUNT + 1 && peers[1]?.told.length === COUNT,
      90,
    );
    // What died with the handler's hands on it may be given back, and is sent again.
    const returned = peers.flatMap((peer) =>
      peer.told.filter(({ outcome }) => outcome !== 'accepted').map(({ body }) => ({ peer, body: String(body) })),
    );
    const before = peers.map((peer) => peer.told.length);
    for (const { peer, body } of returned) peer.send({ body });
    await eventually(
      'the rest was accepted',
      () =>
        peers.every(
          (peer, i) => peer.told.length === (before[i] ?? 0) + returned.filter((r) => r.peer === peer).length,
        ),
      60,
    );
    expect(
      peers.flatMap((peer, i) => peer.told.slice(before[i])).filter(({ outcome }) => outcome !== 'accepted'),
    ).toEqual([]);
    const counts = countsIn(out);
    for (let i = 0; i < COUNT; i++) expect(counts.get(`m${i}`), `m${i}`).toBeGreaterThanOrEqual(1);
    // What was under way in a death may pass twice; nothing else does.
    const twice = [...counts.values()].filter((count) => count > 1).length;
    expect(twice).toBeLessThan(COUNT / 2);
    const { pipelines, instances: after } = await rig.status();
    expect(after['once']?.restarts).toBeGreaterThan(1);
    expect(pipelines['flow']).toMatchObject({ addsUp: true, deadLettered: 1, inFlight: 0 });
  });
});
