/**
 * The running config: its text, where it is kept, its versions; and the one way it changes:
 * check, plan, deploy, write, remember. A change that can't be deployed changes nothing.
 */
import { open, readFile, rename, rm, stat } from 'node:fs/promises';
import { dirname } from 'node:path';
import { editYaml } from '../config/edit.ts';
import { planChange } from '../config/plan.ts';
import { hasErrors } from '../config/problem.ts';
import type { ResolvedConfig } from '../config/resolved.ts';
import type { Applied, ConfigDocument } from '../protocol/contract.ts';
import type { ConfigEdit, Plan, Problem, SpoolChoice } from '../protocol/model.ts';
import type { Storage } from '../storage/storage.ts';
import { CodedError } from './error.ts';

export interface Checked {
  readonly problems: readonly Problem[];
  readonly resolved: ResolvedConfig | undefined;
}

export interface ConfigKeeperOptions {
  /** Where the text is kept; empty: nowhere but the history. */
  readonly file: string;
  readonly storage: Storage;
  /** Checks a text against everything: schema, plugins, references. */
  check(text: string): Promise<Checked>;
  /** Makes it run; rejects with everything put back. */
  deploy(next: ResolvedConfig, strict: boolean): Promise<void>;
  /** Sinks with undelivered messages that `next` has no more. */
  undelivered(next: ResolvedConfig): Promise<Readonly<Record<string, number>>>;
  /** See `SpoolDesk.beforeChange`. */
  beforeChange(
    next: ResolvedConfig,
    chosen: SpoolChoices,
    ask: boolean,
  ): Promise<{ done(): Promise<void>; undone(): Promise<void> }>;
  onChange(applied: Applied, origin: string, comment: string): void;
}

/** By sink: what is to become of a spool whose sink goes. */
export type SpoolChoices = Readonly<Record<string, SpoolChoice>>;

/** Nobody is there to be asked: what lies in a spool stays. */
const UNATTENDED: ReadonlySet<string> = new Set(['file', 'start']);

const EMPTY = 'version: 1\n';
const NO_PLAN: Plan = { steps: [] };

export class ConfigKeeper {
  private readonly options: ConfigKeeperOptions;
  private text = EMPTY;
  private resolved: ResolvedConfig | null = null;
  private number = 0;
  private chosen = false;
  private turn: Promise<unknown> = Promise.resolve();

  constructor(options: ConfigKeeperOptions) {
    this.options = options;
  }

  get version(): number {
    return this.number;
  }

  /** False until there is a config: first run. */
  get configured(): boolean {
    return this.chosen;
  }

  get running(): ResolvedConfig | null {
    return this.resolved;
  }

  get yaml(): string {
    return this.text;
  }

  document(): ConfigDocument {
    return {
      yaml: this.text,
      config: this.resolved?.written ?? { version: 1 },
      version: this.number,
      file: this.options.file,
    };
  }

  /** The first config of a start: instances that fail are left failed, the rest runs. Throws PB_CONFIG_INVALID with every problem. */
  async start(text: string | undefined, origin: string): Promise<readonly Problem[]> {
    const checked = await this.options.check(text ?? EMPTY);
    if (checked.resolved === undefined || hasErrors(checked.problems)) throw invalid(checked.problems);
    this.text = text ?? EMPTY;
    this.chosen = text !== undefined;
    const known = (await this.options.storage.historyList(1))[0];
    const last = known === undefined ? undefined : await this.options.storage.historyGet(known.version);
    if (text === undefined) this.number = known?.version ?? 0;
    else if (last?.yaml === text) this.number = last.version;
    else this.number = await this.options.storage.historyAppend({ yaml: text, origin, comment: '', time: Date.now() });
    await this.options.deploy(checked.resolved, false);
    this.resolved = checked.resolved;
    return checked.problems;
  }

  async plan(text: string): Promise<{ problems: readonly Problem[]; plan: Plan }> {
    const { problems, resolved } = await this.options.check(text);
    if (resolved === undefined || hasErrors(problems)) return { problems, plan: NO_PLAN };
    const plan = planChange(this.resolved, resolved);
    const undelivered = await this.options.undelivered(resolved);
    return { problems, plan: Object.keys(undelivered).length === 0 ? plan : { ...plan, undelivered } };
  }

  async preview(edits: readonly ConfigEdit[]): Promise<{ yaml: string; problems: readonly Problem[]; plan: Plan }> {
    const yaml = editYaml(this.text, edits);
    return { yaml, ...(await this.plan(yaml)) };
  }

  /**
   * Makes `text` the running config. Throws PB_CONFIG_CONFLICT when `baseVersion` is no longer
   * the running one, PB_CONFIG_INVALID with every problem, or what deploying ended in.
   */
  apply(
    text: string,
    origin: string,
    comment: string,
    baseVersion?: number,
    spools: SpoolChoices = {},
  ): Promise<Applied> {
    return this.exclusive(() => this.applyNow(text, origin, comment, baseVersion, spools));
  }

  edit(
    edits: readonly ConfigEdit[],
    origin: string,
    comment: string,
    baseVersion?: number,
    spools: SpoolChoices = {},
  ): Promise<Applied> {
    return this.exclusive(() => this.applyNow(editYaml(this.text, edits), origin, comment, baseVersion, spools));
  }

  async rollback(version: number, origin: string, spools: SpoolChoices = {}): Promise<Applied> {
    const past = await this.options.storage.historyGet(version);
    if (past === undefined) throw new CodedError('PB_CONFIG_VERSION_UNKNOWN', { version });
    return this.apply(past.yaml, origin, `back to version ${version}`, undefined, spools);
  }

  /** Reads the file again (SIGHUP). Nothing to do when it has not changed. */
  async reload(): Promise<Applied | undefined> {
    const { file } = this.options;
    if (file === '') return undefined;
    const text = await readConfigFile(file);
    return text === this.text ? undefined : this.apply(text, 'file', 'read again');
  }

  /** Deploys the same text against a changed catalogue or environment. */
  recheck(resolve: (text: string) => Promise<ResolvedConfig>): Promise<void> {
    return this.exclusive(async () => {
      const resolved = await resolve(this.text);
      if (planChange(this.resolved, resolved).steps.every(({ act }) => act === 'keep')) return;
      await this.options.deploy(resolved, true);
      this.resolved = resolved;
    });
  }

  private async applyNow(
    text: string,
    origin: string,
    comment: string,
    baseVersion: number | undefined,
    spools: SpoolChoices,
  ): Promise<Applied> {
    if (baseVersion !== undefined && baseVersion !== this.number)
      throw new CodedError('PB_CONFIG_CONFLICT', { running: this.number, base: baseVersion });
    const { problems, resolved } = await this.options.check(text);
    if (resolved === undefined || hasErrors(problems)) throw invalid(problems);
    const plan = planChange(this.resolved, resolved);
    const written = await this.stage(text);
    let left: Awaited<ReturnType<ConfigKeeperOptions['beforeChange']>> | undefined;
    try {
      left = await this.options.beforeChange(resolved, spools, !UNATTENDED.has(origin));
      await this.options.deploy(resolved, true);
    } catch (error) {
      await left?.undone();
      await written.discard();
      throw error;
    }
    await written.commit();
    await left.done();
    this.text = text;
    this.resolved = resolved;
    this.chosen = true;
    this.number = await this.options.storage.historyAppend({ yaml: text, origin, comment, time: Date.now() });
    const applied: Applied = { version: this.number, plan };
    this.options.onChange(applied, origin, comment);
    return applied;
  }

  /** Writes the text beside the file, synced; `commit` puts it in place at once. Fails before anything was changed. */
  private async stage(text: string): Promise<{ commit(): Promise<void>; discard(): Promise<void> }> {
    const { file } = this.options;
    if (file === '') return { commit: async () => undefined, discard: async () => undefined };
    const beside = `${file}.new`;
    try {
      const mode = await stat(file).then(
        ({ mode: known }) => known & 0o777,
        () => 0o600,
      );
      const handle = await open(beside, 'w', mode);
      try {
        await handle.writeFile(text);
        await handle.sync();
      } finally {
        await handle.close();
      }
    } catch (error) {
      throw new CodedError(
        'PB_CONFIG_WRITE',
        { file, reason: error instanceof Error ? error.message : String(error) },
        { cause: error },
      );
    }
    return {
      commit: async () => {
        await rename(beside, file);
        const folder = await open(dirname(file), 'r');
        try {
          await folder.sync();
        } finally {
          await folder.close();
        }
      },
      discard: async () => {
        await rm(beside, { force: true });
      },
    };
  }

  private exclusive<T>(work: () => Promise<T>): Promise<T> {
    const turn = this.turn.then(work);
    this.turn = turn.catch(() => undefined);
    return turn;
  }
}

/** Every problem at once, as an error. */
export function invalid(problems: readonly Problem[]): CodedError {
  const errors = problems.filter(({ severity }) => severity === 'error');
  const first = errors[0];
  const where =
    first?.line === undefined ? (first?.path.join('.') ?? '') : `line ${first.line}, column ${first.column ?? 1}`;
  return new CodedError('PB_CONFIG_INVALID', {
    count: errors.length,
    first: first === undefined ? '' : `${first.message} (${where})`,
    problems,
  });
}

const MAX_FILE = 64 << 20;

/** Throws PB_CONFIG_UNREADABLE. */
export async function readConfigFile(file: string): Promise<string> {
  try {
    const { size } = await stat(file);
    if (size > MAX_FILE) throw new Error(`it has ${size} bytes`);
    return await readFile(file, 'utf8');
  } catch (error) {
    throw new CodedError(
      'PB_CONFIG_UNREADABLE',
      { file, reason: error instanceof Error ? error.message : String(error) },
      { cause: error, place: file },
    );
  }
}
