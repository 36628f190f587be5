import type { Metric } from 'patchbay/plugin-api';

const SEED = (Math.random() * 0x7fffffff) | 0;

/**
 * One label set, read for looking it up: by name, without empty values, with a hash of the
 * values. Reading costs no allocation; a text as key would have to be put together, flattened and
 * hashed for every metric (measured: three times as dear).
 */
export class LabelSet {
  /** Valid up to `count`, until the next `read`. */
  readonly names: string[] = [];
  readonly values: string[] = [];
  count = 0;
  /** 30 bits, other ones in each process. */
  hash = 0;
  private last: Metric['labels'] | undefined;

  /** Reads `labels`; at once where they are the same object as before. False: a value is no text. */
  read(labels: Metric['labels']): boolean {
    if (labels === this.last) return true;
    const { names, values } = this;
    const before = this.count;
    let count = 0;
    // Most sets have the names of the one before, which were in order.
    let alike = true;
    for (const name in labels) {
      const value = labels[name];
      if (typeof value !== 'string') return this.unreadable();
      if (value === '') return this.readUnordered(labels);
      if (!alike || count >= before || names[count] !== name) {
        alike = false;
        if (count > 0 && name < names[count - 1]!) return this.readUnordered(labels);
        names[count] = name;
      }
      values[count++] = value;
    }
    this.finish(count, labels);
    return true;
  }

  /** Lets go of the labels read last. */
  forget(): void {
    this.last = undefined;
  }

  /** The same names with the same values. */
  equals(names: readonly string[], values: readonly string[]): boolean {
    const { count } = this;
    if (values.length !== count) return false;
    for (let i = 0; i < count; i++) if (values[i] !== this.values[i]) return false;
    for (let i = 0; i < count; i++) if (names[i] !== this.names[i]) return false;
    return true;
  }

  private readUnordered(labels: Metric['labels']): boolean {
    const names = Object.keys(labels).sort();
    let count = 0;
    for (const name of names) {
      const value: unknown = labels[name];
      if (typeof value !== 'string') return this.unreadable();
      if (value === '') continue;
      this.names[count] = name;
      this.values[count++] = value;
    }
    this.finish(count, labels);
    return true;
  }

  private unreadable(): false {
    // Half of the names may be of these labels, half of the ones before.
    this.count = 0;
    this.last = undefined;
    return false;
  }

  private finish(count: number, labels: Metric['labels']): void {
    let hash = SEED;
    for (let i = 0; i < count; i++) {
      const value = this.values[i]!;
      hash = Math.imul(hash ^ value.length, 0x85ebca6b);
      for (let at = 0; at < value.length; at++) hash = Math.imul(hash ^ value.charCodeAt(at), 0x01000193);
      hash ^= hash >>> 15;
    }
    this.count = count;
    this.hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35) & 0x3fffffff;
    this.last = labels;
  }
}
