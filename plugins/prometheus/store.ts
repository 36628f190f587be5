/**
 * The series: the last value of each by time, until it expires. One thread, all in memory;
 * `apply` is the hot path, everything that is needed once per series happens when it is made.
 */
import type { Metric } from 'patchbay/plugin-api';
import { ExpiryWheel } from './expiry.ts';
import { LabelSet } from './labels.ts';
import { exposedName, labelText } from './text.ts';

export interface Series {
  readonly family: Family;
  /** Its labels by name, without empty ones: with the family, what it is known by. */
  readonly names: readonly string[];
  readonly values: readonly string[];
  /** Of `values`. */
  readonly hash: number;
  /** `name{a="1"} `, ready to be followed by the value. */
  readonly text: string;
  /** Number of the last scrape that began before it was made. */
  readonly born: number;
  /** The next one with the same hash; still there after this one is gone. */
  next: Series | undefined;
  value: number;
  /** What decides which value is the last: upstream's time, else when it came. ms */
  time: number;
  /** `time` is upstream's. */
  stamped: boolean;
  /** On the monotonic clock, ms; Infinity: never. */
  deadline: number;
  /** Tick of the expiry wheel at which it is looked at; -1: at none; -2: it is gone. */
  due: number;
}

export interface Family {
  /** As exposed. */
  readonly name: string;
  readonly type: Metric['type'];
  /** First of each chain of series, by hash. */
  readonly chains: Map<number, Series>;
  size: number;
  /** Upstream's names for it, as far as they are kept: see `MAX_NAMES`. */
  readonly spellings: string[];
  /** Series by exposed text; only in a family where a label's name had to be changed. */
  byText: Map<string, Series> | undefined;
  collided: boolean;
}

export interface Rejection {
  readonly code: string;
  readonly cause: string;
}

export interface StoreLimits {
  readonly maxSeries: number;
  readonly expirationMultiple: number;
}

export interface StoreCounts {
  /** Values older than the one held: taken, not shown. */
  stale: number;
  expired: number;
  /** Names or label sets that became alike when made fit for Prometheus. */
  collisions: number;
}

/** A clock may be wrong: a time this far ahead of ours does not keep later values out. */
const AHEAD_MS = 600_000;
const GONE = -2;
/** Spellings of a name that are remembered: beyond this they are worked out anew each time. */
const MAX_NAMES = 64;
/** Never reached by chance (30 bits of hash): a sender is trying to make look-ups slow. */
const MAX_CHAIN = 64;
const MAX_TEXT = 16_384;

export class SeriesStore {
  readonly counts: StoreCounts = { stale: 0, expired: 0, collisions: 0 };
  limits: StoreLimits;
  private readonly onCollision: (message: string) => void;
  private readonly byName = new Map<string, Family>();
  private readonly exposed = new Map<string, Family>();
  private readonly wheel: ExpiryWheel;
  private total = 0;
  private scrapes = 0;
  private readonly labels = new LabelSet();
  /** Names of the labels of the series made last, shared with the next if alike. */
  private lastNames: readonly string[] = [];

  /** `clock`: the monotonic time, ms. */
  constructor(limits: StoreLimits, clock: number, onCollision: (message: string) => void) {
    this.limits = limits;
    this.wheel = new ExpiryWheel(clock);
    this.onCollision = onCollision;
  }

  get size(): number {
    return this.total;
  }

  /** Forgets what it keeps from one metric to the next: call it after each batch. */
  endBatch(): void {
    this.labels.forget();
  }

  /**
   * Takes one metric. `now`: wall clock, `clock`: monotonic, both ms.
   * A rejection has changed nothing.
   */
  apply(metric: Metric, now: number, clock: number): Rejection | undefined {
    let family = this.byName.get(metric.name);
    if (family === undefined || family.type !== metric.type) {
      const found = this.family(metric);
      if ('code' in found) return found;
      family = found;
    }
    if (!this.labels.read(metric.labels)) {
      this.dropIfEmpty(family);
      return NOT_TEXT;
    }
    let series = find(family, this.labels);
    if (series === undefined) {
      const made = this.make(family);
      if ('code' in made) {
        this.dropIfEmpty(family);
        return made;
      }
      series = made;
    }
    const time = metric.time > 0 ? metric.time : now;
    if (time < series.time && series.time <= now + AHEAD_MS) {
      this.counts.stale++;
      return undefined;
    }
    series.value = metric.value;
    series.time = time;
    series.stamped = metric.time > 0;
    const { interval } = metric;
    series.deadline = interval > 0 ? clock + interval * 1000 * this.limits.expirationMultiple : Infinity;
    this.wheel.schedule(series);
    return undefined;
  }

  /** Removes what has expired by `clock`, at most about `most` looked at. False: call again, there is more. */
  expire(clock: number, most: number): boolean {
    return this.wheel.advance(clock, most, (series) => this.remove(series));
  }

  /** Number of a new scrape: it shows the series made before it, each once. */
  beginScrape(): number {
    return ++this.scrapes;
  }

  /** Live: what is added during iteration may come too (see `Series.born`). */
  families(): IterableIterator<Family> {
    return this.exposed.values();
  }

  hasFamily(exposed: string): boolean {
    return this.exposed.has(exposed);
  }

  private family(metric: Metric): Family | Rejection {
    const name = exposedName(metric.name);
    let family = this.exposed.get(name);
    if (family === undefined) {
      if (name.length > MAX_TEXT) return tooLong(name.length);
      family = {
        name,
        type: metric.type,
        chains: new Map(),
        size: 0,
        spellings: [],
        byText: undefined,
        collided: false,
      };
      this.exposed.set(name, family);
    }
    if (family.type !== metric.type) {
      return { code: 'PB_PROMETHEUS_TYPE', cause: `${name} is a ${family.type} here, this one is a ${metric.type}` };
    }
    if (!family.spellings.includes(metric.name)) {
      if (family.spellings.length > 0)
        this.collided(family, `metrics \`${family.spellings[0]}\` and \`${metric.name}\` are both exposed as ${name}`);
      if (family.spellings.length < MAX_NAMES) {
        family.spellings.push(metric.name);
        this.byName.set(metric.name, family);
      }
    }
    return family;
  }

  private make(family: Family): Series | Rejection {
    const { hash, count } = this.labels;
    const names = this.namesOfLabels();
    const values = this.labels.values.slice(0, count);
    const { text: braces, changed } = labelText(names, values);
    const text = flat(`${family.name}${braces} `);
    if (text.length > MAX_TEXT) return tooLong(text.length);
    if (changed) family.byText ??= new Map([...seriesOf(family)].map((one) => [one.text, one]));
    const same = family.byText?.get(text);
    if (same !== undefined) {
      this.collided(family, `two label sets of ${family.name} are both exposed as ${braces}`);
      return same;
    }
    if (this.total >= this.limits.maxSeries) {
      return { code: 'PB_PROMETHEUS_FULL', cause: `${this.total} series are held, as many as maxSeries allows` };
    }
    const next = family.chains.get(hash);
    if (chainLength(next) >= MAX_CHAIN) {
      return { code: 'PB_PROMETHEUS_FULL', cause: `${MAX_CHAIN} label sets of ${family.name} have the same hash` };
    }
    const born = this.scrapes;
    const series: Series = {
      family,
      names,
      values,
      hash,
      text,
      born,
      next,
      value: 0.5,
      time: 0.5,
      stamped: false,
      deadline: 0.5,
      due: -1,
    };
    family.chains.set(hash, series);
    family.byText?.set(text, series);
    family.size++;
    this.total++;
    return series;
  }

  private namesOfLabels(): readonly string[] {
    const { names, count } = this.labels;
    const last = this.lastNames;
    if (last.length !== count || last.some((name, i) => name !== names[i])) this.lastNames = names.slice(0, count);
    return this.lastNames;
  }

  private remove(series: Series): void {
    const { family, hash } = series;
    const first = family.chains.get(hash);
    if (first === series) {
      if (series.next === undefined) family.chains.delete(hash);
      else family.chains.set(hash, series.next);
    } else {
      for (let one = first; one !== undefined; one = one.next) if (one.next === series) one.next = series.next;
    }
    series.due = GONE;
    family.byText?.delete(series.text);
    family.size--;
    this.total--;
    this.counts.expired++;
    this.dropIfEmpty(family);
  }

  /** The name is then free for another type. */
  private dropIfEmpty(family: Family): void {
    if (family.size > 0) return;
    this.exposed.delete(family.name);
    for (const name of family.spellings) this.byName.delete(name);
  }

  private collided(family: Family, message: string): void {
    if (family.collided) return;
    family.collided = true;
    this.counts.collisions++;
    this.onCollision(message);
  }
}

/** One piece of memory: V8 keeps a text put together from parts as a tree of them, several times as large. */
function flat(text: string): string {
  return Buffer.from(text, 'utf8').toString('utf8');
}

function tooLong(length: number): Rejection {
  return { code: 'PB_PROMETHEUS_TOO_LONG', cause: `name and labels are ${length} characters, ${MAX_TEXT} at most` };
}

const NOT_TEXT: Rejection = { code: 'PB_PROMETHEUS_NOT_A_METRIC', cause: 'the value of a label is not a text' };

function find(family: Family, labels: LabelSet): Series | undefined {
  let series = family.chains.get(labels.hash);
  while (series !== undefined && !labels.equals(series.names, series.values)) series = series.next;
  return series;
}

function chainLength(series: Series | undefined): number {
  let length = 0;
  for (let one = series; one !== undefined; one = one.next) length++;
  return length;
}

/** Every series once. Live, as the iterator of a Map is: removals in between are seen, so may be additions. */
export function* seriesOf(family: Family): Generator<Series, void, void> {
  for (const first of family.chains.values()) {
    for (let one: Series | undefined = first; one !== undefined; one = one.next) if (one.due !== GONE) yield one;
  }
}
