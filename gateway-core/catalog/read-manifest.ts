import { lstat } from 'node:fs/promises';
import { join, normalize, sep } from 'node:path';
import semver from 'semver';
import { isMap } from '../config/is-map.ts';
import { compileSchema } from '../config/schema-check.ts';
import { schemaProblems } from '../config/schema-problems.ts';
import { CodedError } from '../engine/error.ts';
import type { Contribution, JsonSchema, Manifest } from '../plugin-api/manifest.ts';
import { API_VERSION, MANIFEST_VERSION, manifestSchema } from './manifest-schema.ts';
import { FileFault, readJson } from './read-json.ts';

export const MANIFEST_FILE = 'plugin.json';
const MAX_MANIFEST_BYTES = 256 * 2 ** 10;
const MAX_SCHEMA_BYTES = 2 ** 20;

/** What plugin.json in a folder says. */
export interface ReadManifest {
  /** As far as it could be read; `name` is the folder's when it says none. */
  readonly manifest: Manifest;
  /** With config schemas inlined; empty when there is a problem. */
  readonly contributions: readonly Contribution[];
  readonly problem: CodedError | undefined;
}

export interface ReadManifestOptions {
  /** Folder as it is shown in problems. */
  readonly shown: string;
  readonly fallbackName: string;
  /** Compiles the config schemas to see whether they can be used. Built-ins are held by a test instead. */
  readonly compile: boolean;
}

/** Reads and checks plugin.json in `root` and what it refers to. Never throws for what is in the folder. */
export async function readManifest(root: string, options: ReadManifestOptions): Promise<ReadManifest> {
  const { shown } = options;
  let raw: unknown;
  try {
    raw = await readJson(join(root, MANIFEST_FILE), MAX_MANIFEST_BYTES);
  } catch (error) {
    if (!(error instanceof FileFault)) throw error;
    return { manifest: partial({}, options), contributions: [], problem: invalid(shown, error.message) };
  }
  const said = isMap(raw) ? raw : {};
  const broken = (problem: CodedError): ReadManifest => ({
    manifest: partial(said, options),
    contributions: [],
    problem,
  });

  const generation = otherGeneration(said, options);
  if (generation !== undefined) return broken(generation);
  const faults = schemaProblems(compileSchema(manifestSchema).check(structuredClone(raw)), raw, []);
  if (faults.length > 0) {
    const [first] = faults.map((fault) => fault.problem.message.replace('the config', 'it'));
    return broken(invalid(shown, `${first ?? ''}${faults.length > 1 ? ` (and ${faults.length - 1} more)` : ''}`));
  }
  const manifest = raw as Manifest & { readonly command?: unknown };
  if (semver.valid(manifest.version) !== manifest.version)
    return broken(invalid(shown, "'version' must be a semantic version, as in 1.0.0"));
  if (manifest.command !== undefined) return broken(new CodedError('PB_PLUGIN_NOT_YET', { name: manifest.name }));

  const contributions: Contribution[] = [];
  for (const contribution of manifest.contributes) {
    const { kind, name } = contribution;
    if (contributions.some((other) => other.kind === kind && other.name === name)) {
      return broken(invalid(shown, `it contributes the ${kind} '${name}' twice`));
    }
    if (kind === 'sink' && contribution.custody === undefined) {
      return broken(invalid(shown, `the sink '${name}' does not say its custody`));
    }
    const module = await moduleProblem(root, contribution, shown);
    if (module !== undefined) return broken(module);
    try {
      contributions.push(await inlined(root, contribution, options.compile));
    } catch (error) {
      const reason = error instanceof Error ? error.message.slice(0, 300) : String(error);
      return broken(new CodedError('PB_PLUGIN_SCHEMA', { kind, contribution: name, folder: shown, reason }));
    }
  }
  return { manifest: { ...manifest, contributes: contributions }, contributions, problem: undefined };
}

function invalid(folder: string, reason: string): CodedError {
  return new CodedError('PB_PLUGIN_MANIFEST', { file: MANIFEST_FILE, folder, reason });
}

/** Checked before the form: another generation may have another form. */
function otherGeneration(said: Record<string, unknown>, { fallbackName }: ReadManifestOptions): CodedError | undefined {
  const name = typeof said.name === 'string' ? said.name.slice(0, 100) : fallbackName;
  const version = typeof said.version === 'string' ? said.version.slice(0, 100) : '';
  const differs = (what: string, found: unknown, supported: string): CodedError =>
    new CodedError('PB_PLUGIN_INCOMPATIBLE', { name, version, what, found: String(found).slice(0, 20), supported });
  if (typeof said.manifestVersion === 'number' && said.manifestVersion !== MANIFEST_VERSION) {
    return differs('manifest version', said.manifestVersion, String(MANIFEST_VERSION));
  }
  if (typeof said.apiVersion === 'string' && said.apiVersion !== API_VERSION)
    return differs('plugin interface', said.apiVersion, API_VERSION);
  return undefined;
}

/** `./sub/file` inside of the plugin; undefined when it leads out. */
function inside(root: string, path: string): string | undefined {
  const clean = normalize(path);
  if (!path.startsWith('./') || path.includes('\0') || path.includes('\\') || clean.startsWith('..')) return undefined;
  const full = join(root, clean);
  return full.startsWith(root + sep) ? full : undefined;
}

async function moduleProblem(
  root: string,
  { kind, name, main }: Contribution,
  shown: string,
): Promise<CodedError | undefined> {
  const missing = new CodedError('PB_PLUGIN_MODULE', {
    kind,
    contribution: name,
    folder: shown,
    module: main ?? '(no `main`)',
  });
  const file = typeof main === 'string' ? inside(root, main) : undefined;
  if (file === undefined) return missing;
  const stat = await lstat(file).catch(() => undefined);
  return stat?.isFile() === true ? undefined : missing;
}

async function inlined(root: string, contribution: Contribution, compile: boolean): Promise<Contribution> {
  let schema: unknown = contribution.config;
  if (schema === undefined) return contribution;
  if (isMap(schema) && typeof schema.$ref === 'string' && !schema.$ref.startsWith('#')) {
    if (Object.keys(schema).length > 1) throw new FileFault('beside `$ref` nothing else may stand');
    const file = inside(root, schema.$ref);
    if (file === undefined) throw new FileFault('its `$ref` must be a file of the plugin, as in ./source.schema.json');
    schema = await readJson(file, MAX_SCHEMA_BYTES).catch((error: unknown) => {
      throw error instanceof FileFault
        ? new FileFault(`${String((contribution.config as JsonSchema).$ref)}: ${error.message}`)
        : error;
    });
  }
  if (!isMap(schema)) throw new FileFault('it is not a JSON object');
  onlyLocalReferences(schema);
  if (compile) compileSchema(schema);
  return { ...contribution, config: schema };
}

function onlyLocalReferences(node: unknown): void {
  if (Array.isArray(node)) for (const item of node) onlyLocalReferences(item);
  if (!isMap(node)) return;
  for (const [key, value] of Object.entries(node)) {
    if ((key === '$ref' || key === '$dynamicRef') && typeof value === 'string' && !value.startsWith('#')) {
      throw new FileFault(`the reference ${value.slice(0, 100)} leads out of the schema`);
    }
    onlyLocalReferences(value);
  }
}

/** What can be shown of a manifest that is not valid. */
function partial(said: Record<string, unknown>, { fallbackName }: ReadManifestOptions): Manifest {
  const text = (key: string, otherwise: string): string =>
    typeof said[key] === 'string' ? said[key].slice(0, 200) : otherwise;
  const name = text('name', fallbackName);
  return {
    manifestVersion: 1,
    name,
    version: semver.valid(text('version', '')) ?? '0.0.0',
    apiVersion: '1',
    title: text('title', name),
    description: text('description', ''),
    license: text('license', ''),
    stability: 'experimental',
    contributes: [],
  };
}
