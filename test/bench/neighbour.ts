/** What a sink whose peer is away takes from a live one beside it, against the same config with both peers there. */
import type { GatewayConfig } from '../../gateway-core/protocol/model.ts';
import { BenchGateway, freePort, freePorts, type GatewayUsage } from './bench-gateway.ts';
import { BenchChild } from './child.ts';
import { compileSender, type Sender } from './sender.ts';
import { show, summarise } from './statistics.ts';
import { line, verdict } from './table.ts';

interface Layout {
  readonly name: string;
  /** Sources, each sent as much. */
  readonly sources: readonly string[];
  readonly pipelines: NonNullable<GatewayConfig['pipelines']>;
}

const LAYOUTS: readonly Layout[] = [
  {
    name: 'two pipelines of one source',
    sources: ['in'],
    pipelines: { a: { from: ['in'], to: ['live'] }, b: { from: ['in'], to: ['other'] } },
  },
  {
    name: 'two pipelines of two sources',
    sources: ['in', 'in2'],
    pipelines: { a: { from: ['in'], to: ['live'] }, b: { from: ['in2'], to: ['other'] } },
  },
  { name: 'one pipeline with both sinks', sources: ['in'], pipelines: { a: { from: ['in'], to: ['live', 'other'] } } },
];

const sink = (port: number) =>
  ({
    plugin: 'amqp1',
    config: { url: `amqp://127.0.0.1:${port}`, address: 'bench' },
    buffer: { kind: 'disk', max: '16GiB' },
  }) as const;

const config = (layout: Layout, ports: readonly number[], live: number, other: number): GatewayConfig => ({
  version: 1,
  sources: Object.fromEntries(
    layout.sources.map((name, i) => [
      name,
      { plugin: 'amqp1', config: { listen: { host: '127.0.0.1', port: ports[i] as number } } },
    ]),
  ),
  sinks: { live: sink(live), other: sink(other) },
  pipelines: layout.pipelines,
});

interface Round {
  readonly rate: number;
  readonly micros: number;
}

const liveOf = ({ sinks }: GatewayUsage): number => sinks['live']?.delivered ?? 0;

async function round(send: Sender, gateway: BenchGateway, ports: readonly number[], count: number): Promise<Round> {
  const before = await gateway.usage();
  const begun = performance.now();
  const sending = Promise.all(ports.map((port) => send(port, count)));
  const after = await gateway.until((usage) => liveOf(usage) >= liveOf(before) + count);
  const rate = (count / (performance.now() - begun)) * 1000;
  await sending;
  // What the next round would otherwise pay for.
  await gateway.until(({ sinks }) => sinks['other']?.state !== 'running' || sinks['other'].spooled === 0);
  return { rate, micros: (after.cpuMicros - before.cpuMicros) / count };
}

export async function neighbour(pairs: number, count: number): Promise<void> {
  const send = await compileSender();
  const peer = new BenchChild('./rhea-loop.ts');
  const peerPort = await peer.port;
  for (const layout of LAYOUTS) {
    const sides = [];
    for (const other of [peerPort, await freePort()]) {
      const ports = await freePorts(layout.sources.length);
      const gateway = new BenchGateway(() => config(layout, ports, peerPort, other));
      await gateway.ready();
      await round(send, gateway, ports, count);
      sides.push({ gateway, ports, rounds: [] as Round[] });
    }
    for (let i = 0; i < pairs; i++)
      for (const { gateway, ports, rounds } of sides) rounds.push(await round(send, gateway, ports, count));
    const [both, one] = sides.map(({ rounds }) => rounds) as [Round[], Round[]];
    const rate = (rounds: readonly Round[]): string =>
      `${(summarise(rounds.map((each) => each.rate)).median / 1000).toFixed(1)} k msg/s`;
    line(layout.name, `${rate(both)} with both peers there, ${rate(one)} with one away`);
    verdict('  the live sink’s rate', summarise(one.map((each, i) => each.rate / (both[i] as Round).rate)), {
      atLeast: 0.95,
    });
    line('  CPU a message', `${show(summarise(one.map((each, i) => each.micros / (both[i] as Round).micros)))} ×`);
    for (const { gateway } of sides) await gateway.end();
  }
  await peer.end();
}
