import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { eventually, freePort, startProgram, type Program } from './program.ts';

/** A real RabbitMQ 3 with AMQP 1.0, its files in a folder of its own. */
export interface RabbitMq {
  readonly port: number;
  readonly url: string;
  /** Ends it as a power cut would. */
  kill(): Promise<void>;
  /** Starts it again with what is on its disk. */
  start(): Promise<void>;
  /** Ends it and removes its files. */
  remove(): Promise<void>;
}

/** Starts Debian's rabbitmq-server, user guest, password guest, ready to be connected to. */
export async function startRabbitMq(): Promise<RabbitMq> {
  const folder = mkdtempSync(join(tmpdir(), 'patchbay-rabbitmq-'));
  const [port, distPort, epmdPort] = [await freePort(), await freePort(), await freePort()];
  const plugins = join(folder, 'enabled_plugins');
  writeFileSync(plugins, '[rabbitmq_amqp1_0].\n');
  const config = join(folder, 'rabbitmq.conf');
  writeFileSync(config, `listeners.tcp.1 = 127.0.0.1:${port}\nlog.file = false\nlog.console = true\n`);
  mkdirSync(join(folder, 'mnesia'));
  const env = {
    HOME: folder,
    LANG: 'C.UTF-8',
    // A name server of our own: the machine's may not run, and would be left behind.
    ERL_EPMD_PORT: String(epmdPort),
    ERL_EPMD_ADDRESS: '127.0.0.1',
    RABBITMQ_NODENAME: `patchbay-${process.pid}-${port}@localhost`,
    RABBITMQ_NODE_PORT: String(port),
    RABBITMQ_DIST_PORT: String(distPort),
    RABBITMQ_MNESIA_BASE: join(folder, 'mnesia'),
    RABBITMQ_LOG_BASE: folder,
    RABBITMQ_PID_FILE: join(folder, 'pid'),
    RABBITMQ_CONFIG_FILE: config,
    RABBITMQ_ENABLED_PLUGINS_FILE: plugins,
    RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS: '+S 1:1',
  };
  const epmd = startProgram('epmd', ['-port', String(epmdPort), '-address', '127.0.0.1']);
  let server: Program | undefined;
  const start = async (): Promise<void> => {
    server = startProgram('/usr/lib/rabbitmq/bin/rabbitmq-server', [], env);
    const started = server;
    await eventually(
      () => `RabbitMQ listens. It says: ${started.output()} ${epmd.output()}`,
      async () => {
        if (!started.running) throw new Error(`RabbitMQ ended: ${started.output()}`);
        return (await reachable(port)) || undefined;
      },
      90_000,
    );
  };
  const rabbit: RabbitMq = {
    port,
    url: `amqp://127.0.0.1:${port}`,
    start,
    kill: async () => server?.end('SIGKILL'),
    remove: async () => {
      await server?.end('SIGKILL');
      await epmd.end('SIGKILL');
      rmSync(folder, { recursive: true, force: true });
    },
  };
  try {
    await start();
  } catch (error) {
    await rabbit.remove();
    throw error;
  }
  return rabbit;
}

function reachable(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ host: '127.0.0.1', port });
    socket.once('connect', () => {
      socket.destroy();
      resolve(true);
    });
    socket.once('error', () => resolve(false));
  });
}
