/** From SIGKILL with a million messages in a spool to the first message accepted again, against the same start with an empty one. */
import { connect } from 'node:net';
import type { GatewayConfig } from '../../gateway-core/protocol/model.ts';
import { BenchGateway, freePorts } from './bench-gateway.ts';
import { BenchChild } from './child.ts';
import { compileSender, type Sender } from './sender.ts';
import { show, summarise } from './statistics.ts';
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

/** One gateway to be killed again and again. */
class Victim {
  readonly port: number;
  readonly gateway: BenchGateway;
  private messages = 0;

  constructor(port: number, away: number) {
    this.port = port;
    this.gateway = new BenchGateway(() => config(port, away));
  }

  /** `messages` are spooled now. */
  filled(messages: number): void {
    this.messages = messages;
  }

  async killed(sender: Sender): Promise<{ accepting: number; counted: number }> {
    const { gateway } = this;
    await gateway.kill();
    const begun = performance.now();
    gateway.restart();
    const accepting = await acceptsAfter(sender, this.port);
    this.messages++;
    const usage = await gateway.until(({ spooled }) => spooled >= this.messages);
    const counted = (performance.now() - begun) / 1000;
    if (!usage.addsUp || usage.spooled !== this.messages)
      throw new Error(`the counts do not add up: ${JSON.stringify(usage.pipelines)}`);
    return { accepting, counted };
  }
}

async function victim(): Promise<Victim> {
  const [port, away] = await freePorts(2);
  const made = new Victim(port as number, away as number);
  await made.gateway.ready();
  return made;
}

/** In turns with a gateway that has nothing spooled: a busy machine starts both slowly. */
async function measure(sender: Sender, rounds: number, what: string, empty: Victim, full: Victim): Promise<void> {
  const without: number[] = [];
  const accepting: number[] = [];
  const counted: number[] = [];
  for (let i = 0; i < rounds; i++) {
    without.push((await empty.killed(sender)).accepting);
    const times = await full.killed(sender);
    accepting.push(times.accepting);
    counted.push(times.counted);
  }
  verdict(`${what}: accepting again, s`, summarise(accepting), { atMost: 2 });
  line('  the same start with nothing spooled', `${show(summarise(without))} s`);
  line('  so the spool costs', `${show(summarise(accepting.map((each, i) => each - (without[i] as number))))} s`);
  line('  all of them counted again after', `${show(summarise(counted))} s`);
  await full.gateway.end();
}

export async function recovery(rounds: number, messages: number): Promise<void> {
  const sender = await compileSender();
  const empty = await victim();
  const lived = await victim();
  await sender(lived.port, messages);
  await lived.gateway.until(({ spooled }) => spooled === messages);
  lived.filled(messages);
  await measure(sender, rounds, `${messages} spooled as they came`, empty, lived);
  for (const size of [100, 1]) {
    const full = await victim();
    await full.gateway.kill();
    const filler = new BenchChild('./fill-spool.ts', [
      full.gateway.data,
      'out',
      'flow',
      String(messages),
      String(size),
    ]);
    await filler.hello;
    await filler.kill();
    full.gateway.restart();
    await full.gateway.until(({ spooled }) => spooled === messages);
    full.filled(messages);
    await measure(sender, rounds, `spooled in batches of ${size}`, empty, full);
  }
  await empty.gateway.end();
}
