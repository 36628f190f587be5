import type { Logger } from '../plugin-api/index.ts';
import type { FromWorker } from './wire.ts';

const PER_SECOND = 100;

/** A logger whose lines go to the engine; beyond 100 lines a second they are counted and left out. */
export function logger(instance: string, say: (message: FromWorker) => void): Logger {
  let second = 0;
  let lines = 0;
  let left = 0;
  const write = (
    level: 'debug' | 'info' | 'warn' | 'error',
    message: string,
    fields: Readonly<Record<string, unknown>> = {},
  ): void => {
    const now = Math.floor(performance.now() / 1000);
    if (now !== second) {
      if (left > 0)
        say({
          t: 'log',
          instance,
          level: 'warn',
          message: `${left} more lines within a second were left out`,
          fields: {},
        });
      second = now;
      lines = 0;
      left = 0;
    }
    if (++lines > PER_SECOND) {
      left++;
      return;
    }
    say({ t: 'log', instance, level, message: String(message).slice(0, 8192), fields: plain(fields) });
  };
  return {
    debug: (message, fields) => write('debug', message, fields),
    info: (message, fields) => write('info', message, fields),
    warn: (message, fields) => write('warn', message, fields),
    error: (message, fields) => write('error', message, fields),
  };
}

/** Fields as data that can cross threads: what can't is written out. */
function plain(fields: Readonly<Record<string, unknown>>): Record<string, unknown> {
  const out: Record<string, unknown> = {};
  for (const [name, value] of Object.entries(fields)) {
    if (value instanceof Error) out[name] = value.message;
    else if (value === null || ['string', 'number', 'boolean', 'undefined'].includes(typeof value)) out[name] = value;
    else {
      try {
        out[name] = JSON.parse(JSON.stringify(value)) as unknown;
      } catch {
        out[name] = String(value);
      }
    }
  }
  return out;
}
