import {
  ConfigError,
  defineSink,
  NotConnectedError,
  toCloudEvent,
  type Context,
  type Message,
  type Sink,
  type WriteException,
  type WriteResult,
} from 'patchbay/plugin-api';
import { codeOf, ForeignFileError, isFull, LineFile, type OpenFile } from './line-file.ts';

export interface JsonFileConfig {
  readonly path: string;
  readonly fsync: 'always' | 'interval' | 'never';
  readonly fsyncInterval: number;
  /** MiB. */
  readonly maxSize: number;
  readonly rotateEvery: 'never' | 'hour' | 'day';
  readonly keep: number;
}

const MIB = 2 ** 20;
const FULL_RETRY_MS = 5000;

export class JsonFileSink implements Sink<JsonFileConfig> {
  private readonly context: Context<JsonFileConfig>;
  private config: JsonFileConfig;
  private readonly file: LineFile;
  private timer: NodeJS.Timeout | undefined;
  private full = false;
  private rotationProblem = '';

  constructor(context: Context<JsonFileConfig>, openFile?: OpenFile) {
    this.context = context;
    this.config = context.config;
    this.file = new LineFile(this.config.path, openFile);
  }

  async open(): Promise<void> {
    const { path } = this.config;
    try {
      const { cut } = await this.file.open();
      if (cut > 0) {
        this.context.log.warn(`cut ${cut} bytes of a last line that was not written to its end`, { path, bytes: cut });
        this.context.metrics.count('json_file_cut_bytes_total', cut);
      }
    } catch (error) {
      throw openError(error, path);
    }
    this.arm();
  }

  async write(batch: readonly Message[]): Promise<WriteResult> {
    const { fsync, maxSize, rotateEvery, keep } = this.config;
    const { lines, exceptions } = linesOf(batch);
    if (lines === '') return exceptions;
    try {
      const rotation = { maxBytes: maxSize * MIB, every: rotateEvery, keep };
      await this.file.append(Buffer.from(lines, 'utf8'), fsync === 'always', rotation);
    } catch (error) {
      if (!isFull(error)) throw writeError(error, this.config.path);
      return this.diskFull(batch, exceptions, error);
    }
    this.reportHealth();
    return exceptions;
  }

  async close(): Promise<void> {
    clearInterval(this.timer);
    await this.file.close();
  }

  reconfigure(config: JsonFileConfig): boolean {
    if (config.path !== this.config.path) return false;
    this.config = config;
    this.arm();
    return true;
  }

  private arm(): void {
    clearInterval(this.timer);
    if (this.config.fsync !== 'interval') return;
    this.timer = setInterval(() => {
      this.file.sync().catch((error: unknown) => this.context.fail(writeError(error, this.config.path)));
    }, this.config.fsyncInterval);
  }

  /** After a batch that was written. */
  private reportHealth(): void {
    const { rotationProblem } = this.file;
    if (!this.full && rotationProblem === this.rotationProblem) return;
    this.full = false;
    this.rotationProblem = rotationProblem;
    if (rotationProblem === '') {
      this.context.health({ state: 'running' });
    } else {
      this.context.log.error(`could not rotate ${this.config.path}: ${rotationProblem}`, { code: 'PB_JSON_FILE_IO' });
      this.context.health({ state: 'degraded', reason: `not rotated: ${rotationProblem}` });
    }
  }

  private diskFull(
    batch: readonly Message[],
    refused: readonly WriteException[],
    error: unknown,
  ): readonly WriteException[] {
    const cause = error instanceof Error ? error.message : String(error);
    if (!this.full) {
      this.full = true;
      this.context.log.error(`no room for ${this.config.path}: ${cause}`, { code: 'PB_JSON_FILE_FULL' });
      this.context.health({ state: 'degraded', reason: 'no room on the disk' });
    }
    const done = new Set(refused.map(({ index }) => index));
    const again = batch
      .map((_, index) => ({ index, kind: 'retry' as const, code: 'PB_JSON_FILE_FULL', cause, afterMs: FULL_RETRY_MS }))
      .filter(({ index }) => !done.has(index));
    return [...refused, ...again];
  }
}

/** All lines in one text; what has no form in JSON is refused. */
function linesOf(batch: readonly Message[]): { lines: string; exceptions: WriteException[] } {
  let lines = '';
  const exceptions: WriteException[] = [];
  for (let index = 0; index < batch.length; index++) {
    try {
      lines += `${JSON.stringify(toCloudEvent(batch[index]!))}\n`;
    } catch (error) {
      const cause = error instanceof Error ? error.message : String(error);
      exceptions.push({ index, kind: 'refuse', code: 'PB_JSON_FILE_MESSAGE', cause });
    }
  }
  return { lines, exceptions };
}

function openError(error: unknown, path: string): unknown {
  if (error instanceof ForeignFileError) {
    return new ConfigError(
      'PB_JSON_FILE_FOREIGN',
      'path',
      error.message,
      'Choose another path, or move away what is there.',
      { cause: error },
    );
  }
  if (['EACCES', 'EPERM', 'EROFS', 'EISDIR', 'ENOTDIR', 'EEXIST', 'ENAMETOOLONG', 'ELOOP'].includes(codeOf(error))) {
    const message = error instanceof Error ? error.message : String(error);
    const remedy = 'Give the user of the gateway write access to the folder, or choose another path.';
    return new ConfigError('PB_JSON_FILE_ACCESS', 'path', `cannot write ${path}: ${message}`, remedy, { cause: error });
  }
  return writeError(error, path);
}

/** The host opens the file anew, with back-off, and gives the batch again. */
function writeError(error: unknown, path: string): NotConnectedError {
  const message = error instanceof Error ? error.message : String(error);
  return new NotConnectedError(`writing ${path} failed: ${message}`, {
    cause: error,
    code: isFull(error) ? 'PB_JSON_FILE_FULL' : 'PB_JSON_FILE_IO',
    remedy: 'See the cause and the log of the system.',
  });
}

export default defineSink<JsonFileConfig>({ custody: 'durable', create: (context) => new JsonFileSink(context) });
