import {
  ConfigError,
  defineSource,
  type AmqpConnection,
  type AmqpDelivery,
  type AmqpIntake,
  type AmqpListenOptions,
  type AmqpOutcome,
  type AmqpReceiveOptions,
  type Context,
  type Emit,
  type Source,
  type TestStep,
} from 'patchbay/plugin-api';
import { connectOptions, type SourceConfig } from './config.ts';
import { settleBatch } from './settle.ts';
import { ToMessages } from './to-messages.ts';

/** To a sender that talks to us directly a message that must be tried again is as good as new. */
const RELEASED: AmqpOutcome = { kind: 'released' };
/** A broker counts the failures, and may set the message aside after some. */
const FAILED: AmqpOutcome = { kind: 'modified', deliveryFailed: true };

class Amqp1Source implements Source<SourceConfig> {
  private readonly context: Context<SourceConfig>;
  private readonly toMessages: ToMessages;
  private intake: AmqpIntake | undefined;
  private connection: AmqpConnection | undefined;

  constructor(context: Context<SourceConfig>) {
    this.context = context;
    this.toMessages = new ToMessages((init) => context.message(init));
  }

  async start(emit: Emit): Promise<void> {
    const { config, amqp, log } = this.context;
    if (config.listen !== undefined) {
      const listener = await amqp.listen(listenOptions(config, this.receiveOptions(emit, RELEASED)));
      this.intake = listener;
      log.info('listening', { host: config.listen.host, port: listener.port, tls: config.listen.tls !== undefined });
      return;
    }
    this.connection = await amqp.connect({
      ...connectOptions({ ...config, url: config.url ?? '' }),
      limits: { maxMessageSize: config.maxMessageSize, maxFrameSize: config.maxFrameSize },
      onState: (state, reason) => {
        if (state === 'connected') this.context.health({ state: 'running' });
        else this.context.health({ state: 'degraded', reason });
      },
    });
    this.intake = await this.connection.receive(this.receiveOptions(emit, FAILED));
    log.info('receiving', { url: config.url, addresses: config.addresses });
  }

  async stop(): Promise<void> {
    await this.intake?.drain();
  }

  async close(): Promise<void> {
    await this.intake?.close();
    await this.connection?.close();
  }

  private receiveOptions(emit: Emit, giveBack: AmqpOutcome): AmqpReceiveOptions {
    return {
      addresses: this.context.config.addresses,
      credit: this.context.config.credit,
      durable: this.context.config.durable,
      onDeliveries: (deliveries: readonly AmqpDelivery[]): Promise<void> => {
        const { entries, owners } = this.toMessages.convert(deliveries);
        const { admitted, outcomes } = emit(entries);
        // `outcomes` never rejects; what has none at the end is released by `close`.
        void outcomes.then((all) => {
          if (this.intake !== undefined) settleBatch(this.intake, deliveries, owners, all, giveBack);
        });
        return admitted;
      },
    };
  }
}

function listenOptions(config: SourceConfig, receive: AmqpReceiveOptions): AmqpListenOptions {
  const { listen } = config;
  if (listen === undefined) throw contradiction('listen', 'listen is missing');
  return {
    ...receive,
    host: listen.host,
    port: listen.port,
    ...(listen.tls === undefined ? {} : { tls: listen.tls }),
    sasl: { anonymous: listen.anonymous, plain: listen.users, external: listen.clientCertificates },
    limits: {
      maxMessageSize: config.maxMessageSize,
      maxFrameSize: config.maxFrameSize,
      maxConnections: listen.maxConnections,
    },
  };
}

function contradiction(path: string, message: string): ConfigError {
  return new ConfigError(
    'PB_AMQP1_CONFIG',
    path,
    message,
    'Give either `listen` or `url`; with `url`, at least one address.',
  );
}

function check(config: SourceConfig): void {
  if ((config.listen === undefined) === (config.url === undefined)) {
    throw contradiction('listen', 'Exactly one of `listen` and `url` is needed');
  }
  if (config.url !== undefined && config.addresses.length === 0) {
    throw contradiction('addresses', 'With `url` at least one address is needed');
  }
}

/** Tries what `start` would need. From a broker nothing is taken: without credit it sends nothing. */
async function test({ config, amqp }: Context<SourceConfig>): Promise<readonly TestStep[]> {
  check(config);
  const nothing = { onDeliveries: () => undefined };
  if (config.listen !== undefined) {
    const listener = await amqp.listen(listenOptions(config, nothing));
    await listener.close();
    return [{ name: 'Listen', ok: true, detail: `${config.listen.host}:${listener.port} is free` }];
  }
  const url = config.url ?? '';
  const connection = await amqp.connect(connectOptions({ ...config, url }));
  await connection.close();
  return [{ name: 'Connect and log in', ok: true, detail: url }];
}

export default defineSource<SourceConfig>({
  create(context) {
    check(context.config);
    return new Amqp1Source(context);
  },
  test,
});
