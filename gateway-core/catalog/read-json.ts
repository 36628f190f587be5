import { constants } from 'node:fs';
import { open } from 'node:fs/promises';
import { formatSize } from '../config/quantity.ts';
import { plainReason } from '../config/read-text-file.ts';

/** A file of a plugin that cannot be read as what it should be; `message` says why in plain words. */
export class FileFault extends Error {}

const MAX_JSON_DEPTH = 64;

/** A text file of at most `maxBytes`. Never follows a link, never waits for a pipe. Throws FileFault. */
export async function readText(file: string, maxBytes: number): Promise<string> {
  const handle = await open(file, constants.O_RDONLY | (constants.O_NOFOLLOW ?? 0) | (constants.O_NONBLOCK ?? 0)).catch(
    (error: unknown) => {
      throw new FileFault(plainReason(error), { cause: error });
    },
  );
  try {
    const stat = await handle.stat();
    if (!stat.isFile()) throw new FileFault('it is not a file');
    if (stat.size > maxBytes)
      throw new FileFault(`it has ${formatSize(stat.size)}, at most ${formatSize(maxBytes)} are read`);
    const buffer = Buffer.alloc(stat.size + 1);
    let length = 0;
    for (;;) {
      const { bytesRead } = await handle.read(buffer, length, buffer.length - length, length);
      length += bytesRead;
      if (length === buffer.length) throw new FileFault('it grows while it is read');
      if (bytesRead === 0) break;
    }
    try {
      return new TextDecoder('utf-8', { fatal: true }).decode(buffer.subarray(0, length));
    } catch (error) {
      throw new FileFault('it is not UTF-8 text', { cause: error });
    }
  } finally {
    await handle.close();
  }
}

/** JSON of bounded size and depth. Throws FileFault. */
export async function readJson(file: string, maxBytes: number): Promise<unknown> {
  const text = await readText(file, maxBytes);
  if (depthOf(text) > MAX_JSON_DEPTH) throw new FileFault(`it is nested deeper than ${MAX_JSON_DEPTH} levels`);
  try {
    return JSON.parse(text) as unknown;
  } catch (error) {
    throw new FileFault(`it is not JSON: ${error instanceof Error ? error.message.slice(0, 200) : String(error)}`, {
      cause: error,
    });
  }
}

/** Deepest nesting of brackets outside of strings: known before anything is parsed. */
function depthOf(text: string): number {
  let depth = 0;
  let deepest = 0;
  let quoted = false;
  for (let i = 0; i < text.length; i++) {
    const c = text.charCodeAt(i);
    if (quoted) {
      if (c === 92) i++;
      else if (c === 34) quoted = false;
    } else if (c === 34) quoted = true;
    else if (c === 91 || c === 123) deepest = Math.max(deepest, ++depth);
    else if (c === 93 || c === 125) depth--;
  }
  return deepest;
}
