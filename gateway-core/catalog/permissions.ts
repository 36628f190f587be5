import type { Manifest } from '../plugin-api/manifest.ts';
import type { PluginDetail } from '../protocol/model.ts';
import type { ResolvedPlugin } from './resolved-plugin.ts';

/**
 * Declared against enforced, as the panel shows it. Says only what is so: JavaScript plugins
 * are trusted code, and what a declaration does not confine is called not confined.
 */
export function describePermissions(manifest: Manifest, origin: ResolvedPlugin['origin']): PluginDetail['enforced'] {
  const { network = [], env = [], files = [] } = manifest.permissions ?? {};
  const declared = (list: readonly string[]): string => (list.length === 0 ? 'none' : list.join(', '));
  const enforced =
    origin === 'built-in' ? 'part of Patchbay: not confined' : 'not confined: JavaScript plugins are trusted code';
  return [
    { permission: 'network', declared: declared(network), enforced },
    { permission: 'environment variables', declared: declared(env), enforced },
    { permission: 'files', declared: declared(files), enforced },
  ];
}
