import type { Contribution, Manifest, PluginKind } from '../plugin-api/manifest.ts';

/** One contribution of one version of a plugin, found and checked, ready to load. */
export interface ResolvedPlugin {
  readonly name: string;
  readonly version: string;
  readonly kind: PluginKind;
  readonly manifest: Manifest;
  /** With its config schema inlined. */
  readonly contribution: Contribution;
  readonly origin: 'built-in' | 'user' | 'development';
  /** Folder the code is loaded from: built-ins in place, others an immutable copy in the cache. */
  readonly root: string;
  /** file: URL of the module below `root`. */
  readonly moduleUrl: string;
  /** Content hash of the whole folder; a change of it means other code. `built-in` for built-ins. */
  readonly hash: string;
}
