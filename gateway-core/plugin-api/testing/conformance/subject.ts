import { pathToFileURL } from 'node:url';
import { stat } from 'node:fs/promises';
import { basename, join, resolve } from 'node:path';
import { readManifest } from '../../../catalog/read-manifest.ts';
import { EMPTY_SCHEMA } from '../../../config/schema-check.ts';
import { loadPlugin, type FlowDefinition } from '../../../isolation/load-plugin.ts';
import type { Contribution, JsonSchema, Manifest } from '../../manifest.ts';
import { fail, textOf } from './check.ts';
import type { Conformance, HandlerRig, SinkRig, SourceRig, Trial } from './definition.ts';

/** A plugin's folder, read and its code loaded. What went wrong is kept, to be told by the check it belongs to. */
export interface LoadedPlugin {
  readonly folder: string;
  readonly manifest: Manifest;
  /** Why plugin.json can't be used. */
  readonly problem: unknown;
  readonly subjects: readonly Subject[];
  /** Why conformance.ts can't be used. */
  readonly conformanceProblem: unknown;
}

export type FlowKind = 'source' | 'handler' | 'sink';
export type AnyRig = HandlerRig & SinkRig & SourceRig;

/** One contribution under test. */
export interface Subject {
  readonly kind: FlowKind;
  readonly name: string;
  /** `source acme`, `source acme: listening`. */
  readonly label: string;
  readonly manifest: Manifest;
  readonly contribution: Contribution;
  readonly schema: JsonSchema;
  /** Undefined when `loadProblem` says why. */
  readonly definition: FlowDefinition | undefined;
  readonly loadProblem: unknown;
  /** Its part of conformance.ts. */
  readonly trial: Trial<AnyRig> | undefined;
}

/** Reads a plugin's folder. Throws only when there is no such folder. */
export async function loadFolder(path: string): Promise<LoadedPlugin> {
  const folder = resolve(path);
  const { manifest, contributions, problem } = await readManifest(folder, {
    shown: folder,
    fallbackName: basename(folder),
    compile: true,
  });
  let conformance: Conformance = {};
  let conformanceProblem: unknown;
  try {
    conformance = await conformanceOf(folder);
  } catch (error) {
    conformanceProblem = error;
  }
  const subjects: Subject[] = [];
  for (const contribution of contributions) {
    const { kind, name } = contribution;
    if (kind !== 'source' && kind !== 'handler' && kind !== 'sink') continue;
    const schema = contribution.config ?? EMPTY_SCHEMA;
    const common = { kind, name, manifest, contribution, schema };
    let definition: FlowDefinition | undefined;
    let loadProblem: unknown;
    try {
      definition = await loadPlugin({
        name,
        kind,
        plugin: `${manifest.name}@${manifest.version}`,
        moduleUrl: pathToFileURL(join(folder, contribution.main)).href,
        config: {},
        secrets: [],
        project: 'default',
        concurrency: 1,
        buffer: 'memory',
        maxBytes: 0,
        whenFull: 'block',
        custody: contribution.custody ?? '',
      });
    } catch (error) {
      loadProblem = error;
    }
    const trials = trialsOf(conformance, kind, name);
    for (const [label, trial] of trials.length === 0 ? [[name, undefined] as const] : trials)
      subjects.push({ ...common, label: `${kind} ${label}`, definition, loadProblem, trial });
  }
  return {
    folder,
    manifest,
    problem,
    subjects,
    conformanceProblem: conformanceProblem ?? strangers(conformance, subjects),
  };
}

/** With their full names. */
function trialsOf(conformance: Conformance, kind: FlowKind, name: string): (readonly [string, Trial<AnyRig>])[] {
  return Object.entries(conformance[`${kind}s`] ?? {})
    .filter(([key]) => contributionOf(key) === name)
    .map(([key, trial]) => [key, trial as Trial<AnyRig>] as const);
}

const contributionOf = (key: string): string => key.split(':', 1)[0] ?? '';

async function conformanceOf(folder: string): Promise<Conformance> {
  for (const name of ['conformance.ts', 'conformance.js', 'conformance.mjs']) {
    const file = join(folder, name);
    if ((await stat(file).catch(() => undefined))?.isFile() !== true) continue;
    let exports: { default?: unknown };
    try {
      exports = (await import(/* @vite-ignore */ pathToFileURL(file).href)) as { default?: unknown };
    } catch (error) {
      fail(`${name} can't be loaded: ${textOf(error)}`, error);
    }
    if (typeof exports.default !== 'object' || exports.default === null)
      fail(`${name} has no default export: write \`export default defineConformance({ … })\``);
    return exports.default;
  }
  return {};
}

/** A trial for a name that the plugin doesn't contribute would never run: a misspelling. */
function strangers(conformance: Conformance, subjects: readonly Subject[]): unknown {
  const known = new Set(subjects.map(({ kind, name }) => `${kind}s.${name}`));
  for (const group of ['sources', 'handlers', 'sinks'] as const) {
    for (const name of Object.keys(conformance[group] ?? {})) {
      if (!known.has(`${group}.${contributionOf(name)}`))
        return new Error(`conformance.ts speaks of ${group}.${name}, which plugin.json does not contribute`);
    }
  }
  return undefined;
}
