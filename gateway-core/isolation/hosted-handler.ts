import { BackOff } from '../delivery/back-off.ts';
import { GivenBack, HandlerStep } from '../flow/handler-step.ts';
import { HandlerSettler } from '../flow/settling.ts';
import { ConfigError } from '../plugin-api/errors.ts';
import type { StepCounters } from '../flow/counters.ts';
import type { TapPoint } from '../live/tap-point.ts';
import type { Handler, HandlerDefinition } from '../plugin-api/index.ts';
import type { InstanceState } from '../protocol/model.ts';
import { beginLife, type ContextServices } from './instance-context.ts';
import { inLife, withLife, type Life } from './instance-life.ts';
import type { InstanceSpec } from './spec.ts';

type OnState = (state: InstanceState, reason: string, error?: unknown) => void;

const FIRST_RESTART_MS = 500;
const MAX_RESTART_MS = 30_000;
/** After this many restarts in a row it stays down until someone tries again. */
const MAX_RESTARTS = 20;
const HEALTHY_MS = 60_000;

/** How pipelines reach a handler; it outlives restarts, so that messages wait for the next life instead of going back. */
export interface HandlerAccess {
  readonly step: HandlerStep;
  readonly settler: HandlerSettler | undefined;
}

/** A handler instance in a thread; threads whose pipelines share one that remembers nothing each have their own. */
export class HostedHandler {
  readonly access: HandlerAccess;
  private readonly services: ContextServices;
  private readonly onState: OnState;
  private spec: InstanceSpec;
  private definition: HandlerDefinition<unknown>;
  private made: Made;
  private readonly backOff = new BackOff(FIRST_RESTART_MS, MAX_RESTART_MS);
  private timer: NodeJS.Timeout | undefined;
  private since = performance.now();
  private wanted = true;
  private turn: Promise<void> = Promise.resolve();

  private constructor(
    access: HandlerAccess,
    made: Made,
    spec: InstanceSpec,
    definition: HandlerDefinition<unknown>,
    services: ContextServices,
    onState: OnState,
  ) {
    this.access = access;
    this.made = made;
    this.spec = spec;
    this.definition = definition;
    this.services = services;
    this.onState = onState;
  }

  get step(): HandlerStep {
    return this.access.step;
  }

  /** Makes and opens it; rejects with what `create` or `open` threw. `before`: the access of its life before, held. */
  static async begin(
    spec: InstanceSpec,
    definition: HandlerDefinition<unknown>,
    counters: StepCounters,
    tap: TapPoint,
    services: ContextServices,
    onState: OnState,
    before?: HandlerAccess,
  ): Promise<HostedHandler> {
    onState('starting', '');
    // Its first fault can come before it is hosted: `open` has begun something that fails at once.
    let hosted: HostedHandler | undefined;
    const early: [Life, unknown][] = [];
    const onFail = (life: Life, error: unknown): void =>
      hosted === undefined ? void early.push([life, error]) : hosted.failed(life, error);
    try {
      const made = await make(spec, definition, services, onState, onFail);
      const access = before ?? accessOf(spec, made.handler, counters, tap, onState);
      access.step.replace(made.handler);
      access.settler?.replace(made.handler);
      hosted = new HostedHandler(access, made, spec, definition, services, onState);
      onState('running', '');
      access.settler?.release();
      access.step.release();
      for (const [life, error] of early) hosted.failed(life, error);
      return hosted;
    } catch (error) {
      onState('failed', error instanceof Error ? error.message : String(error), error);
      throw error;
    }
  }

  /** Messages wait from now on, until the access begins its next life or is ended for good. */
  end(): Promise<void> {
    this.wanted = false;
    clearTimeout(this.timer);
    return this.exclusive(async () => {
      await this.hold();
      await end(this.made);
    });
  }

  /**
   * Takes over at a batch boundary. The new one is opened before the old one is closed; one that remembers after it,
   * since what the old one still commits must be known to the new one. Rejects, with the old code and config running,
   * when the new one can't open. True when the running one took the config.
   */
  replace(spec: InstanceSpec, definition: HandlerDefinition<unknown>): Promise<boolean> {
    return this.exclusive(() => this.takeOver(spec, definition));
  }

  private async takeOver(spec: InstanceSpec, definition: HandlerDefinition<unknown>): Promise<boolean> {
    const { handler } = this.made;
    if (
      definition === this.definition &&
      handler.reconfigure !== undefined &&
      (await handler.reconfigure(structuredClone(spec.config)))
    ) {
      this.spec = spec;
      return true;
    }
    clearTimeout(this.timer);
    this.timer = undefined;
    if (spec.stateful || this.spec.stateful) await this.replaceStateful(spec, definition);
    else {
      const old = this.made;
      this.adopt(await this.make(spec, definition));
      await this.step.idle();
      await end(old);
    }
    this.spec = spec;
    this.definition = definition;
    this.onState('running', '');
    return false;
  }

  private async replaceStateful(spec: InstanceSpec, definition: HandlerDefinition<unknown>): Promise<void> {
    await this.hold();
    try {
      await end(this.made);
      try {
        this.adopt(await this.make(spec, definition));
      } catch (error) {
        this.adopt(await this.make(this.spec, this.definition));
        throw error;
      }
    } finally {
      this.access.settler?.release();
      this.step.release();
    }
  }

  /** One change of lives at a time. */
  private exclusive<T>(work: () => Promise<T>): Promise<T> {
    const turn = this.turn.then(work);
    this.turn = turn.then(
      () => undefined,
      () => undefined,
    );
    return turn;
  }

  private async hold(): Promise<void> {
    await this.step.hold();
    await this.access.settler?.hold();
  }

  private adopt(made: Made): void {
    this.made = made;
    this.since = performance.now();
    this.step.replace(made.handler);
    this.access.settler?.replace(made.handler);
  }

  private make(spec: InstanceSpec, definition: HandlerDefinition<unknown>): Promise<Made> {
    return make(spec, definition, this.services, this.onState, (life, error) => this.failed(life, error));
  }

  /** A fault from outside of any call: a new life with back-off. Messages go to the old one meanwhile. */
  private failed(life: Life, error: unknown): void {
    if (this.made.life !== life || !this.wanted || this.timer !== undefined) return;
    if (performance.now() - this.since > HEALTHY_MS) this.backOff.reset();
    this.again(error);
  }

  private again(error: unknown): void {
    const message = error instanceof Error ? error.message : String(error);
    if (error instanceof ConfigError || this.backOff.failures >= MAX_RESTARTS) {
      const times = error instanceof ConfigError ? '' : `; given up after ${MAX_RESTARTS} restarts`;
      this.onState('failed', `${message}${times}`, error);
      return;
    }
    const delay = this.backOff.next();
    this.onState('retrying', `${message}; restarted in ${Math.max(1, Math.round(delay / 1000))} s`, error);
    this.timer = setTimeout(() => {
      this.timer = undefined;
      void this.exclusive(() => this.renew());
    }, delay);
  }

  private async renew(): Promise<void> {
    if (!this.wanted) return;
    await this.hold();
    try {
      await end(this.made).catch(() => undefined);
      this.adopt(await this.make(this.spec, this.definition));
      this.onState('running', '');
    } catch (error) {
      this.step.replace(DOWN);
      this.again(error);
    } finally {
      if (this.wanted) {
        this.access.settler?.release();
        this.step.release();
      }
    }
  }
}

/** In place of a handler that could not be opened again: upstream keeps its messages. */
const DOWN: Pick<Handler, 'handle'> = {
  handle: (batch) => batch.map(() => new GivenBack('PB_HANDLER_STOPPED', 'its handler does not run')),
};

interface Made {
  readonly handler: Handler;
  readonly life: Life;
}

function accessOf(
  spec: InstanceSpec,
  handler: Handler,
  counters: StepCounters,
  tap: TapPoint,
  onState: OnState,
): HandlerAccess {
  let failing = false;
  const settler = spec.stateful
    ? new HandlerSettler(spec.name, handler, (error) => {
        if (error !== undefined)
          onState('degraded', `it could not keep its state: ${error instanceof Error ? error.message : ''}`, error);
        else if (failing) onState('running', '');
        failing = error !== undefined;
      })
    : undefined;
  return { step: new HandlerStep(spec.name, handler, counters, tap, settler), settler };
}

async function end({ handler, life }: Made): Promise<void> {
  life.end();
  await handler.close?.();
}

async function make(
  spec: InstanceSpec,
  definition: HandlerDefinition<unknown>,
  services: ContextServices,
  onState: OnState,
  onFail: (life: Life, error: unknown) => void,
): Promise<Made> {
  const life: Life = beginLife(
    spec,
    services,
    (health) => onState(health.state, health.reason ?? ''),
    (error) => onFail(life, error),
  );
  try {
    const handler = inLife(
      withLife(life, () => definition.create(life.context)),
      life,
    );
    if (handler.settled !== undefined && !spec.stateful)
      throw new ConfigError(
        'PB_PLUGIN_SHAPE',
        '',
        `${spec.plugin}: it has \`settled\`, which is for handlers that remember`,
        'Write `"stateful": true` into its contribution in plugin.json.',
      );
    await handler.open?.();
    return { handler, life };
  } catch (error) {
    life.end();
    throw error;
  }
}
