import { pathToFileURL } from 'node:url';
import { join } from 'node:path';
import semver from 'semver';
import { hint } from '../config/nearest.ts';
import { CodedError } from '../engine/error.ts';
import type { Contribution, Manifest, PluginKind } from '../plugin-api/manifest.ts';
import type { ResolvedPlugin } from './resolved-plugin.ts';

/** One plugin folder that can be used. */
export interface UsablePlugin {
  readonly manifest: Manifest;
  readonly contributions: readonly Contribution[];
  readonly origin: ResolvedPlugin['origin'];
  /** Where it was found. */
  readonly source: string;
  /** Where its code is loaded from. */
  readonly root: string;
  readonly hash: string;
}

/** Which of two of the same version is used: what someone works on, then ours, then what was installed. */
const ORIGIN_RANK = { development: 0, 'built-in': 1, user: 2 } as const;

/** Highest version first. */
export function byPreference(
  a: Pick<UsablePlugin, 'manifest' | 'origin'>,
  b: Pick<UsablePlugin, 'manifest' | 'origin'>,
): number {
  return semver.rcompare(a.manifest.version, b.manifest.version) || ORIGIN_RANK[a.origin] - ORIGIN_RANK[b.origin];
}

export interface PluginReference {
  readonly name: string;
  readonly range: string | undefined;
}

/** `name` or `name@range`. Throws PB_PLUGIN_REFERENCE. */
export function parseReference(reference: string): PluginReference {
  const at = reference.indexOf('@');
  const name = at === -1 ? reference : reference.slice(0, at);
  const range = at === -1 ? undefined : reference.slice(at + 1);
  if (name === '' || (range !== undefined && (range.trim() === '' || semver.validRange(range) === null))) {
    throw new CodedError('PB_PLUGIN_REFERENCE', { reference: reference.slice(0, 100) });
  }
  return { name, range };
}

/** What `plugin.contributions` offers of `kind` under `name`: by its own name, else by the plugin's. */
function contributionOf(plugin: UsablePlugin, kind: PluginKind, name: string): Contribution | undefined {
  const ofKind = plugin.contributions.filter((one) => one.kind === kind);
  return (
    ofKind.find((one) => one.name === name) ??
    (plugin.manifest.name === name && ofKind.length === 1 ? ofKind[0] : undefined)
  );
}

/**
 * The plugin that a config's `plugin:` means. A plugin of that very name goes before others
 * that contribute something of the same name; among its versions the highest that fits wins.
 * `broken` are those that cannot be used, with the reason.
 */
export function select(
  kind: PluginKind,
  reference: string,
  usable: readonly UsablePlugin[],
  broken: ReadonlyMap<string, CodedError>,
): ResolvedPlugin {
  const { name, range } = parseReference(reference);
  const offers = usable
    .flatMap((plugin) => {
      const contribution = contributionOf(plugin, kind, name);
      return contribution === undefined ? [] : [{ plugin, contribution }];
    })
    .sort((a, b) => byPreference(a.plugin, b.plugin));
  const own = offers.filter(({ plugin }) => plugin.manifest.name === name);
  // Of foreign ones only those of one plugin: two that happen to share a name are no versions of each other.
  const first = offers[0]?.plugin.manifest.name;
  const candidates = own.length > 0 ? own : offers.filter(({ plugin }) => plugin.manifest.name === first);
  if (candidates.length === 0) {
    const fault = broken.get(name);
    if (fault !== undefined) throw fault;
    throw missing(kind, name, usable);
  }
  const fitting =
    range === undefined
      ? candidates
      : candidates.filter(({ plugin }) => semver.satisfies(plugin.manifest.version, range));
  const chosen = fitting[0];
  if (chosen === undefined) {
    const present = candidates.map(({ plugin }) => plugin.manifest.version).join(', ');
    throw new CodedError('PB_PLUGIN_VERSION', { name, range: range ?? '', present });
  }
  return resolved(chosen.plugin, chosen.contribution);
}

export function resolved(plugin: UsablePlugin, contribution: Contribution): ResolvedPlugin {
  return {
    name: plugin.manifest.name,
    version: plugin.manifest.version,
    kind: contribution.kind,
    manifest: plugin.manifest,
    contribution,
    origin: plugin.origin,
    root: plugin.root,
    moduleUrl: pathToFileURL(join(plugin.root, contribution.main)).href,
    hash: plugin.hash,
  };
}

function missing(kind: PluginKind, name: string, usable: readonly UsablePlugin[]): CodedError {
  const all = usable.flatMap((plugin) => plugin.contributions);
  const elsewhere = [...new Set(all.filter((one) => one.name === name).map((one) => one.kind))];
  const names = all.filter((one) => one.kind === kind).map((one) => one.name);
  const article = (other: string): string => (/^[aeiou]/.test(other) ? `an ${other}` : `a ${other}`);
  const note = elsewhere.length > 0 ? `; '${name}' is ${elsewhere.map(article).join(' and ')}` : hint(name, names);
  return new CodedError('PB_PLUGIN_MISSING', { kind, name: name.slice(0, 100), hint: note });
}
