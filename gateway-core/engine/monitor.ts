import type { Catalogue } from '../catalog/catalogue.ts';
import type { EventLog } from '../events/event-log.ts';
import { codedEvent } from '../events/report.ts';
import { stepDifference } from '../flow/counters.ts';
import type { HealthWatch } from '../health/watch.ts';
import type { GatewayState, NeedsYou, StatusReport, Topology } from '../protocol/model.ts';
import type { Broadcast } from './broadcast.ts';
import type { ConfigKeeper } from './config-keeper.ts';
import type { Epoch } from './epoch.ts';
import { noTotals, type Fleet, type Totals } from './fleet.ts';
import { Rates } from './rates.ts';
import { SilenceWatch } from './silence.ts';
import { reportStatus, topologyOf } from './status.ts';

export interface MonitorOptions {
  readonly version: string;
  readonly epoch: Epoch;
  readonly health: HealthWatch;
  readonly keeper: ConfigKeeper;
  readonly fleet: Fleet;
  readonly catalogue: Catalogue;
  readonly events: EventLog;
  readonly status: Broadcast<StatusReport>;
  readonly topology: Broadcast<Topology>;
  state(): GatewayState;
}

const EVERY_MS = 1000;

/** Looks at all counts once a second: rates, silence, the ledger; tells the `status` stream. */
export class Monitor {
  private readonly options: MonitorOptions;
  private readonly rates = new Rates();
  private readonly silence = new SilenceWatch();
  private readonly unbalanced = new Set<string>();
  /** Pipelines of which workers and spools say different things. */
  private readonly missing = new Set<string>();
  /** Reports that someone asks for between two looks must not cut the second that health is measured over. */
  private healthDue = false;
  private readonly pluginNeeds = new Map<string, NeedsYou>();
  private timer: NodeJS.Timeout | undefined;
  private totals: Totals = noTotals();
  private looking: Promise<StatusReport> | undefined;
  last: StatusReport | undefined;

  constructor(options: MonitorOptions) {
    this.options = options;
  }

  get counts(): Totals {
    return this.totals;
  }

  async start(): Promise<void> {
    await this.look();
    this.timer = setInterval(() => void this.look(), EVERY_MS);
  }

  stop(): void {
    clearInterval(this.timer);
  }

  /** A report from counts taken now. Calls at the same time share one. */
  fresh(): Promise<StatusReport> {
    this.looking ??= this.take().finally(() => (this.looking = undefined));
    return this.looking;
  }

  topology(): Topology {
    return topologyOf(this.options.keeper.running);
  }

  configChanged(): void {
    this.options.topology.send(this.topology());
    void this.look();
  }

  /** Something about a plugin that needs a person, under `key`; undefined: no longer. */
  notePlugin(key: string, need: NeedsYou | undefined): void {
    if (need === undefined) this.pluginNeeds.delete(key);
    else this.pluginNeeds.set(key, need);
  }

  private async look(): Promise<void> {
    this.healthDue = true;
    const report = await this.fresh();
    this.compare();
    this.rates.add(performance.now(), this.totals);
    this.options.health.lookAtSpools(report.sinks);
    this.watch(report);
    this.options.status.send(report);
  }

  private async take(): Promise<StatusReport> {
    this.totals = await this.options.fleet.totals();
    if (this.healthDue) this.options.health.look(this.totals);
    this.healthDue = false;
    const { keeper, fleet, version, epoch, health } = this.options;
    this.last = reportStatus({
      state: this.options.state(),
      version,
      epoch,
      health: health.last,
      configVersion: keeper.version,
      configured: keeper.configured,
      config: keeper.running,
      fleet,
      totals: this.totals,
      rates: this.rates,
      silent: this.silence.silent,
      unbalanced: this.missing,
      otherNeeds: [...this.pluginNeeds.values(), ...health.needs()],
    });
    return this.last;
  }

  private compare(): void {
    this.missing.clear();
    for (const [name, counters] of this.totals.pipelines)
      if (this.options.fleet.spoolCounts.missing(name, counters) !== 0) this.missing.add(name);
  }

  private watch(report: StatusReport): void {
    const { events, keeper } = this.options;
    const { fell, spoke } = this.silence.look(Date.now(), keeper.running, this.totals);
    for (const name of fell) {
      const every = (keeper.running?.instances.get(name)?.expectEveryMs ?? 0) / 1000;
      const seconds = Math.round((Date.now() - (this.silence.silent.get(name) ?? Date.now())) / 1000);
      events.report(codedEvent('warning', 'flow', 'source.silent', 'PB_SILENCE', { name, seconds, every }, name));
    }
    for (const name of spoke)
      events.report({
        severity: 'info',
        source: 'flow',
        type: 'source.speaks',
        subject: name,
        message: `${name} brings messages in again`,
      });
    for (const [name, pipeline] of Object.entries(report.pipelines)) {
      const { received, delivered, filtered, deadLettered, dropped, spooled, inFlight, returned } = pipeline;
      const difference = received - delivered - filtered - deadLettered - dropped - spooled - inFlight - returned;
      this.balance(name, pipeline.addsUp, difference);
    }
    // A sink and a pipeline may bear the same name.
    for (const [name, instance] of Object.entries(report.instances))
      this.balance(`${instance.kind} ${name}`, instance.addsUp, stepDifference(instance), name);
  }

  private balance(what: string, addsUp: boolean, difference: number, subject = what): void {
    if (addsUp) this.unbalanced.delete(what);
    else if (!this.unbalanced.has(what)) {
      this.unbalanced.add(what);
      const details = { name: what, difference };
      this.options.events.report(codedEvent('critical', 'flow', 'ledger.unbalanced', 'PB_LEDGER', details, subject));
    }
  }
}
