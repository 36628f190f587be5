/** What a spool on disk costs: the same flow towards the same sink, at least once, with its buffer in memory and on disk. */
import { availableParallelism, loadavg } from 'node:os';
import { join } from 'node:path';
import type { GatewayConfig } from '../../gateway-core/protocol/model.ts';
import { BenchGateway, freePort } from './bench-gateway.ts';
import { BenchChild } from './child.ts';
import { syncLatency } from './disk.ts';
import { compileSender, type Sender } from './sender.ts';
import { show, summarise } from './statistics.ts';
import { line, verdict } from './table.ts';

interface Round {
  readonly micros: number;
  /** Accepted upstream, and delivered to the sink, a second. */
  readonly accepted: number;
  readonly delivered: number;
}

interface Flow {
  readonly name: string;
  config(port: number, buffer: 'memory' | 'disk', folder: string): GatewayConfig;
}

async function round(sender: Sender, gateway: BenchGateway, port: number, count: number): Promise<Round> {
  const before = await gateway.usage();
  const begun = performance.now();
  const { seconds } = await sender(port, count);
  const after = await gateway.until(({ delivered }) => delivered >= before.delivered + count);
  const took = (performance.now() - begun) / 1000;
  if (!after.addsUp) throw new Error(`the counts do not add up: ${JSON.stringify(after.pipelines)}`);
  return {
    micros: (after.cpuMicros - before.cpuMicros) / count,
    accepted: count / seconds,
    delivered: count / took,
  };
}

const micros = (rounds: readonly Round[]): string =>
  `${show(summarise(rounds.map((each) => each.micros)), 1)} µs CPU a message`;
const rates = (rounds: readonly Round[]): string => {
  const k = (of: (round: Round) => number): string => (summarise(rounds.map(of)).median / 1000).toFixed(1);
  return `${k(({ accepted }) => accepted)} k accepted/s, ${k(({ delivered }) => delivered)} k delivered/s`;
};

async function compare(sender: Sender, flow: Flow, pairs: number, count: number): Promise<void> {
  const [memoryPort, diskPort] = [await freePort(), await freePort()];
  const memory = new BenchGateway((folder) => flow.config(memoryPort, 'memory', folder));
  const disk = new BenchGateway((folder) => flow.config(diskPort, 'disk', folder));
  await Promise.all([memory.ready(), disk.ready()]);
  await round(sender, memory, memoryPort, count);
  await round(sender, disk, diskPort, count);
  const first = (await disk.usage()).spools['out'];
  const inMemory: Round[] = [];
  const onDisk: Round[] = [];
  for (let i = 0; i < pairs; i++) {
    inMemory.push(await round(sender, memory, memoryPort, count));
    onDisk.push(await round(sender, disk, diskPort, count));
  }
  const last = (await disk.usage()).spools['out'];
  const ratio = (of: (round: Round) => number): number[] =>
    onDisk.map((each, i) => of(each) / of(inMemory[i] as Round));
  console.log(flow.name);
  line('  in memory', `${micros(inMemory)}; ${rates(inMemory)}`);
  line('  on disk', `${micros(onDisk)}; ${rates(onDisk)}`);
  if (first !== undefined && last !== undefined) {
    const commits = last.commits - first.commits;
    const each = ((last.commitSeconds - first.commitSeconds) / commits) * 1000;
    const size = (pairs * count) / commits;
    line(
      '  commits',
      `${each.toFixed(2)} ms each, ${size.toFixed(0)} messages each, the longest ${(last.longestCommitSeconds * 1000).toFixed(0)} ms`,
    );
  }
  verdict('  disk against memory, by CPU', summarise(ratio((each) => 1 / each.micros)), { atLeast: 0.6 });
  line('  disk against memory, by wall, accepted', show(summarise(ratio(({ accepted }) => accepted))));
  line('  disk against memory, by wall, delivered', show(summarise(ratio(({ delivered }) => delivered))));
  await Promise.all([memory.end(), disk.end()]);
}

export async function spool(pairs: number, count: number): Promise<void> {
  const sender = await compileSender();
  const { p50, p99 } = syncLatency();
  line('fdatasync of 4 KiB', `p50 ${p50.toFixed(2)} ms, p99 ${p99.toFixed(2)} ms`);
  line('load of the machine', `${loadavg()[0]?.toFixed(1)} on ${availableParallelism()} cores`);
  const peer = new BenchChild('./rhea-loop.ts');
  const peerPort = await peer.port;
  const source = (port: number) => ({ plugin: 'amqp1', config: { listen: { host: '127.0.0.1', port } } });
  await compare(
    sender,
    {
      name: 'amqp1 → amqp1',
      config: (port, kind) => ({
        version: 1,
        sources: { in: source(port) },
        sinks: {
          out: { plugin: 'amqp1', config: { url: `amqp://127.0.0.1:${peerPort}`, address: 'bench' }, buffer: { kind } },
        },
        pipelines: { flow: { from: ['in'], to: ['out'] } },
      }),
    },
    pairs,
    count,
  );
  await compare(
    sender,
    {
      name: 'amqp1 → json-file, synced',
      config: (port, kind, folder) => ({
        version: 1,
        sources: { in: source(port) },
        sinks: {
          out: {
            plugin: 'json-file',
            config: { path: join(folder, 'out.jsonl'), fsync: 'always', keep: 1 },
            buffer: { kind },
          },
        },
        pipelines: { flow: { from: ['in'], to: ['out'] } },
      }),
    },
    pairs,
    count,
  );
  await peer.end();
}
