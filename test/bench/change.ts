/** The longest gap in the deliveries of a pipeline that a change of the config does not touch, with changes and without. */
import type { GatewayConfig } from '../../gateway-core/protocol/model.ts';
import { BenchGateway } from './bench-gateway.ts';
import { BenchChild } from './child.ts';
import { show, summarise } from './statistics.ts';
import { line, verdict } from './table.ts';

const SECONDS = 2;
const CHANGES = 5;
const RATE = 2000;

/** The second pipeline is what changes; `step` makes each config another one. */
const config = (peer: number, folder: string, step: number): GatewayConfig => ({
  version: 1,
  sources: {
    in: { plugin: 'generator', config: { rate: RATE } },
    other: { plugin: 'generator', config: { rate: 100 + (step % 3), hosts: 3 } },
  },
  handlers: {
    decode: { plugin: 'collectd-metrics' },
    ...(step % 2 === 1 ? { extra: { plugin: 'collectd-metrics' } } : {}),
  },
  sinks: {
    out: { plugin: 'amqp1', config: { url: `amqp://127.0.0.1:${peer}`, address: 'bench' }, buffer: { kind: 'memory' } },
    // Another path is another life of the sink, and every third step has one more.
    file: { plugin: 'json-file', config: { path: `${folder}/out-${step % 4}.jsonl`, fsync: 'never' } },
    ...(step % 3 === 0
      ? { more: { plugin: 'json-file', config: { path: `${folder}/more.jsonl` }, buffer: { kind: 'disk' as const } } }
      : {}),
  },
  pipelines: {
    untouched: { from: ['in'], through: ['decode'], to: ['out'] },
    changed: {
      from: ['other'],
      through: step % 2 === 1 ? ['extra'] : [],
      to: step % 3 === 0 ? ['file', 'more'] : ['file'],
    },
  },
});

const wait = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

export async function change(pairs: number): Promise<void> {
  const peer = new BenchChild('./gap-peer.ts');
  const peerPort = await peer.port;
  const gateway = new BenchGateway((folder) => config(peerPort, folder, 0));
  await gateway.ready();
  await gateway.until(({ delivered }) => delivered > RATE);
  const longest = async (): Promise<number> => (await peer.usage())['longest'] as number;
  const quiet: number[] = [];
  const changed: number[] = [];
  const applied: number[] = [];
  let step = 0;
  // The first pair warms up: code that a change loads for the first time.
  for (let i = 0; i <= pairs; i++) {
    await longest();
    await wait(SECONDS * 1000);
    const without = await longest();
    const begun = performance.now();
    for (let change = 1; change <= CHANGES; change++) {
      const { applyMs } = await gateway.apply(config(peerPort, gateway.data, ++step));
      applied.push(applyMs);
      await wait(Math.max(0, begun + (change * SECONDS * 1000) / CHANGES - performance.now()));
    }
    const withChanges = await longest();
    if (i === 0) {
      line('first changes', `longest gap ${withChanges.toFixed(0)} ms`);
      continue;
    }
    quiet.push(without);
    changed.push(withChanges);
  }
  line(
    `longest gap in ${SECONDS} s without a change`,
    `${show(summarise(quiet), 0)} ms, the longest ${Math.max(...quiet).toFixed(0)} ms`,
  );
  line(
    `longest gap in ${SECONDS} s with ${CHANGES} changes`,
    `${show(summarise(changed), 0)} ms, the longest ${Math.max(...changed).toFixed(0)} ms`,
  );
  line('a change takes', `${show(summarise(applied), 0)} ms`);
  verdict('longest gap with changes, ms', summarise(changed), { atMost: 50 });
  line(
    'beyond the noise of the run',
    `${show(summarise(changed.map((each, i) => each - (quiet[i] as number))), 1)} ms`,
  );
  await gateway.end();
  await peer.end();
}
