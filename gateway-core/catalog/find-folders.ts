import { access, readdir, realpath, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { MANIFEST_FILE } from './read-manifest.ts';

const MAX_FOLDERS = 1000;

/**
 * Plugin folders directly below `folder`, or `folder` itself when it is one; links to folders
 * are followed, by their real path and once each. Sorted. A folder that is not there has none.
 */
export async function findPluginFolders(folder: string): Promise<string[]> {
  if (await exists(join(folder, MANIFEST_FILE))) return [await realpath(folder)];
  const names = await readdir(folder).catch(() => [] as string[]);
  const found = new Set<string>();
  for (const name of names.toSorted()) {
    if (name.startsWith('.') || name === 'node_modules') continue;
    if (found.size >= MAX_FOLDERS) break;
    try {
      // A loop of links fails here, and what vanished meanwhile too.
      const real = await realpath(join(folder, name));
      if ((await stat(real)).isDirectory() && (await exists(join(real, MANIFEST_FILE)))) found.add(real);
    } catch {
      continue;
    }
  }
  return [...found];
}

function exists(file: string): Promise<boolean> {
  return access(file).then(
    () => true,
    () => false,
  );
}
