/** A lock file between processes: held by one, given up by its end, taken over when its holder is gone. */
import {
  closeSync,
  linkSync,
  openSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  utimesSync,
  writeSync,
} from 'node:fs';

const BEAT_MS = 2_000;
/** A holder that has not touched the file for so long is gone, even if another process now has its number. */
const STALE_MS = 15_000;
const POLL_MS = 200;

/**
 * Waits until the lock is ours. The folder of `file` must exist.
 *
 * @param {string} file
 * @param {{ limitMs: number, onWait: (pid: number) => void, onLimit: (pid: number) => Error }} options
 *   `onWait` is called once, if there is anything to wait for
 * @returns {Promise<() => void>} gives the lock up; may be called twice
 */
export async function acquireLock(file, options) {
  const token = `${process.pid} ${Math.random().toString(36).slice(2)}`;
  const limit = Date.now() + options.limitMs;
  let waiting = false;
  while (!create(file, token)) {
    const holder = read(file);
    if (holder === undefined) continue;
    if (isGone(file, holder.pid)) {
      takeAway(file, holder.token);
      continue;
    }
    if (!waiting) options.onWait(holder.pid);
    waiting = true;
    if (Date.now() > limit) throw options.onLimit(holder.pid);
    await new Promise((resolve) => setTimeout(resolve, POLL_MS));
  }
  const beat = setInterval(() => {
    try {
      utimesSync(file, new Date(), new Date());
    } catch {
      // Someone removed the folder under us: the install will say so.
    }
  }, BEAT_MS);
  beat.unref();
  return () => {
    clearInterval(beat);
    if (read(file)?.token === token) rmSync(file, { force: true });
  };
}

/**
 * @param {string} file
 * @param {string} token
 */
function create(file, token) {
  try {
    const descriptor = openSync(file, 'wx');
    writeSync(descriptor, token);
    closeSync(descriptor);
    return true;
  } catch (error) {
    if (/** @type {NodeJS.ErrnoException} */ (error).code === 'EEXIST') return false;
    throw error;
  }
}

/**
 * @param {string} file
 * @returns {{ token: string, pid: number } | undefined}
 */
function read(file) {
  try {
    const token = readFileSync(file, 'utf8');
    return { token, pid: Number.parseInt(token, 10) };
  } catch {
    return undefined;
  }
}

/**
 * @param {string} file
 * @param {number} pid NaN while the holder has not yet written it: then only age counts
 */
function isGone(file, pid) {
  try {
    if (Date.now() - statSync(file).mtimeMs > STALE_MS) return true;
    if (!Number.isNaN(pid)) process.kill(pid, 0);
    return false;
  } catch (error) {
    return /** @type {NodeJS.ErrnoException} */ (error).code === 'ESRCH';
  }
}

/**
 * Removes a dead holder's file, and only that: between the look and the move another may have taken it over.
 *
 * @param {string} file
 * @param {string} token
 */
function takeAway(file, token) {
  const aside = `${file}.${process.pid}`;
  try {
    renameSync(file, aside);
    if (read(aside)?.token !== token) linkSync(aside, file);
  } catch {
    // Another was quicker.
  }
  rmSync(aside, { force: true });
}
