import { type Message, type Outcome, Refused } from 'patchbay/plugin-api';
import { fakeContext, fakeEmit, type FakeEmitOptions } from 'patchbay/plugin-api/testing';
import rhea from 'rhea';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { listen, RheaPeer, testHost, type TestHost } from '../../gateway-core/amqp/test-peer.ts';
import type { SourceConfig } from './config.ts';
import amqp1 from './source.ts';

const until = (condition: () => boolean): Promise<unknown> => vi.waitUntil(condition, { timeout: 10_000, interval: 5 });
const common = { addresses: [], durable: false, credit: 100, maxMessageSize: 1_000_000, maxFrameSize: 65_536 };
const listening: SourceConfig = {
  ...common,
  listen: { host: '127.0.0.1', port: 0, anonymous: true, users: [], clientCertificates: false, maxConnections: 10 },
};

let test: TestHost;
const closers: (() => void | Promise<void>)[] = [];
beforeEach(() => {
  test = testHost();
});
afterEach(async () => {
  for (const close of closers.splice(0)) await close();
  test.stop();
});

/** The source, listening, and a client on it. */
async function start(options: FakeEmitOptions = {}, address: string | undefined = 'a') {
  const context = fakeContext({ config: listening, instance: 'telemetry', amqp: test.host });
  const out = fakeEmit(options);
  const source = amqp1.create(context);
  closers.push(async () => {
    await source.stop();
    await source.close();
  });
  await source.start(out.emit);
  const port = context.logs.find((line) => line.message === 'listening')?.fields['port'] as number;
  const peer = new RheaPeer(port, address);
  closers.push(() => peer.close());
  const entries = (): (Message | Refused)[] => out.batches.flat();
  const messages = (): Message[] => entries().filter((entry): entry is Message => !(entry instanceof Refused));
  return { context, out, source, peer, entries, messages };
}

const told = (peer: RheaPeer): Record<string, string> =>
  Object.fromEntries(peer.told.map(({ body, outcome }) => [String(body), outcome]));

describe('messages', () => {
  it('carry what the transport knows', async () => {
    const { peer, messages } = await start({}, '');
    const client = new RheaPeer((peer.connection.options as { port: number }).port, undefined);
    closers.push(() => client.close());
    client.send(
      { body: Buffer.from('bytes'), to: '/collectd/telemetry' },
      {
        body: '{"a":1}',
        to: 'x',
        message_id: 'id-7',
        subject: 'about',
        content_type: 'application/json',
        creation_time: new Date(1_700_000_000_000),
        group_id: 'key',
        application_properties: { zone: 'eu', size: 3 },
      },
    );
    await until(() => messages().length === 2);
    const [plain, rich] = messages();
    expect(plain).toMatchObject({
      kind: 'raw',
      instance: 'telemetry',
      source: '/instance/telemetry',
      partitionkey: '',
      attributes: { address: 'collectd/telemetry' },
    });
    expect(Buffer.from(plain?.data as Uint8Array).toString()).toBe('bytes');
    expect(plain?.id).toMatch(/./);
    expect(rich).toMatchObject({
      id: 'id-7',
      subject: 'about',
      time: 1_700_000_000_000,
      partitionkey: 'key',
      data: '{"a":1}',
      attributes: {
        address: 'x',
        'message-id': 'id-7',
        'content-type': 'application/json',
        subject: 'about',
        application: { zone: 'eu', size: 3 },
      },
    });
  });

  it('are one per element of a list, each with an id of its own', async () => {
    const { peer, messages } = await start();
    peer.send({ body: ['one', Buffer.from('two'), { three: 3 }], message_id: 'm' });
    await until(() => messages().length === 3);
    expect(messages().map((message) => message.id)).toEqual(['m#0', 'm#1', 'm#2']);
    expect(messages()[0]?.data).toBe('one');
    expect(messages()[2]?.data).toEqual({ three: 3 });
    await until(() => peer.told.length === 1);
    expect(peer.told[0]?.outcome).toBe('accepted');
  });

  it('of a kind that cannot be taken are refused, with what they were', async () => {
    const { peer, entries } = await start();
    peer.send({ body: 17 }, { body: 'good' }, { body: [] }, { body: ['good', new Date(0)] });
    await until(() => entries().length === 5);
    const refused = entries().filter((entry) => entry instanceof Refused);
    expect(refused.map((entry) => entry.cause)).toEqual([
      'The body of the AMQP message cannot be taken: amqp-value of number',
      'The body of the AMQP message cannot be taken: an empty list',
      'The body of the AMQP message cannot be taken: element 1 of its list is no data',
    ]);
    expect(refused.every((entry) => entry.code === 'PB_AMQP1_BODY' && entry.message !== undefined)).toBe(true);
    expect(refused[0]?.message?.attributes).toEqual({ address: 'a' });
  });
});

describe('outcomes', () => {
  const byData: Record<string, Outcome> = {
    delivered: { kind: 'delivered' },
    filtered: { kind: 'filtered', reason: 'x' },
    stored: { kind: 'refused', code: 'X', cause: 'bad', stored: true },
    lost: { kind: 'refused', code: 'X', cause: 'bad', stored: false },
    retry: { kind: 'retry', code: 'X', cause: 'later', afterMs: 0 },
  };
  const judge = (entry: Message | Refused): Outcome => byData[String((entry as Message).data)] ?? { kind: 'delivered' };

  it('tell the sender: taken is accepted, not stored is rejected, not now is released', async () => {
    const { peer } = await start({ outcome: judge });
    peer.send(...Object.keys(byData).map((body) => ({ body })));
    await until(() => peer.told.length === 5);
    expect(told(peer)).toEqual({
      delivered: 'accepted',
      filtered: 'accepted',
      stored: 'accepted',
      lost: 'rejected',
      retry: 'released',
    });
  });

  it('of several records in one body are the worst of them', async () => {
    const { peer } = await start({ outcome: judge });
    const { message } = rhea;
    peer.send({ body: 'delivered' }, { body: ['delivered', 'lost', 'stored'] }, { body: ['retry', 'lost'] });
    peer.send({ body: message.sequence_section(['delivered', 'filtered']) as unknown });
    await until(() => peer.told.length === 4);
    expect(peer.told.map(({ outcome }) => outcome).toSorted()).toEqual([
      'accepted',
      'accepted',
      'rejected',
      'released',
    ]);
    expect(told(peer)).toMatchObject({
      delivered: 'accepted',
      'delivered,lost,stored': 'rejected',
      'retry,lost': 'released',
    });
  });

  it('are waited for, while later batches go on', async () => {
    const first = Promise.withResolvers<Outcome>();
    const { peer, messages } = await start({
      outcome: (entry) => ((entry as Message).data === 'slow' ? first.promise : { kind: 'delivered' }),
    });
    peer.send({ body: 'slow' });
    await until(() => messages().length === 1);
    peer.send({ body: 'quick' });
    await until(() => peer.told.length === 1);
    expect(told(peer)).toEqual({ quick: 'accepted' });
    first.resolve({ kind: 'delivered' });
    await until(() => peer.told.length === 2);
  });

  it('still reach the sender after stop; what has none is released by close', async () => {
    const late = Promise.withResolvers<Outcome>();
    const { peer, messages, source } = await start({
      outcome: (entry) => ((entry as Message).data === 'late' ? late.promise : new Promise<Outcome>(() => undefined)),
    });
    peer.send({ body: 'late' });
    await until(() => messages().length === 1);
    peer.send({ body: 'never' });
    await until(() => messages().length === 2);
    await source.stop();
    expect(peer.told).toEqual([]);
    late.resolve({ kind: 'delivered' });
    await until(() => peer.told.length === 1);
    await source.close();
    await until(() => peer.told.length === 2);
    expect(told(peer)).toEqual({ late: 'accepted', never: 'released' });
  });

  it('emits no more than there is room for', async () => {
    const { peer, out, messages } = await start();
    out.hold();
    peer.send({ body: 'first' });
    await until(() => messages().length === 1);
    peer.send(...Array.from({ length: 99 }, (_, i) => ({ body: String(i) })));
    // All but those held here have an outcome once the gate opens; until then nothing more comes.
    await until(() => peer.unsent === 0);
    expect(out.batches.length).toBe(1);
    out.release();
    await until(() => messages().length === 100);
    await until(() => peer.told.length === 100);
  });
});

describe('config', () => {
  it('must say one of listen and url, and addresses with a url', () => {
    const make = (config: SourceConfig) => () => amqp1.create(fakeContext({ config, amqp: test.host }));
    expect(make({ ...common })).toThrow(expect.objectContaining({ code: 'PB_AMQP1_CONFIG', path: 'listen' }) as Error);
    expect(make({ ...listening, url: 'amqp://x', addresses: ['a'] })).toThrow(/Exactly one/);
    expect(make({ ...common, url: 'amqp://x' })).toThrow(
      expect.objectContaining({ code: 'PB_AMQP1_CONFIG', path: 'addresses' }) as Error,
    );
  });

  it('can be tried out', async () => {
    const steps = await amqp1.test?.(fakeContext({ config: listening, amqp: test.host }));
    expect(steps).toMatchObject([{ name: 'Listen', ok: true }]);
    const { listener } = await listen(test);
    const config: SourceConfig = { ...common, url: `amqp://127.0.0.1:${listener.port}`, addresses: ['a'] };
    expect(await amqp1.test?.(fakeContext({ config, amqp: test.host }))).toMatchObject([{ ok: true }]);
  });
});
