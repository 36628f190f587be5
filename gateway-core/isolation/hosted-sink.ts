import type { SinkQueue, SinkQueueOptions } from '../delivery/sink-queue.ts';
import { TapPoint } from '../live/tap-point.ts';
import type { Sink, SinkDefinition } from '../plugin-api/index.ts';
import { beginLife, type ContextServices } from './instance-context.ts';
import { inLife, withLife, type Life } from './instance-life.ts';
import type { InstanceSpec } from './spec.ts';

/** A sink instance in its thread, behind its queue. */
export class HostedSink {
  readonly queue: SinkQueue;
  readonly tap = new TapPoint();
  private readonly services: ContextServices;
  private readonly onState: SinkQueueOptions['onState'];
  private spec: InstanceSpec;
  private definition: SinkDefinition<unknown>;
  private sink: Sink | undefined;
  private life: Life | undefined;

  constructor(
    spec: InstanceSpec,
    definition: SinkDefinition<unknown>,
    queue: SinkQueue,
    services: ContextServices,
    onState: SinkQueueOptions['onState'],
  ) {
    this.spec = spec;
    this.definition = definition;
    this.queue = queue;
    this.services = services;
    this.onState = onState;
  }

  /** Opens it. Rejects when it can't work as configured; a peer that is away is tried again in the background. */
  async begin(): Promise<void> {
    try {
      await this.attach(this.spec, this.definition);
    } catch (error) {
      this.onState('failed', error instanceof Error ? error.message : String(error), error);
      throw error;
    }
  }

  async end(): Promise<void> {
    try {
      await this.queue.end();
    } finally {
      this.life?.end();
    }
  }

  /** Goes over to a changed spec; what waits in the queue stays. True when the open sink took it. Rejects, with the old one open again, when the new one can't open. */
  async replace(spec: InstanceSpec, definition: SinkDefinition<unknown>): Promise<boolean> {
    const old = { spec: this.spec, definition: this.definition };
    if (
      definition === old.definition &&
      this.sink?.reconfigure !== undefined &&
      (await this.sink.reconfigure(structuredClone(spec.config)))
    ) {
      this.spec = spec;
      return true;
    }
    await this.queue.detach();
    this.life?.end();
    try {
      await this.attach(spec, definition);
    } catch (error) {
      await this.attach(old.spec, old.definition);
      throw error;
    }
    this.spec = spec;
    this.definition = definition;
    return false;
  }

  private async attach(spec: InstanceSpec, definition: SinkDefinition<unknown>): Promise<void> {
    const life = beginLife(
      spec,
      this.services,
      (health) => this.onState(health.state, health.reason ?? ''),
      (error) => this.queue.fault(error),
    );
    let sink: Sink;
    try {
      sink = inLife(
        withLife(life, () => definition.create(life.context)),
        life,
      );
      this.sink = sink;
      await this.queue.attach(sink);
    } catch (error) {
      this.sink = undefined;
      life.end();
      throw error;
    }
    this.life = life;
  }
}
