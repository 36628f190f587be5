import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createGateway, type Gateway } from '../../gateway-core/engine/gateway.ts';
import { startCollectd, type Collectd } from './collectd.ts';
import { eventually, freePort } from './program.ts';
import { startPrometheus, type Prometheus } from './prometheus.ts';

let folder: string;
let gateway: Gateway;
let collectd: Collectd | undefined;
let prometheus: Prometheus | undefined;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'patchbay-peers-'));
  const [amqpPort, scrapePort] = [await freePort(), await freePort()];
  gateway = await createGateway({
    dataFolder: folder,
    control: false,
    logToStderr: false,
    config: {
      object: {
        version: 1,
        sources: {
          telemetry: {
            plugin: 'amqp1',
            config: {
              listen: { host: '127.0.0.1', port: amqpPort },
              addresses: ['collectd/telemetry'],
            },
          },
        },
        handlers: { decode: { plugin: 'collectd-metrics' } },
        sinks: { scrape: { plugin: 'prometheus', config: { host: '127.0.0.1', port: scrapePort } } },
        pipelines: {
          metrics: {
            from: ['telemetry'],
            where: 'attributes.address == "collectd/telemetry"',
            through: ['decode'],
            to: ['scrape'],
          },
        },
      },
    },
  });
  collectd = startCollectd({ port: amqpPort, host: 'peer-host' });
  prometheus = await startPrometheus(scrapePort);
});

afterAll(async () => {
  await collectd?.remove();
  await prometheus?.remove();
  await gateway?.stop();
  rmSync(folder, { recursive: true, force: true });
});

describe('collectd to Prometheus', () => {
  it('brings what collectd measures to where Prometheus is asked for it', async () => {
    const samples = await eventually(
      () => `Prometheus has the memory of peer-host. collectd says: ${collectd?.program.output() ?? ''}`,
      async () => {
        const found = await prometheus?.query('collectd_memory{host="peer-host"}');
        return found !== undefined && found.length > 0 ? found : undefined;
      },
    );
    const used = samples.find((sample) => sample.metric['type_instance'] === 'used');
    expect(used?.metric).toMatchObject({ plugin_instance: 'base', host: 'peer-host' });
    expect(Number(used?.value[1])).toBeGreaterThan(1_000_000);
    const counters = await eventually(
      () => 'Prometheus has the processor times of peer-host',
      async () => {
        const found = await prometheus?.query('collectd_cpu_total{host="peer-host",type_instance="idle"}');
        return found !== undefined && found.length > 0 ? found : undefined;
      },
    );
    expect(Number(counters[0]?.value[1])).toBeGreaterThan(0);
    const targets = await prometheus?.targets();
    expect(targets).toMatchObject([{ health: 'up', lastError: '' }]);
  });

  it('accounts for every message', async () => {
    const metrics = await eventually(
      () => 'the pipeline has delivered messages',
      async () => {
        const { pipelines } = await gateway.status();
        const found = pipelines['metrics'];
        return found !== undefined && found.delivered > 0 ? found : undefined;
      },
    );
    expect(metrics.deadLettered).toBe(0);
    expect(metrics.filtered).toBe(0);
  });

  it('lets collectd live when the source is switched off, and has it back when it is on again', async () => {
    const session = { access: 'full', client: 'test' } as const;
    const switchTo = (enabled: boolean) =>
      gateway.handlers.calls['config.edit'](
        { edits: [{ op: 'set', path: ['sources', 'telemetry', 'enabled'], value: enabled }] },
        session,
        new AbortController().signal,
      );
    await switchTo(false);
    const before = (await gateway.status()).pipelines['metrics']?.delivered ?? 0;
    await switchTo(true);
    await eventually(
      () => `messages come in again. collectd says: ${collectd?.program.output() ?? ''}`,
      async () => ((await gateway.status()).pipelines['metrics']?.delivered ?? 0) > before + 10,
    );
    expect(collectd?.program.running).toBe(true);
  });
});
