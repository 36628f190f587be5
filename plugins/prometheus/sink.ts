import { setImmediate } from 'node:timers/promises';
import {
  defineSink,
  type Context,
  type Message,
  type Metric,
  type Sink,
  type WriteException,
  type WriteResult,
} from 'patchbay/plugin-api';
import { exposition } from './exposition.ts';
import { ScrapeServer } from './server.ts';
import { SeriesStore } from './store.ts';

export interface PrometheusConfig {
  readonly host: string;
  readonly port: number;
  readonly withTimeStamp: boolean;
  readonly expirationMultiple: number;
  readonly maxSeries: number;
}

const TICK_MS = 1000;
/** Series looked at before others of this thread get their turn. */
const EXPIRE_SLICE = 5000;

class Prometheus implements Sink<PrometheusConfig> {
  private readonly context: Context<PrometheusConfig>;
  private config: PrometheusConfig;
  private readonly store: SeriesStore;
  private readonly server: ScrapeServer;
  private timer: NodeJS.Timeout | undefined;
  private expiring = false;
  private readonly reported = { stale: 0, expired: 0, collisions: 0 };

  constructor(context: Context<PrometheusConfig>) {
    this.context = context;
    this.config = context.config;
    this.store = new SeriesStore(this.config, performance.now(), (message) =>
      context.log.warn(`${message}: they share one value, the last by time`, { code: 'PB_PROMETHEUS_COLLISION' }),
    );
    this.server = new ScrapeServer({
      pieces: (openMetrics) =>
        exposition(this.store, { openMetrics, withTimeStamp: this.config.withTimeStamp, clock: performance.now() }),
      ended: (seconds, complete) => {
        context.metrics.count(complete ? 'prometheus_scrapes_total' : 'prometheus_scrapes_aborted_total');
        if (complete) context.metrics.gauge('prometheus_scrape_seconds', seconds);
      },
    });
  }

  async open(): Promise<void> {
    const { host } = this.config;
    const port = await this.server.listen(host, this.config.port);
    this.server.onFault((error) => this.context.fail(error));
    const url = `http://${host.includes(':') ? `[${host}]` : host}:${port}/metrics`;
    this.context.log.info(`serving ${url}`, { port });
    this.context.health({ state: 'running', reason: `serving ${url}` });
    this.timer = setInterval(() => {
      this.expire().catch((error: unknown) => this.context.fail(error));
    }, TICK_MS);
  }

  write(batch: readonly Message[]): WriteResult {
    const now = Date.now();
    const clock = performance.now();
    let exceptions: WriteException[] | undefined;
    for (let index = 0; index < batch.length; index++) {
      const { data } = batch[index]!;
      const rejection = isMetric(data) ? this.store.apply(data, now, clock) : NOT_A_METRIC;
      if (rejection !== undefined) {
        (exceptions ??= []).push({ index, kind: 'refuse', code: rejection.code, cause: rejection.cause });
      }
    }
    this.store.endBatch();
    return exceptions;
  }

  async close(): Promise<void> {
    clearInterval(this.timer);
    await this.server.close();
  }

  reconfigure(config: PrometheusConfig): boolean {
    if (config.host !== this.config.host || config.port !== this.config.port) return false;
    this.config = config;
    this.store.limits = config;
    return true;
  }

  private async expire(): Promise<void> {
    if (this.expiring) return;
    this.expiring = true;
    try {
      const clock = performance.now();
      while (!this.store.expire(clock, EXPIRE_SLICE)) await setImmediate();
    } finally {
      this.expiring = false;
    }
    this.report();
  }

  private report(): void {
    const { metrics } = this.context;
    metrics.gauge('prometheus_series', this.store.size);
    for (const name of ['stale', 'expired', 'collisions'] as const) {
      const more = this.store.counts[name] - this.reported[name];
      if (more > 0) metrics.count(`prometheus_${name}_total`, more);
      this.reported[name] += more;
    }
  }
}

const NOT_A_METRIC = {
  code: 'PB_PROMETHEUS_NOT_A_METRIC',
  cause: 'not a metric with a name, a type, a number and labels',
};

function isMetric(data: unknown): data is Metric {
  if (typeof data !== 'object' || data === null) return false;
  const { name, type, value, labels } = data as Partial<Record<keyof Metric, unknown>>;
  return (
    typeof value === 'number' &&
    typeof name === 'string' &&
    name !== '' &&
    typeof labels === 'object' &&
    labels !== null &&
    (type === 'counter' || type === 'gauge' || type === 'untyped')
  );
}

export default defineSink<PrometheusConfig>({ custody: 'view', create: (context) => new Prometheus(context) });
