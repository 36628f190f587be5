/** What one pretended host reports: value lists as collectd's own plugins send them. */

/** One data source. Counters rise by `low`–`high` a second, gauges wander between the two. */
export interface DataSource {
  readonly name: string;
  readonly type: 'derive' | 'gauge';
  readonly low: number;
  readonly high: number;
}

export interface ValueList {
  readonly plugin: string;
  readonly pluginInstance: string;
  readonly type: string;
  readonly typeInstance: string;
  readonly sources: readonly DataSource[];
}

const GIB = 2 ** 30;

const one = (type: DataSource['type'], low: number, high: number): DataSource[] => [{ name: 'value', type, low, high }];
const list = (
  plugin: string,
  pluginInstance: string,
  type: string,
  typeInstance: string,
  sources: DataSource[],
): ValueList => ({
  plugin,
  pluginInstance,
  type,
  typeInstance,
  sources,
});

// In jiffies: a hundred a second, over all states.
const cpu = ['0', '1'].flatMap((core) => [
  list('cpu', core, 'cpu', 'idle', one('derive', 55, 85)),
  list('cpu', core, 'cpu', 'user', one('derive', 8, 25)),
  list('cpu', core, 'cpu', 'system', one('derive', 3, 12)),
  list('cpu', core, 'cpu', 'wait', one('derive', 0, 6)),
]);

const memory = [
  list('memory', '', 'memory', 'used', one('gauge', 2 * GIB, 6 * GIB)),
  list('memory', '', 'memory', 'free', one('gauge', GIB, 5 * GIB)),
  list('memory', '', 'memory', 'cached', one('gauge', GIB, 4 * GIB)),
  list('memory', '', 'memory', 'buffered', one('gauge', 0.1 * GIB, 0.5 * GIB)),
];

const df = ['root', 'boot', 'home'].flatMap((disk) => [
  list('df', disk, 'df_complex', 'free', one('gauge', 10 * GIB, 40 * GIB)),
  list('df', disk, 'df_complex', 'used', one('gauge', 5 * GIB, 30 * GIB)),
  list('df', disk, 'df_complex', 'reserved', one('gauge', GIB, 2 * GIB)),
]);

const load = [
  list('load', '', 'load', '', [
    { name: 'shortterm', type: 'gauge', low: 0, high: 4 },
    { name: 'midterm', type: 'gauge', low: 0.2, high: 3 },
    { name: 'longterm', type: 'gauge', low: 0.4, high: 2 },
  ]),
];

const rxTx = (low: number, high: number): DataSource[] => [
  { name: 'rx', type: 'derive', low, high },
  { name: 'tx', type: 'derive', low: low / 2, high: high / 2 },
];
const interfaces = ['eth0', 'lo'].flatMap((name) => [
  list('interface', name, 'if_octets', '', rxTx(2e4, 4e6)),
  list('interface', name, 'if_packets', '', rxTx(50, 4000)),
  list('interface', name, 'if_errors', '', rxTx(0, 0.1)),
]);

export const VALUE_LISTS: readonly ValueList[] = [...cpu, ...memory, ...df, ...load, ...interfaces];
