import { basename } from 'node:path';
import { CodedError } from '../engine/error.ts';
import type { Contribution, Manifest } from '../plugin-api/manifest.ts';
import { listFolder, PLUGIN_LIMITS, signatureOf, type FolderLimits } from './folder-content.ts';
import type { PluginCache } from './plugin-cache.ts';
import { readManifest } from './read-manifest.ts';
import type { ResolvedPlugin } from './resolved-plugin.ts';

/** One plugin folder as it was last looked at. */
export interface PluginFolder {
  readonly source: string;
  readonly origin: ResolvedPlugin['origin'];
  readonly manifest: Manifest;
  readonly contributions: readonly Contribution[];
  /** Where its code is loaded from; the source itself for built-ins and broken ones. */
  readonly root: string;
  /** Of the content; `built-in` for built-ins, empty when it could not be copied. */
  readonly hash: string;
  /** Changes whenever something in the folder does. */
  readonly signature: string;
  /** Why it cannot be used. */
  readonly problem: CodedError | undefined;
}

/** A built-in: part of the gateway, used in place, never watched. */
export async function readBuiltIn(source: string): Promise<PluginFolder> {
  const read = await readManifest(source, { shown: basename(source), fallbackName: basename(source), compile: false });
  return { ...read, source, origin: 'built-in', root: source, hash: 'built-in', signature: '' };
}

/**
 * A plugin folder of the user, read from its immutable copy, so that manifest, schemas and
 * code belong together. Never throws for what is in the folder.
 */
export async function readUserFolder(
  source: string,
  origin: ResolvedPlugin['origin'],
  cache: PluginCache,
): Promise<PluginFolder> {
  const fallbackName = basename(source).slice(0, 100);
  try {
    const { hash, folder, signature } = await cache.copyOf(source, source);
    const read = await readManifest(folder, { shown: source, fallbackName, compile: true });
    return { ...read, source, origin, root: folder, hash, signature };
  } catch (error) {
    if (!(error instanceof CodedError)) throw error;
    // What could not be copied may still say its name.
    const read = await readManifest(source, { shown: source, fallbackName, compile: false });
    const signature = await folderSignature(source);
    return {
      manifest: { ...read.manifest, contributes: [] },
      contributions: [],
      source,
      origin,
      root: source,
      hash: '',
      signature,
      problem: error,
    };
  }
}

/** Signature of a folder's content, or of what keeps it from being listed. */
export async function folderSignature(source: string, limits: FolderLimits = PLUGIN_LIMITS): Promise<string> {
  try {
    return signatureOf(await listFolder(source, source, limits));
  } catch (error) {
    return `fault: ${error instanceof Error ? error.message : String(error)}`;
  }
}
