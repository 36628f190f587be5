import { VALUE_LISTS, type ValueList } from './lists.ts';

export interface TrafficOptions {
  readonly hosts: number;
  readonly seed: number;
  /** Share of damaged messages, 0 to 1. */
  readonly faults: number;
  /** Messages a second: sets how far a counter rises from one message to the next. */
  readonly rate: number;
}

/** collectd's own default, seconds. */
const COLLECTD_INTERVAL = 10;

/** A list's text around what changes: values, time, interval, host. */
interface Template {
  readonly list: ValueList;
  /** Place of its first value among a host's. */
  readonly first: number;
  readonly types: string;
  readonly tail: string;
}

const TEMPLATES: readonly Template[] = templates();
const SERIES_PER_HOST = VALUE_LISTS.reduce((sum, list) => sum + list.sources.length, 0);

function templates(): Template[] {
  let first = 0;
  return VALUE_LISTS.map((list) => {
    const template = {
      list,
      first,
      types: `],"dstypes":${JSON.stringify(list.sources.map((s) => s.type))},"dsnames":${JSON.stringify(list.sources.map((s) => s.name))},"time":`,
      tail: `","plugin":"${list.plugin}","plugin_instance":"${list.pluginInstance}","type":"${list.type}","type_instance":"${list.typeInstance}"}]`,
    };
    first += list.sources.length;
    return template;
  });
}

/** Small, quick and good enough (mulberry32): 0 ≤ x < 1. */
function randomFrom(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), state | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };
}

/** An endless row of collectd messages, host after host. The same options give the same values. */
export class Traffic {
  private readonly random: () => number;
  private readonly values: Float64Array;
  private readonly hosts: number;
  private readonly faults: number;
  private readonly step: number;
  private readonly interval: string;
  private list = 0;
  private host = 0;

  constructor(options: TrafficOptions) {
    this.random = randomFrom(options.seed);
    this.hosts = options.hosts;
    this.faults = options.faults;
    const round = (options.hosts * TEMPLATES.length) / options.rate;
    this.step = round;
    // A series must not expire at its reader because a round takes longer than collectd's would.
    this.interval = `,"interval":${Math.max(COLLECTD_INTERVAL, Math.ceil(round))}.000,"host":"`;
    this.values = new Float64Array(options.hosts * SERIES_PER_HOST);
    for (let host = 0, at = 0; host < options.hosts; host++) {
      for (const { list } of TEMPLATES) {
        for (const s of list.sources) {
          this.values[at++] =
            s.type === 'gauge' ? s.low + this.random() * (s.high - s.low) : Math.floor(this.random() * s.high * 1000);
        }
      }
    }
  }

  /** The next message's text, all ASCII. `time` in milliseconds. */
  next(time: number): string {
    const template = TEMPLATES[this.list]!;
    const host = this.host;
    if (++this.list === TEMPLATES.length) {
      this.list = 0;
      this.host = (host + 1) % this.hosts;
    }
    const { sources } = template.list;
    let at = host * SERIES_PER_HOST + template.first;
    let values = '';
    for (let i = 0; i < sources.length; i++) {
      values += (i === 0 ? '' : ',') + this.advance(at++, sources[i]!);
    }
    const text = `[{"values":[${values}${template.types}${(time / 1000).toFixed(3)}${this.interval}node-${host + 1}.demo${template.tail}`;
    return this.faults > 0 && this.random() < this.faults ? this.damage(text) : text;
  }

  private advance(at: number, source: { readonly type: string; readonly low: number; readonly high: number }): string {
    const { low, high } = source;
    const before = this.values[at]!;
    if (source.type === 'derive') {
      const value = before + (low + this.random() * (high - low)) * this.step;
      this.values[at] = value;
      return String(Math.floor(value));
    }
    const value = Math.min(high, Math.max(low, before + (this.random() - 0.5) * 0.1 * (high - low)));
    this.values[at] = value;
    return high > 1000 ? String(Math.round(value)) : value.toFixed(2);
  }

  /** What goes wrong in the wild: see the errors of collectd-metrics. */
  private damage(text: string): string {
    const kind = Math.floor(this.random() * 4);
    if (kind === 0) return text.replace(/"dsnames":\[[^\]]*\]/, '"dsnames":[]');
    if (kind === 1) return text.replace(/"values":\[[^\],]*/, '"values":[true');
    if (kind === 2) return text.replace(/"host":"[^"]*",/, '');
    return text.slice(0, Math.floor(text.length / 2));
  }
}
