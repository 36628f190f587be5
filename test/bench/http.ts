/** HTTP in, HTTP out, as Vector's soak tests have it: with acknowledgements, without, and through a buffer on disk. */
import { Agent, request } from 'node:http';
import type { GatewayConfig } from '../../gateway-core/protocol/model.ts';
import { BenchGateway, freePort } from './bench-gateway.ts';
import { BenchChild } from './child.ts';
import { show, summarise } from './statistics.ts';
import { line, verdict } from './table.ts';

const EVENTS = 100;
const CONNECTIONS = 32;
const SCENARIOS = {
  http_to_http_noack: { delivery: 'at-most-once', kind: 'memory' },
  http_to_http_acks: { delivery: 'at-least-once', kind: 'memory' },
  http_to_http_disk_buffer: { delivery: 'at-least-once', kind: 'disk' },
} as const;
type Scenario = keyof typeof SCENARIOS;

const config = (scenario: Scenario, port: number, peer: number): GatewayConfig => ({
  version: 1,
  sources: { in: { plugin: 'http-events', config: { port } } },
  sinks: {
    out: { plugin: 'bench-http-post', config: { port: peer }, buffer: { kind: SCENARIOS[scenario].kind } },
  },
  pipelines: { flow: { from: ['in'], to: ['out'], delivery: SCENARIOS[scenario].delivery } },
});

const body = JSON.stringify(
  Array.from({ length: EVENTS }, (_, i) => ({
    specversion: '1.0',
    id: `event-${i}`,
    source: '/bench',
    type: 'bench',
    data: { text: 'x'.repeat(200), number: i },
  })),
);

function post(agent: Agent, port: number): Promise<number> {
  return new Promise((resolve, reject) => {
    const headers = { 'content-type': 'application/cloudevents-batch+json', 'content-length': body.length };
    request({ agent, host: '127.0.0.1', port, path: '/events', method: 'POST', headers }, (response) => {
      response.resume().once('end', () => resolve(response.statusCode ?? 0));
    })
      .once('error', reject)
      .end(body);
  });
}

/** Sends `requests` over all connections at once; what is turned away is sent again, as any sender would. */
async function send(port: number, requests: number): Promise<void> {
  const agent = new Agent({ keepAlive: true, maxSockets: CONNECTIONS });
  let left = requests;
  const one = async (): Promise<void> => {
    while (left > 0) {
      left--;
      while ((await post(agent, port)) !== 202) await new Promise((resolve) => setTimeout(resolve, 10));
    }
  };
  await Promise.all(Array.from({ length: CONNECTIONS }, one));
  agent.destroy();
}

export async function http(rounds: number, requests: number): Promise<void> {
  const peer = new BenchChild('./http-peer.ts');
  const peerPort = await peer.port;
  const names = Object.keys(SCENARIOS) as Scenario[];
  const gateways = new Map<Scenario, { gateway: BenchGateway; port: number }>();
  for (const name of names) {
    const port = await freePort();
    const gateway = new BenchGateway(() => config(name, port, peerPort));
    await gateway.ready();
    gateways.set(name, { gateway, port });
  }
  const micros = new Map<Scenario, number[]>(names.map((name) => [name, []]));
  const rates = new Map<Scenario, number[]>(names.map((name) => [name, []]));
  const count = requests * EVENTS;
  // The first round warms up.
  for (let i = 0; i <= rounds; i++) {
    for (const [name, { gateway, port }] of gateways) {
      const before = await gateway.usage();
      const begun = performance.now();
      await send(port, requests);
      const after = await gateway.until(
        ({ delivered, pipelines }) => delivered + (pipelines['flow']?.dropped ?? 0) >= before.delivered + count,
      );
      if (i === 0) continue;
      rates.get(name)?.push((count / (performance.now() - begun)) * 1000);
      micros.get(name)?.push((after.cpuMicros - before.cpuMicros) / count);
    }
  }
  for (const name of names) {
    const rate = (summarise(rates.get(name) ?? []).median / 1000).toFixed(1);
    line(name, `${show(summarise(micros.get(name) ?? []), 1)} µs CPU a message, ${rate} k msg/s`);
  }
  const disk = micros.get('http_to_http_disk_buffer') ?? [];
  const ratio = (micros.get('http_to_http_acks') ?? []).map((each, i) => each / (disk[i] as number));
  verdict('disk buffer against acks, by CPU', summarise(ratio), { atLeast: 0.6 });
  for (const { gateway } of gateways.values()) await gateway.end();
  await peer.end();
}
