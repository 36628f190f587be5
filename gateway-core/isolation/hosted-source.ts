import { BackOff } from '../delivery/back-off.ts';
import type { SourceFeed } from '../flow/source-feed.ts';
import { ConfigError, EndOfInputError } from '../plugin-api/errors.ts';
import type { Health, Source, SourceDefinition } from '../plugin-api/index.ts';
import type { InstanceState } from '../protocol/model.ts';
import { beginLife, type ContextServices } from './instance-context.ts';
import { inLife, withLife, type Life } from './instance-life.ts';
import type { InstanceSpec } from './spec.ts';

const FIRST_RESTART_MS = 500;
const MAX_RESTART_MS = 30_000;
/** After this many failed starts in a row it stays down until someone tries again. */
const MAX_FAILURES = 20;

/** A source instance in its thread: started, restarted with back-off, stopped without losing outcomes. */
export class HostedSource {
  readonly feed: SourceFeed;
  private readonly services: ContextServices;
  private readonly onState: (state: InstanceState, reason: string, error?: unknown) => void;
  private spec: InstanceSpec;
  private definition: SourceDefinition<unknown>;
  private source: Source | undefined;
  private life: Life | undefined;
  private wanted = false;
  /** `start` has not resolved: what it waits for is called off by the signal. */
  private starting = false;
  private timer: NodeJS.Timeout | undefined;
  private readonly backOff = new BackOff(FIRST_RESTART_MS, MAX_RESTART_MS);

  constructor(
    spec: InstanceSpec,
    definition: SourceDefinition<unknown>,
    feed: SourceFeed,
    services: ContextServices,
    onState: (state: InstanceState, reason: string, error?: unknown) => void,
  ) {
    this.spec = spec;
    this.definition = definition;
    this.feed = feed;
    this.services = services;
    this.onState = onState;
  }

  /** Starts it. Rejects on a ConfigError; anything else is tried again with back-off. */
  async begin(): Promise<void> {
    if (this.wanted) return;
    this.wanted = true;
    this.backOff.reset();
    try {
      await this.startOnce();
    } catch (error) {
      if (error instanceof ConfigError) {
        this.wanted = false;
        this.onState('failed', error.message, error);
        throw error;
      }
      this.startLater(error);
    }
  }

  /** Stops taking in, waits at most `waitMs` for outcomes, closes. */
  async end(waitMs: number): Promise<void> {
    this.wanted = false;
    clearTimeout(this.timer);
    await this.stopOnce(waitMs);
  }

  /** Goes over to a changed spec. True when the running source took it without a restart. Rejects, with the old one running, when the new one can't start. */
  async replace(spec: InstanceSpec, definition: SourceDefinition<unknown>, waitMs: number): Promise<boolean> {
    const old = { spec: this.spec, definition: this.definition };
    if (
      definition === old.definition &&
      this.source?.reconfigure !== undefined &&
      (await this.source.reconfigure(structuredClone(spec.config)))
    ) {
      this.spec = spec;
      return true;
    }
    const { wanted } = this;
    await this.end(waitMs);
    this.spec = spec;
    this.definition = definition;
    if (!wanted) return false;
    this.wanted = true;
    try {
      await this.startOnce();
    } catch (error) {
      if (isAway(error)) {
        this.startLater(error);
        return false;
      }
      this.spec = old.spec;
      this.definition = old.definition;
      this.wanted = false;
      await this.begin();
      throw error;
    }
    return false;
  }

  private async startOnce(): Promise<void> {
    this.onState('starting', '');
    const life = beginLife(
      this.spec,
      this.services,
      (health) => this.reported(life, health),
      (error) => this.failed(life, error),
    );
    this.life = life;
    let source: Source | undefined;
    this.starting = true;
    try {
      source = inLife(
        withLife(life, () => this.definition.create(life.context)),
        life,
      );
      this.source = source;
      await source.start(this.feed.emit);
    } catch (error) {
      this.source = undefined;
      this.life = undefined;
      life.end();
      await quietly(() => source?.close());
      throw error;
    } finally {
      this.starting = false;
    }
    if (!this.wanted) {
      await this.stopOnce(0);
      return;
    }
    this.backOff.reset();
    if (this.life === life) this.onState('running', '');
  }

  private reported(life: Life, health: Health): void {
    if (this.life === life) this.onState(health.state, health.reason ?? '');
  }

  private failed(life: Life, error: unknown): void {
    if (this.life !== life || !this.wanted) return;
    if (error instanceof EndOfInputError) {
      this.wanted = false;
      void this.stopOnce(Infinity).then(() => this.onState('stopped', 'end of input'));
      return;
    }
    void this.stopOnce(1000).then(() => {
      if (error instanceof ConfigError) {
        this.wanted = false;
        this.onState('failed', error.message, error);
      } else this.startLater(error);
    });
  }

  private startLater(error: unknown): void {
    if (!this.wanted) return;
    const message = error instanceof Error ? error.message : String(error);
    if (this.backOff.failures >= MAX_FAILURES) {
      this.wanted = false;
      this.onState('failed', `${message}; given up after ${MAX_FAILURES} tries`, error);
      return;
    }
    const delay = this.backOff.next();
    this.onState('retrying', `${message}; next try in ${Math.max(1, Math.round(delay / 1000))} s`, error);
    this.timer = setTimeout(() => {
      if (!this.wanted) return;
      this.startOnce().catch((again: unknown) => {
        if (again instanceof ConfigError) {
          this.wanted = false;
          this.onState('failed', again.message, again);
        } else this.startLater(again);
      });
    }, delay);
  }

  private async stopOnce(waitMs: number): Promise<void> {
    const { source, life } = this;
    this.source = undefined;
    this.life = undefined;
    if (source === undefined) return;
    if (this.starting) life?.end();
    try {
      await source.stop();
      await within(this.feed.idle(), waitMs);
    } finally {
      await quietly(() => source.close());
      life?.end();
    }
  }
}

function isAway(error: unknown): boolean {
  return error instanceof Error && (error.name === 'NotConnectedError' || error.name === 'BackOffError');
}

async function quietly(act: () => void | Promise<void> | undefined): Promise<void> {
  try {
    await act();
  } catch {
    // It is on its way out; the error that matters was reported before.
  }
}

/** Resolves with `work` or after `ms`, whichever comes first. */
export async function within(work: Promise<void>, ms: number): Promise<void> {
  if (ms === Infinity) return work;
  let timer: NodeJS.Timeout | undefined;
  await Promise.race([work, new Promise<void>((resolve) => (timer = setTimeout(resolve, ms)))]);
  clearTimeout(timer);
}
