import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { readManifest } from '../../gateway-core/catalog/read-manifest.ts';
import type { Manifest } from '../../gateway-core/plugin-api/manifest.ts';

/** Manifests of the built-in plugins, schemas inlined, by name. Throws when one is not valid. */
export async function builtInManifests(root: string): Promise<Manifest[]> {
  const folder = join(root, 'plugins');
  const found = await readdir(folder, { withFileTypes: true });
  const manifests: Manifest[] = [];
  for (const entry of found.filter((one) => one.isDirectory()).toSorted((a, b) => (a.name < b.name ? -1 : 1))) {
    const { manifest, problem } = await readManifest(join(folder, entry.name), {
      shown: `plugins/${entry.name}`,
      fallbackName: entry.name,
      compile: true,
    });
    if (problem !== undefined) throw problem;
    manifests.push(manifest);
  }
  return manifests;
}
