import type { Context, StopSignal } from './context.ts';

/** A runbook's shared data: JSON, changed only by what a finished task returns. */
export type RunbookData = Readonly<Record<string, unknown>>;

/** The other tasks of the run, for checks that must see what else is queued. */
export interface RunbookPlan {
  readonly tasks: readonly {
    readonly name: string;
    readonly action: string;
    readonly state: 'waiting' | 'running' | 'done';
  }[];
  /** Claims a named resource for this task; false when another task holds it. */
  reserve(resource: string): boolean;
}

/** Verdict of a check: empty means all is well, else what is wrong, one line each. */
export type CheckResult = readonly string[];

/** One atomic task of a runbook. */
export interface Action {
  validate(data: RunbookData, plan: RunbookPlan): CheckResult | Promise<CheckResult>;
  before?(data: RunbookData): CheckResult | Promise<CheckResult>;
  /** Returns what it changes of the shared data. */
  run(data: RunbookData, signal: StopSignal): Promise<RunbookData>;
  after?(data: RunbookData): CheckResult | Promise<CheckResult>;
}

export interface ActionDefinition<Config> {
  readonly kind: 'action';
  create(context: Context<Config>): Action;
}

/** `export default defineAction({ create })` is an action's module. */
export function defineAction<Config>(definition: Omit<ActionDefinition<Config>, 'kind'>): ActionDefinition<Config> {
  return { kind: 'action', ...definition };
}

/** Prepares a runbook's initial data. */
export interface Driver {
  load(signal: StopSignal): Promise<RunbookData>;
}

export interface DriverDefinition<Config> {
  readonly kind: 'driver';
  create(context: Context<Config>): Driver;
}

/** `export default defineDriver({ create })` is a driver's module. */
export function defineDriver<Config>(definition: Omit<DriverDefinition<Config>, 'kind'>): DriverDefinition<Config> {
  return { kind: 'driver', ...definition };
}
