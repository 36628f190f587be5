/** Plugins in words. */
import type { CatalogueEntry, Manifest } from '../../../gateway-core/protocol/model.ts';
import { texts } from '../../app/texts.ts';

export function madeBy(entry: CatalogueEntry): string {
  return (
    entry.manifest.author ?? (entry.origin === 'built-in' ? texts.plugins.builtInAuthor : texts.plugins.unknownAuthor)
  );
}

/** What a plugin says it may do, at a glance. */
export function permissionWords(manifest: Manifest): readonly string[] {
  const t = texts.plugins.permissions;
  const { network = [], env = [], files = [] } = manifest.permissions ?? {};
  const words = [
    ...network.map((what) => t[what]),
    ...(env.length > 0 ? [t.env(env.length)] : []),
    ...(files.length > 0 ? [t.files(files.length)] : []),
  ];
  return words.length === 0 ? [t.none] : words;
}
