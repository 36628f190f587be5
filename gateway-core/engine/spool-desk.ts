/** What operators do to sinks and their spools: pause, resume, drain, purge; and what becomes of a spool when its sink goes. */
import type { ResolvedConfig } from '../config/resolved.ts';
import type { EventLog } from '../events/event-log.ts';
import type { SpoolChoice, SpoolSummary } from '../protocol/model.ts';
import type { Spools } from '../storage/spools.ts';
import { CodedError } from './error.ts';
import type { Fleet } from './fleet.ts';

export interface SpoolDeskOptions {
  readonly fleet: Fleet;
  readonly spools: Spools;
  readonly events: EventLog;
  running(): ResolvedConfig | null;
  /** Seconds a sink has to deliver what it holds before it may be removed. */
  readonly drainSeconds: number;
}

export class SpoolDesk {
  private readonly options: SpoolDeskOptions;
  /** Pipelines that were paused to drain a sink. */
  private readonly pausedFor = new Map<string, readonly string[]>();

  constructor(options: SpoolDeskOptions) {
    this.options = options;
  }

  pause(sink: string): Promise<void> {
    return this.options.fleet.pauseSink(sink);
  }

  /** Also the pipelines that {@link drain} had paused. */
  async resume(sink: string): Promise<void> {
    await this.options.fleet.resumeSink(sink);
    await this.resumePipelines(sink);
  }

  /** Pauses the pipelines that lead to the sink, and resolves when it has delivered everything. */
  async drain(sink: string): Promise<void> {
    const { fleet } = this.options;
    const paused = [...(this.options.running()?.pipelines.values() ?? [])]
      .filter(({ to, name }) => to.includes(sink) && !fleet.isPaused(name))
      .map(({ name }) => name);
    this.pausedFor.set(sink, [...(this.pausedFor.get(sink) ?? []), ...paused]);
    await fleet.resumeSink(sink);
    await Promise.all(paused.map((name) => fleet.drain(name)));
    await fleet.drainSink(sink);
  }

  purge(sink: string): Promise<number> {
    return this.options.fleet.purgeSink(sink);
  }

  async list(): Promise<readonly SpoolSummary[]> {
    const { sinks, orphans } = await this.options.spools.stats();
    return [
      ...Object.entries(sinks).map(([sink, { messages, bytes, maxBytes, oldest }]) => ({
        sink,
        orphan: false,
        messages,
        bytes,
        limitBytes: maxBytes,
        oldest,
      })),
      ...orphans.map(({ sink, messages, bytes, oldest }) => ({
        sink,
        orphan: true,
        messages,
        bytes,
        limitBytes: 0,
        oldest,
      })),
    ];
  }

  /** Deletes a spool whose sink is not in the config; how many messages it held. PB_SPOOL_UNKNOWN when there is none. */
  async discardOrphan(sink: string): Promise<number> {
    const { orphans } = await this.options.spools.stats();
    if (!orphans.some((orphan) => orphan.sink === sink)) throw new CodedError('PB_SPOOL_UNKNOWN', { name: sink });
    return this.options.spools.discard(sink);
  }

  /** Sinks with messages in their spools that `next` has no more, with how many. */
  async undelivered(next: ResolvedConfig): Promise<Readonly<Record<string, number>>> {
    const leaving = [...(this.options.running()?.instances.values() ?? [])].filter(
      ({ name, kind, buffer }) =>
        kind === 'sink' && buffer.kind === 'disk' && next.instances.get(name)?.kind !== 'sink',
    );
    if (leaving.length === 0) return {};
    const { sinks } = await this.options.spools.stats();
    const held = leaving.map(({ name }) => [name, sinks[name]?.messages ?? 0] as const);
    return Object.fromEntries(held.filter(([, messages]) => messages > 0));
  }

  /**
   * Before a change that removes sinks: sees that there is a choice for each that holds messages, and
   * drains those that are to be. `ask: false` keeps where nothing was chosen. Throws PB_SPOOL_DECISION and
   * PB_SPOOL_NOT_DRAINED, with everything running as before. What it gives is to be called after the change,
   * or after it failed.
   */
  async beforeChange(
    next: ResolvedConfig,
    chosen: Readonly<Record<string, SpoolChoice>>,
    ask: boolean,
  ): Promise<{ done(): Promise<void>; undone(): Promise<void> }> {
    const undelivered = await this.undelivered(next);
    const names = Object.keys(undelivered);
    const open = names.filter((name) => chosen[name] === undefined);
    if (ask && open.length > 0) {
      const messages = open.reduce((sum, name) => sum + (undelivered[name] ?? 0), 0);
      throw new CodedError('PB_SPOOL_DECISION', { names: open.join(', '), messages, undelivered });
    }
    const drained = names.filter((name) => chosen[name] === 'drain');
    const undone = async (): Promise<void> => {
      await Promise.all(drained.map((name) => this.resumePipelines(name)));
    };
    for (const name of drained) {
      if (await inTime(this.drain(name), this.options.drainSeconds * 1000)) continue;
      await undone();
      const { sinks } = await this.options.spools.stats();
      throw new CodedError('PB_SPOOL_NOT_DRAINED', {
        name,
        messages: sinks[name]?.messages ?? 0,
        seconds: this.options.drainSeconds,
      });
    }
    return {
      undone,
      done: async () => {
        await undone();
        for (const name of names) if (chosen[name] === 'discard') await this.discard(name);
      },
    };
  }

  private async discard(name: string): Promise<void> {
    const messages = await this.options.spools.discard(name);
    this.options.events.report({
      severity: 'warning',
      source: 'storage',
      type: 'spool.discarded',
      subject: name,
      message: `The spool of ${name} was discarded with its sink: ${messages} messages`,
      details: { messages },
    });
  }

  private async resumePipelines(sink: string): Promise<void> {
    const pipelines = this.pausedFor.get(sink) ?? [];
    this.pausedFor.delete(sink);
    await Promise.all(pipelines.map((name) => this.options.fleet.resume(name)));
  }
}

/** False when it takes longer; what it does goes on. */
async function inTime(work: Promise<void>, ms: number): Promise<boolean> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<false>((resolve) => (timer = setTimeout(() => resolve(false), ms)));
  try {
    return await Promise.race([work.then(() => true), late]);
  } finally {
    clearTimeout(timer);
  }
}
