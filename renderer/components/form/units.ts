/** Numbers with a unit, said as people say them. */

const UNIT_MS: Readonly<Record<string, number>> = {
  ms: 1,
  millisecond: 1,
  milliseconds: 1,
  s: 1000,
  second: 1000,
  seconds: 1000,
  min: 60_000,
  minutes: 60_000,
  h: 3_600_000,
  hours: 3_600_000,
};

const UNIT_BYTES: Readonly<Record<string, number>> = {
  b: 1,
  byte: 1,
  bytes: 1,
  kib: 1024,
  mib: 1024 ** 2,
  gib: 1024 ** 3,
};

/** `90 000 ms` → `1 min 30 s`; empty where that says nothing new. */
export function humanise(value: number, unit: string): string {
  const key = unit.toLowerCase();
  if (Object.hasOwn(UNIT_MS, key)) return differs(duration(value * (UNIT_MS[key] ?? 1)), value, unit);
  if (Object.hasOwn(UNIT_BYTES, key)) return differs(size(value * (UNIT_BYTES[key] ?? 1)), value, unit);
  return '';
}

function differs(text: string, value: number, unit: string): string {
  return text === `${value} ${unit}` || !Number.isFinite(value) || value <= 0 ? '' : text;
}

function duration(ms: number): string {
  const parts: string[] = [];
  let rest = ms;
  for (const [name, length] of [
    ['d', 86_400_000],
    ['h', 3_600_000],
    ['min', 60_000],
    ['s', 1000],
    ['ms', 1],
  ] as const) {
    const count = name === 'ms' ? rest : Math.floor(rest / length);
    if (count > 0) parts.push(`${trim(count)} ${name}`);
    rest -= Math.floor(rest / length) * length;
    if (parts.length === 2) break;
  }
  return parts.join(' ');
}

function size(bytes: number): string {
  for (const [name, length] of [
    ['GiB', 1024 ** 3],
    ['MiB', 1024 ** 2],
    ['KiB', 1024],
  ] as const) {
    if (bytes >= length) return `${trim(bytes / length)} ${name}`;
  }
  return `${trim(bytes)} B`;
}

function trim(value: number): string {
  return String(Math.round(value * 100) / 100);
}
