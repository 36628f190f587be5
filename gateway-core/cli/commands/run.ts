import { text } from 'node:stream/consumers';
import { createGateway, type GatewayOptions } from '../../engine/gateway.ts';
import { parseAddress } from '../connect.ts';
import { EXIT } from '../exit.ts';
import { print, problemText } from '../output.ts';

interface RunOptions {
  readonly data?: string;
  readonly control?: string;
  readonly plugins?: readonly string[];
  readonly panel: boolean;
  readonly watch?: boolean;
  readonly json?: boolean;
}

/** Runs until SIGTERM or SIGINT, then drains; a second one ends at once. SIGHUP reads the config again. */
export async function run(file: string | undefined, options: RunOptions): Promise<number> {
  const config: GatewayOptions['config'] =
    file === undefined ? undefined : file === '-' ? { text: await text(process.stdin) } : { file };
  const stopped = signalled(['SIGTERM', 'SIGINT']);
  const gateway = await createGateway({
    ...(config === undefined ? {} : { config }),
    ...(options.data === undefined ? {} : { dataFolder: options.data }),
    ...(options.control === undefined ? {} : { control: parseAddress(options.control) }),
    pluginFolders: options.plugins ?? [],
    panel: options.panel,
    watch: options.watch ?? false,
  });
  const { control } = gateway;
  const say = (line: string, fields: Readonly<Record<string, unknown>>): void =>
    print(options.json === true ? JSON.stringify(fields) : line);
  for (const warning of gateway.warnings) process.stderr.write(`${problemText(warning, file ?? 'startup.yaml')}\n`);
  if (control !== undefined) {
    say(`Control: http://${control.host}:${control.port}`, {
      control: `http://${control.host}:${control.port}`,
      pid: process.pid,
      data: gateway.dataFolder,
    });
    if (options.panel) {
      const link = control.oneTimeLink();
      say(`Panel: ${link}`, { panel: link });
    }
  }
  // A promise nobody waited for is a fault to be told, not a reason to stop the flow.
  process.on('unhandledRejection', (error) =>
    process.stderr.write(`unexpected: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}\n`),
  );
  process.on('SIGHUP', () => {
    gateway.reload().catch(() => {
      // Told by an event and in the log; the running config goes on.
    });
  });
  await stopped;
  process.once('SIGINT', () => process.exit(EXIT.failed));
  process.once('SIGTERM', () => process.exit(EXIT.failed));
  await gateway.stop();
  return EXIT.ok;
}

function signalled(signals: readonly NodeJS.Signals[]): Promise<void> {
  return new Promise((resolve) => {
    const stop = (): void => {
      for (const signal of signals) process.off(signal, stop);
      resolve();
    };
    for (const signal of signals) process.on(signal, stop);
  });
}
