import type { CodedError } from '../engine/error.ts';
import type {
  AmqpConnection,
  AmqpConnectOptions,
  AmqpHost,
  AmqpListener,
  AmqpListenOptions,
} from '../plugin-api/amqp.ts';
import type { Logger, StopSignal } from '../plugin-api/context.ts';
import { Connection } from './connection.ts';
import { Listener } from './listener.ts';
import { PeerLog } from './peer-log.ts';
import { loadRhea } from './rhea.ts';

export interface AmqpHostOptions {
  /** Faults of peers go here, limited in rate. */
  readonly log: Logger;
  /** Aborted: everything still open is closed. */
  readonly signal: StopSignal;
  /** Also told of every fault of a peer, not limited in rate. */
  readonly onError?: (error: CodedError) => void;
}

/**
 * AMQP for one instance, in the thread of that instance. Costs nothing until the first call,
 * which loads rhea. The instance closes what it opened; `signal` closes what it forgot.
 */
export function createAmqpHost(options: AmqpHostOptions): AmqpHost {
  const log = new PeerLog(options.log, options.onError);
  const open = new Set<{ close(): Promise<void> }>();
  options.signal.addEventListener(
    'abort',
    () => {
      for (const each of open) void each.close();
      open.clear();
    },
    { once: true },
  );
  return {
    version: 1,
    async listen(listenOptions: AmqpListenOptions): Promise<AmqpListener> {
      const listener = new Listener(await loadRhea(), listenOptions, log);
      await listener.open();
      open.add(listener);
      return listener;
    },
    async connect(connectOptions: AmqpConnectOptions): Promise<AmqpConnection> {
      const connection = new Connection(await loadRhea(), connectOptions, log);
      await connection.open();
      open.add(connection);
      return connection;
    },
  };
}
