/** Entries beyond this begin a new cache: a hostile sender must not fill the memory. */
const MAX_NAMES = 20_000;
const MAX_CACHED_LENGTH = 300;

type Level<Value> = Map<string, Value>;

/**
 * Metric names by plugin, type, data source name and data source type, each built once.
 * Level by level, since a joined key would be a new text to hash for every value.
 */
export class MetricNames {
  private plugins: Level<Level<Level<Level<string>>>> = new Map();
  private size = 0;

  get cached(): number {
    return this.size;
  }

  /** `collectd_<plugin>[_<type>][_<dsname>][_total]`. */
  get(plugin: string, type: string, dsname: string, dstype: string): string {
    const known = this.plugins.get(plugin)?.get(type)?.get(dsname)?.get(dstype);
    return known ?? this.add(plugin, type, dsname, dstype);
  }

  private add(plugin: string, type: string, dsname: string, dstype: string): string {
    const name = metricName(plugin, type, dsname, dstype);
    if (name.length + dstype.length > MAX_CACHED_LENGTH) return name;
    if (this.size++ >= MAX_NAMES) {
      this.plugins = new Map();
      this.size = 1;
    }
    const types = level(this.plugins, plugin);
    const dsnames = level(types, type);
    level(dsnames, dsname).set(dstype, name);
    return name;
  }
}

function level<Value>(map: Level<Level<Value>>, key: string): Level<Value> {
  let next = map.get(key);
  if (next === undefined) map.set(key, (next = new Map()));
  return next;
}

function metricName(plugin: string, type: string, dsname: string, dstype: string): string {
  let name = `collectd_${plugin}`;
  if (type !== plugin) name += `_${type}`;
  if (dsname !== 'value') name += `_${dsname}`;
  if (dstype === 'counter' || dstype === 'derive') name += '_total';
  return name;
}
