/** Time of one update of a known series, by number of series: `node plugins/prometheus/bench/apply.ts`. Beside it JSON.parse of the same metric. */
import type { Metric } from 'patchbay/plugin-api';
import { SeriesStore } from '../store.ts';

const BATCH = 256;

for (const series of [1_000, 10_000, 100_000]) {
  const store = new SeriesStore({ maxSeries: 1e6, expirationMultiple: 2 }, 0, () => undefined);
  const names = new Map<string, string>();
  const texts = Array.from({ length: series }, (_, i) => {
    const labels = {
      host: `host-${i % 500}.example.org`,
      plugin_instance: String(i % 64),
      type_instance: `instance-${i}`,
    };
    return JSON.stringify({
      name: `collectd_plugin${i % 40}_type${i % 7}`,
      type: 'gauge',
      value: i * 1.25,
      time: 1.7e12,
      interval: 10,
      labels,
    });
  });
  // As from the decoder: names are shared, labels are new each time.
  const read = (text: string): Metric => {
    const metric = JSON.parse(text) as Metric;
    const name = names.get(metric.name) ?? metric.name;
    names.set(name, name);
    return { ...metric, name };
  };
  let updates = 0;
  let parseMs = 0;
  let applyMs = 0;
  for (let round = 0; updates < 1_000_000; round++) {
    for (let at = 0; at < series; at += BATCH) {
      const start = performance.now();
      const metrics = texts.slice(at, at + BATCH).map(read);
      const parsed = performance.now();
      for (const metric of metrics) store.apply(metric, 1.7e12 + round, round);
      store.endBatch();
      const end = performance.now();
      if (round < 2) continue;
      updates += metrics.length;
      parseMs += parsed - start;
      applyMs += end - parsed;
    }
  }
  const micros = (ms: number): string => ((ms * 1000) / updates).toFixed(3);
  console.log(`${series} series: update ${micros(applyMs)} µs, JSON.parse ${micros(parseMs)} µs`);
}
