import { chmod, readFile, stat } from 'node:fs/promises';
import { basename } from 'node:path';
import { codedEvent, type EventReport } from '../events/report.ts';

/**
 * The text of a file that only its owner may read, undefined when there is none. Open to
 * others, it is closed to them (0600) and that is reported. Rejects with the system's error.
 */
export async function readPrivateFile(
  path: string,
  onEvent: (event: EventReport) => void,
): Promise<string | undefined> {
  let text: string;
  try {
    text = await readFile(path, 'utf8');
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined;
    throw error;
  }
  // Windows has no such modes: there the folder's access list protects the file.
  if (process.platform === 'win32') return text;
  const mode = (await stat(path)).mode & 0o777;
  if ((mode & 0o077) !== 0) {
    await chmod(path, 0o600);
    const file = basename(path);
    const details = { file, mode: mode.toString(8).padStart(4, '0') };
    onEvent(codedEvent('warning', 'engine', 'file.permissions', 'PB_TOKEN_PERMISSIONS', details, file));
  }
  return text;
}
