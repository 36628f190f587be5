import { type AmqpDelivery, type AmqpListener, NotConnectedError } from 'patchbay/plugin-api';
import { fakeContext } from 'patchbay/plugin-api/testing';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { listen, testHost, type TestHost } from '../../gateway-core/amqp/test-peer.ts';
import type { SinkConfig } from './config.ts';
import amqp1 from './sink.ts';

const until = (condition: () => boolean): Promise<unknown> => vi.waitUntil(condition, { timeout: 10_000, interval: 5 });
let test: TestHost;
const closers: (() => void | Promise<void>)[] = [];
beforeEach(() => {
  test = testHost();
});
afterEach(async () => {
  for (const close of closers.splice(0)) await close();
  test.stop();
});

async function start(config: Partial<SinkConfig> = {}) {
  const { listener, deliveries } = await listen(test);
  const context = fakeContext<SinkConfig>({
    config: {
      url: `amqp://127.0.0.1:${listener.port}`,
      address: 'out',
      format: 'data',
      body: 'data',
      durable: true,
      timeout: 5,
      ...config,
    },
    amqp: test.host,
  });
  const sink = amqp1.create(context);
  closers.push(() => sink.close());
  await sink.open();
  return { listener, deliveries, context, sink };
}

const accept = (listener: AmqpListener, deliveries: readonly AmqpDelivery[]): void =>
  listener.settle(deliveries, { kind: 'accepted' });
const text = (delivery: AmqpDelivery | undefined): string =>
  typeof delivery?.body === 'string' ? delivery.body : Buffer.from(delivery?.body as Uint8Array).toString();

describe('amqp1 sink', () => {
  it('sends bytes and text as they are and all else as JSON, and is done when accepted', async () => {
    const { listener, deliveries, context, sink } = await start();
    let done = false;
    const written = Promise.resolve(
      sink.write([
        context.message({ data: Buffer.from('bytes'), id: 'one', partitionkey: 'key', subject: 's', time: 1000 }),
        context.message({ data: 'text', attributes: { 'content-type': 'text/plain' } }),
        context.message({ data: { a: [1] } }),
      ]),
    ).then((result) => {
      done = true;
      return result;
    });
    await until(() => deliveries.length === 3);
    expect(done).toBe(false);
    accept(listener, deliveries);
    expect(await written).toEqual([]);
    expect(deliveries.map(text)).toEqual(['bytes', 'text', '{"a":[1]}']);
    expect(deliveries.every((delivery) => delivery.address === 'out')).toBe(true);
    expect(deliveries[0]?.properties).toEqual({ messageId: 'one', groupId: 'key', subject: 's', creationTime: 1000 });
    expect(deliveries[1]?.properties.contentType).toBe('text/plain');
    expect(deliveries[2]?.properties.contentType).toBe('application/json');
  });

  it('sends a CloudEvent when told to, and an amqp-value', async () => {
    const { listener, deliveries, context, sink } = await start({ format: 'cloudevent', body: 'value' });
    const written = sink.write([context.message({ data: { a: 1 }, id: 'one', type: 't' })]);
    await until(() => deliveries.length === 1);
    accept(listener, deliveries);
    await written;
    expect(typeof deliveries[0]?.body).toBe('string');
    expect(JSON.parse(text(deliveries[0]))).toMatchObject({
      specversion: '1.0',
      id: 'one',
      type: 't',
      source: '/instance/test',
      data: { a: 1 },
    });
    expect(deliveries[0]?.properties.contentType).toMatch(/^application\/cloudevents\+json/);
  });

  it('tells which were not taken', async () => {
    const { listener, deliveries, context, sink } = await start();
    const written = sink.write([
      context.message({ data: () => undefined }),
      context.message({ data: 'released' }),
      context.message({ data: 'rejected' }),
      context.message({ data: 'accepted' }),
    ]);
    await until(() => deliveries.length === 3);
    listener.settle(deliveries, { kind: 'released' }, 0, 1);
    listener.settle(deliveries, { kind: 'rejected', condition: 'x:y' }, 1, 2);
    accept(listener, deliveries);
    const exceptions = [...((await written) ?? [])].toSorted((a, b) => a.index - b.index);
    expect(exceptions).toMatchObject([
      { index: 0, kind: 'refuse', code: 'PB_AMQP1_ENCODE' },
      { index: 1, kind: 'retry', code: 'PB_AMQP_NOT_TAKEN' },
      { index: 2, kind: 'refuse', code: 'PB_AMQP_REJECTED' },
    ]);
  });

  it('throws NotConnectedError when it could send nothing', async () => {
    const { listener, context, sink } = await start();
    await listener.close();
    await until(() => context.healths.length === 1);
    expect(context.healths[0]?.state).toBe('degraded');
    await expect(Promise.resolve(sink.write([context.message({ data: 'x' })]))).rejects.toBeInstanceOf(
      NotConnectedError,
    );
  });

  it('can be tried out', async () => {
    const { context } = await start();
    expect(await amqp1.test?.(context)).toMatchObject([{ ok: true }]);
    const nobody = fakeContext({ config: { ...context.config, url: 'amqp://127.0.0.1:1' }, amqp: test.host });
    await expect(amqp1.test?.(nobody)).rejects.toBeInstanceOf(NotConnectedError);
  });
});
