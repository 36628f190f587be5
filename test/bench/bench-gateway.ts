import { mkdtempSync, rmSync } from 'node:fs';
import { createServer, type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { GatewayConfig, PipelineStatus, SinkStatus } from '../../gateway-core/protocol/model.ts';
import type { SpoolState } from '../../gateway-core/storage/spool-wire.ts';
import { BenchChild, type Usage } from './child.ts';
import type { Given } from './gateway.ts';

/** What gateway.ts says; counts are sums over all pipelines, since the gateway started. */
export interface GatewayUsage extends Usage {
  readonly delivered: number;
  readonly spooled: number;
  readonly addsUp: boolean;
  readonly rssMb: number;
  readonly applyMs: number;
  readonly pipelines: Readonly<Record<string, PipelineStatus>>;
  readonly sinks: Readonly<Record<string, SinkStatus>>;
  readonly failed: readonly string[];
  readonly spools: Readonly<Record<string, SpoolState>>;
}

const PLUGINS = fileURLToPath(new URL('./plugins', import.meta.url));
const LOOK_EVERY_MS = 20;

/** A gateway in a process of its own, on a data folder of its own. */
export class BenchGateway {
  readonly data: string;
  private child: BenchChild;
  private readonly config: GatewayConfig;

  constructor(config: (folder: string) => GatewayConfig) {
    this.data = mkdtempSync(join(tmpdir(), 'patchbay-bench-'));
    this.config = config(this.data);
    this.child = this.begin();
  }

  /** Resolves when it runs; fails when an instance of it does not. */
  async ready(): Promise<void> {
    await this.child.hello;
    const { failed } = await this.usage();
    if (failed.length > 0) throw new Error(`the gateway started without ${failed.join(', ')}`);
  }

  async usage(): Promise<GatewayUsage> {
    return (await this.child.usage()) as GatewayUsage;
  }

  async apply(config: GatewayConfig): Promise<GatewayUsage> {
    return (await this.child.usage(`apply ${JSON.stringify(JSON.stringify(config))}`)) as GatewayUsage;
  }

  /** The first usage that `holds`. */
  async until(holds: (usage: GatewayUsage) => boolean, seconds = 120): Promise<GatewayUsage> {
    const end = performance.now() + seconds * 1000;
    for (;;) {
      const usage = await this.usage();
      if (holds(usage)) return usage;
      if (performance.now() > end) throw new Error(`the gateway did not get there: ${JSON.stringify(usage)}`);
      await new Promise((resolve) => setTimeout(resolve, LOOK_EVERY_MS));
    }
  }

  /** Ends it as a power cut would. */
  async kill(): Promise<void> {
    await this.child.kill();
  }

  /** After {@link kill}: once more on the same data. */
  restart(): void {
    this.child = this.begin();
  }

  /** Stops it and removes its data. */
  async end(): Promise<void> {
    await this.child.end();
    rmSync(this.data, { recursive: true, force: true });
  }

  private begin(): BenchChild {
    const given: Given = { data: this.data, config: this.config, plugins: [PLUGINS] };
    return new BenchChild('./gateway.ts', [JSON.stringify(given)]);
  }
}

/** Ports that nobody listens on now, each another one. */
export async function freePorts(count: number): Promise<number[]> {
  const servers = Array.from({ length: count }, () => createServer());
  await Promise.all(
    servers.map((server) => new Promise((resolve) => server.listen(0, '127.0.0.1', () => resolve(null)))),
  );
  const ports = servers.map((server) => (server.address() as AddressInfo).port);
  await Promise.all(servers.map((server) => new Promise((resolve) => server.close(resolve))));
  return ports;
}

export async function freePort(): Promise<number> {
  const [port] = await freePorts(1);
  return port as number;
}
