/** A real gateway in this process, with plugins written by the test. */
import { mkdtemp, mkdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import { createGateway, type Gateway, type GatewayOptions } from '../../gateway-core/engine/gateway.ts';
import type { Calls, CallName } from '../../gateway-core/protocol/contract.ts';
import type { GatewayConfig, StatusReport } from '../../gateway-core/protocol/model.ts';

export interface Rig {
  readonly gateway: Gateway;
  readonly data: string;
  call<Name extends CallName>(name: Name, params: Calls[Name]['params']): Promise<Calls[Name]['result']>;
  status(): Promise<StatusReport>;
  /** Resolves with the first status that `holds`; fails after `seconds` with the last one seen. */
  until(what: string, holds: (status: StatusReport) => boolean, seconds?: number): Promise<StatusReport>;
  /** Event types so far, newest first. */
  events(): Promise<readonly { type: string; code: string; subject: string; message: string }[]>;
}

/** A fresh data folder, removed after the test. */
export async function dataFolder(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'patchbay-faults-'));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  return folder;
}

/** Starts a gateway on `data`, stopped after the test. */
export async function startRig(
  data: string,
  config: GatewayConfig,
  options: Partial<GatewayOptions> = {},
): Promise<Rig> {
  const gateway = await createGateway({
    config: { object: config },
    dataFolder: data,
    control: false,
    logToStderr: false,
    ...options,
  });
  onTestFinished(() => gateway.stop(2000));
  const session = { access: 'full', client: 'test' } as const;
  const call: Rig['call'] = (name, params) =>
    (
      gateway.handlers.calls[name] as unknown as (
        params: unknown,
        session: unknown,
        signal: AbortSignal,
      ) => Promise<never>
    )(params, session, new AbortController().signal);
  return {
    gateway,
    data,
    call,
    status: () => gateway.status(),
    async until(what, holds, seconds = 20) {
      const end = Date.now() + seconds * 1000;
      for (;;) {
        const status = await gateway.status();
        if (holds(status)) return status;
        if (Date.now() > end)
          throw new Error(
            `${what} did not come about within ${seconds} s: ${JSON.stringify({ pipelines: status.pipelines, instances: status.instances }, null, 1)}`,
          );
        await new Promise((resolve) => setTimeout(resolve, 50));
      }
    },
    events: async () => (await call('events.list', { limit: 500 })).events,
  };
}

/** Resolves when `holds`; fails after `seconds`. */
export async function eventually(what: string, holds: () => boolean | Promise<boolean>, seconds = 20): Promise<void> {
  const end = Date.now() + seconds * 1000;
  while (!(await holds())) {
    if (Date.now() > end) throw new Error(`${what} did not come about within ${seconds} s`);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

export interface TestPlugin {
  readonly name: string;
  readonly version?: string;
  readonly kind: 'source' | 'handler' | 'sink';
  /** Body of the module `main.js`. */
  readonly code: string;
  readonly files?: Readonly<Record<string, string>>;
  readonly manifest?: Readonly<Record<string, unknown>>;
}

/** Writes a plugin into the user's plugin folder. */
export async function writePlugin(data: string, plugin: TestPlugin): Promise<string> {
  const folder = join(data, 'plugins', plugin.name);
  await mkdir(folder, { recursive: true });
  for (const [name, text] of Object.entries({ 'main.js': plugin.code, ...plugin.files }))
    await writeFile(join(folder, name), text);
  const edges =
    plugin.kind === 'source'
      ? { produces: ['raw'] }
      : plugin.kind === 'sink'
        ? { accepts: ['*'], custody: 'view' }
        : { accepts: ['*'], produces: ['same'] };
  const manifest = {
    manifestVersion: 1,
    name: plugin.name,
    version: plugin.version ?? '1.0.0',
    apiVersion: '1',
    title: plugin.name,
    description: 'A plugin of a test.',
    license: 'Apache-2.0',
    stability: 'experimental',
    contributes: [{ kind: plugin.kind, name: plugin.name, main: './main.js', ...edges }],
    ...plugin.manifest,
  };
  await writeFile(join(folder, 'plugin.json'), JSON.stringify(manifest));
  return folder;
}

/** Code of a handler from the body of a function of one message `m`. */
export function handlerCode(body: string, head = ''): string {
  return `import { defineHandler, derive, Filtered, Refused, eachMessage } from 'patchbay/plugin-api';\n${head}\nexport default defineHandler({ create: (context) => ({ handle: eachMessage((m) => { ${body} }) }) });\n`;
}

/** generator → the named handlers → prometheus on a free port. */
export function demoConfig(through: readonly string[], extra: Partial<GatewayConfig> = {}, rate = 500): GatewayConfig {
  return {
    version: 1,
    sources: { demo: { plugin: 'generator', config: { rate, faults: 0 } } },
    handlers: {
      decode: { plugin: 'collectd-metrics' },
      ...Object.fromEntries(through.map((name) => [name, { plugin: name }])),
    },
    sinks: { out: { plugin: 'prometheus', config: { port: 0 } } },
    pipelines: { flow: { from: ['demo'], through: [...through, 'decode'], to: ['out'] } },
    ...extra,
  };
}
