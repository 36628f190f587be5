/** One sender, the gateway, one peer: what is accepted lies in the spool of the sink `away` until the peer has it. */
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { GatewayConfig } from '../../../gateway-core/protocol/model.ts';
import { eventually, freePort } from '../../peers/program.ts';
import { AmqpSender, type AmqpSenderOptions } from './amqp-sender.ts';
import { check, type Verdict } from './check.ts';
import { Engine, type EngineOptions } from './engine.ts';
import { Journal } from './journal.ts';
import { Receiver, type ReceiverOptions } from './receiver.ts';

export interface ForwardOptions {
  /** As in `{ max: '8MiB' }`. */
  readonly buffer?: Readonly<Record<string, unknown>>;
  readonly engine?: Partial<EngineOptions>;
  readonly sender?: Partial<AmqpSenderOptions>;
  readonly receiver?: Partial<ReceiverOptions>;
  /** Where the source listens and how the peer is reached from there; default 127.0.0.1. */
  readonly sourceHost?: string;
  readonly receiverHost?: string;
  readonly change?: (config: GatewayConfig) => GatewayConfig;
}

export class Forward {
  readonly folder: string;
  readonly journal = new Journal();
  readonly engine: Engine;
  readonly receiver: Receiver;
  readonly sender: AmqpSender;

  private constructor(folder: string, ports: { amqp: number; receiver: number }, options: ForwardOptions) {
    const { sourceHost = '127.0.0.1', receiverHost = '127.0.0.1', change = (config) => config } = options;
    this.folder = folder;
    const config: GatewayConfig = {
      version: 1,
      sources: { telemetry: { plugin: 'amqp1', config: { listen: { host: sourceHost, port: ports.amqp } } } },
      sinks: {
        away: {
          plugin: 'amqp1',
          config: { url: `amqp://${receiverHost}:${ports.receiver}`, address: 'out', timeout: 2 },
          buffer: { kind: 'disk', ...options.buffer },
        },
      },
      pipelines: { flow: { from: ['telemetry'], to: ['away'] } },
    };
    this.engine = new Engine({ folder, config: change(config), ...options.engine });
    this.receiver = new Receiver({
      port: ports.receiver,
      log: join(folder, 'receiver.log'),
      host: receiverHost,
      ...options.receiver,
    });
    this.sender = new AmqpSender({
      host: sourceHost,
      port: ports.amqp,
      journal: this.journal,
      keys: { one: 1, many: 100, more: 300 },
      rate: 4000,
      padding: 200,
      ...options.sender,
    });
  }

  /** With the gateway running, and neither sender nor receiver. */
  static async create(options: ForwardOptions = {}): Promise<Forward> {
    const folder = mkdtempSync(join(tmpdir(), 'patchbay-forward-'));
    const forward = new Forward(folder, { amqp: await freePort(), receiver: await freePort() }, options);
    try {
      await forward.engine.start();
    } catch (error) {
      await forward.end();
      throw error;
    }
    return forward;
  }

  /** Sends until so many more are accepted, and all that was sent is. */
  async fill(messages: number, seconds = 60): Promise<void> {
    const goal = this.journal.accepted + messages;
    this.sender.start();
    await this.accepted(goal, seconds);
    await this.quiet(seconds);
  }

  async accepted(goal: number, seconds = 60): Promise<void> {
    await eventually(
      () =>
        `${this.journal.accepted} of ${goal} are accepted, ${JSON.stringify(this.sender.counts)}: ${this.engine.tail()}`,
      () => this.journal.accepted >= goal || undefined,
      seconds * 1000,
    );
  }

  /** Ends the sending; resolves when all that was sent is accepted. */
  async quiet(seconds = 60): Promise<void> {
    this.sender.finish();
    await eventually(
      () =>
        `${this.journal.open} of the sent are not accepted, ${JSON.stringify(this.sender.counts)}: ${this.engine.tail()}`,
      () => this.journal.open === 0 || undefined,
      seconds * 1000,
    );
  }

  /** Resolves when the peer has been given everything. */
  async drained(seconds = 60): Promise<void> {
    await this.engine.until(
      'the spool is empty',
      ({ sinks, pipelines }) =>
        sinks['away']?.spooled === 0 && sinks['away'].queued === 0 && pipelines['flow']?.addsUp === true,
      seconds,
    );
  }

  verdict(): Verdict {
    return check({
      sent: this.journal.entries(),
      sinks: [{ name: 'away', receipts: this.receiver.receipts() }],
      deadLetters: [],
    });
  }

  /** Path of the sink's spool. */
  spool(): string {
    const folder = join(this.engine.data, 'spool');
    const name = readdirSync(folder).find((file) => file.startsWith('away.') && file.endsWith('.sqlite'));
    if (name === undefined) throw new Error(`no spool in ${folder}: ${readdirSync(folder).join()}`);
    return join(folder, name);
  }

  async end(): Promise<void> {
    this.sender.close();
    await Promise.all([this.engine.kill(), this.receiver.kill()]);
    rmSync(this.folder, { recursive: true, force: true, maxRetries: 3 });
  }
}
