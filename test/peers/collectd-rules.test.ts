/** The rules of wire-formats.md §2 and §5, through the whole gateway, as a real Prometheus reads the result. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import rhea from 'rhea';
import { RheaPeer } from '../../gateway-core/amqp/test-peer.ts';
import { createGateway, type Gateway } from '../../gateway-core/engine/gateway.ts';
import { eventually, freePort } from './program.ts';
import { startPrometheus, type Prometheus, type Sample } from './prometheus.ts';

/** Of a moment ago, with a fraction: a whole second would hide what is cut off. */
const TIME = Math.floor(Date.now() / 1000) - 20 + 0.25;

const RECORDS = [
  // The examples of the document, the second with a time of today: Prometheus takes none of 2021.
  [{ values: [2121], dstypes: ['derive'], dsnames: ['samples'], host: 'localhost', plugin: 'metric', type: 'type0' }],
  [
    {
      values: [1],
      dstypes: ['gauge'],
      dsnames: ['value'],
      time: TIME,
      interval: 10.5,
      host: 'h3',
      plugin: 'cpu',
      plugin_instance: '0',
      type: 'cpu',
      type_instance: 'idle',
    },
  ],
  // NaN, and a second record of the same array that is refused alone: lengths differ.
  [
    { values: [null], dstypes: ['gauge'], dsnames: ['value'], host: 'h4', plugin: 'temp', type: 'temp', time: TIME },
    { values: [1, 2], dstypes: ['gauge'], dsnames: ['value'], host: 'h4', plugin: 'broken', type: 'broken' },
  ],
  // Several values, an absolute, and characters that Prometheus does not take.
  [
    {
      values: [11, 22],
      dstypes: ['counter', 'absolute'],
      dsnames: ['rx', 'tx'],
      host: 'h5 "quoted"\\',
      plugin: 'if-octets',
      type: 'if.total',
      type_instance: 'a\nb',
      meta: { secret: 'not exposed' },
    },
  ],
];

let folder: string;
let gateway: Gateway;
let plain: Prometheus | undefined;
let timed: Prometheus | undefined;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'patchbay-peers-'));
  const [amqp, plainPort, timedPort] = [await freePort(), await freePort(), await freePort()];
  gateway = await createGateway({
    dataFolder: folder,
    control: false,
    logToStderr: false,
    config: {
      object: {
        version: 1,
        sources: { telemetry: { plugin: 'amqp1', config: { listen: { port: amqp } } } },
        handlers: { decode: { plugin: 'collectd-metrics' } },
        sinks: {
          plain: { plugin: 'prometheus', config: { port: plainPort } },
          timed: { plugin: 'prometheus', config: { port: timedPort, withTimeStamp: true, expirationMultiple: 100 } },
        },
        pipelines: { metrics: { from: ['telemetry'], through: ['decode'], to: ['plain', 'timed'] } },
      },
    },
  });
  const peer = new RheaPeer(amqp, undefined);
  for (const record of RECORDS) {
    // As collectd's plugin sends it: an amqp-value of binary, the address in `to`.
    const body: unknown = rhea.types.wrap_binary(Buffer.from(JSON.stringify(record)));
    peer.send({ body, to: 'collectd/telemetry' });
  }
  await eventually(
    () => `all are settled: ${JSON.stringify(peer.told)} ${peer.errors.join()}`,
    () => peer.told.length === RECORDS.length || undefined,
  );
  // A refused record is kept as a dead letter: the message is accepted all the same.
  expect(peer.told.map(({ outcome }) => outcome)).toEqual(RECORDS.map(() => 'accepted'));
  peer.close();
  [plain, timed] = await Promise.all([startPrometheus(plainPort), startPrometheus(timedPort)]);
});

afterAll(async () => {
  await Promise.all([plain?.remove(), timed?.remove()]);
  await gateway?.stop();
  rmSync(folder, { recursive: true, force: true });
});

const ask = (from: Prometheus | undefined, query: string): Promise<readonly Sample[]> =>
  eventually(
    () => `Prometheus has an answer to ${query}`,
    async () => {
      const found = await from?.query(query);
      return found !== undefined && found.length > 0 ? found : undefined;
    },
    30_000,
  );

describe('collectd metrics in Prometheus', () => {
  it('have names, labels and values by the rules', async () => {
    const samples = await ask(plain, '{__name__=~"collectd_.*"}');
    const seen = samples
      .map(({ metric: { instance: _instance, job: _job, ...metric }, value }) => ({ metric, value: value[1] }))
      .toSorted((a, b) => ((a.metric['__name__'] ?? '') < (b.metric['__name__'] ?? '') ? -1 : 1));
    const base = { plugin_instance: 'base', type_instance: 'base' };
    const octets = { host: 'h5 "quoted"\\', plugin_instance: 'base', type_instance: 'a\nb' };
    expect(seen).toEqual([
      { metric: { __name__: 'collectd_cpu', host: 'h3', plugin_instance: '0', type_instance: 'idle' }, value: '1' },
      { metric: { __name__: 'collectd_if_octets_if_total_rx_total', ...octets }, value: '11' },
      { metric: { __name__: 'collectd_if_octets_if_total_tx', ...octets }, value: '22' },
      { metric: { __name__: 'collectd_metric_type0_samples_total', host: 'localhost', ...base }, value: '2121' },
      { metric: { __name__: 'collectd_temp', host: 'h4', ...base }, value: 'NaN' },
    ]);
    expect(await plain?.targets()).toMatchObject([{ health: 'up', lastError: '' }]);
  });

  it('have the time of the measurement to the millisecond, where that is asked for', async () => {
    const [own] = await ask(timed, 'timestamp(collectd_cpu)');
    expect(Number(own?.value[1])).toBe(TIME);
    const [scraped] = await ask(plain, 'timestamp(collectd_cpu)');
    expect(Number(scraped?.value[1])).toBeGreaterThan(TIME + 1);
    expect(await timed?.targets()).toMatchObject([{ health: 'up', lastError: '' }]);
  });

  it('account for every message', async () => {
    const { pipelines } = await gateway.status();
    expect(pipelines['metrics']).toMatchObject({
      received: 4,
      delivered: 3,
      deadLettered: 1,
      inFlight: 0,
      addsUp: true,
    });
  });
});
