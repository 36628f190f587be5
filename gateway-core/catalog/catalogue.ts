import { join } from 'node:path';
import { CodedError } from '../engine/error.ts';
import type { Logger } from '../plugin-api/context.ts';
import type { CatalogueEntry, PluginDetail, PluginKind } from '../protocol/model.ts';
import { hint } from '../config/nearest.ts';
import { PLUGIN_LIMITS, type FolderLimits } from './folder-content.ts';
import { findPluginFolders } from './find-folders.ts';
import { watchFolders } from './folder-watch.ts';
import { describePermissions } from './permissions.ts';
import { PluginCache } from './plugin-cache.ts';
import { folderSignature, readBuiltIn, readUserFolder, type PluginFolder } from './plugin-folder.ts';
import { FileFault, readText } from './read-json.ts';
import type { ResolvedPlugin } from './resolved-plugin.ts';
import { byPreference, resolved, select, type UsablePlugin } from './select.ts';

export interface CatalogueOptions {
  readonly builtInFolder: string;
  /** `<data>/plugins`; need not exist. */
  readonly userFolder: string;
  /** Further folders of plugins, or plugins, under development. */
  readonly extraFolders?: readonly string[];
  /** `<data>/plugins-cache`. */
  readonly cacheFolder: string;
  readonly log?: Pick<Logger, 'info' | 'warn'>;
  readonly limits?: FolderLimits;
  /** Quiet time after a change on disk; default 200. */
  readonly debounceMs?: number;
  /** How long a broken folder must stay the same before it counts as broken, not as half copied; default 1 000. */
  readonly settleMs?: number;
  /** How often the folders are looked through without a notice; default 10 000. */
  readonly rescanMs?: number;
}

/** Instances by plugin name, for `entries` and `detail`. */
export type InstancesByPlugin = ReadonlyMap<string, readonly string[]>;

/** All plugins there are. What it answers is a snapshot; `refresh` and `watch` renew it. */
export interface Catalogue {
  /** The best version of every contribution. */
  list(): readonly ResolvedPlugin[];
  /** One per plugin, and one per folder that cannot be used; by name. */
  entries(instances?: InstancesByPlugin): CatalogueEntry[];
  /** Throws PB_PLUGIN_MISSING or PB_PLUGIN_VERSION. */
  detail(name: string, version?: string, instances?: InstancesByPlugin): Promise<PluginDetail>;
  /**
   * What a config's `plugin:` means. A folder that was changed for the worse still answers with its last good
   * copy while this process runs. Throws PB_PLUGIN_MISSING, PB_PLUGIN_VERSION, PB_PLUGIN_REFERENCE, or the
   * reason why the plugin of that name cannot be used.
   */
  resolve(kind: PluginKind, reference: string): ResolvedPlugin;
  /**
   * Marks code that did not start as unusable until its folder changes: `resolve` answers with the last good
   * copy, if there is one, and the entry says why.
   */
  reject(hash: string, problem: CodedError): void;
  /** Looks through the folders now. Answers the names of the plugins that are new, changed or gone. */
  refresh(): Promise<readonly string[]>;
  /** Calls back with the names whenever plugins changed on disk. One caller at a time. Call the result to end it. */
  watch(onChange: (names: readonly string[]) => void): () => void;
  /** Removes copies that neither the catalogue nor `keep` (hashes) needs. Answers how many. */
  prune(keep: ReadonlySet<string>): Promise<number>;
  close(): Promise<void>;
}

const MAX_README_BYTES = 256 * 2 ** 10;

/** Reads all plugin folders. Folders with faults become entries with a problem; only a missing built-in folder throws. */
export async function openCatalogue(options: CatalogueOptions): Promise<Catalogue> {
  const catalogue = new FolderCatalogue(options);
  await catalogue.start();
  return catalogue;
}

class FolderCatalogue implements Catalogue {
  private readonly options: CatalogueOptions;
  private readonly cache: PluginCache;
  private builtIns: readonly PluginFolder[] = [];
  /** By source folder. */
  private readonly folders = new Map<string, PluginFolder>();
  /** By source folder: its last contents that were right, newest first; two, because the newest may not start. */
  private readonly good = new Map<string, readonly PluginFolder[]>();
  private readonly rejected = new Map<string, CodedError>();
  /** Broken folders that may be half copied: what they looked like. */
  private readonly unsettled = new Map<string, string>();
  private turn: Promise<unknown> = Promise.resolve();
  private stopWatching: (() => void) | undefined;
  private closed = false;

  constructor(options: CatalogueOptions) {
    this.options = options;
    this.cache = new PluginCache(options.cacheFolder, options.limits ?? PLUGIN_LIMITS);
  }

  async start(): Promise<void> {
    const folders = await findPluginFolders(this.options.builtInFolder);
    this.builtIns = await Promise.all(folders.map(readBuiltIn));
    await this.scan(false);
    for (const { source, problem } of [...this.builtIns, ...this.folders.values()]) {
      if (problem !== undefined)
        this.options.log?.warn(`plugin in ${source} cannot be used: ${problem.message}`, { code: problem.code });
    }
  }

  list(): readonly ResolvedPlugin[] {
    const best = new Map<string, ResolvedPlugin>();
    for (const plugin of this.usable()) {
      for (const contribution of plugin.contributions) {
        const key = `${contribution.kind} ${contribution.name}`;
        if (!best.has(key)) best.set(key, resolved(plugin, contribution));
      }
    }
    return [...best.values()];
  }

  resolve(kind: PluginKind, reference: string): ResolvedPlugin {
    const broken = new Map<string, CodedError>();
    for (const { manifest, source } of this.all()) {
      const problem = this.problemOf(source);
      if (problem !== undefined && !broken.has(manifest.name)) broken.set(manifest.name, problem);
    }
    return select(kind, reference, this.usable(), broken);
  }

  entries(instances: InstancesByPlugin = new Map()): CatalogueEntry[] {
    const usable = this.usable();
    const entries: CatalogueEntry[] = [];
    const shown = new Set<string>();
    for (const plugin of usable) {
      const { name } = plugin.manifest;
      if (shown.has(name)) continue;
      shown.add(name);
      entries.push(this.entry(plugin, usable, instances));
    }
    for (const folder of this.all()) {
      const listed = entries.some((entry) => entry.folder === folder.source);
      if (!listed && this.problemOf(folder.source) !== undefined) entries.push(this.entry(folder, usable, instances));
    }
    return entries.sort((a, b) => (a.name < b.name ? -1 : a.name > b.name ? 1 : 0));
  }

  async detail(name: string, version?: string, instances: InstancesByPlugin = new Map()): Promise<PluginDetail> {
    const usable = this.usable();
    const ofName = usable.filter((one) => one.manifest.name === name);
    const broken = this.all().find(
      (one) => one.manifest.name === name && (version === undefined || one.manifest.version === version),
    );
    const found = ofName.find((one) => version === undefined || one.manifest.version === version) ?? broken;
    if (found === undefined) {
      if (ofName.length === 0) {
        const names = usable.map((one) => one.manifest.name);
        throw new CodedError('PB_PLUGIN_MISSING', { kind: '', name: name.slice(0, 100), hint: hint(name, names) });
      }
      const present = ofName.map((one) => one.manifest.version).join(', ');
      throw new CodedError('PB_PLUGIN_VERSION', { name, range: version ?? '', present });
    }
    return {
      ...this.entry(found, usable, instances),
      readme: await readReadme(found.root),
      enforced: describePermissions(found.manifest, found.origin),
    };
  }

  reject(hash: string, problem: CodedError): void {
    if (hash !== 'built-in' && hash !== '') this.rejected.set(hash, problem);
  }

  refresh(): Promise<readonly string[]> {
    return this.scan(false);
  }

  watch(onChange: (names: readonly string[]) => void): () => void {
    this.stopWatching?.();
    let ended = false;
    let settle: NodeJS.Timeout | undefined;
    const look = async (): Promise<void> => {
      if (ended || this.closed) return;
      try {
        const names = await this.scan(true);
        if (names.length > 0 && !ended) onChange(names);
      } catch (error) {
        this.options.log?.warn(
          `the plugin folders could not be looked through: ${error instanceof Error ? error.message : String(error)}`,
        );
      }
      if (this.unsettled.size === 0 || ended) return;
      clearTimeout(settle);
      settle = setTimeout(() => void look(), this.options.settleMs ?? 1000);
      settle.unref();
    };
    const stopFolders = watchFolders({
      folders: [this.options.userFolder, ...(this.options.extraFolders ?? [])],
      debounceMs: this.options.debounceMs ?? 200,
      rescanMs: this.options.rescanMs ?? 10_000,
      onChange: () => void look(),
      onFault: (folder, error) => {
        const reason = error instanceof Error ? error.message : String(error);
        this.options.log?.info(
          `${folder} gives no notice of changes and is looked through from time to time: ${reason}`,
        );
      },
    });
    this.stopWatching = () => {
      ended = true;
      clearTimeout(settle);
      stopFolders();
    };
    return this.stopWatching;
  }

  prune(keep: ReadonlySet<string>): Promise<number> {
    const needed = new Set(keep);
    for (const { hash } of [...this.folders.values(), ...[...this.good.values()].flat()]) needed.add(hash);
    return this.inTurn(() => this.cache.prune(needed));
  }

  async close(): Promise<void> {
    this.closed = true;
    this.stopWatching?.();
    await this.turn.catch(() => undefined);
  }

  private all(): PluginFolder[] {
    return [...this.builtIns, ...this.folders.values()].sort(byPreference);
  }

  /** Why the folder's present content is not used. */
  private problemOf(source: string): CodedError | undefined {
    const folder = this.folders.get(source) ?? this.builtIns.find((one) => one.source === source);
    return (
      folder?.problem ??
      (folder === undefined ? undefined : this.rejected.get(folder.hash)) ??
      this.duplicates().get(source)
    );
  }

  /** Folders that hold a version which a preferred folder holds too. */
  private duplicates(): Map<string, CodedError> {
    const first = new Map<string, string>();
    const found = new Map<string, CodedError>();
    for (const { manifest, source, problem } of this.all()) {
      if (problem !== undefined) continue;
      const key = `${manifest.name}@${manifest.version}`;
      const other = first.get(key);
      if (other === undefined) first.set(key, source);
      else
        found.set(
          source,
          new CodedError('PB_PLUGIN_DUPLICATE', {
            name: manifest.name,
            version: manifest.version,
            folder: source,
            other,
          }),
        );
    }
    return found;
  }

  /** What can be used, preferred first: present content, else the last good copy of the folder. */
  private usable(): (UsablePlugin & PluginFolder)[] {
    const duplicates = this.duplicates();
    return this.all()
      .flatMap((folder) => {
        if (duplicates.has(folder.source)) return [];
        if (folder.problem === undefined && !this.rejected.has(folder.hash)) return [folder];
        return (this.good.get(folder.source) ?? []).filter((one) => !this.rejected.has(one.hash)).slice(0, 1);
      })
      .sort(byPreference);
  }

  private entry(plugin: PluginFolder, usable: readonly PluginFolder[], instances: InstancesByPlugin): CatalogueEntry {
    const { name, version } = plugin.manifest;
    const problem = this.problemOf(plugin.source);
    const versions = usable
      .filter((one) => one.manifest.name === name && one.manifest.version !== version)
      .map((one) => one.manifest.version);
    return {
      name,
      version,
      manifest: plugin.manifest,
      origin: plugin.origin,
      folder: plugin.source,
      versions,
      contributions: plugin.contributions,
      instances: instances.get(name) ?? [],
      ...(problem === undefined
        ? {}
        : { problem: { code: problem.code, message: problem.message, remedy: problem.remedy } }),
    };
  }

  private inTurn<Result>(act: () => Promise<Result>): Promise<Result> {
    const result = this.turn.then(act, act);
    this.turn = result.catch(() => undefined);
    return result;
  }

  /** `patient`: a folder that has become broken is left as it was until it stops changing. */
  private scan(patient: boolean): Promise<string[]> {
    return this.inTurn(() => this.scanNow(patient));
  }

  private async scanNow(patient: boolean): Promise<string[]> {
    const changed = new Set<string>();
    const present = new Map<string, ResolvedPlugin['origin']>();
    for (const folder of this.options.extraFolders ?? []) {
      for (const source of await findPluginFolders(folder)) present.set(source, 'development');
    }
    for (const source of await findPluginFolders(this.options.userFolder))
      if (!present.has(source)) present.set(source, 'user');

    for (const [source, known] of this.folders) {
      if (present.has(source)) continue;
      this.folders.delete(source);
      this.good.delete(source);
      this.unsettled.delete(source);
      changed.add(known.manifest.name);
    }
    for (const [source, origin] of present) {
      const known = this.folders.get(source);
      if (known !== undefined && known.signature === (await folderSignature(source, this.options.limits))) {
        this.unsettled.delete(source);
        continue;
      }
      const found = await readUserFolder(source, origin, this.cache);
      if (found.problem !== undefined && patient && this.unsettled.get(source) !== found.signature) {
        this.unsettled.set(source, found.signature);
        continue;
      }
      this.unsettled.delete(source);
      this.folders.set(source, found);
      if (found.problem === undefined) {
        const earlier = (this.good.get(source) ?? []).filter(
          (one) => one.hash !== found.hash && !this.rejected.has(one.hash),
        );
        this.good.set(source, [found, ...earlier].slice(0, 2));
      }
      const same =
        known !== undefined && known.hash === found.hash && known.problem?.message === found.problem?.message;
      if (same) continue;
      changed.add(found.manifest.name);
      if (known !== undefined) changed.add(known.manifest.name);
    }
    return [...changed].sort();
  }
}

async function readReadme(root: string): Promise<string> {
  try {
    return await readText(join(root, 'README.md'), MAX_README_BYTES);
  } catch (error) {
    if (error instanceof FileFault) return '';
    throw error;
  }
}
