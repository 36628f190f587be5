import { join } from 'node:path';
import { startControlServer } from '../control/server.ts';
import type { ResolvedConfig } from '../config/resolved.ts';
import type { ContractHandlers } from '../protocol/handlers.ts';
import type { GatewayState } from '../protocol/model.ts';
import type { Logger } from '../plugin-api/index.ts';
import type { Monitor } from './monitor.ts';

export interface ControlOptions {
  /** Beats what the config says. */
  readonly override: { readonly host?: string; readonly port?: number };
  readonly config: ResolvedConfig | null;
  readonly token: string;
  /** Keeps browser sessions (as hashes) over a restart, so that open panels come back by themselves. */
  readonly sessionFile: string;
  readonly handlers: ContractHandlers;
  readonly panel: boolean;
  /** Folder of the application; the built panel lies in its `dist/renderer`. */
  readonly application: string;
  readonly monitor: Monitor;
  readonly log: Logger;
  state(): GatewayState;
}

export interface Control {
  readonly host: string;
  readonly port: number;
  oneTimeLink(): string;
  close(): Promise<void>;
}

const DEFAULT = { host: '127.0.0.1', port: 7080 };

/** Opens the control address. Rejects with PB_PORT_IN_USE naming where it is set. */
export async function startControl(options: ControlOptions): Promise<Control> {
  const { override, config, monitor } = options;
  const host = override.host ?? config?.control.host ?? DEFAULT.host;
  const port = override.port ?? config?.control.port ?? DEFAULT.port;
  const server = await startControlServer({
    host,
    port,
    token: options.token,
    sessionFile: options.sessionFile,
    readTokens: readTokens(process.env),
    handlers: options.handlers,
    ...(options.panel ? { panelFolder: join(options.application, 'dist', 'renderer') } : {}),
    metrics: async () => {
      // prom-client is loaded when someone scrapes, not at every start.
      const { renderMetrics } = await import('./own-metrics.ts');
      return renderMetrics(await monitor.fresh(), monitor.counts.metrics);
    },
    health: () => ({ state: options.state() }),
    ready: () => ({ ready: options.state() === 'running', state: options.state() }),
    log: options.log,
  });
  return { host, port: server.port, oneTimeLink: () => server.oneTimeLink(), close: () => server.close() };
}

const MIN_TOKEN = 20;

/** Read-only tokens: `PATCHBAY_READ_TOKENS`, separated by spaces; shorter ones than 20 characters are not taken. */
function readTokens(env: Readonly<Record<string, string | undefined>>): string[] {
  return (env['PATCHBAY_READ_TOKENS'] ?? '').split(/\s+/).filter((token) => token.length >= MIN_TOKEN);
}
