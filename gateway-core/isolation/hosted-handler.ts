import { HandlerStep } from '../flow/handler-step.ts';
import type { StepCounters } from '../flow/counters.ts';
import type { TapPoint } from '../live/tap-point.ts';
import type { Handler, HandlerDefinition } from '../plugin-api/index.ts';
import type { InstanceState } from '../protocol/model.ts';
import { beginLife, type ContextServices, type Life } from './instance-context.ts';
import type { InstanceSpec } from './spec.ts';

/** A handler instance in a thread; threads whose pipelines share a handler each have their own. */
export class HostedHandler {
  readonly step: HandlerStep;
  private readonly services: ContextServices;
  private readonly onState: (state: InstanceState, reason: string, error?: unknown) => void;
  private handler: Handler;
  private definition: HandlerDefinition<unknown>;
  private life: Life;

  private constructor(
    step: HandlerStep,
    made: Made,
    definition: HandlerDefinition<unknown>,
    services: ContextServices,
    onState: (state: InstanceState, reason: string, error?: unknown) => void,
  ) {
    this.step = step;
    this.handler = made.handler;
    this.life = made.life;
    this.definition = definition;
    this.services = services;
    this.onState = onState;
  }

  /** Makes and opens it; rejects with what `create` or `open` threw. */
  static async begin(
    spec: InstanceSpec,
    definition: HandlerDefinition<unknown>,
    counters: StepCounters,
    tap: TapPoint,
    services: ContextServices,
    onState: (state: InstanceState, reason: string, error?: unknown) => void,
  ): Promise<HostedHandler> {
    onState('starting', '');
    try {
      const made = await make(spec, definition, services, onState);
      onState('running', '');
      return new HostedHandler(
        new HandlerStep(spec.name, made.handler, counters, tap),
        made,
        definition,
        services,
        onState,
      );
    } catch (error) {
      onState('failed', error instanceof Error ? error.message : String(error), error);
      throw error;
    }
  }

  async end(): Promise<void> {
    await this.step.idle();
    this.life.end();
    await this.handler.close?.();
  }

  /** The new one is opened first, takes over at a batch boundary, then the old one is closed. Rejects, with nothing changed, when the new one can't open. */
  async replace(spec: InstanceSpec, definition: HandlerDefinition<unknown>): Promise<boolean> {
    if (
      definition === this.definition &&
      this.handler.reconfigure !== undefined &&
      (await this.handler.reconfigure(structuredClone(spec.config)))
    )
      return true;
    const old = { handler: this.handler, life: this.life };
    const made = await make(spec, definition, this.services, this.onState);
    this.handler = made.handler;
    this.life = made.life;
    this.definition = definition;
    this.step.replace(made.handler);
    await this.step.idle();
    old.life.end();
    await old.handler.close?.();
    this.onState('running', '');
    return false;
  }
}

interface Made {
  readonly handler: Handler;
  readonly life: Life;
}

async function make(
  spec: InstanceSpec,
  definition: HandlerDefinition<unknown>,
  services: ContextServices,
  onState: (state: InstanceState, reason: string, error?: unknown) => void,
): Promise<Made> {
  const life = beginLife(
    spec,
    services,
    (health) => onState(health.state, health.reason ?? ''),
    (error) => onState('degraded', error instanceof Error ? error.message : String(error), error),
  );
  try {
    const handler = definition.create(life.context);
    await handler.open?.();
    return { handler, life };
  } catch (error) {
    life.end();
    throw error;
  }
}
