import {
  toCloudEvent,
  toJsonValue,
  type EventData,
  type LogData,
  type Message,
  type Metric,
} from 'patchbay/plugin-api';

/** One line for a message; longer than `maxLength` it is cut, and says so. Never throws, never holds a line feed. */
export function lineOf(message: Message, format: 'short' | 'json', maxLength: number): string {
  const line =
    format === 'json' ? JSON.stringify(toCloudEvent(message)) : `${head(message)} ${summary(message, maxLength)}`;
  if (line.length <= maxLength) return line;
  const end = /[\ud800-\udbff]/.test(line[maxLength - 1]!) ? maxLength - 1 : maxLength;
  return `${line.slice(0, end)}… (${line.length} characters)`;
}

function head({ instance, kind, severity }: Message): string {
  return severity === undefined ? `${instance} ${kind}` : `${instance} ${kind} ${severity}`;
}

function summary(message: Message, maxLength: number): string {
  const { data, kind } = message;
  if (typeof data === 'object' && data !== null && !(data instanceof Uint8Array)) {
    if (kind === 'metric') return metric(data as Partial<Metric>);
    if (kind === 'log' && typeof (data as Partial<LogData>).message === 'string')
      return printable((data as LogData).message);
    if (kind === 'event' && typeof (data as Partial<EventData>).name === 'string') {
      const { name, labels } = data as EventData;
      return printable(`${name} ${JSON.stringify(toJsonValue(labels))}`);
    }
  }
  if (typeof data === 'string') return printable(data.slice(0, 2 * maxLength));
  const { data: json, data_base64 } = toCloudEvent(message);
  if (data_base64 !== undefined) return `${(data as Uint8Array).length} bytes ${data_base64}`;
  return printable(typeof json === 'string' ? json : (JSON.stringify(json) ?? 'no data'));
}

function metric({ name, value, labels }: Partial<Metric>): string {
  const pairs = Object.entries(labels ?? {}).map(([label, text]) => `${label}=${JSON.stringify(text)}`);
  return printable(`${String(name)}{${pairs.join(',')}} ${String(value)}`);
}

/** What would move the cursor or begin a line of its own becomes visible. */
function printable(text: string): string {
  // eslint-disable-next-line no-control-regex -- control characters are what this is about
  return text.replace(/[\u0000-\u001f\u007f-\u009f\u2028\u2029]/g, (char) => {
    if (char === '\n') return '\\n';
    if (char === '\t') return '\\t';
    return `\\u${char.charCodeAt(0).toString(16).padStart(4, '0')}`;
  });
}
