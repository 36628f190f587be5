import {
  defineSink,
  NotConnectedError,
  toCloudEvent,
  type AmqpConnection,
  type AmqpOutgoing,
  type AmqpSender,
  type Context,
  type Message,
  type Sink,
  type WriteException,
} from 'patchbay/plugin-api';
import { connectOptions, type SinkConfig } from './config.ts';

class Amqp1Sink implements Sink<SinkConfig> {
  private readonly context: Context<SinkConfig>;
  private connection: AmqpConnection | undefined;
  private sender: AmqpSender | undefined;

  constructor(context: Context<SinkConfig>) {
    this.context = context;
  }

  async open(): Promise<void> {
    const { config, amqp, log } = this.context;
    this.connection = await amqp.connect({
      ...connectOptions(config),
      onState: (state, reason) => {
        if (state === 'connected') this.context.health({ state: 'running' });
        else this.context.health({ state: 'degraded', reason });
      },
    });
    this.sender = await this.connection.sender({
      address: config.address,
      durable: config.durable,
      timeoutMs: config.timeout * 1000,
    });
    log.info('connected', { url: config.url, address: config.address });
  }

  async write(batch: readonly Message[]): Promise<readonly WriteException[]> {
    const { sender } = this;
    if (sender === undefined || !sender.ready) {
      throw new NotConnectedError(`The connection to ${this.context.config.url} is away`);
    }
    const exceptions: WriteException[] = [];
    const outgoing: AmqpOutgoing[] = [];
    /** Places in the batch of those sent. */
    const places: number[] = [];
    for (const [index, message] of batch.entries()) {
      try {
        outgoing.push(encode(message, this.context.config));
        places.push(index);
      } catch (error) {
        const cause = error instanceof Error ? error.message : String(error);
        exceptions.push({ index, kind: 'refuse', code: 'PB_AMQP1_ENCODE', cause });
      }
    }
    for (const { index, kind, code, cause } of await sender.send(outgoing)) {
      exceptions.push({ index: places[index] ?? index, kind: kind === 'rejected' ? 'refuse' : 'retry', code, cause });
    }
    return exceptions;
  }

  async close(): Promise<void> {
    await this.connection?.close();
    this.connection = undefined;
    this.sender = undefined;
  }
}

/** The message as it goes out. Throws when its data can't be JSON. */
export function encode(message: Message, config: Pick<SinkConfig, 'format' | 'body' | 'durable'>): AmqpOutgoing {
  const { data, attributes } = message;
  let body: Uint8Array | string;
  let contentType: string | undefined;
  if (config.format === 'cloudevent') {
    body = JSON.stringify(toCloudEvent(message));
    contentType = 'application/cloudevents+json; charset=UTF-8';
  } else if (data instanceof Uint8Array || typeof data === 'string') {
    body = data;
    const given = attributes['content-type'];
    contentType = typeof given === 'string' ? given : undefined;
  } else {
    const text: string | undefined = JSON.stringify(data);
    if (text === undefined) throw new TypeError(`data of type ${typeof data} has no form in JSON`);
    body = text;
    contentType = 'application/json';
  }
  return {
    body,
    bodyAs: config.body,
    durable: config.durable,
    properties: {
      messageId: message.id,
      creationTime: message.time,
      ...(message.subject === undefined ? {} : { subject: message.subject }),
      ...(contentType === undefined ? {} : { contentType }),
      ...(message.partitionkey === '' ? {} : { groupId: message.partitionkey }),
    },
  };
}

export default defineSink<SinkConfig>({
  custody: 'remote',
  create: (context) => new Amqp1Sink(context),
  async test({ config, amqp }) {
    const connection = await amqp.connect(connectOptions(config));
    try {
      await connection.sender({ address: config.address, durable: config.durable });
    } finally {
      await connection.close();
    }
    return [{ name: 'Connect, log in and attach', ok: true, detail: `${config.url} ${config.address}` }];
  },
});
