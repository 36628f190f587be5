/**
 * Strict readers of both exposition formats, for tests: they throw on whatever the formats do not
 * allow (prometheus.io/docs/instrumenting/exposition_formats, OpenMetrics 1.0).
 */
export interface Sample {
  readonly name: string;
  readonly type: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number;
  /** As written. */
  readonly timestamp: string | undefined;
}

const NAME = /^[a-zA-Z_:][a-zA-Z0-9_:]*/;
const LABEL = /^([a-zA-Z_][a-zA-Z0-9_]*)="((?:[^"\\\n]|\\[\\"n])*)"/;
const TEXT_TYPES = ['counter', 'gauge', 'untyped', 'histogram', 'summary'];
const OPEN_TYPES = ['counter', 'gauge', 'unknown', 'histogram', 'gaugehistogram', 'summary', 'info', 'stateset'];

export function parseExposition(text: string, openMetrics: boolean): Sample[] {
  const lines = text.split('\n');
  if (lines.pop() !== '') throw new Error('does not end with a line feed');
  if (openMetrics && lines.pop() !== '# EOF') throw new Error('does not end with # EOF');
  const samples: Sample[] = [];
  const families = new Set<string>();
  const seen = new Set<string>();
  let family = '';
  let type = '';
  for (const line of lines) {
    const head = /^# TYPE (\S+) (\S+)$/.exec(line);
    if (head !== null) {
      [, family = '', type = ''] = head;
      if (NAME.exec(family)?.[0] !== family) throw new Error(`bad family name: ${line}`);
      if (!(openMetrics ? OPEN_TYPES : TEXT_TYPES).includes(type)) throw new Error(`bad type: ${line}`);
      if (families.has(family)) throw new Error(`family twice: ${line}`);
      families.add(family);
      continue;
    }
    if (line.startsWith('#')) throw new Error(`unexpected comment: ${line}`);
    const sample = parseSample(line, type, openMetrics);
    const expected = openMetrics && type === 'counter' ? `${family}_total` : family;
    if (sample.name !== expected) throw new Error(`sample ${sample.name} in family ${family} (${type})`);
    const identity = JSON.stringify([sample.name, Object.entries(sample.labels).sort(([a], [b]) => (a < b ? -1 : 1))]);
    if (seen.has(identity)) throw new Error(`series twice: ${line}`);
    seen.add(identity);
    samples.push(sample);
  }
  return samples;
}

function parseSample(line: string, type: string, openMetrics: boolean): Sample {
  const name = NAME.exec(line)?.[0];
  if (name === undefined) throw new Error(`no name: ${line}`);
  let rest = line.slice(name.length);
  const labels = new Map<string, string>();
  if (rest.startsWith('{')) {
    rest = rest.slice(1);
    for (;;) {
      const label = LABEL.exec(rest);
      if (label === null) throw new Error(`bad label: ${rest}`);
      const [whole, key = '', value = ''] = label;
      if (labels.has(key)) throw new Error(`label ${key} twice: ${line}`);
      labels.set(
        key,
        value.replace(/\\([\\"n])/g, (_, char: string) => (char === 'n' ? '\n' : char)),
      );
      rest = rest.slice(whole.length);
      if (rest.startsWith('}')) break;
      if (!rest.startsWith(',')) throw new Error(`no comma: ${rest}`);
      rest = rest.slice(1);
    }
    rest = rest.slice(1);
  }
  const tail = /^ (\S+)(?: (\S+))?$/.exec(rest);
  if (tail === null) throw new Error(`bad value: ${line}`);
  const [, valueText = '', timestamp] = tail;
  if (timestamp !== undefined && !(openMetrics ? /^\d+(\.\d+)?$/ : /^-?\d+$/).test(timestamp)) {
    throw new Error(`bad time: ${line}`);
  }
  return { name, type, labels: Object.fromEntries(labels), value: parseValue(valueText), timestamp };
}

function parseValue(text: string): number {
  if (text === 'NaN') return Number.NaN;
  if (text === '+Inf') return Infinity;
  if (text === '-Inf') return -Infinity;
  if (!/^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i.test(text)) throw new Error(`bad number: ${text}`);
  return Number(text);
}
