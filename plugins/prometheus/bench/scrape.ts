/** Bytes per series, time per write and time of a scrape, with 100 000 series: `node --expose-gc plugins/prometheus/bench/scrape.ts`. */
import { get } from 'node:http';
import { monitorEventLoopDelay } from 'node:perf_hooks';
import type { Message } from 'patchbay/plugin-api';
import { fakeContext } from 'patchbay/plugin-api/testing';
import { createMessage } from '../../../gateway-core/plugin-api/message.ts';
import sinkDefinition from '../sink.ts';

const SERIES = 100_000;
const BATCH = 256;

function metrics(round: number): Message[] {
  return Array.from({ length: SERIES }, (_, i) =>
    createMessage('bench', 'default', {
      kind: 'metric',
      time: 1,
      data: {
        name: `collectd_plugin${i % 40}_type${i % 7}`,
        type: 'gauge',
        value: i * 1.25 + round,
        time: 1_700_000_000_000 + round,
        interval: 10,
        // As JSON.parse gives them: texts of their own.
        labels: JSON.parse(
          `{"host":"host-${i % 500}.example.org","plugin_instance":"${i % 64}","type_instance":"instance-${i}"}`,
        ) as Record<string, string>,
      },
    }),
  );
}

function scrape(port: number, gzip: boolean): Promise<{ seconds: number; bytes: number }> {
  const start = performance.now();
  return new Promise((resolve, reject) => {
    get({ port, path: '/metrics', headers: gzip ? { 'accept-encoding': 'gzip' } : {} }, (response) => {
      let bytes = 0;
      response.on('data', (chunk: Buffer) => (bytes += chunk.length));
      response.on('end', () => resolve({ seconds: (performance.now() - start) / 1000, bytes }));
      response.on('error', reject);
    }).on('error', reject);
  });
}

const heap = (): number => {
  globalThis.gc?.();
  globalThis.gc?.();
  return process.memoryUsage().heapUsed;
};

const context = fakeContext({
  config: { host: '127.0.0.1', port: 0, withTimeStamp: false, expirationMultiple: 2, maxSeries: 1e6 },
});
const sink = sinkDefinition.create(context);
await sink.open();
const port = context.logs[0]!.fields['port'] as number;

const before = heap();
let messages: Message[] | undefined = metrics(0);
for (let i = 0; i < SERIES; i += BATCH) await sink.write(messages.slice(i, i + BATCH));
messages = undefined;
console.log(`${Math.round((heap() - before) / SERIES)} bytes a series (budget 1024)`);

for (let round = 1; round <= 4; round++) {
  messages = metrics(round);
  const start = process.cpuUsage();
  for (let i = 0; i < SERIES; i += BATCH) await sink.write(messages.slice(i, i + BATCH));
  const { user, system } = process.cpuUsage(start);
  console.log(`update: ${((user + system) / SERIES).toFixed(3)} µs a metric`);
}
messages = undefined;
globalThis.gc?.();
for (const gzip of [false, false, false, true, true]) {
  const delay = monitorEventLoopDelay({ resolution: 1 });
  delay.enable();
  const { seconds, bytes } = await scrape(port, gzip);
  delay.disable();
  console.log(
    `scrape${gzip ? ' gzip' : ''}: ${seconds.toFixed(3)} s, ${(bytes / 1e6).toFixed(1)} MB, loop held for at most ${(delay.max / 1e6).toFixed(1)} ms (budget 0.3 s)`,
  );
}
await sink.close();
