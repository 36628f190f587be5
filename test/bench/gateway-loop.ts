/**
 * The whole gateway, AMQP → collectd → Prometheus, as the benchmark loads it. Speaks as
 * rhea-loop.ts does; the line `tap` attaches a live client with the default budget, `untap` ends it.
 */
import { createServer, type AddressInfo } from 'node:net';
import { createInterface } from 'node:readline';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createGateway } from '../../gateway-core/engine/gateway.ts';
import { memoryPair } from '../../gateway-core/protocol/memory-carrier.ts';
import { serve } from '../../gateway-core/control/serve.ts';
import { createClient, type Client } from '../../gateway-core/protocol/client.ts';

const freePort = (): Promise<number> =>
  new Promise((resolve) => {
    const server = createServer().listen(0, '127.0.0.1', () => {
      const { port } = server.address() as AddressInfo;
      server.close(() => resolve(port));
    });
  });

const data = mkdtempSync(join(tmpdir(), 'patchbay-bench-'));
process.on('exit', () => rmSync(data, { recursive: true, force: true }));
const [port, scrape] = [await freePort(), await freePort()];
const gateway = await createGateway({
  dataFolder: data,
  control: false,
  logToStderr: false,
  config: {
    object: {
      version: 1,
      sources: { telemetry: { plugin: 'amqp1', config: { listen: { host: '127.0.0.1', port } } } },
      handlers: { decode: { plugin: 'collectd-metrics' } },
      sinks: { scrape: { plugin: 'prometheus', config: { port: scrape } } },
      pipelines: { metrics: { from: ['telemetry'], through: ['decode'], to: ['scrape'] } },
    },
  },
});

let client: Client | undefined;
let rows = 0;
const attach = async (): Promise<void> => {
  const [near, far] = memoryPair();
  serve(far, gateway.handlers, { access: 'full' });
  client = createClient(() => Promise.resolve(near), { client: 'bench', reconnect: false });
  await client.opened();
  client.subscribe('live', { instance: 'decode' }, (item) => {
    if (item.kind === 'rows') rows += item.rows.length;
  });
};

const from = process.cpuUsage();
console.log(JSON.stringify({ port, scrape }));
for await (const line of createInterface({ input: process.stdin })) {
  if (line === 'tap') await attach();
  else if (line === 'untap') client?.close();
  const status = await gateway.status();
  const { user, system } = process.cpuUsage(from);
  const pipeline = status.pipelines['metrics'];
  console.log(
    JSON.stringify({
      received: pipeline?.received ?? 0,
      delivered: pipeline?.delivered ?? 0,
      addsUp: pipeline?.addsUp,
      cpuMicros: user + system,
      rows,
      rssMb: Math.round(process.memoryUsage.rss() / 2 ** 20),
    }),
  );
}
await gateway.stop(1000);
process.exit(0);
