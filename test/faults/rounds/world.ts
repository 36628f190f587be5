/** What a round happens to: senders, the gateway, a receiver, and the files in which both sinks leave their proof. */
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import type { GatewayConfig } from '../../../gateway-core/protocol/model.ts';
import { eventually, freePort } from '../../peers/program.ts';
import { AmqpSender } from './amqp-sender.ts';
import { check, type DeadLetterEvidence, type Receipt, type Verdict } from './check.ts';
import { Engine } from './engine.ts';
import { HttpSender } from './http-sender.ts';
import { Journal } from './journal.ts';
import { Receiver } from './receiver.ts';
import { TrapPlugin } from './trap-plugin.ts';

/** Every message has to find its end within this time once nothing goes wrong any more. */
const SETTLE_SECONDS = 90;

/** Some keys in lockstep, so that even repeats keep their order; some with many messages under way. */
const KEYS = { one: 1, two: 1, three: 1, four: 1, many: 40, more: 40, most: 200 };

export interface WorldOptions {
  /** Of AMQP messages, a second. */
  readonly rate?: number;
  /** Changes the config before the gateway starts. */
  readonly change?: (config: GatewayConfig) => GatewayConfig;
}

export class World {
  readonly folder: string;
  readonly journal = new Journal({ poison: true });
  readonly engine: Engine;
  readonly receiver: Receiver;
  readonly trap: TrapPlugin;
  readonly amqp: AmqpSender;
  readonly http: HttpSender;
  private readonly file: string;

  private constructor(folder: string, ports: Ports, { rate = 2500, change = (config) => config }: WorldOptions) {
    this.folder = folder;
    this.file = join(folder, 'out.jsonl');
    const data = join(folder, 'data');
    this.trap = new TrapPlugin(data, join(folder, 'flags'));
    this.engine = new Engine({ folder, data, config: change(config(ports, this.file)) });
    this.receiver = new Receiver({ port: ports.receiver, log: join(folder, 'receiver.log') });
    this.amqp = new AmqpSender({ port: ports.amqp, journal: this.journal, keys: KEYS, rate });
    this.http = new HttpSender({
      port: ports.http,
      journal: this.journal,
      keys: ['web', 'net'],
      batch: 10,
      pauseMs: 20,
    });
  }

  /** Starts all of it. */
  static async create(options: WorldOptions = {}): Promise<World> {
    const folder = mkdtempSync(join(tmpdir(), 'patchbay-round-'));
    mkdirSync(join(folder, 'data'));
    const ports = { amqp: await freePort(), http: await freePort(), receiver: await freePort() };
    const world = new World(folder, ports, options);
    try {
      await Promise.all([world.receiver.start(), world.engine.start()]);
    } catch (error) {
      await world.end();
      throw error;
    }
    world.amqp.start();
    world.http.start();
    return world;
  }

  /** Resolves when so many more messages were accepted than now. */
  async progress(messages: number): Promise<void> {
    const goal = this.journal.accepted + messages;
    await eventually(
      () => `messages are accepted: ${this.describe()}`,
      () => this.journal.accepted >= goal || undefined,
      SETTLE_SECONDS * 1000,
    );
  }

  /**
   * Ends the sending, waits until everything sent was accepted and is where it belongs, stops the gateway in good
   * order and compares.
   */
  async settle(): Promise<Verdict> {
    this.amqp.finish();
    this.http.finish();
    await eventually(
      () => `all that was sent is accepted: ${this.describe()}`,
      () => this.journal.open === 0 || undefined,
      SETTLE_SECONDS * 1000,
    );
    await this.engine.until(
      'nothing waits any more, and the counts add up',
      ({ pipelines, sinks }) =>
        Object.values(pipelines).every(({ inFlight, spooled, addsUp }) => addsUp && inFlight === 0 && spooled === 0) &&
        Object.values(sinks).every(({ spooled, queued }) => spooled === 0 && queued === 0),
      SETTLE_SECONDS,
    );
    const code = await this.engine.stop();
    const verdict = this.verdict();
    return code === 0 ? verdict : { ...verdict, faults: [...verdict.faults, `the gateway ended with ${String(code)}`] };
  }

  verdict(): Verdict {
    return check({
      sent: this.journal.entries(),
      sinks: [
        { name: 'away', receipts: this.receiver.receipts() },
        { name: 'file', receipts: this.lines() },
      ],
      deadLetters: this.deadLetters(),
    });
  }

  /** Ends every process. The folder stays when something failed, to be looked at. */
  async end({ keep = false } = {}): Promise<void> {
    this.amqp.close();
    await this.http.close();
    await Promise.all([this.engine.kill(), this.receiver.kill()]);
    if (!keep) rmSync(this.folder, { recursive: true, force: true, maxRetries: 3 });
  }

  describe(): string {
    const { accepted, open } = this.journal;
    const answers = JSON.stringify({ amqp: this.amqp.counts, http: Object.fromEntries(this.http.answers) });
    return `${accepted} accepted, ${open} open, ${answers}; ${this.folder}; the gateway says: ${this.engine.tail()}`;
  }

  private lines(): readonly Receipt[] {
    if (!existsSync(this.file)) return [];
    const lines = readFileSync(this.file, 'utf8').split('\n').slice(0, -1);
    return lines.map((line) => ({ id: (JSON.parse(line) as { id: string }).id, outcome: 'accepted' }));
  }

  private deadLetters(): readonly DeadLetterEvidence[] {
    const path = join(this.engine.data, 'store', 'deadletters.sqlite');
    if (!existsSync(path)) return [];
    const store = new DatabaseSync(path, { readOnly: true });
    try {
      const rows = store.prepare('SELECT message_id AS id, instance FROM letters').all();
      return rows as unknown as readonly DeadLetterEvidence[];
    } finally {
      store.close();
    }
  }
}

interface Ports {
  readonly amqp: number;
  readonly http: number;
  readonly receiver: number;
}

function config(ports: Ports, file: string): GatewayConfig {
  return {
    version: 1,
    sources: {
      telemetry: { plugin: 'amqp1', config: { listen: { port: ports.amqp } } },
      web: { plugin: 'http-events', config: { port: ports.http } },
    },
    handlers: { trap: { plugin: 'trap' } },
    sinks: {
      // A short timeout, so that a frozen peer is noticed within a round.
      away: { plugin: 'amqp1', config: { url: `amqp://127.0.0.1:${ports.receiver}`, address: 'out', timeout: 2 } },
      file: { plugin: 'json-file', config: { path: file } },
    },
    pipelines: { flow: { from: ['telemetry', 'web'], through: ['trap'], to: ['away', 'file'] } },
  };
}
