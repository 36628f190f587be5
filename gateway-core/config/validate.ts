import type { ResolvedPlugin } from '../catalog/resolved-plugin.ts';
import { CodedError } from '../engine/error.ts';
import type { GatewayConfig, InstanceConfig, PluginKind, Problem, Section } from '../protocol/model.ts';
import { MAX_MEMORY_BYTES, MEMORY_RULE, MEMORY_WINDOW_BYTES, SPOOL_BYTES } from './check-structure.ts';
import { checkAgainst, schemaOf } from './instance-config.ts';
import { isUsable, type ParsedConfig } from './parse.ts';
import { checkPipelines, type CheckExpression } from './pipelines.ts';
import { placed, type Places } from './places.ts';
import { listensOf, portClashes, type Listen } from './ports.ts';
import { capped, hasErrors, placeText, problem } from './problem.ts';
import { parseDuration, parseSize } from './quantity.ts';
import { textFileReader } from './read-text-file.ts';
import type { ReferenceSources } from './references.ts';
import type { ResolvedConfig, ResolvedInstance, ResolvedPipeline } from './resolved.ts';
import { configSchema } from './schema.ts';

/** What a config is checked against: all plugins there are. `Catalogue` is one. */
export interface PluginLookup {
  /** Throws a CodedError when there is none that fits. */
  resolve(kind: PluginKind, reference: string): ResolvedPlugin;
  /** The best version of every contribution. */
  list(): readonly ResolvedPlugin[];
}

export interface ValidateOptions {
  readonly catalogue: PluginLookup;
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Folder of the config file: relative `${file:…}` begin here. */
  readonly folder: string;
  /** Instead of reading below `folder`. */
  readonly readFile?: ReferenceSources['readFile'];
  /** Value of a secret; undefined when there is none of that name. */
  readonly secrets: { get(name: string): Promise<string | undefined> };
  readonly checkExpression: CheckExpression;
  /** Tries whether an address is free; says why not. Asked for enabled instances only; skip what this gateway holds itself. */
  readonly portProbe?: (listen: Listen) => Promise<string | undefined>;
}

export interface CheckOptions extends ValidateOptions {
  /** The config that runs: its other instances hold ports. */
  readonly running?: ResolvedConfig | undefined;
}

export interface Validated {
  /** All that is wrong, in file order, those of `parsed` included. */
  readonly problems: readonly Problem[];
  /** Present when no problem is an error. */
  readonly resolved?: ResolvedConfig;
}

/** The sections that hold instances, and what kind each holds. */
export const SECTION_KINDS = {
  sources: 'source',
  handlers: 'handler',
  sinks: 'sink',
  executors: 'executor',
} as const satisfies Record<Section, PluginKind>;

/** Section of a kind; actions and drivers have none. */
export function sectionOf(kind: PluginKind): Section | undefined {
  return (Object.keys(SECTION_KINDS) as Section[]).find((section) => SECTION_KINDS[section] === kind);
}

/**
 * Checks all of a config at once against the plugins there are, and resolves it. Starts
 * nothing; reads referenced files and secrets. Never throws for what is written in the config.
 */
export async function validateConfig(parsed: ParsedConfig, options: ValidateOptions): Promise<Validated> {
  if (parsed.config === undefined) return { problems: parsed.problems };
  const { config, places } = parsed;
  const problems: Problem[] = [...parsed.problems];
  // Parts of the wrong form were reported by `parseConfig`; the rest is checked all the same.
  const wrong = new Set(
    parsed.problems.filter((one) => one.severity === 'error').map((one) => one.path.slice(0, 2).join('\n')),
  );
  const formFits = (section: string, name: string): boolean => !wrong.has(`${section}\n${name}`) && !wrong.has(section);
  const sources = referenceSources(options);

  const instances = new Map<string, ResolvedInstance>();
  const named = new Map<string, PluginKind>();
  const listens: Listen[] = [];

  const settings = await checkSettings(config, sources, parsed, options.checkExpression);
  problems.push(...settings.problems);
  if (settings.control.port !== 0) {
    const path = ['settings', 'control', 'port'];
    listens.push({ owner: '', protocol: 'tcp', ...settings.control, path });
  }

  for (const [section, kind] of Object.entries(SECTION_KINDS) as [Section, PluginKind][]) {
    for (const [name, written] of membersOf(config, section)) {
      const earlier = named.get(name);
      if (earlier !== undefined) {
        const details = { name, other: sectionOf(earlier) ?? earlier };
        problems.push(placed(problem('PB_CONFIG_DUPLICATE_NAME', details, [section, name]), places, 'key'));
        continue;
      }
      named.set(name, kind);
      if (!formFits(section, name)) continue;
      const checked = await checkOne(section, kind, name, written, options, sources, places);
      problems.push(...checked.problems);
      if (checked.instance === undefined) continue;
      instances.set(name, checked.instance);
      if (checked.instance.enabled) {
        const base = [section, name, 'config'];
        listens.push(...listensOf(name, schemaOf(checked.instance.plugin), checked.instance.config, base));
      }
    }
  }

  problems.push(...checkPipelines(config, { named, instances, places, options, formFits }));
  // The later one of the file is told that the place is taken; the control address, often a default, counts as first.
  const lineOf = (listen: Listen): number => (listen.owner === '' ? 0 : (places.at(listen.path)?.line ?? 0));
  listens.sort((a, b) => lineOf(a) - lineOf(b));
  problems.push(...portClashes(listens).map((one) => placed(one, places)));
  if (options.portProbe !== undefined && !hasErrors(problems))
    problems.push(...(await probe(listens, options.portProbe, places)));

  const all = capped(problems);
  if (hasErrors(all) || !isUsable(parsed)) return { problems: all };
  return {
    problems: all,
    resolved: {
      written: config,
      instances,
      pipelines: resolvePipelines(config),
      project: settings.project,
      control: settings.control,
      logLevel: settings.logLevel,
      deadLetters: settings.deadLetters,
    },
  };
}

export function referenceSources(options: ValidateOptions): ReferenceSources {
  return {
    env: options.env,
    readFile: options.readFile ?? textFileReader(options.folder),
    secret: (name) => options.secrets.get(name),
  };
}

async function checkOne(
  section: Section,
  kind: PluginKind,
  name: string,
  written: InstanceConfig,
  { catalogue, checkExpression }: ValidateOptions,
  sources: ReferenceSources,
  places: Places,
): Promise<{ problems: readonly Problem[]; instance?: ResolvedInstance }> {
  let plugin: ResolvedPlugin;
  try {
    plugin = catalogue.resolve(kind, written.plugin);
  } catch (error) {
    return { problems: [placed(pluginProblem(error, [section, name, 'plugin']), places)] };
  }
  const checked = await checkAgainst(
    schemaOf(plugin),
    written.config ?? {},
    [section, name, 'config'],
    sources,
    places,
    checkExpression,
  );
  const enabled = written.enabled ?? true;
  const problems = enabled ? checked.problems : checked.problems.map(asWarningWhileOff);
  if (hasErrors(problems)) return { problems };
  const { buffer } = written;
  // What leaves over the network must be able to wait for its peer (design §7).
  const bufferKind = buffer?.kind ?? (plugin.contribution.custody === 'remote' ? 'disk' : 'memory');
  const maxBytes = parseSize(buffer?.max ?? '') ?? (bufferKind === 'disk' ? SPOOL_BYTES : MEMORY_WINDOW_BYTES);
  if (bufferKind === 'memory' && buffer?.kind === undefined && maxBytes > MAX_MEMORY_BYTES) {
    const path = [section, name, 'buffer', 'max'];
    const wrong = problem('PB_CONFIG_VALUE', { place: placeText(path), rule: MEMORY_RULE }, path);
    return { problems: [...problems, placed(wrong, places)] };
  }
  return {
    problems,
    instance: {
      name,
      kind,
      plugin,
      enabled,
      config: checked.value as Readonly<Record<string, unknown>>,
      written: written.config ?? {},
      secrets: checked.secrets,
      expectEveryMs: parseDuration(written.expect?.every ?? '') ?? 0,
      buffer: {
        kind: bufferKind,
        maxBytes,
        whenFull: buffer?.whenFull ?? 'block',
      },
    },
  };
}

/** Missing values keep nothing from starting that is switched off. */
function asWarningWhileOff(one: Problem): Problem {
  const missing = ['PB_CONFIG_ENV', 'PB_CONFIG_FILE', 'PB_CONFIG_SECRET', 'PB_CONFIG_REFERENCE_VALUE'];
  return missing.includes(one.code) ? { ...one, severity: 'warning' } : one;
}

export function pluginProblem(error: unknown, path: readonly string[]): Problem {
  if (!(error instanceof CodedError)) throw error;
  return { severity: 'error', code: error.code, message: error.message, remedy: error.remedy, path };
}

export async function probe(
  listens: readonly Listen[],
  portProbe: NonNullable<ValidateOptions['portProbe']>,
  places: Places,
): Promise<Problem[]> {
  const problems: Problem[] = [];
  for (const listen of listens) {
    const reason = await portProbe(listen);
    if (reason === undefined) continue;
    const { owner, host, port, path } = listen;
    const name = owner === '' ? 'control' : owner;
    const details = { name, protocol: listen.protocol.toUpperCase(), host, port, reason };
    problems.push(placed(problem('PB_CONFIG_PORT_TAKEN', details, path), places));
  }
  return problems;
}

interface Settings {
  readonly problems: readonly Problem[];
  readonly project: string;
  readonly control: { readonly host: string; readonly port: number };
  readonly logLevel: ResolvedConfig['logLevel'];
  readonly deadLetters: ResolvedConfig['deadLetters'];
}

async function checkSettings(
  config: GatewayConfig,
  sources: ReferenceSources,
  parsed: ParsedConfig,
  checkExpression: CheckExpression,
): Promise<Settings> {
  const schema = configSchema.properties.settings;
  const deadLetters = schema.properties.deadLetters.properties;
  const written = config.settings ?? {};
  const checked = await checkAgainst(schema, written, ['settings'], sources, parsed.places, checkExpression);
  // Faults of form without references were reported by `parseConfig`.
  const problems = checked.problems.filter(
    (one) => !parsed.problems.some((other) => one.code === other.code && one.message === other.message),
  );
  const value = (hasErrors(checked.problems) ? {} : checked.value) as NonNullable<GatewayConfig['settings']>;
  return {
    problems,
    project: value.project ?? 'default',
    control: { host: value.control?.host ?? '127.0.0.1', port: value.control?.port ?? 7080 },
    logLevel: value.log?.level ?? 'info',
    deadLetters: {
      count: value.deadLetters?.count ?? deadLetters.count.default,
      bytes: parseSize(value.deadLetters?.bytes ?? deadLetters.bytes.default) as number,
      ageMs: parseDuration(value.deadLetters?.age ?? deadLetters.age.default) as number,
    },
  };
}

/** Instances of a section as far as it is a map of maps. */
function membersOf(config: GatewayConfig, section: Section): [string, InstanceConfig][] {
  const members: unknown = config[section];
  return typeof members === 'object' && members !== null && !Array.isArray(members)
    ? (Object.entries(members) as [string, InstanceConfig][])
    : [];
}

function resolvePipelines(config: GatewayConfig): Map<string, ResolvedPipeline> {
  const pipelines = new Map<string, ResolvedPipeline>();
  for (const [name, written] of Object.entries(config.pipelines ?? {})) {
    pipelines.set(name, {
      name,
      from: written.from,
      where: written.where ?? '',
      through: written.through ?? [],
      to: written.to,
      delivery: written.delivery ?? 'at-least-once',
      enabled: written.enabled ?? true,
    });
  }
  return pipelines;
}
