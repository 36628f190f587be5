/** The same load spread over 1, 10 and 100 pipelines, each with a source, a handler and a sink of its own. */
import rhea, { type Connection, type Sender } from 'rhea';
import { Traffic } from '../../plugins/generator/traffic.ts';
import type { GatewayConfig } from '../../gateway-core/protocol/model.ts';
import { BenchGateway, freePorts } from './bench-gateway.ts';
import { show, summarise } from './statistics.ts';
import { line, verdict } from './table.ts';

const PIPELINES = [1, 10, 100] as const;
const BURST = 250;

const config = (ports: readonly number[], folder: string): GatewayConfig => {
  const each = <T>(of: (i: number) => T, name: string): Record<string, T> =>
    Object.fromEntries(ports.map((_, i) => [`${name}${i}`, of(i)]));
  return {
    version: 1,
    sources: each(
      (i) => ({ plugin: 'amqp1', config: { listen: { host: '127.0.0.1', port: ports[i] as number } } }),
      'in',
    ),
    handlers: each(() => ({ plugin: 'collectd-metrics' }), 'decode'),
    sinks: each(
      (i) => ({ plugin: 'json-file', config: { path: `${folder}/${i}.jsonl`, fsync: 'never', maxSize: 64, keep: 1 } }),
      'out',
    ),
    pipelines: each((i) => ({ from: [`in${i}`], through: [`decode${i}`], to: [`out${i}`] }), 'flow'),
  };
};

/** A link to each port; `burst` sends and waits until all of it is accepted. */
class Links {
  private readonly senders: Sender[] = [];
  private readonly connections: Connection[] = [];
  private unsettled = 0;
  private done: () => void = () => undefined;

  async open(ports: readonly number[]): Promise<void> {
    for (const port of ports) {
      const container = rhea.create_container();
      const connection = container.connect({
        port,
        host: '127.0.0.1',
        reconnect: false,
        username: 'anonymous',
        // rhea takes it from here; its typings do not know it.
        ...{ tcp_no_delay: true },
      });
      const sender = connection.open_sender({ target: 'collectd/telemetry' });
      sender.on('settled', () => {
        if (--this.unsettled === 0) this.done();
      });
      await new Promise((resolve) => sender.once('sendable', resolve));
      this.senders.push(sender);
      this.connections.push(connection);
    }
  }

  async burst(to: number, bodies: readonly string[]): Promise<void> {
    const sender = this.senders[to] as Sender;
    const settled = new Promise<void>((resolve) => (this.done = resolve));
    this.unsettled = bodies.length;
    for (const body of bodies) sender.send({ body });
    await settled;
  }

  close(): void {
    for (const connection of this.connections) connection.close();
  }
}

export async function many(rounds: number, bursts: number): Promise<void> {
  const traffic = new Traffic({ rate: 1, hosts: 3, faults: 0, seed: 1 });
  const bodies = Array.from({ length: BURST }, () => traffic.next(Date.now()));
  const sides = [];
  for (const pipelines of PIPELINES) {
    const ports = await freePorts(pipelines);
    const gateway = new BenchGateway((folder) => config(ports, folder));
    await gateway.ready();
    const links = new Links();
    await links.open(ports);
    sides.push({ pipelines, gateway, links, micros: [] as number[], idleMb: (await gateway.usage()).rssMb, rssMb: 0 });
  }
  for (let i = 0; i <= rounds; i++) {
    for (const side of sides) {
      const { pipelines, gateway, links, micros } = side;
      const before = await gateway.usage();
      for (let burst = 0; burst < bursts; burst++) await links.burst(burst % pipelines, bodies);
      const after = await gateway.until(({ received }) => received >= before.received + bursts * BURST);
      if (i > 0) micros.push((after.cpuMicros - before.cpuMicros) / (bursts * BURST));
      side.rssMb = after.rssMb;
    }
  }
  const [one] = sides;
  for (const { pipelines, micros, idleMb, rssMb } of sides) {
    const memory = `${idleMb.toFixed(0)} MB once started, ${rssMb.toFixed(0)} MB under load`;
    line(
      `${pipelines} pipeline${pipelines === 1 ? '' : 's'}`,
      `${show(summarise(micros), 1)} µs CPU a message, ${memory}`,
    );
    if (one === undefined || pipelines === 1) continue;
    verdict(`  against one`, summarise(micros.map((each, i) => each / (one.micros[i] as number))), { atMost: 1.1 });
    const each = (mb: number): string => `${((mb / (pipelines - 1)) * 1024).toFixed(0)} KB`;
    line('  memory a pipeline', `${each(idleMb - one.idleMb)} once started, ${each(rssMb - one.rssMb)} under load`);
  }
  for (const { gateway, links } of sides) {
    links.close();
    await gateway.end();
  }
}
