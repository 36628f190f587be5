import type { AmqpHost, Message, Refused, Source } from 'patchbay/plugin-api';
import { fakeContext, fakeEmit } from 'patchbay/plugin-api/testing';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createAmqpHost } from '../../gateway-core/amqp/host.ts';
import type { SinkConfig, SourceConfig } from '../../plugins/amqp1/config.ts';
import sinkDefinition from '../../plugins/amqp1/sink.ts';
import sourceDefinition from '../../plugins/amqp1/source.ts';
import { eventually } from './program.ts';
import { startRabbitMq, type RabbitMq } from './rabbitmq.ts';

let rabbit: RabbitMq;
const stop = new AbortController();
const silent = { debug: () => undefined, info: () => undefined, warn: () => undefined, error: () => undefined };
const amqp: AmqpHost = createAmqpHost({ log: silent, signal: stop.signal });
const login = { username: 'guest', password: 'guest' };

beforeAll(async () => {
  rabbit = await startRabbitMq();
});
afterAll(async () => {
  stop.abort();
  await rabbit.remove();
});

function sinkTo(address: string) {
  const config: SinkConfig = {
    url: rabbit.url,
    address,
    ...login,
    format: 'data',
    body: 'data',
    durable: true,
    timeout: 10,
  };
  const context = fakeContext({ config, amqp });
  return { context, sink: sinkDefinition.create(context) };
}

function sourceFrom(address: string) {
  const config: SourceConfig = {
    url: rabbit.url,
    addresses: [address],
    ...login,
    durable: false,
    credit: 50,
    maxMessageSize: 1_000_000,
    maxFrameSize: 1_000_000,
  };
  const context = fakeContext({ config, amqp });
  const out = fakeEmit();
  const source: Source<SourceConfig> = sourceDefinition.create(context);
  const seen = (): Set<string> =>
    new Set(out.batches.flat().map((entry: Message | Refused) => String((entry as Message).data)));
  return { context, source, out, seen };
}

/** Writes until the broker has taken everything: what the host's delivery does with the answers of a sink. */
async function writeAll(sink: ReturnType<typeof sinkTo>, names: readonly string[]): Promise<void> {
  let left = [...names];
  await eventually(
    () => `${left.length} messages are still not taken`,
    async () => {
      const batch = left.map((name) => sink.context.message({ data: name, id: name }));
      const exceptions = (await sink.sink.write(batch)) ?? [];
      const refused = exceptions.filter((exception) => exception.kind === 'refuse');
      if (refused.length > 0) throw new Error(`refused: ${JSON.stringify(refused)}`);
      left = exceptions.map((exception) => left[exception.index] as string);
      return left.length === 0 || undefined;
    },
  );
}

const names = (prefix: string, count: number): string[] => Array.from({ length: count }, (_, i) => `${prefix}-${i}`);

describe('RabbitMQ', () => {
  it('takes what the sink sends and gives it to the source', async () => {
    const to = sinkTo('/queue/plain');
    await to.sink.open();
    const from = sourceFrom('/queue/plain');
    await from.source.start(from.out.emit);
    await writeAll(to, names('m', 500));
    await eventually(
      () => `only ${from.seen().size} of 500 came back`,
      () => from.seen().size === 500 || undefined,
    );
    const first = from.out.batches[0]?.[0] as Message;
    expect(first).toMatchObject({ id: 'm-0', attributes: { address: '/queue/plain' } });
    expect(from.out.batches.flat().length).toBe(500);
    await from.source.stop();
    await from.source.close();
    await to.sink.close();
  });

  it('says that the login is wrong', async () => {
    const wrong = amqp.connect({ url: rabbit.url, username: 'guest', password: 'wrong' });
    await expect(wrong).rejects.toMatchObject({ code: 'PB_AMQP_LOGIN' });
  });

  it('gets every message after it was killed and came back, and we get every message of it', async () => {
    const to = sinkTo('/queue/durable');
    await to.sink.open();
    await writeAll(to, names('before', 300));
    const from = sourceFrom('/queue/durable');
    await from.source.start(from.out.emit);
    await eventually(
      () => 'the first messages came',
      () => from.seen().size > 0 || undefined,
    );
    // A batch is on its way as the broker dies.
    const during = writeAll(to, names('during', 2_000)).then(() => undefined);
    await rabbit.kill();
    await eventually(
      () => 'source and sink say that the broker is away',
      () =>
        (from.context.healths.at(-1)?.state === 'degraded' && to.context.healths.at(-1)?.state === 'degraded') ||
        undefined,
    );
    await rabbit.start();
    await during;
    await writeAll(to, names('after', 300));
    const all = [...names('before', 300), ...names('during', 2_000), ...names('after', 300)];
    const missing = (): string[] => {
      const seen = from.seen();
      return all.filter((name) => !seen.has(name));
    };
    await eventually(
      () => `${missing().length} of ${all.length} are missing: ${missing().slice(0, 5).join()}`,
      () => missing().length === 0 || undefined,
    );
    expect(from.context.healths.at(-1)?.state).toBe('running');
    expect(from.context.failures).toEqual([]);
    await from.source.stop();
    await from.source.close();
    await to.sink.close();
  });
});
