/** Durations and sizes as they are written in configs: `30s`, `100ms`, `1GiB`. */

const DURATION = /^(\d+(?:\.\d+)?)(ms|s|m|h|d)$/;
const SIZE = /^(\d+(?:\.\d+)?)(B|kB|MB|GB|TB|KiB|MiB|GiB|TiB)$/;

const MILLISECONDS: Readonly<Record<string, number>> = { ms: 1, s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 };
const BYTES: Readonly<Record<string, number>> = {
  B: 1,
  kB: 1e3,
  MB: 1e6,
  GB: 1e9,
  TB: 1e12,
  KiB: 2 ** 10,
  MiB: 2 ** 20,
  GiB: 2 ** 30,
  TiB: 2 ** 40,
};

function parse(text: string, form: RegExp, units: Readonly<Record<string, number>>): number | undefined {
  const match = form.exec(text);
  if (match === null) return undefined;
  const value = Math.round(Number(match[1]) * (units[match[2] as string] as number));
  return Number.isSafeInteger(value) ? value : undefined;
}

/** Milliseconds; undefined when it is not a duration. */
export function parseDuration(text: string): number | undefined {
  return parse(text, DURATION, MILLISECONDS);
}

/** Bytes; undefined when it is not a size. */
export function parseSize(text: string): number | undefined {
  return parse(text, SIZE, BYTES);
}

/** `1 GiB`, `512 B`: the largest unit of 1024 that fits, with at most one decimal. */
export function formatSize(bytes: number): string {
  for (const unit of ['TiB', 'GiB', 'MiB', 'KiB']) {
    const size = BYTES[unit] as number;
    if (bytes >= size) return `${Math.round((bytes / size) * 10) / 10} ${unit}`;
  }
  return `${bytes} B`;
}
