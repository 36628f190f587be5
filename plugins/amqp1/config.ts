import type { AmqpClientTls, AmqpConnectOptions, AmqpServerTls } from 'patchbay/plugin-api';

/** How to reach and enter a broker; the same for source and sink. */
export interface BrokerConfig {
  readonly url: string;
  readonly sasl?: 'anonymous' | 'plain' | 'external' | 'none';
  readonly username?: string;
  readonly password?: string;
  readonly tls?: AmqpClientTls;
}

/** `source.schema.json`, defaults filled in. */
export interface SourceConfig extends Partial<BrokerConfig> {
  readonly listen?: {
    readonly host: string;
    readonly port: number;
    readonly anonymous: boolean;
    readonly users: readonly { readonly username: string; readonly password: string }[];
    readonly clientCertificates: boolean;
    readonly tls?: AmqpServerTls;
    readonly maxConnections: number;
  };
  readonly addresses: readonly string[];
  readonly durable: boolean;
  readonly credit: number;
  readonly maxMessageSize: number;
  readonly maxFrameSize: number;
}

/** `sink.schema.json`, defaults filled in. */
export interface SinkConfig extends BrokerConfig {
  readonly address: string;
  readonly format: 'data' | 'cloudevent';
  readonly body: 'data' | 'value';
  readonly durable: boolean;
  readonly timeout: number;
}

export function connectOptions(config: BrokerConfig): AmqpConnectOptions {
  const { url, sasl, username, password, tls } = config;
  return {
    url,
    ...(sasl === undefined ? {} : { sasl }),
    ...(username === undefined ? {} : { username }),
    ...(password === undefined ? {} : { password }),
    ...(tls === undefined ? {} : { tls }),
  };
}
