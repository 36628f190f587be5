/** Numbers and times as people read them. Thousands are set off by a narrow no-break space (SI). */
const SPACE = '\u202f';

/** 41312 → `41 312`; fractions are cut to `digits`. */
export function count(value: number, digits = 0): string {
  if (!Number.isFinite(value)) return '–';
  const [whole = '0', fraction] = Math.abs(value).toFixed(digits).split('.');
  const grouped = whole.length > 4 ? whole.replace(/\B(?=(\d{3})+$)/g, SPACE) : whole;
  const sign = value < 0 && (Number(whole) !== 0 || Number(fraction ?? 0) !== 0) ? '−' : '';
  return fraction === undefined ? sign + grouped : `${sign}${grouped}.${fraction}`;
}

/** A rate: whole from ten on, one digit below, `0` for none. */
export function rate(value: number): string {
  if (!Number.isFinite(value)) return '–';
  if (value === 0) return '0';
  return value < 9.95 ? count(value, 1) : count(Math.round(value));
}

/** 40902 → `40.9 k`, for where room is short. */
export function shortCount(value: number): string {
  if (!Number.isFinite(value)) return '–';
  let scaled = value;
  for (const unit of ['', `${SPACE}k`, `${SPACE}M`, `${SPACE}G`]) {
    if (Math.abs(scaled) < 999.5 || unit === `${SPACE}G`) {
      return (unit === '' || Math.abs(scaled) >= 99.95 ? count(scaled) : count(scaled, 1)) + unit;
    }
    scaled /= 1000;
  }
  return count(value);
}

/** Bytes with SI prefixes: 1228 → `1.2 kB`. */
export function bytes(value: number): string {
  if (!Number.isFinite(value)) return '–';
  if (value < 1000) return `${count(value)}${SPACE}B`;
  let scaled = value / 1000;
  for (const unit of ['kB', 'MB', 'GB', 'TB']) {
    if (scaled < 999.5 || unit === 'TB') return `${scaled < 99.95 ? scaled.toFixed(1) : count(scaled)}${SPACE}${unit}`;
    scaled /= 1000;
  }
  return count(value);
}

/** Microseconds: 0.8 → `0.8 µs`, 340 → `340 µs`, 16800 → `16.8 ms`. */
export function micros(value: number): string {
  if (!Number.isFinite(value)) return '–';
  if (value < 9.95) return `${value.toFixed(1)}${SPACE}µs`;
  if (value < 999.5) return `${count(value)}${SPACE}µs`;
  if (value < 999_500) return `${(value / 1000).toFixed(value < 99_950 ? 1 : 0)}${SPACE}ms`;
  return `${(value / 1_000_000).toFixed(1)}${SPACE}s`;
}

/** A span of seconds in its two greatest units: `3 d 4 h`, `2 min 10 s`. */
export function span(seconds: number): string {
  const whole = Math.max(0, Math.floor(seconds));
  const parts: [number, string][] = [
    [Math.floor(whole / 86_400), 'd'],
    [Math.floor((whole % 86_400) / 3_600), 'h'],
    [Math.floor((whole % 3_600) / 60), 'min'],
    [whole % 60, 's'],
  ];
  const first = parts.findIndex(([n]) => n > 0);
  if (first === -1) return '0 s';
  return parts
    .slice(first, first + 2)
    .filter(([n], i) => i === 0 || n > 0)
    .map(([n, unit]) => `${n} ${unit}`)
    .join(' ');
}

/** A span for where room is short, in its greatest unit, rounded down: `4 min`. */
export function shortSpan(seconds: number): string {
  return span(seconds).split(' ').slice(0, 2).join(' ');
}

/** How long ago, in one unit: `just now`, `12 s ago`, `3 h ago`. */
export function ago(time: number, now: number): string {
  const seconds = Math.max(0, (now - time) / 1000);
  if (seconds < 3) return 'just now';
  if (seconds < 60) return `${Math.floor(seconds)} s ago`;
  if (seconds < 3_600) return `${Math.floor(seconds / 60)} min ago`;
  if (seconds < 86_400) return `${Math.floor(seconds / 3_600)} h ago`;
  return `${Math.floor(seconds / 86_400)} d ago`;
}

const two = (n: number): string => (n < 10 ? `0${n}` : String(n));

/** Local time of day with milliseconds: `18:32:07.114`. */
export function clock(time: number): string {
  const date = new Date(time);
  const ms = String(date.getMilliseconds()).padStart(3, '0');
  return `${two(date.getHours())}:${two(date.getMinutes())}:${two(date.getSeconds())}.${ms}`;
}

/** Local time of day to the second. */
export function clockSeconds(time: number): string {
  return clock(time).slice(0, 8);
}

/** Local date and time with the offset, for hovers: `2026-11-20 18:32:07.114 +01:00`. */
export function exactTime(time: number): string {
  const date = new Date(time);
  const offset = -date.getTimezoneOffset();
  const sign = offset < 0 ? '−' : '+';
  const zone = `${sign}${two(Math.floor(Math.abs(offset) / 60))}:${two(Math.abs(offset) % 60)}`;
  return `${date.getFullYear()}-${two(date.getMonth() + 1)}-${two(date.getDate())} ${clock(time)} ${zone}`;
}
