/** The gateway's log: to a stream, to rotated files, and the newest lines in memory for the panel. */
import { join } from 'node:path';
import pino from 'pino';
import { codedEvent, type EventReport } from '../events/report.ts';
import type { Logger } from '../plugin-api/context.ts';
import type { LogLine } from '../protocol/model.ts';
import { plainFields, plainText } from './plain-fields.ts';
import { createRedactor } from './redaction.ts';
import { RotatingFile } from './rotating-file.ts';

export type LogLevel = LogLine['level'];

/** What the log writes to: `process.stderr`, or anything like it. */
export interface LogStream {
  write(text: string): unknown;
  on?(event: 'error', listener: (error: Error) => void): unknown;
  readonly isTTY?: boolean;
}

export interface LogOptions {
  /** Default `info`. */
  readonly level?: LogLevel;
  /** Default standard error: standard output belongs to what commands print. */
  readonly stream?: LogStream;
  /** `text` for people, `json` one object per line. Default: text on a terminal. */
  readonly format?: 'text' | 'json';
  /** Trouble with the log files. */
  readonly onEvent?: (event: EventReport) => void;
  /** Of one file. Default 10 MiB. */
  readonly maxBytes?: number;
  /** Former files. Default 5. */
  readonly keep?: number;
  /** Lines kept in memory. Default 1000. */
  readonly memoryLines?: number;
}

export interface Log extends Logger {
  /** The log of one instance. */
  child(bindings: { readonly instance: string }): Logger;
  readonly level: LogLevel;
  /** From the next line on, for every child too. */
  setLevel(level: LogLevel): void;
  /** These values are masked in every line from now on, wherever they occur. */
  registerSecrets(values: Iterable<string>): void;
  /** A text with the registered secrets masked; for events, errors and the protocol. */
  redact(text: string): string;
  /** The newest lines, oldest first. */
  recent(filter?: LogFilter): readonly LogLine[];
  /** Calls `listener` with every line from now on. Returns what ends it. Lines it logs itself are not told again. */
  subscribe(listener: (line: LogLine) => void, filter?: LogFilter): () => void;
  /** Writes to `<folder>/patchbay.log` too, from now on. */
  writeFiles(folder: string): void;
  /** Writes what waits and closes the file; the stream stays open. */
  close(): Promise<void>;
}

export interface LogFilter {
  readonly instance?: string;
}

const RANKS: Readonly<Record<LogLevel, number>> = { debug: 20, info: 30, warn: 40, error: 50 };

/** Begins a log. Logging never throws and never waits; secrets are masked before anything is kept or written. */
export function openLog(options: LogOptions = {}): Log {
  return new GatewayLog(options);
}

class GatewayLog implements Log {
  private readonly options: LogOptions;
  private readonly stream: LogStream;
  private readonly asText: boolean;
  private readonly pino: pino.Logger;
  private readonly redactor = createRedactor();
  private readonly memory: LogLine[] = [];
  private readonly listeners = new Set<(line: LogLine) => void>();
  private file: RotatingFile | undefined;
  private streamBroken = false;
  private telling = false;
  private readonly flushAtExit = (): void => this.file?.flushSync();

  constructor(options: LogOptions) {
    this.options = options;
    this.stream = options.stream ?? process.stderr;
    this.asText = (options.format ?? (this.stream.isTTY === true ? 'text' : 'json')) === 'text';
    // The reader of a pipe may go away: the log goes on in the files.
    this.stream.on?.('error', () => {
      this.streamBroken = true;
    });
    this.pino = pino(
      {
        level: options.level ?? 'info',
        base: null,
        timestamp: pino.stdTimeFunctions.isoTime,
        formatters: { level: (label) => ({ level: label }) },
        // A field called `level` or `time` must not stand beside ours.
        nestedKey: 'fields',
      },
      { write: (line: string) => this.emit(line) },
    );
  }

  get level(): LogLevel {
    return this.pino.level as LogLevel;
  }

  setLevel(level: LogLevel): void {
    this.pino.level = level;
  }

  debug(message: string, fields?: Readonly<Record<string, unknown>>): void {
    this.log(this.pino, 'debug', '', message, fields);
  }

  info(message: string, fields?: Readonly<Record<string, unknown>>): void {
    this.log(this.pino, 'info', '', message, fields);
  }

  warn(message: string, fields?: Readonly<Record<string, unknown>>): void {
    this.log(this.pino, 'warn', '', message, fields);
  }

  error(message: string, fields?: Readonly<Record<string, unknown>>): void {
    this.log(this.pino, 'error', '', message, fields);
  }

  child({ instance }: { readonly instance: string }): Logger {
    // Its own level is the lowest: the parent's decides, since it changes at run time.
    const own = this.pino.child({ instance }, { level: 'debug' });
    return {
      debug: (message, fields) => this.log(own, 'debug', instance, message, fields),
      info: (message, fields) => this.log(own, 'info', instance, message, fields),
      warn: (message, fields) => this.log(own, 'warn', instance, message, fields),
      error: (message, fields) => this.log(own, 'error', instance, message, fields),
    };
  }

  registerSecrets(values: Iterable<string>): void {
    this.redactor.register(values);
  }

  redact(text: string): string {
    return this.redactor.redact(text);
  }

  recent(filter: LogFilter = {}): readonly LogLine[] {
    return this.memory.filter((line) => matches(line, filter));
  }

  subscribe(listener: (line: LogLine) => void, filter: LogFilter = {}): () => void {
    const filtered = (line: LogLine): void => {
      if (matches(line, filter)) listener(line);
    };
    this.listeners.add(filtered);
    return () => this.listeners.delete(filtered);
  }

  writeFiles(folder: string): void {
    const path = join(folder, 'patchbay.log');
    this.file = new RotatingFile(path, {
      maxBytes: this.options.maxBytes ?? 10 * 1024 * 1024,
      keep: this.options.keep ?? 5,
      onFailure: (error) => {
        const details = { file: path, reason: error.message };
        this.options.onEvent?.(codedEvent('warning', 'engine', 'log.file', 'PB_LOG_FILE', details, 'log'));
      },
      onRecovery: (lost) => this.warn('The log file can be written again', { lost }),
    });
    process.once('exit', this.flushAtExit);
  }

  async close(): Promise<void> {
    process.removeListener('exit', this.flushAtExit);
    const { file } = this;
    this.file = undefined;
    await file?.close();
  }

  private log(
    to: pino.Logger,
    level: LogLevel,
    instance: string,
    message: string,
    fields: Readonly<Record<string, unknown>> = {},
  ): void {
    if (RANKS[level] < RANKS[this.level]) return;
    try {
      const redact = (text: string): string => this.redactor.redact(text);
      const line: LogLine = {
        time: Date.now(),
        level,
        instance,
        message: plainText(message, redact),
        fields: plainFields(fields, redact),
      };
      to[level](line.fields, line.message);
      if (this.asText) this.print(textLine(line));
      this.keep(line);
    } catch {
      // Fields whose getters throw: whoever logs must not fail for it.
    }
  }

  /** pino's line. */
  private emit(line: string): void {
    if (!this.asText) this.print(line);
    this.file?.write(line);
  }

  private print(text: string): void {
    if (this.streamBroken) return;
    try {
      this.stream.write(text);
    } catch {
      this.streamBroken = true;
    }
  }

  private keep(line: LogLine): void {
    this.memory.push(line);
    if (this.memory.length > (this.options.memoryLines ?? 1000)) this.memory.shift();
    if (this.telling) return;
    this.telling = true;
    for (const listener of this.listeners) {
      try {
        listener(line);
      } catch {
        // A listener's fault must not keep the line from the others.
      }
    }
    this.telling = false;
  }
}

function matches(line: LogLine, filter: LogFilter): boolean {
  return filter.instance === undefined || line.instance === filter.instance;
}

/** `19:55:44.123 WARN  scrape: cannot listen port=3000`; control characters escaped: a terminal obeys them. */
function textLine(line: LogLine): string {
  const time = new Date(line.time).toTimeString().slice(0, 8);
  const millis = String(line.time % 1000).padStart(3, '0');
  const who = line.instance === '' ? '' : `${line.instance}: `;
  const fields = Object.entries(line.fields).map(([key, value]) => {
    const text = typeof value === 'string' && /^[^\s"=]+$/.test(value) ? value : JSON.stringify(value);
    return ` ${key}=${text}`;
  });
  const text = `${time}.${millis} ${line.level.toUpperCase().padEnd(5)} ${who}${line.message}${fields.join('')}`;
  return `${text.replace(/\p{Cc}/gu, (char) => `\\u${char.charCodeAt(0).toString(16).padStart(4, '0')}`)}\n`;
}
