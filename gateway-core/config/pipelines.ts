import type { GatewayConfig, PipelineConfig, PluginKind, Problem } from '../protocol/model.ts';
import { bridges, fitting, givenBy, takenBy, through } from './edges.ts';
import { isMap } from './is-map.ts';
import { hint } from './nearest.ts';
import { placed, type Places } from './places.ts';
import { problem, type Path } from './problem.ts';
import type { ResolvedInstance } from './resolved.ts';

/** What a CEL expression must give: true or false, or anything. */
export type ExpressionUse = 'condition' | 'value';

/** Checks a CEL expression, a condition unless told; `at` is the offset of the fault in it. */
export type CheckExpression = (
  expression: string,
  use?: ExpressionUse,
) => { readonly ok: true } | { readonly ok: false; readonly message: string; readonly at: number };

interface Surroundings {
  /** Every instance the config names, whether or not it is right. */
  readonly named: ReadonlyMap<string, PluginKind>;
  /** Those that are. */
  readonly instances: ReadonlyMap<string, ResolvedInstance>;
  readonly places: Places;
  readonly options: {
    readonly catalogue: { list(): readonly { readonly contribution: ResolvedInstance['plugin']['contribution'] }[] };
    readonly checkExpression: CheckExpression;
  };
  formFits(section: string, name: string): boolean;
}

const LISTS = [
  { list: 'from', kind: 'source', section: 'sources' },
  { list: 'through', kind: 'handler', section: 'handlers' },
  { list: 'to', kind: 'sink', section: 'sinks' },
] as const;

/** References, conditions and edge types of all pipelines, and instances that none of them uses. */
export function checkPipelines(config: GatewayConfig, around: Surroundings): Problem[] {
  const problems: Problem[] = [];
  const used = new Set<string>();
  const pipelines: unknown = config.pipelines ?? {};
  if (!isMap(pipelines)) return problems;
  for (const [name, pipeline] of Object.entries(pipelines)) {
    if (isMap(pipeline)) {
      for (const { list } of LISTS) for (const member of listOf(pipeline[list])) used.add(member);
    }
    if (!around.formFits('pipelines', name)) continue;
    const written = pipeline as PipelineConfig;
    problems.push(
      ...checkMembers(name, written, around),
      ...checkWhere(name, written, around),
      ...checkEdges(name, written, around),
    );
  }
  for (const [name, kind] of around.named) {
    if (kind === 'executor' || used.has(name) || around.instances.get(name)?.enabled === false) continue;
    const section = LISTS.find((one) => one.kind === kind)?.section ?? kind;
    problems.push(
      placed(problem('PB_CONFIG_UNUSED', { kind, name }, [section, name], 'warning'), around.places, 'key'),
    );
  }
  return problems;
}

function listOf(value: unknown): string[] {
  return Array.isArray(value) ? value.filter((one) => typeof one === 'string') : [];
}

function checkMembers(name: string, pipeline: PipelineConfig, { named, places }: Surroundings): Problem[] {
  const problems: Problem[] = [];
  for (const { list, kind, section } of LISTS) {
    for (const [index, member] of (pipeline[list] ?? []).entries()) {
      const path: Path = ['pipelines', name, list, index];
      const found = named.get(member);
      if (found === kind) continue;
      if (found === undefined) {
        const known = [...named].filter(([, one]) => one === kind).map(([one]) => one);
        const details = { kind, name: member.slice(0, 100), section, hint: hint(member, known) };
        problems.push(placed(problem('PB_CONFIG_UNKNOWN_INSTANCE', details, path), places));
      } else {
        problems.push(
          placed(problem('PB_CONFIG_WRONG_KIND', { name: member, found, list, expected: kind }, path), places),
        );
      }
    }
  }
  return problems;
}

function checkWhere(name: string, pipeline: PipelineConfig, { options, places }: Surroundings): Problem[] {
  if (pipeline.where === undefined || pipeline.where === '') return [];
  const answer = options.checkExpression(pipeline.where);
  if (answer.ok) return [];
  const details = { reason: answer.message, at: answer.at + 1 };
  return [placed(problem('PB_CONFIG_EXPRESSION', details, ['pipelines', name, 'where']), places)];
}

/** Follows each source's types along the handlers to every sink. An edge that does not fit is told once. */
function checkEdges(name: string, pipeline: PipelineConfig, { instances, places, options }: Surroundings): Problem[] {
  const problems: Problem[] = [];
  const told = new Set<string>();
  const handlers = options.catalogue.list().map((one) => one.contribution);
  const check = (from: string, given: readonly string[], to: ResolvedInstance, path: Path): boolean => {
    const taken = takenBy(to.plugin.contribution);
    if (fitting(given, taken).length > 0) return true;
    const key = JSON.stringify([from, to.name]);
    if (!told.has(key)) {
      told.add(key);
      const possible = bridges(given, taken, handlers);
      const fix =
        possible.length > 0
          ? `Put a handler between them that makes ${taken.join(' or ')} of ${given.join(' or ')}: ${possible.join(', ')}.`
          : `Nothing here makes ${taken.join(' or ')} of ${given.join(' or ')}: connect '${to.name}' to something that gives ${taken.join(' or ')}.`;
      const details = { from, given: given.join(', '), to: to.name, taken: taken.join(', '), fix };
      problems.push(placed(problem('PB_CONFIG_EDGE', details, path), places));
    }
    return false;
  };

  for (const source of pipeline.from) {
    const first = instances.get(source);
    if (first?.kind !== 'source') continue;
    let from = source;
    let given = givenBy(first.plugin.contribution);
    let whole = true;
    for (const [index, step] of (pipeline.through ?? []).entries()) {
      const handler = instances.get(step);
      if (handler?.kind !== 'handler' || !check(from, given, handler, ['pipelines', name, 'through', index])) {
        // Behind a broken edge the types are not known; more problems would only be its echo.
        whole = false;
        break;
      }
      from = step;
      given = through(handler.plugin.contribution, given);
    }
    if (!whole) continue;
    for (const [index, target] of pipeline.to.entries()) {
      const sink = instances.get(target);
      if (sink?.kind === 'sink') check(from, given, sink, ['pipelines', name, 'to', index]);
    }
  }
  return problems;
}
