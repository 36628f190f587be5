import { closeSync, fstatSync, openSync, renameSync, rmSync, write, writeSync } from 'node:fs';
import { parse } from 'node:path';

export interface RotatingFileOptions {
  /** A file that has reached this size is put aside and a new one begun. */
  readonly maxBytes: number;
  /** How many former files are kept: `name.1.log`, the newest, to `name.<keep>.log`. */
  readonly keep: number;
  /** Called once when writing begins to fail. */
  readonly onFailure: (error: Error) => void;
  /** Called once when it works again, with the lines lost meanwhile. */
  readonly onRecovery: (lost: number) => void;
  /** How long to wait after a failure before the next try. Default 5 s. */
  readonly retryMs?: number;
}

/** What may wait for a slow disk; lines beyond it are lost and counted. */
const MAX_WAITING = 4 * 1024 * 1024;

/** A log file that is bounded in size. Writing never blocks, never throws, keeps the order. */
export class RotatingFile {
  private readonly path: string;
  private readonly options: RotatingFileOptions;
  private fd: number | undefined;
  private size = 0;
  private lines: string[] = [];
  private waiting = 0;
  private writing = false;
  private failing = false;
  private retryAt = 0;
  private lost = 0;
  private closed = false;
  private idle: (() => void)[] = [];

  constructor(path: string, options: RotatingFileOptions) {
    this.path = path;
    this.options = options;
  }

  /** Takes one line, with its line end. */
  write(line: string): void {
    if (this.closed) return;
    if (this.waiting + line.length > MAX_WAITING) {
      this.lost++;
      return;
    }
    this.lines.push(line);
    this.waiting += line.length;
    this.pump();
  }

  /** Writes what waits, before the process ends. */
  flushSync(): void {
    if (this.lines.length === 0 || this.writing) return;
    try {
      writeSync(this.opened(), this.take());
    } catch {
      // The process is ending, there is nobody left to tell.
    }
  }

  /** Resolves when all is written, or cannot be, and the file is closed. */
  async close(): Promise<void> {
    this.closed = true;
    if (this.writing) await new Promise<void>((resolve) => this.idle.push(resolve));
    this.flushSync();
    this.release();
  }

  private pump(): void {
    if (this.writing || this.lines.length === 0) return;
    this.writing = true;
    // The lines of one turn are one write.
    setImmediate(() => this.writeNext());
  }

  private writeNext(): void {
    if (Date.now() < this.retryAt) {
      this.lost += this.lines.length;
      this.take();
      this.written();
      return;
    }
    const count = this.lines.length;
    const chunk = Buffer.from(this.take());
    let fd: number;
    try {
      fd = this.opened();
      if (this.size > 0 && this.size + chunk.byteLength > this.options.maxBytes) {
        this.rotate();
        fd = this.opened();
      }
    } catch (error) {
      this.failed(error as Error, count);
      return;
    }
    write(fd, chunk, 0, chunk.byteLength, null, (error, bytes) => {
      this.size += error === null ? bytes : 0;
      if (error !== null) this.failed(error, count);
      else if (bytes < chunk.byteLength) this.failed(new Error('the disk took only a part'), count);
      else this.succeeded();
    });
  }

  private take(): string {
    const text = this.lines.join('');
    this.lines = [];
    this.waiting = 0;
    return text;
  }

  private succeeded(): void {
    if (this.failing || this.lost > 0) {
      const { lost } = this;
      this.failing = false;
      this.lost = 0;
      this.options.onRecovery(lost);
    }
    this.written();
  }

  private failed(error: Error, lines: number): void {
    this.lost += lines;
    this.retryAt = Date.now() + (this.options.retryMs ?? 5000);
    this.release();
    if (!this.failing) {
      this.failing = true;
      this.options.onFailure(error);
    }
    this.written();
  }

  private written(): void {
    this.writing = false;
    for (const resolve of this.idle.splice(0)) resolve();
    if (!this.closed) this.pump();
  }

  private opened(): number {
    if (this.fd === undefined) {
      this.fd = openSync(this.path, 'a', 0o600);
      this.size = fstatSync(this.fd).size;
    }
    return this.fd;
  }

  private rotate(): void {
    this.release();
    const { dir, name, ext } = parse(this.path);
    const former = (n: number): string => `${dir}/${name}.${n}${ext}`;
    rmSync(former(this.options.keep), { force: true });
    for (let n = this.options.keep - 1; n >= 1; n--) moveIfThere(former(n), former(n + 1));
    if (this.options.keep > 0) moveIfThere(this.path, former(1));
    else rmSync(this.path, { force: true });
  }

  private release(): void {
    if (this.fd !== undefined) closeSync(this.fd);
    this.fd = undefined;
    this.size = 0;
  }
}

function moveIfThere(from: string, to: string): void {
  try {
    renameSync(from, to);
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'ENOENT')) throw error;
  }
}
