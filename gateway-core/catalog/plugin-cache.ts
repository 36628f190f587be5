import { randomUUID } from 'node:crypto';
import { mkdir, readdir, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { CodedError } from '../engine/error.ts';
import { copyFolder, hashFolder, listFolder, signatureOf, type FolderLimits } from './folder-content.ts';

export interface CachedCopy {
  readonly hash: string;
  readonly folder: string;
  /** Of the source folder, as it was copied. */
  readonly signature: string;
}

/**
 * Immutable copies of plugin folders, each under the hash of its content. Code is loaded from
 * here: what someone edits meanwhile cannot reach a running instance, and the version before is still there.
 */
export class PluginCache {
  private readonly folder: string;
  private readonly limits: FolderLimits;

  constructor(folder: string, limits: FolderLimits) {
    this.folder = folder;
    this.limits = limits;
  }

  /**
   * Makes sure there is a copy of `source` and answers where. A copy that is there already is
   * verified, and made anew when it was tampered with. Throws PB_PLUGIN_CHANGING when the folder is written
   * to meanwhile.
   */
  async copyOf(source: string, shown: string): Promise<CachedCopy> {
    const entries = await listFolder(source, shown, this.limits);
    const signature = signatureOf(entries);
    const hash = await hashFolder(source, entries, shown);
    const folder = join(this.folder, hash);
    if (await this.holds(folder, hash)) return { hash, folder, signature };

    await mkdir(this.folder, { recursive: true });
    const unfinished = join(this.folder, `.new-${randomUUID()}`);
    try {
      await mkdir(unfinished);
      const copied = await copyFolder(source, entries, shown, unfinished);
      const after = signatureOf(await listFolder(source, shown, this.limits));
      if (copied !== hash || after !== signature) throw new CodedError('PB_PLUGIN_CHANGING', { folder: shown });
      await rm(folder, { recursive: true, force: true });
      await rename(unfinished, folder);
    } finally {
      await rm(unfinished, { recursive: true, force: true });
    }
    return { hash, folder, signature };
  }

  private async holds(folder: string, hash: string): Promise<boolean> {
    try {
      return (await hashFolder(folder, await listFolder(folder, folder, this.limits), folder)) === hash;
    } catch {
      return false;
    }
  }

  /** Removes copies not in `keep`, and what unfinished copies left behind. Answers how many. */
  async prune(keep: ReadonlySet<string>): Promise<number> {
    const names = await readdir(this.folder).catch(() => [] as string[]);
    const old = names.filter((name) => (/^[0-9a-f]{64}$/.test(name) && !keep.has(name)) || name.startsWith('.new-'));
    for (const name of old) await rm(join(this.folder, name), { recursive: true, force: true });
    return old.length;
  }
}
