/** A real broker that is killed and comes back, before the gateway and behind it: nothing confirmed is missing. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import rhea, { type Connection } from 'rhea';
import { afterAll, beforeAll, expect, it, onTestFinished } from 'vitest';
import { eventually } from '../peers/program.ts';
import { startRabbitMq, type RabbitMq } from '../peers/rabbitmq.ts';
import { check, type Receipt } from './rounds/check.ts';
import { Engine } from './rounds/engine.ts';
import { Journal, type JournalEntry } from './rounds/journal.ts';
import { chosenSeed, Random } from './rounds/random.ts';

const ROUNDS = 3;
const login = { username: 'guest', password: 'guest' };
const seed = chosenSeed();

let rabbit: RabbitMq;
beforeAll(async () => {
  rabbit = await startRabbitMq();
});
afterAll(() => rabbit.remove());

/** A connection to the broker as its publishers and consumers have; its end is theirs to notice. */
function connect(): Connection {
  const container = rhea.create_container();
  container.on('error', () => undefined);
  const connection = container.connect({ host: '127.0.0.1', port: rabbit.port, reconnect: false, ...login });
  for (const event of ['disconnected', 'connection_error', 'session_error', 'sender_error', 'receiver_error', 'error'])
    connection.on(event, () => undefined);
  return connection;
}

/** Sends these, once each, and resolves when all are confirmed or the broker is gone. */
async function publish(queue: string, journal: Journal, entries: readonly JournalEntry[]): Promise<void> {
  const connection = connect();
  const sender = connection.open_sender({ target: { address: queue, durable: 2 } });
  const waiting = [...entries];
  const sent = new Map<unknown, JournalEntry>();
  const number = journal.newConnection();
  let left = entries.length;
  await new Promise<void>((resolve) => {
    connection.on('disconnected', () => resolve());
    sender.on('sendable', () => {
      while (sender.sendable()) {
        const entry = waiting.shift();
        if (entry === undefined) return;
        journal.sent(entry, number);
        const { id, key } = entry;
        sent.set(sender.send({ body: id, message_id: id, group_id: key, durable: true }), entry);
      }
    });
    sender.on('accepted', ({ delivery }) => {
      const entry = sent.get(delivery);
      if (entry !== undefined) journal.accept(entry);
      if (--left === 0) resolve();
    });
  });
  connection.close();
}

/** Takes everything out of the queue until `enough`. */
async function consume(queue: string, enough: (ids: ReadonlySet<string>) => boolean): Promise<Receipt[]> {
  const receipts: Receipt[] = [];
  const seen = new Set<string>();
  const connection = connect();
  connection
    .open_receiver({ source: { address: queue, durable: 2 }, credit_window: 500 })
    .on('message', ({ message }) => {
      const id = String(message?.message_id);
      seen.add(id);
      receipts.push({ id, outcome: 'accepted' });
    });
  try {
    await eventually(
      () => `${seen.size} are in ${queue}`,
      () => enough(seen) || undefined,
    );
  } finally {
    connection.close();
  }
  return receipts;
}

it.each(Array.from({ length: ROUNDS }, (_, round) => round))(
  `what the broker confirmed comes out behind the gateway, round %i (PATCHBAY_SEED=${seed} repeats)`,
  async (round) => {
    const random = new Random(seed + round);
    const folder = mkdtempSync(join(tmpdir(), 'patchbay-broker-'));
    const [from, to] = [`/queue/in-${round}`, `/queue/out-${round}`];
    const engine = new Engine({
      folder,
      config: {
        version: 1,
        sources: { from: { plugin: 'amqp1', config: { url: rabbit.url, ...login, addresses: [from], durable: true } } },
        sinks: { to: { plugin: 'amqp1', config: { url: rabbit.url, ...login, address: to, timeout: 5 } } },
        pipelines: { flow: { from: ['from'], to: ['to'] } },
      },
    });
    onTestFinished(async () => {
      await engine.kill();
      rmSync(folder, { recursive: true, force: true });
    });
    await engine.start();
    const running = ['from', 'to'];
    await engine.until('both ends are connected', ({ instances }) =>
      running.every((name) => instances[name]?.state === 'running'),
    );
    const journal = new Journal();
    const some = (count: number): JournalEntry[] =>
      Array.from({ length: count }, (_, n) => journal.next(`k${round}-${n % 8}`));
    const publishing = publish(from, journal, some(4000));
    await eventually(
      () => `${journal.accepted} are confirmed`,
      () => journal.accepted > random.between(500, 2000) || undefined,
    );
    await rabbit.kill();
    await publishing;
    if (random.chance(0.5)) {
      await engine.kill();
      await wait(random.between(0, 300));
      await engine.start();
    }
    await rabbit.start();
    await engine.until('both ends are back by themselves', ({ instances }) =>
      running.every((name) => instances[name]?.state === 'running'),
    );
    await publish(from, journal, some(500));
    const owed = journal.entries().filter(({ accepted }) => accepted > 0);
    const receipts = await consume(to, (ids) => owed.every(({ id }) => ids.has(id)));
    // A broker that was killed gives its messages out in an order of its own: that is not the gateway's to keep.
    const { faults } = check({ sent: journal.entries(), sinks: [{ name: 'to', receipts }], deadLetters: [] });
    expect(faults.filter((fault) => !fault.includes('out of order'))).toEqual([]);
    await engine.until(
      'the counts add up',
      ({ pipelines, sinks }) => pipelines['flow']?.addsUp === true && sinks['to']?.spooled === 0,
    );
  },
);
