import type { Manifest } from '../plugin-api/manifest.ts';
import type { PluginDetail } from '../protocol/model.ts';
import type { ResolvedPlugin } from './resolved-plugin.ts';

/**
 * Declared against enforced, as the panel shows it. Says only what is so (design §5): for
 * JavaScript plugins these are guard rails, not walls. Keep to what `isolation/worker-handle.ts` does.
 */
export function describePermissions(manifest: Manifest, origin: ResolvedPlugin['origin']): PluginDetail['enforced'] {
  const { network = [], env = [], files = [] } = manifest.permissions ?? {};
  const declared = (list: readonly string[]): string => (list.length === 0 ? 'none' : list.join(', '));
  const builtIn = 'not confined: part of Patchbay';
  const rail = (text: string): string => (origin === 'built-in' ? builtIn : text);
  return [
    {
      permission: 'network',
      declared: declared(network),
      enforced: rail('not confined: JavaScript plugins are trusted code'),
    },
    {
      permission: 'environment variables',
      declared: declared(env),
      enforced: rail('sees only those declared'),
    },
    {
      permission: 'files',
      declared: declared(files),
      enforced: rail(
        "opens only its own folder and those declared, by Node's permission flags; a guard rail, not a sandbox",
      ),
    },
    {
      permission: 'child processes and native code',
      declared: 'none',
      enforced: rail("refused by Node's permission flags; a guard rail, not a sandbox"),
    },
  ];
}
