import { createServer, type Server } from 'node:net';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { AmqpDelivery, AmqpListener, AmqpSendException } from '../plugin-api/amqp.ts';
import { ConfigError, NotConnectedError } from '../plugin-api/errors.ts';
import { listen, testHost, type TestHost } from './test-peer.ts';
import rhea, { type Connection as RheaConnection, type Receiver, type Sender } from 'rhea';

let test: TestHost;
const until = (condition: () => boolean): Promise<unknown> => vi.waitUntil(condition, { timeout: 15_000, interval: 5 });
const closers: (() => void)[] = [];

beforeEach(() => {
  test = testHost();
});
afterEach(() => {
  test.stop();
  for (const close of closers.splice(0)) close();
});

const accept = (listener: AmqpListener, deliveries: readonly AmqpDelivery[]): void =>
  listener.settle(deliveries, { kind: 'accepted' });

interface Broker {
  readonly port: number;
  readonly server: Server;
  readonly connections: Set<RheaConnection>;
  /** The links on which the broker sends. */
  readonly senders: Sender[];
  /** Ends all connections without a word. */
  cut(): void;
  stop(): void;
}

/** A broker as small as can be: lets in whom `login` lets in, and keeps the links that ask for messages. */
async function broker(port = 0, setup?: (connection: RheaConnection) => void): Promise<Broker> {
  const container = rhea.create_container();
  container.on('disconnected', () => undefined);
  container.on('error', () => undefined);
  const connections = new Set<RheaConnection>();
  const senders: Sender[] = [];
  container.on('connection_open', (context: { connection: RheaConnection }) => {
    connections.add(context.connection);
    setup?.(context.connection);
  });
  container.on('sender_open', (context: { sender: Sender }) => {
    const { sender } = context;
    if (sender.source.address === 'missing')
      sender.close({ condition: 'amqp:not-found', description: 'no such queue' });
    else {
      sender.set_source({ address: sender.source.address });
      senders.push(sender);
    }
  });
  container.on('receiver_open', (context: { receiver: Receiver }) => {
    context.receiver.set_target({ address: context.receiver.target.address });
  });
  const server = container.listen({ port, host: '127.0.0.1' });
  await new Promise((resolve) => server.once('listening', resolve));
  const cut = (): void => {
    for (const connection of connections) (connection as unknown as { socket: { destroy(): void } }).socket.destroy();
    connections.clear();
    senders.length = 0;
  };
  const stop = (): void => {
    server.close();
    cut();
  };
  closers.push(stop);
  return { port: (server.address() as { port: number }).port, server, connections, senders, cut, stop };
}

describe('sending', () => {
  it('resolves with all accepted when they are, in order, more than there is credit for', async () => {
    const { listener, deliveries } = await listen(test, {
      credit: 50,
      onDeliveries: (batch) => {
        deliveries.push(...batch);
        accept(listener, batch);
      },
    });
    const connection = await test.host.connect({ url: `amqp://127.0.0.1:${listener.port}` });
    const sender = await connection.sender({ address: 'a' });
    const batch = Array.from({ length: 2_000 }, (_, i) => ({
      body: i % 2 === 0 ? Buffer.from(`${i}`) : `${i}`,
      properties: { messageId: `id-${i}`, groupId: 'g' },
      applicationProperties: { i },
    }));
    expect(await sender.send(batch)).toEqual([]);
    expect(deliveries.map((delivery) => Number(Buffer.from(delivery.body as Uint8Array).toString()))).toEqual(
      Array.from({ length: 2_000 }, (_, i) => i),
    );
    expect(deliveries[7]?.properties).toMatchObject({ messageId: 'id-7', groupId: 'g' });
    expect(deliveries[7]?.applicationProperties).toEqual({ i: 7 });
    expect(deliveries[7]?.address).toBe('a');
  });

  it('sends large messages in frames, and values as values', async () => {
    const { listener, deliveries } = await listen(test, { limits: { maxFrameSize: 4096 } });
    const connection = await test.host.connect({ url: `amqp://127.0.0.1:${listener.port}` });
    const sender = await connection.sender({});
    const sent = sender.send([
      { body: Buffer.alloc(100_000, 7), properties: { to: 'x' } },
      { body: 'text', bodyAs: 'value', properties: { to: 'y' } },
    ]);
    await until(() => deliveries.length === 2);
    accept(listener, deliveries);
    expect(await sent).toEqual([]);
    expect(deliveries.map((delivery) => delivery.address)).toEqual(['x', 'y']);
    expect(deliveries[0]?.body).toEqual(Buffer.alloc(100_000, 7));
    expect(deliveries[1]?.body).toBe('text');
  });

  it('tells of each what the peer said', async () => {
    const { listener, deliveries } = await listen(test);
    const connection = await test.host.connect({ url: `amqp://127.0.0.1:${listener.port}` });
    const sender = await connection.sender({ address: 'a' });
    const sent = sender.send(['a', 'b', 'c', 'd'].map((body) => ({ body })));
    await until(() => deliveries.length === 4);
    listener.settle(deliveries, { kind: 'released' }, 1, 2);
    listener.settle(deliveries, { kind: 'rejected', condition: 'x:bad', description: 'why' }, 2, 3);
    listener.settle(deliveries, { kind: 'modified' }, 3, 4);
    listener.settle(deliveries, { kind: 'accepted' }, 0, 1);
    const exceptions = [...(await sent)].toSorted((x, y) => x.index - y.index);
    expect(exceptions.map(({ index, kind, code }) => ({ index, kind, code }))).toEqual([
      { index: 1, kind: 'retry', code: 'PB_AMQP_NOT_TAKEN' },
      { index: 2, kind: 'rejected', code: 'PB_AMQP_REJECTED' },
      { index: 3, kind: 'retry', code: 'PB_AMQP_NOT_TAKEN' },
    ]);
    expect(exceptions[1]?.cause).toContain('x:bad why');
  });

  it('rejects alone what is larger than the peer takes', async () => {
    const { listener, deliveries } = await listen(test, { limits: { maxMessageSize: 2_000 } });
    const connection = await test.host.connect({ url: `amqp://127.0.0.1:${listener.port}` });
    const sender = await connection.sender({ address: 'a' });
    const sent = sender.send([{ body: Buffer.alloc(3_000) }, { body: 'small' }]);
    await until(() => deliveries.length === 1);
    accept(listener, deliveries);
    expect(await sent).toMatchObject([{ index: 0, kind: 'rejected', code: 'PB_AMQP_REJECTED' }]);
    expect(connection.connected).toBe(true);
  });

  it('gives back what is in flight when the connection is lost, and sends again over the next one', async () => {
    const first = await listen(test);
    const states: string[] = [];
    const connection = await test.host.connect({
      url: `amqp://127.0.0.1:${first.listener.port}`,
      onState: (state) => states.push(state),
    });
    const sender = await connection.sender({ address: 'a' });
    const sent = sender.send([{ body: '1' }, { body: '2' }]);
    await until(() => first.deliveries.length === 2);
    const { port } = first.listener;
    first.listener.settle(first.deliveries, { kind: 'accepted' }, 0, 1);
    await first.listener.close();
    const exceptions: readonly AmqpSendException[] = await sent;
    expect(exceptions).toMatchObject([{ index: 1, kind: 'retry' }]);
    await until(() => !sender.ready);
    expect(await sender.send([{ body: '3' }])).toMatchObject([{ kind: 'retry', code: 'PB_AMQP_CONNECTION_LOST' }]);
    const second = await listen(test, { port });
    await until(() => sender.ready);
    const again = sender.send([{ body: '2' }]);
    await until(() => second.deliveries.length === 1);
    accept(second.listener, second.deliveries);
    expect(await again).toEqual([]);
    expect(states).toEqual(['disconnected', 'connected']);
    await connection.close();
  });

  it('gives up on a peer that says nothing, and connects anew', async () => {
    const { listener, deliveries } = await listen(test);
    const states: string[] = [];
    const connection = await test.host.connect({
      url: `amqp://127.0.0.1:${listener.port}`,
      onState: (state) => states.push(state),
    });
    const sender = await connection.sender({ address: 'a', timeoutMs: 200 });
    expect(await sender.send([{ body: 'x' }])).toMatchObject([
      { index: 0, kind: 'retry', code: 'PB_AMQP_SEND_TIMEOUT' },
    ]);
    expect(deliveries.length).toBe(1);
    await until(() => states.length === 2);
    expect(states).toEqual(['disconnected', 'connected']);
  });
});

describe('receiving from a broker', () => {
  it('attaches a link per address, again after the connection was lost', async () => {
    const first = await broker();
    const deliveries: AmqpDelivery[] = [];
    const connection = await test.host.connect({ url: `amqp://127.0.0.1:${first.port}` });
    const intake = await connection.receive({
      addresses: ['one', 'two'],
      credit: 10,
      onDeliveries: (batch) => void deliveries.push(...batch),
    });
    await until(() => first.senders.length === 2 && first.senders.every((sender) => sender.sendable()));
    const outcomes: string[] = [];
    for (const sender of first.senders) {
      sender.on('accepted', () => outcomes.push('accepted'));
      sender.send({ body: sender.source.address });
    }
    await until(() => deliveries.length === 2);
    expect(deliveries.map((delivery) => delivery.address).toSorted()).toEqual(['one', 'two']);
    intake.settle(deliveries, { kind: 'accepted' });
    await until(() => outcomes.length === 2);
    first.cut();
    await until(() => first.senders.length === 2 && first.senders.every((sender) => sender.sendable()));
    first.senders[0]?.send({ body: 'again' });
    await until(() => deliveries.length === 3);
    expect(intake.unsettled).toBe(1);
  });

  it('says what the broker said when it refuses an address', async () => {
    const { port } = await broker();
    const connection = await test.host.connect({ url: `amqp://127.0.0.1:${port}` });
    const refused = connection.receive({ addresses: ['missing'], onDeliveries: () => undefined });
    await expect(refused).rejects.toBeInstanceOf(ConfigError);
    await expect(refused).rejects.toMatchObject({ code: 'PB_AMQP_ATTACH' });
    await expect(refused).rejects.toThrow(/missing.*amqp:not-found no such queue/);
  });
});

describe('connecting', () => {
  it('says that nobody is there', async () => {
    const { listener } = await listen(test);
    await listener.close();
    const refused = test.host.connect({ url: `amqp://127.0.0.1:${listener.port}` });
    await expect(refused).rejects.toBeInstanceOf(NotConnectedError);
    await expect(refused).rejects.toMatchObject({ code: 'PB_AMQP_UNREACHABLE' });
  });

  it('does not wait for ever for a peer that says nothing', async () => {
    const silent = createServer();
    closers.push(() => silent.close());
    await new Promise<void>((resolve) => silent.listen(0, '127.0.0.1', resolve));
    const { port } = silent.address() as { port: number };
    const refused = test.host.connect({ url: `amqp://127.0.0.1:${port}`, limits: { handshakeMs: 100 } });
    await expect(refused).rejects.toThrow(/did not finish connecting within 0.1 s/);
  });

  it('says that it was the login', async () => {
    const { listener } = await listen(test, { sasl: { plain: [{ username: 'u', password: 'p' }] } });
    const url = `amqp://127.0.0.1:${listener.port}`;
    const wrong = test.host.connect({ url, username: 'u', password: 'wrong' });
    await expect(wrong).rejects.toMatchObject({ code: 'PB_AMQP_LOGIN' });
    await expect(wrong).rejects.toBeInstanceOf(ConfigError);
    await expect(test.host.connect({ url })).rejects.toMatchObject({ code: 'PB_AMQP_LOGIN' });
    const connection = await test.host.connect({ url, username: 'u', password: 'p' });
    expect(connection.connected).toBe(true);
  });

  it('works without a SASL layer', async () => {
    const { listener } = await listen(test);
    const connection = await test.host.connect({ url: `amqp://127.0.0.1:${listener.port}`, sasl: 'none' });
    expect(connection.connected).toBe(true);
  });

  it.each([
    ['http://broker', 'must begin with'],
    ['amqp://user:secret@broker', 'have their own fields'],
    ['amqp://broker/queue', 'addresses have their own field'],
    ['broker:5672', 'must begin with'],
    ['', 'no URL'],
  ])('refuses %s', async (url, why) => {
    const refused = test.host.connect({ url });
    await expect(refused).rejects.toMatchObject({ code: 'PB_AMQP_URL', path: 'url' });
    await expect(refused).rejects.toThrow(why);
    await expect(refused).rejects.not.toThrow('secret');
  });
});
