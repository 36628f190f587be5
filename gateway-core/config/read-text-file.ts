import { open } from 'node:fs/promises';
import { resolve } from 'node:path';
import { formatSize } from './quantity.ts';

/** A file that a config refers to may have up to this many bytes. */
export const MAX_REFERENCED_BYTES = 2 ** 20;

/**
 * Reads text files for `${file:…}`. Relative paths begin at `folder`. Only ordinary files
 * (a pipe could wait for ever), UTF-8, and of a bounded size; throws an Error in plain words otherwise.
 */
export function textFileReader(folder: string, maxBytes = MAX_REFERENCED_BYTES): (path: string) => Promise<string> {
  return async (path) => {
    const file = await open(resolve(folder, path), 'r').catch((error: unknown) => {
      throw new Error(plainReason(error), { cause: error });
    });
    try {
      const stat = await file.stat();
      if (!stat.isFile()) throw new Error('it is not a file');
      if (stat.size > maxBytes)
        throw new Error(`it has ${formatSize(stat.size)}, at most ${formatSize(maxBytes)} are read`);
      const buffer = Buffer.alloc(maxBytes + 1);
      const { bytesRead } = await file.read(buffer, 0, buffer.length, 0);
      if (bytesRead > maxBytes) throw new Error(`at most ${formatSize(maxBytes)} are read`);
      try {
        return new TextDecoder('utf-8', { fatal: true }).decode(buffer.subarray(0, bytesRead));
      } catch (error) {
        throw new Error('it is not UTF-8 text', { cause: error });
      }
    } finally {
      await file.close();
    }
  };
}

/** What a file system error means, without the path. */
export function plainReason(error: unknown): string {
  const code = error instanceof Error && 'code' in error ? String(error.code) : '';
  const words: Record<string, string> = {
    ENOENT: 'it does not exist',
    EACCES: 'it may not be read',
    EPERM: 'it may not be read',
    EISDIR: 'it is a folder',
    ENOTDIR: 'a part of the path is not a folder',
    ELOOP: 'its links lead in a circle',
    ENAMETOOLONG: 'the name is too long',
  };
  return words[code] ?? (code === '' ? 'it cannot be read' : `it cannot be read (${code})`);
}
