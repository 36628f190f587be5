/**
 * A file of lines that is only ever appended to. It survives being moved, deleted or truncated
 * by others, and a batch is in it whole or, as far as the disk lets us, not at all.
 */
import { constants, type Stats } from 'node:fs';
import * as fs from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';

/** What the file needs of the file system: a test can make it fail. */
export type OpenFile = typeof fs.open;

export interface RotationPolicy {
  /** Bytes; 0: not by size. */
  readonly maxBytes: number;
  readonly every: 'never' | 'hour' | 'day';
  /** Rotated files that stay; 0: all. */
  readonly keep: number;
}

export interface Opened {
  /** Bytes of a line that was not written to its end, cut off. */
  readonly cut: number;
}

/** The file at the path is not one of ours: nothing was changed. */
export class ForeignFileError extends Error {}

/** Each line begins like this: by it a torn last line is told from someone else's file. */
export const LINE_START = '{"specversion":"1.0"';

const BLOCK = 65_536;
const RETRY_ROTATION_MS = 60_000;
const PERIOD_MS = { hour: 3_600_000, day: 86_400_000 };

export class LineFile {
  private readonly path: string;
  private readonly openFile: OpenFile;
  private handle: fs.FileHandle | undefined;
  /** Of the open file: tells whether the path still leads to it. */
  private identity = '';
  private period = 0;
  private unsynced = false;
  private rotateAfter = 0;
  /** Why it could not be rotated the last time; empty when it could. It is written on meanwhile. */
  rotationProblem = '';

  constructor(path: string, openFile: OpenFile = fs.open) {
    this.path = path;
    this.openFile = openFile;
  }

  /** Opens or makes the file and cuts a torn last line. Throws what the file system says, or a {@link ForeignFileError}. */
  async open(): Promise<Opened> {
    await makeFolder(dirname(this.path));
    const before = await statOrUndefined(this.path);
    // Before opening it: a named pipe would not let us go.
    if (before !== undefined && !before.isFile()) throw new ForeignFileError(`${this.path} is not a regular file`);
    const handle = await this.openFile(this.path, constants.O_RDWR | constants.O_CREAT | constants.O_APPEND, 0o640);
    try {
      const { size, mtimeMs, ...stat } = await handle.stat();
      const end = await endOfLines(handle, size, this.path);
      if (end < size) {
        await handle.truncate(end);
        await handle.sync();
      }
      if (before === undefined) await syncFolder(this.path);
      this.handle = handle;
      this.identity = identityOf(stat);
      this.period = end === 0 ? Date.now() : mtimeMs;
      return { cut: size - end };
    } catch (error) {
      await handle.close();
      throw error;
    }
  }

  /**
   * Appends lines (each ending in a line feed). Rotates before, if they are due for another file.
   * With `sync` they are on the disk when it resolves. When it throws, the lines were taken out
   * again where that was possible, and the file must be closed and opened anew unless
   * {@link isFull} says that only room is missing.
   */
  async append(lines: Buffer, sync: boolean, rotation: RotationPolicy): Promise<void> {
    let size = await this.current();
    if (size > 0 && this.isDue(size + lines.length, rotation)) {
      await this.rotate(rotation.keep);
      size = await this.current();
    }
    if (size === 0) this.period = Date.now();
    await this.write(lines, size, sync);
    // Deleted while we wrote: those lines are nowhere. Moved away, they are where the file is.
    if (sync && (await this.opened.stat()).nlink === 0) await this.write(lines, await this.current(), sync);
  }

  /** Puts on the disk what was appended without `sync`. */
  async sync(): Promise<void> {
    if (!this.unsynced || this.handle === undefined) return;
    this.unsynced = false;
    await this.handle.datasync();
  }

  async close(): Promise<void> {
    const { handle } = this;
    if (handle === undefined) return;
    try {
      await this.sync();
    } finally {
      this.handle = undefined;
      await handle.close();
    }
  }

  private get opened(): fs.FileHandle {
    if (this.handle === undefined) throw new Error('the file is not open');
    return this.handle;
  }

  /** Size of the file at the path, opened anew if it is not ours any more. */
  private async current(): Promise<number> {
    const stat = this.handle === undefined ? undefined : await statOrUndefined(this.path);
    if (stat !== undefined && identityOf(stat) === this.identity) return stat.size;
    await this.close();
    await this.open();
    return (await this.opened.stat()).size;
  }

  private async write(lines: Buffer, from: number, sync: boolean): Promise<void> {
    const handle = this.opened;
    try {
      for (let at = 0; at < lines.length;) at += (await handle.write(lines, at, lines.length - at)).bytesWritten;
      if (sync) await handle.datasync();
      else this.unsynced = true;
    } catch (error) {
      // Where that fails too, the file is opened anew before the next line, and the torn one cut.
      await handle.truncate(from).catch(() => (this.identity = ''));
      throw error;
    }
  }

  private isDue(size: number, { maxBytes, every }: RotationPolicy): boolean {
    if (Date.now() < this.rotateAfter) return false;
    if (maxBytes > 0 && size > maxBytes) return true;
    if (every === 'never') return false;
    const length = PERIOD_MS[every];
    return Math.floor(Date.now() / length) !== Math.floor(this.period / length);
  }

  private async rotate(keep: number): Promise<void> {
    await this.opened.datasync();
    await this.close();
    try {
      await fs.rename(this.path, await this.freeName());
      this.rotationProblem = '';
      if (keep > 0) await this.deleteOld(keep);
    } catch (error) {
      this.rotationProblem = error instanceof Error ? error.message : String(error);
      this.rotateAfter = Date.now() + RETRY_ROTATION_MS;
    }
    await this.open();
    await syncFolder(this.path);
  }

  /** `<path>.<time>`, sorting by name as by time; a number behind it if the millisecond was used already. */
  private async freeName(): Promise<string> {
    const time = new Date().toISOString().replaceAll(':', '-');
    for (let number = 0; ; number++) {
      const name = `${this.path}.${time}${number === 0 ? '' : `.${String(number).padStart(4, '0')}`}`;
      if ((await statOrUndefined(name)) === undefined) return name;
    }
  }

  private async deleteOld(keep: number): Promise<void> {
    const folder = dirname(this.path);
    const start = `${basename(this.path)}.`;
    const rotated = (await fs.readdir(folder))
      .filter((name) => name.startsWith(start) && ROTATED.test(name.slice(start.length)))
      .sort();
    for (const name of rotated.slice(0, -keep)) await fs.rm(join(folder, name), { force: true });
  }
}

const ROTATED = /^\d{4}-\d\d-\d\dT\d\d-\d\d-\d\d\.\d{3}Z(\.\d{4})?$/;

/** Where only room is missing: the file is good, it can be tried again. */
export function isFull(error: unknown): boolean {
  return ['ENOSPC', 'EDQUOT', 'EFBIG'].includes(codeOf(error));
}

export function codeOf(error: unknown): string {
  return typeof error === 'object' && error !== null && 'code' in error ? String(error.code) : '';
}

function identityOf(stat: { readonly dev: number; readonly ino: number }): string {
  return `${stat.dev}:${stat.ino}`;
}

async function statOrUndefined(path: string): Promise<Stats | undefined> {
  try {
    return await fs.stat(path);
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return undefined;
    throw error;
  }
}

/** Where the last whole line ends. Throws if what follows it is not the beginning of one of our lines. */
async function endOfLines(handle: fs.FileHandle, size: number, path: string): Promise<number> {
  let end = 0;
  const block = Buffer.alloc(BLOCK);
  for (let at = size; at > 0 && end === 0;) {
    const from = Math.max(0, at - BLOCK);
    const { bytesRead } = await handle.read(block, 0, at - from, from);
    const found = block.subarray(0, bytesRead).lastIndexOf(0x0a);
    if (found !== -1) end = from + found + 1;
    at = from;
  }
  if (end < size) {
    const { bytesRead } = await handle.read(block, 0, Math.min(LINE_START.length, size - end), end);
    const start = block.toString('latin1', 0, bytesRead);
    // After a power cut a file may end in zeros: room that was reserved and not yet written.
    const zeros = /^\0+$/.test(start);
    if (!zeros && start !== LINE_START.slice(0, start.length)) {
      throw new ForeignFileError(`${path} does not end with a line of this plugin`);
    }
  }
  return end;
}

/** A new name is on the disk only when its folder is. Windows has no such thing. */
async function syncFolder(path: string): Promise<void> {
  if (process.platform === 'win32') return;
  const folder = await fs.open(dirname(path), 'r');
  try {
    await folder.sync();
  } finally {
    await folder.close();
  }
}

/**
 * Makes a folder and those above it. Not mkdir's own `recursive`: Node 24 never returns from it
 * where a folder cannot be made although the one above is there (`/proc/x`).
 */
async function makeFolder(path: string): Promise<void> {
  const code = await fs.mkdir(path).then(
    () => '',
    (error: NodeJS.ErrnoException) => error.code ?? String(error),
  );
  if (code === '' || code === 'EEXIST') return;
  if (code === 'ENOENT' && dirname(path) !== path) await makeFolder(dirname(path));
  await fs.mkdir(path).catch((error: NodeJS.ErrnoException) => {
    if (error.code !== 'EEXIST') throw error;
  });
}
