import { isDeepStrictEqual } from 'node:util';
import type { Plan, PlanAct, PlanStep } from '../protocol/model.ts';
import { isMap } from './is-map.ts';
import { pathText } from './problem.ts';
import type { ResolvedConfig, ResolvedInstance, ResolvedPipeline } from './resolved.ts';

/**
 * What leads from one config to the other: one step per instance, then one per pipeline, those
 * that end first. `reconfigure` means that only the config changed: the instance takes it live if it
 * can, else it is restarted. Names config keys, never their values.
 */
export function planChange(before: ResolvedConfig | null, after: ResolvedConfig): Plan {
  const old = before?.instances ?? new Map<string, ResolvedInstance>();
  const oldPipelines = before?.pipelines ?? new Map<string, ResolvedPipeline>();
  const steps: PlanStep[] = [];

  for (const [name, instance] of old) {
    if (!after.instances.has(name) && instance.enabled) {
      steps.push(step('stop', 'instance', name, 'removed', stopGap(instance)));
    }
  }
  const projectChanged = before !== null && before.project !== after.project;
  for (const [name, instance] of after.instances) steps.push(instanceStep(old.get(name), instance, projectChanged));

  for (const [name, pipeline] of oldPipelines) {
    if (!after.pipelines.has(name) && pipeline.enabled) {
      steps.push(
        step(
          'stop',
          'pipeline',
          name,
          'removed',
          `nothing goes from ${list(pipeline.from)} to ${list(pipeline.to)} any more by this way`,
        ),
      );
    }
  }
  for (const [name, pipeline] of after.pipelines) steps.push(pipelineStep(oldPipelines.get(name), pipeline));
  return { steps };
}

/** True when a plan changes nothing. */
export function isIdle(plan: Plan): boolean {
  return plan.steps.every((one) => one.act === 'keep');
}

function instanceStep(
  before: ResolvedInstance | undefined,
  after: ResolvedInstance,
  projectChanged: boolean,
): PlanStep {
  const { name } = after;
  const make = (act: PlanAct, reason: string, gap = ''): PlanStep => step(act, 'instance', name, reason, gap);
  if (before === undefined || before.kind !== after.kind) {
    if (before?.enabled === true) {
      return after.enabled
        ? make('restart', `now a ${after.kind}, was a ${before.kind}`, restartGap(before))
        : make('stop', 'disabled', stopGap(before));
    }
    return after.enabled ? make('start', 'new') : make('keep', 'disabled');
  }
  if (!after.enabled) return before.enabled ? make('stop', 'disabled', stopGap(before)) : make('keep', 'disabled');
  if (!before.enabled) return make('start', 'enabled');

  const code = codeChange(before, after);
  if (code !== undefined) return make('restart', code, restartGap(after));
  if (projectChanged) return make('restart', 'project changed', restartGap(after));
  const keys = changedKeys(before.config, after.config);
  const reasons: string[] = [];
  if (keys.length > 0) reasons.push(`config changed: ${shortened(keys)}`);
  if (before.expectEveryMs !== after.expectEveryMs) reasons.push('expect changed');
  if (!isDeepStrictEqual(before.buffer, after.buffer)) reasons.push('buffer changed');
  if (reasons.length === 0) return make('keep', 'unchanged');
  return make(
    'reconfigure',
    reasons.join('; '),
    keys.length === 0 ? '' : `if it cannot take the change while running: ${restartGap(after)}`,
  );
}

function codeChange({ plugin: before }: ResolvedInstance, { plugin: after }: ResolvedInstance): string | undefined {
  if (before.name !== after.name || before.contribution.name !== after.contribution.name) {
    return `plugin changed: ${before.contribution.name} to ${after.contribution.name}`;
  }
  if (before.version !== after.version) return `plugin ${after.name} changed: ${before.version} to ${after.version}`;
  if (before.hash !== after.hash || before.moduleUrl !== after.moduleUrl) return `code of plugin ${after.name} changed`;
  return undefined;
}

function pipelineStep(before: ResolvedPipeline | undefined, after: ResolvedPipeline): PlanStep {
  const make = (act: PlanAct, reason: string, gap = ''): PlanStep => step(act, 'pipeline', after.name, reason, gap);
  if (before === undefined) return after.enabled ? make('start', 'new') : make('keep', 'disabled');
  if (!after.enabled) {
    return before.enabled
      ? make('stop', 'disabled', `nothing goes to ${list(after.to)} by this way`)
      : make('keep', 'disabled');
  }
  if (!before.enabled) return make('start', 'enabled');
  const changes: string[] = [];
  for (const key of ['from', 'through', 'to'] as const) {
    if (isDeepStrictEqual(before[key], after[key])) continue;
    const added = after[key].filter((name) => !before[key].includes(name)).map((name) => `+${name}`);
    const removed = before[key].filter((name) => !after[key].includes(name)).map((name) => `-${name}`);
    const what = [...added, ...removed];
    changes.push(`${key} changed: ${what.length === 0 ? 'order' : what.join(' ')}`);
  }
  if (before.where !== after.where) changes.push('where changed');
  if (before.delivery !== after.delivery) changes.push(`delivery changed: ${after.delivery}`);
  return changes.length === 0 ? make('keep', 'unchanged') : make('reconfigure', changes.join('; '));
}

/** Paths whose values differ; a map that is only in one of the two counts as one. */
export function changedKeys(before: unknown, after: unknown): string[] {
  const found: string[] = [];
  const compare = (a: unknown, b: unknown, path: readonly string[]): void => {
    if (isMap(a) && isMap(b)) {
      for (const key of new Set([...Object.keys(a), ...Object.keys(b)])) compare(a[key], b[key], [...path, key]);
    } else if (!isDeepStrictEqual(a, b)) {
      found.push(pathText(path));
    }
  };
  compare(before, after, []);
  return found;
}

function shortened(keys: readonly string[]): string {
  return keys.length <= 5 ? keys.join(', ') : `${keys.slice(0, 5).join(', ')} and ${keys.length - 5} more`;
}

function stopGap({ kind, name }: ResolvedInstance): string {
  if (kind === 'source') return `${name} takes nothing in any more`;
  if (kind === 'handler') return `nothing passes ${name} any more`;
  return kind === 'sink' ? `nothing goes to ${name} any more` : `${name} answers no more`;
}

function restartGap({ kind, name }: ResolvedInstance): string {
  if (kind === 'source') return `${name} takes nothing in while it restarts`;
  if (kind === 'handler') return `messages wait before ${name} while it restarts`;
  return kind === 'sink' ? `messages wait for ${name} while it restarts` : `${name} answers nothing while it restarts`;
}

function list(names: readonly string[]): string {
  return names.join(', ');
}

function step(act: PlanAct, subject: PlanStep['subject'], name: string, reason: string, gap: string): PlanStep {
  return { act, subject, name, reason, gap };
}
