/** What the plugins page works out from the catalogue and the config. Pure. */
import type {
  CatalogueEntry,
  ConfigEdit,
  Contribution,
  GatewayConfig,
  PipelineConfig,
  PluginKind,
  Section,
} from '../../../gateway-core/protocol/model.ts';

export const sectionOf: Readonly<Partial<Record<PluginKind, Section>>> = {
  source: 'sources',
  handler: 'handlers',
  sink: 'sinks',
  executor: 'executors',
};

export const kindOf: Readonly<Record<Section, PluginKind>> = {
  sources: 'source',
  handlers: 'handler',
  sinks: 'sink',
  executors: 'executor',
};

export const SECTIONS: readonly Section[] = ['sources', 'handlers', 'sinks', 'executors'];

export interface CatalogueFilter {
  readonly text: string;
  /** '' or a kind. */
  readonly kind: string;
  /** '', `used`, `unused` or `problem`. */
  readonly state: string;
}

/** Those that have every word of the text somewhere, the kind and the state; by title. */
export function filterCatalogue(
  entries: readonly CatalogueEntry[],
  filter: CatalogueFilter,
): readonly CatalogueEntry[] {
  const words = filter.text.toLowerCase().split(/\s+/).filter(Boolean);
  return entries
    .filter((entry) => {
      const all = searchText(entry);
      return (
        words.every((word) => all.includes(word)) &&
        (filter.kind === '' || kindsOf(entry).some((kind) => kind === filter.kind)) &&
        (filter.state === '' || stateMatches(entry, filter.state))
      );
    })
    .sort((a, b) => titleOf(a).localeCompare(titleOf(b)));
}

function stateMatches(entry: CatalogueEntry, state: string): boolean {
  if (state === 'used') return entry.instances.length > 0;
  if (state === 'unused') return entry.instances.length === 0;
  return state === 'problem' && entry.problem !== undefined;
}

function searchText(entry: CatalogueEntry): string {
  return [
    entry.name,
    titleOf(entry),
    entry.manifest.description,
    entry.manifest.author,
    ...kindsOf(entry),
    ...entry.instances,
  ]
    .join(' ')
    .toLowerCase();
}

/** A damaged plugin may have no manifest to speak of. */
export function titleOf(entry: CatalogueEntry): string {
  return entry.manifest.title || entry.name;
}

export function kindsOf(entry: CatalogueEntry): readonly PluginKind[] {
  return [...new Set(entry.contributions.map((contribution) => contribution.kind))];
}

/** `amqp1@^1.2` → `amqp1`. */
export function pluginName(reference: string): string {
  const at = reference.lastIndexOf('@');
  return at > 0 ? reference.slice(0, at) : reference;
}

/** What a plugin contributes for a kind; the one of the plugin's own name first. */
export function contributionFor(entry: CatalogueEntry, kind: PluginKind): Contribution | undefined {
  const fitting = entry.contributions.filter((contribution) => contribution.kind === kind);
  return fitting.find((contribution) => contribution.name === entry.name) ?? fitting[0];
}

export interface Placed {
  readonly section: Section;
  readonly name: string;
}

/** Instances of a plugin in the config, in its order. */
export function instancesOf(config: GatewayConfig, plugin: string): readonly Placed[] {
  return SECTIONS.flatMap((section) =>
    Object.entries(config[section] ?? {})
      .filter(([, instance]) => pluginName(instance.plugin) === plugin)
      .map(([name]) => ({ section, name })),
  );
}

export function findInstance(config: GatewayConfig, name: string): Placed | undefined {
  const section = SECTIONS.find((candidate) => Object.hasOwn(config[candidate] ?? {}, name));
  return section === undefined ? undefined : { section, name };
}

export type NameFault = 'empty' | 'shape' | { readonly taken: Section };

/** Names are unique over all sections: status, taps and pipelines know instances by name alone. */
export function checkName(config: GatewayConfig, name: string): NameFault | undefined {
  if (name === '') return 'empty';
  if (!/^[a-z0-9_-]+$/.test(name)) return 'shape';
  const taken = findInstance(config, name);
  return taken === undefined ? undefined : { taken: taken.section };
}

/** A free name to begin with: the plugin's, numbered if need be. */
export function suggestName(config: GatewayConfig, plugin: string): string {
  const stem =
    plugin
      .toLowerCase()
      .replace(/[^a-z0-9_-]+/g, '-')
      .replace(/^-+|-+$/g, '') || 'instance';
  for (let n = 1; ; n++) {
    const name = n === 1 ? stem : `${stem}-${n}`;
    if (findInstance(config, name) === undefined) return name;
  }
}

const ROLE: Readonly<Partial<Record<Section, 'from' | 'through' | 'to'>>> = {
  sources: 'from',
  handlers: 'through',
  sinks: 'to',
};

export function pipelinesUsing(config: GatewayConfig, { section, name }: Placed): readonly string[] {
  const role = ROLE[section];
  if (role === undefined) return [];
  return Object.entries(config.pipelines ?? {})
    .filter(([, pipeline]) => (pipeline[role] ?? []).includes(name))
    .map(([pipeline]) => pipeline);
}

/** Edits that add an instance to existing pipelines: at the end of its list. */
export function joinEdits(
  config: GatewayConfig,
  { section, name }: Placed,
  pipelines: readonly string[],
): readonly ConfigEdit[] {
  const role = ROLE[section];
  if (role === undefined) return [];
  return pipelines.flatMap((pipeline): ConfigEdit[] => {
    const now = config.pipelines?.[pipeline];
    return now === undefined
      ? []
      : [{ op: 'set', path: ['pipelines', pipeline, role], value: [...(now[role] ?? []), name] }];
  });
}

export interface Removal {
  readonly edits: readonly ConfigEdit[];
  /** Pipelines it leaves, which go on without it. */
  readonly leaves: readonly string[];
  /** Pipelines that would have no source or no sink: deleted by `edits`. */
  readonly emptied: readonly string[];
  /** The gateway's own events went to it. */
  readonly events: boolean;
}

/** Edits that delete an instance and every reference to it. */
export function removeInstance(config: GatewayConfig, placed: Placed): Removal {
  const { section, name } = placed;
  const role = ROLE[section];
  const edits: ConfigEdit[] = [];
  const leaves: string[] = [];
  const emptied: string[] = [];
  for (const pipeline of pipelinesUsing(config, placed)) {
    const now = config.pipelines?.[pipeline] as PipelineConfig;
    const rest = (role === undefined ? [] : (now[role] ?? [])).filter((other) => other !== name);
    if (rest.length === 0 && role !== 'through') {
      emptied.push(pipeline);
      edits.push({ op: 'delete', path: ['pipelines', pipeline] });
    } else {
      leaves.push(pipeline);
      const path = ['pipelines', pipeline, role ?? 'to'];
      edits.push(rest.length === 0 ? { op: 'delete', path } : { op: 'set', path, value: rest });
    }
  }
  const kept = (config.events ?? []).filter((route) => section !== 'sinks' || route.to !== name);
  const events = kept.length !== (config.events ?? []).length;
  if (events) edits.push({ op: 'set', path: ['events'], value: kept });
  edits.push({ op: 'delete', path: [section, name] });
  return { edits, leaves, emptied, events };
}
