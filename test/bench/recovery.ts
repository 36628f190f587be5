/** From SIGKILL with a million messages in a spool to the first message accepted again, against the same start with an empty one. */
import { connect } from 'node:net';
import type { GatewayConfig } from '../../gateway-core/protocol/model.ts';
import { BenchGateway, freePort } from './bench-gateway.ts';
import { BenchChild } from './child.ts';
import { compileSender, type Sender } from './sender.ts';
import { summarise } from './statistics.ts';
import { line, verdict } from './table.ts';

/** A sink whose peer is away for good. */
const config = (port: number, away: number): GatewayConfig => ({
  version: 1,
  sources: { in: { plugin: 'amqp1', config: { listen: { host: '127.0.0.1', port } } } },
  sinks: {
    out: {
      plugin: 'amqp1',
      config: { url: `amqp://127.0.0.1:${away}`, address: 'bench' },
      buffer: { kind: 'disk', max: '16GiB' },
    },
  },
  pipelines: { flow: { from: ['in'], to: ['out'] } },
});

function listens(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1');
    const end = (answer: boolean) => () => {
      socket.destroy();
      resolve(answer);
    };
    socket.once('connect', end(true)).once('error', end(false));
  });
}

/** Seconds from now until one message has been accepted. */
async function acceptsAfter(sender: Sender, port: number): Promise<number> {
  const begun = performance.now();
  while (!(await listens(port))) await new Promise((resolve) => setTimeout(resolve, 5));
  await sender(port, 1);
  return (performance.now() - begun) / 1000;
}

async function measure(
  sender: Sender,
  rounds: number,
  messages: number,
  what: string,
  fill: (gateway: BenchGateway, port: number) => Promise<void>,
): Promise<void> {
  const [port, away] = [await freePort(), await freePort()];
  const gateway = new BenchGateway(() => config(port, away));
  await gateway.ready();
  await fill(gateway, port);
  const seconds: number[] = [];
  const counted: number[] = [];
  for (let i = 0; i < rounds; i++) {
    await gateway.kill();
    gateway.restart();
    const begun = performance.now();
    seconds.push(await acceptsAfter(sender, port));
    const usage = await gateway.until(({ spooled }) => spooled >= messages + i + 1);
    counted.push((performance.now() - begun) / 1000);
    if (!usage.addsUp) throw new Error(`the counts do not add up: ${JSON.stringify(usage.pipelines)}`);
  }
  if (messages === 0) line(what, `${summarise(seconds).median.toFixed(2)} s`);
  else {
    verdict(`${what}, s`, summarise(seconds), { atMost: 2 });
    line('  all of them counted again after', `${summarise(counted).median.toFixed(2)} s`);
  }
  await gateway.end();
}

export async function recovery(rounds: number, messages: number): Promise<void> {
  const sender = await compileSender();
  await measure(sender, rounds, 0, 'accepting again, nothing spooled', () => Promise.resolve());
  await measure(
    sender,
    rounds,
    messages,
    `accepting again, ${messages} spooled as they came`,
    async (gateway, port) => {
      await sender(port, messages);
      await gateway.until(({ spooled }) => spooled === messages);
    },
  );
  for (const size of [100, 1]) {
    await measure(sender, rounds, messages, `accepting again, spooled in batches of ${size}`, async (gateway) => {
      await gateway.kill();
      const filler = new BenchChild('./fill-spool.ts', [gateway.data, 'out', 'flow', String(messages), String(size)]);
      await filler.hello;
      await filler.kill();
      gateway.restart();
      await gateway.ready();
    });
  }
}
