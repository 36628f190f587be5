import type { SinkQueue, SinkQueueOptions } from '../delivery/sink-queue.ts';
import type { SpoolReader } from '../delivery/spool-reader.ts';
import { StageTime } from '../flow/stage-time.ts';
import { TapPoint } from '../live/tap-point.ts';
import type { Sink, SinkDefinition } from '../plugin-api/index.ts';
import { beginLife, type ContextServices } from './instance-context.ts';
import { inLife, withLife, type Life } from './instance-life.ts';
import type { InstanceSpec } from './spec.ts';
import { timedSink } from './timed-sink.ts';

/** A sink instance in its thread, behind its queue and, where it has one, its spool. */
export class HostedSink {
  readonly queue: SinkQueue;
  readonly reader: SpoolReader;
  readonly tap = new TapPoint();
  /** With a write under way. */
  readonly time = new StageTime();
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
    reader: SpoolReader,
    services: ContextServices,
    onState: SinkQueueOptions['onState'],
  ) {
    this.spec = spec;
    this.definition = definition;
    this.queue = queue;
    this.reader = reader;
    this.services = services;
    this.onState = onState;
  }

  /** Opens it. Rejects when it can't work as configured; a peer that is away is tried again in the background. */
  async begin(): Promise<void> {
    this.reader.start();
    try {
      await this.attach(this.spec, this.definition);
    } catch (error) {
      this.onState('failed', error instanceof Error ? error.message : String(error), error);
      throw error;
    }
  }

  /** What lies in the spool stays there. */
  async end(): Promise<void> {
    this.reader.end();
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

  /** Whether `spec` can be taken over by {@link replace}; else it needs another queue, and so another life. */
  canBecome(spec: InstanceSpec): boolean {
    const { buffer, maxBytes, whenFull, concurrency } = this.spec;
    return (
      spec.buffer === buffer &&
      spec.concurrency === concurrency &&
      (buffer === 'disk' || (spec.maxBytes === maxBytes && spec.whenFull === whenFull))
    );
  }

  /** Resolves when nothing waits for it any more. */
  async drained(): Promise<void> {
    await this.reader.drained();
    await this.queue.drained();
  }

  /** Drops what waits for it; how many messages. */
  async purge(): Promise<number> {
    const fromSpool = await this.reader.purge();
    return fromSpool;
  }

  private async attach(spec: InstanceSpec, definition: SinkDefinition<unknown>): Promise<void> {
    const life = beginLife(
      spec,
      this.services,
      (health) => {
        // That a connection stands says nothing while the sink itself can't be opened on it.
        if (health.state === 'running' && this.queue.circuit === 'open') return;
        this.onState(health.state, health.reason ?? '');
      },
      (error) => this.queue.fault(error),
    );
    let sink: Sink;
    try {
      sink = inLife(
        withLife(life, () => definition.create(life.context)),
        life,
      );
      this.sink = sink;
      await this.queue.attach(timedSink(sink, this.time));
    } catch (error) {
      this.sink = undefined;
      life.end();
      throw error;
    }
    this.life = life;
  }
}
