import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import rhea, { type Connection } from 'rhea';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { dataFolder, startRig } from '../faults/rig.ts';
import { eventually } from './program.ts';
import { startRabbitMq, type RabbitMq } from './rabbitmq.ts';

let rabbit: RabbitMq;

beforeAll(async () => {
  rabbit = await startRabbitMq();
});
afterAll(() => rabbit.remove());

const login = { username: 'guest', password: 'guest' };

/** Sends all names, as durable messages to a durable queue; returns as soon as `enough` are confirmed. */
async function publish(
  names: readonly string[],
  enough: number,
): Promise<{ confirmed: () => string[]; end: () => void }> {
  const connection = connect();
  const confirmed: string[] = [];
  const waiting = [...names];
  const sent = new Map<unknown, string>();
  // The source made the queue durable: who attaches to it has to ask for the same.
  const sender = connection.open_sender({ target: { address: '/queue/in', durable: 2 } });
  sender.on('sendable', () => {
    while (sender.sendable()) {
      const name = waiting.shift();
      if (name === undefined) return;
      sent.set(sender.send({ body: name, message_id: name, durable: true }), name);
    }
  });
  sender.on('accepted', ({ delivery }) => void confirmed.push(sent.get(delivery) ?? 'never sent'));
  await eventually(
    () => `${confirmed.length} of ${enough} are confirmed`,
    () => confirmed.length >= enough || undefined,
  );
  return { confirmed: () => [...confirmed], end: () => connection.close() };
}

function connect(): Connection {
  const connection = rhea
    .create_container()
    .connect({ host: '127.0.0.1', port: rabbit.port, reconnect: false, ...login });
  // The broker is killed on purpose.
  connection.on('disconnected', () => undefined);
  return connection;
}

/** Everything that is in the queue, and comes while it is read, until `all` of it was seen. */
async function consume(queue: string, all: readonly string[]): Promise<string[]> {
  const connection = connect();
  const seen: string[] = [];
  connection.open_receiver({ source: { address: queue, durable: 2 }, credit_window: 500 }).on('message', (context) => {
    const body: unknown = context.message?.body;
    // The sink sends the data as a data section.
    seen.push(typeof body === 'object' && body !== null && 'content' in body ? String(body.content) : String(body));
  });
  try {
    await eventually(
      () => `${all.filter((name) => !seen.includes(name)).length} of ${all.length} are missing in ${queue}`,
      () => {
        const unique = new Set(seen);
        return all.every((name) => unique.has(name)) || undefined;
      },
    );
  } finally {
    connection.close();
  }
  return seen;
}

it('every message a broker confirmed is in the other queue and in the file, though the broker is killed in between', async () => {
  const data = await dataFolder();
  const out = join(data, 'out.jsonl');
  const rig = await startRig(data, {
    version: 1,
    sources: {
      from: { plugin: 'amqp1', config: { url: rabbit.url, ...login, addresses: ['/queue/in'], durable: true } },
    },
    sinks: {
      to: { plugin: 'amqp1', config: { url: rabbit.url, ...login, address: '/queue/out' } },
      file: { plugin: 'json-file', config: { path: out } },
    },
    pipelines: { flow: { from: ['from'], to: ['to', 'file'] } },
  });
  await rig.until('both ends are connected', ({ instances }) =>
    ['from', 'to'].every((name) => instances[name]?.state === 'running'),
  );

  const names = (prefix: string, count: number): string[] => Array.from({ length: count }, (_, i) => `${prefix}-${i}`);
  const before = await publish(names('before', 5000), 1000);
  await rabbit.kill();
  await rig.until('both ends know that the broker is gone', ({ instances }) =>
    ['from', 'to'].every((name) => instances[name]?.state !== 'running'),
  );
  const lost = before.confirmed();
  await rabbit.start();
  await rig.until(
    'both ends are back by themselves',
    ({ instances }) => ['from', 'to'].every((name) => instances[name]?.state === 'running'),
    60,
  );
  const after = await publish(names('after', 1000), 1000);
  after.end();
  const confirmed = [...lost, ...after.confirmed()];
  expect(new Set(confirmed).size).toBe(confirmed.length);

  const forwarded = await consume('/queue/out', confirmed);
  const { pipelines } = await rig.until(
    'nothing is in flight',
    (status) => status.pipelines['flow']?.inFlight === 0 && status.pipelines['flow'].addsUp,
  );
  const lines = readFileSync(out, 'utf8')
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as { id: string; data: string });
  const unique = new Set(lines.map((line) => line.data));
  expect(confirmed.filter((name) => !unique.has(name))).toEqual([]);
  // At least once: what came twice has the id it had before, by which a reader can tell.
  expect(new Set(lines.map((line) => line.id))).toEqual(unique);
  const flow = pipelines['flow'];
  if (flow === undefined) throw new Error('no flow');
  expect(flow).toMatchObject({ addsUp: true, inFlight: 0, dropped: 0, deadLettered: 0, filtered: 0 });
  expect(flow.received).toBe(flow.delivered + flow.returned);
  expect(flow.delivered).toBeGreaterThanOrEqual(unique.size);
  expect(flow.delivered).toBeLessThanOrEqual(lines.length);
  expect(forwarded.length).toBeGreaterThanOrEqual(new Set(forwarded).size);
  const events = await rig.events();
  expect(events.some(({ subject, code }) => ['from', 'to'].includes(subject) && code.startsWith('PB_AMQP'))).toBe(true);
});
