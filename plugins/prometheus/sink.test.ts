import { createServer, request as httpRequest, type IncomingMessage } from 'node:http';
import { connect, type AddressInfo } from 'node:net';
import { gunzipSync } from 'node:zlib';
import type { Message, Metric, WriteException } from 'patchbay/plugin-api';
import { ConfigError } from 'patchbay/plugin-api';
import { fakeContext } from 'patchbay/plugin-api/testing';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { acceptsGzip, negotiateFormat } from './negotiate.ts';
import prometheus, { type PrometheusConfig } from './sink.ts';
import { parseExposition } from './testing/parse-exposition.ts';

const config: PrometheusConfig = {
  host: '127.0.0.1',
  port: 0,
  withTimeStamp: false,
  expirationMultiple: 2,
  maxSeries: 1e6,
};
const closing: { close(): void | Promise<void> }[] = [];

afterEach(async () => {
  for (const one of closing.splice(0)) await one.close();
});

async function open(changes: Partial<PrometheusConfig> = {}) {
  const context = fakeContext({ config: { ...config, ...changes } });
  const sink = prometheus.create(context);
  closing.push(sink);
  await sink.open();
  const port = context.logs[0]!.fields['port'] as number;
  const message = (data: unknown): Message => context.message({ kind: 'metric', data });
  const metric = (change: Partial<Metric> = {}): Message =>
    message({ name: 'm', type: 'gauge', value: 1, time: 0, interval: 0, labels: { host: 'a' }, ...change });
  return { context, sink, port, message, metric };
}

interface Answer {
  readonly status: number;
  readonly headers: IncomingMessage['headers'];
  readonly body: Buffer;
}

function ask(port: number, path = '/metrics', headers: Record<string, string> = {}, method = 'GET'): Promise<Answer> {
  return new Promise((resolve, reject) => {
    httpRequest({ port, path, headers, method, agent: false }, (response) => {
      const chunks: Buffer[] = [];
      response.on('data', (chunk: Buffer) => chunks.push(chunk));
      response.on('end', () =>
        resolve({ status: response.statusCode!, headers: response.headers, body: Buffer.concat(chunks) }),
      );
      response.on('error', reject);
    })
      .on('error', reject)
      .end();
  });
}

describe('HTTP', () => {
  it('serves text, OpenMetrics and gzip as asked', async () => {
    const { sink, port, metric } = await open();
    await sink.write([metric({ name: 'ü_total', type: 'counter', labels: { a: 'ü"\\\n' } })]);
    const text = await ask(port);
    expect([text.status, text.headers['content-type']]).toEqual([200, 'text/plain; version=0.0.4; charset=utf-8']);
    expect(parseExposition(text.body.toString(), false)).toMatchObject([{ name: '__total', labels: { a: 'ü"\\\n' } }]);
    const open_ = await ask(port, '/metrics?x=1', {
      accept: 'application/openmetrics-text;version=1.0.0,text/plain;q=0.5',
      'accept-encoding': 'gzip',
    });
    expect([open_.headers['content-type'], open_.headers['content-encoding']]).toEqual([
      'application/openmetrics-text; version=1.0.0; charset=utf-8',
      'gzip',
    ]);
    expect(parseExposition(gunzipSync(open_.body).toString(), true)).toHaveLength(1);
  });

  it('answers HEAD, the root, and what it does not have', async () => {
    const { port } = await open();
    const head = await ask(port, '/metrics', {}, 'HEAD');
    expect([head.status, head.body.length]).toEqual([200, 0]);
    expect((await ask(port, '/')).body.toString()).toContain('/metrics');
    expect((await ask(port, '/metricsx')).status).toBe(404);
    const post = await ask(port, '/metrics', {}, 'POST');
    expect([post.status, post.headers['allow']]).toEqual([405, 'GET, HEAD']);
  });

  it('does not hold up anyone during a scrape of 100 000 series, and survives a scraper that leaves', async () => {
    const { sink, port, metric, context } = await open();
    for (let i = 0; i < 100; i++) {
      await sink.write(
        Array.from({ length: 1000 }, (_, k) =>
          metric({ name: `m${i % 10}`, labels: { host: `h${i}`, instance: `i${k}` } }),
        ),
      );
    }
    const socket = connect(port);
    socket.write('GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n');
    await new Promise((resolve) => socket.once('data', resolve));
    socket.destroy();
    const start = performance.now();
    let last = start;
    let longest = 0;
    const timer = setInterval(() => {
      longest = Math.max(longest, performance.now() - last);
      last = performance.now();
    }, 1);
    const scraped = await ask(port);
    const total = performance.now() - start;
    clearInterval(timer);
    expect(parseExposition(scraped.body.toString(), false)).toHaveLength(100_000);
    expect(last).toBeGreaterThan(start);
    expect(longest).toBeLessThan(total / 2);
    await vi.waitUntil(() => context.counts.get('prometheus_scrapes_aborted_total') === 1, { timeout: 5000 });
    expect(context.counts.get('prometheus_scrapes_total')).toBe(1);
  });
});

describe('the sink', () => {
  it('refuses what is no metric, one by one', async () => {
    const { sink, message, metric, port } = await open();
    const bad = [
      undefined,
      'm',
      { name: 'm' },
      { name: '', type: 'gauge', value: 1, labels: {} },
      { name: 'm', type: 'gauge', value: '1', labels: {} },
      { name: 'm', type: 'summary', value: 1, labels: {} },
      { name: 'm', type: 'gauge', value: 1, labels: null },
    ];
    const result = (await sink.write([
      metric(),
      ...bad.map(message),
      metric({ type: 'counter' }),
      metric({ value: 7 }),
    ])) as WriteException[];
    expect(result.map((one) => [one.index, one.kind, one.code])).toEqual([
      ...bad.map((_, i) => [i + 1, 'refuse', 'PB_PROMETHEUS_NOT_A_METRIC']),
      [bad.length + 1, 'refuse', 'PB_PROMETHEUS_TYPE'],
    ]);
    expect((await ask(port)).body.toString()).toBe('# TYPE m gauge\nm{host="a"} 7\n');
  });

  it('says which field is wrong when the port is taken or the host is foreign', async () => {
    const other = createServer().listen(0, '127.0.0.1');
    await new Promise((resolve) => other.once('listening', resolve));
    closing.push({ close: () => void other.close() });
    const { port } = other.address() as AddressInfo;
    await expect(open({ port })).rejects.toMatchObject({ code: 'PB_PORT_IN_USE', path: 'port' });
    await expect(open({ host: '192.0.2.1' })).rejects.toMatchObject({ code: 'PB_LISTEN_ADDRESS', path: 'host' });
    await expect(open({ port })).rejects.toBeInstanceOf(ConfigError);
  });

  it('frees its port when closed, with a scraper connected', async () => {
    const { sink, port } = await open();
    const socket = connect(port);
    await new Promise((resolve) => socket.once('connect', resolve));
    socket.on('error', () => undefined);
    await sink.close();
    const again = await open({ port });
    expect((await ask(again.port)).status).toBe(200);
  });

  it('takes changed settings while it runs, but not another port', async () => {
    const { sink, port, metric } = await open();
    await sink.write([metric({ time: 5000 })]);
    expect(sink.reconfigure!({ ...config, withTimeStamp: true })).toBe(true);
    expect((await ask(port)).body.toString()).toContain('m{host="a"} 1 5000\n');
    expect(sink.reconfigure!({ ...config, port: 1 })).toBe(false);
  });

  it('reports its series and what expired', async () => {
    const { sink, metric, context, port } = await open();
    await sink.write([metric({ interval: 0.01 }), metric({ name: 'stays' })]);
    await vi.waitUntil(() => context.counts.get('prometheus_expired_total') === 1, { timeout: 10_000 });
    expect(context.gauges.get('prometheus_series')).toBe(1);
    expect((await ask(port)).body.toString()).toBe('# TYPE stays gauge\nstays{host="a"} 1\n');
  });
});

describe('negotiation', () => {
  const OPEN = 'application/openmetrics-text; version=1.0.0; charset=utf-8';
  const TEXT = 'text/plain; version=0.0.4; charset=utf-8';
  it.each([
    [undefined, TEXT],
    ['*/*', TEXT],
    ['application/json', TEXT],
    ['application/openmetrics-text', OPEN],
    [
      'application/openmetrics-text; version=1.0.0,application/openmetrics-text;version=0.0.1;q=0.75,text/plain;version=0.0.4;q=0.5,*/*;q=0.1',
      OPEN,
    ],
    ['application/openmetrics-text;version=0.0.1', OPEN.replace('1.0.0', '0.0.1')],
    ['application/openmetrics-text;version=9.0.0,text/plain;q=0.1', TEXT],
    ['application/openmetrics-text;q=0.4,text/plain;q=0.5', TEXT],
    ['application/openmetrics-text;q=0,*/*', TEXT],
    ['text/plain, application/openmetrics-text', OPEN],
    [';;;,q=,=', TEXT],
  ])('Accept %s', (accept, expected) => {
    expect(negotiateFormat(accept).contentType).toBe(expected);
  });

  it.each([
    [undefined, false],
    ['gzip, deflate', true],
    ['gzip;q=0', false],
    ['*', true],
    ['identity', false],
    ['*;q=0, gzip', true],
    ['br, *;q=0', false],
  ])('Accept-Encoding %s', (header, expected) => {
    expect(acceptsGzip(header)).toBe(expected);
  });
});
