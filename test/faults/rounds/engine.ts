/** The gateway as a process that can be killed, frozen and started again on the same data folder. */
import { spawn, type ChildProcess } from 'node:child_process';
import { appendFileSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { connectWebSocket } from '../../../gateway-core/control/ws-client.ts';
import { createClient, type Client } from '../../../gateway-core/protocol/client.ts';
import type { CallName, Calls } from '../../../gateway-core/protocol/contract.ts';
import type { GatewayConfig, StatusReport } from '../../../gateway-core/protocol/model.ts';
import { eventually } from '../../peers/program.ts';

const ROOT = fileURLToPath(new URL('../../../', import.meta.url));
const MAIN = join(ROOT, 'gateway-core/cli/main.ts');
/** Compiled code of all engines of all rounds. */
const COMPILE_CACHE = join(ROOT, 'node_modules/.cache/patchbay/test-cli');

export interface EngineOptions {
  /** Holds config, data folder and log. */
  readonly folder: string;
  readonly config: GatewayConfig;
  /** Default `<folder>/data`. */
  readonly data?: string;
  /** Put before the command, as in `['ip', 'netns', 'exec', NAME]`. It must become the command, not start it. */
  readonly wrapper?: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  /** Address of the control server, default 127.0.0.1. */
  readonly controlHost?: string;
}

export class Engine {
  readonly data: string;
  private readonly options: EngineOptions;
  private readonly file: string;
  private readonly log: string;
  private child: ChildProcess | undefined;
  private gone: Promise<number | null> = Promise.resolve(null);
  private client: Client | undefined;
  private said = '';
  private starts = 0;

  constructor(options: EngineOptions) {
    this.options = options;
    this.data = options.data ?? join(options.folder, 'data');
    this.file = join(options.folder, 'startup.yaml');
    this.log = join(options.folder, 'engine.log');
    mkdirSync(this.data, { recursive: true });
    writeFileSync(this.file, `${JSON.stringify(options.config, null, 1)}\n`);
  }

  get pid(): number {
    return this.child?.pid ?? 0;
  }

  get running(): boolean {
    return this.child !== undefined && this.child.exitCode === null && this.child.signalCode === null;
  }

  /** Resolves when it runs and can be called. */
  async start(): Promise<void> {
    const { wrapper = [], env, controlHost = '127.0.0.1' } = this.options;
    appendFileSync(this.log, `--- start ${++this.starts}\n`);
    const run = ['run', this.file, '--data', this.data, '--control', `${controlHost}:0`, '--no-panel'];
    const command = [...wrapper, process.execPath, '--no-warnings', MAIN, ...run];
    const { PATCHBAY_DATA: _data, ...inherited } = process.env;
    const child = spawn(command[0] as string, command.slice(1), {
      cwd: this.options.folder,
      env: { ...inherited, NODE_COMPILE_CACHE: COMPILE_CACHE, ...env },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    this.child = child;
    this.said = '';
    child.stdout.setEncoding('utf8').on('data', (text: string) => (this.said += text));
    child.stderr.on('data', (text: Buffer) => appendFileSync(this.log, text));
    this.gone = new Promise((resolve, reject) => {
      child.once('error', reject);
      child.once('close', (code) => resolve(code));
    });
    this.gone.catch(() => undefined);
    const early = this.gone.then((code) => {
      throw new Error(`the gateway ended with ${String(code)} while it started: ${this.tail()}`);
    });
    const listens = eventually(
      () => `the gateway runs: ${this.tail()}`,
      () => /^Control: (http:\S+)/m.exec(this.said)?.[1],
    );
    const control = await Promise.race([listens, early]);
    const { hostname, port } = new URL(control);
    const token = readFileSync(join(this.data, 'control-token'), 'utf8').trim();
    this.client = createClient(connectWebSocket({ host: hostname, port: Number(port), token }), { client: 'rounds' });
    await Promise.race([this.client.opened(), early]);
  }

  /** As a power cut of the process: nothing of it is told. Resolves when it is gone. */
  async kill(): Promise<void> {
    this.client?.close();
    this.signal('SIGKILL');
    await this.gone;
  }

  /** In good order; resolves with its exit code. */
  async stop(): Promise<number | null> {
    this.client?.close();
    this.signal('SIGTERM');
    return this.gone;
  }

  signal(signal: NodeJS.Signals): void {
    if (this.running) this.child?.kill(signal);
  }

  call<Name extends CallName>(name: Name, params: Calls[Name]['params']): Promise<Calls[Name]['result']> {
    if (this.client === undefined) throw new Error('the gateway was not started');
    return this.client.call(name, params);
  }

  status(): Promise<StatusReport> {
    return this.call('status.get', {});
  }

  /** Resolves with the first status that `holds`. */
  until(what: string, holds: (status: StatusReport) => boolean, seconds = 60): Promise<StatusReport> {
    let last: StatusReport | undefined;
    return eventually(
      () => `${what}: ${JSON.stringify({ pipelines: last?.pipelines, sinks: last?.sinks, needsYou: last?.needsYou })}`,
      async () => {
        last = await this.status();
        return holds(last) ? last : undefined;
      },
      seconds * 1000,
    );
  }

  /** Codes of the events so far, newest first. */
  async eventCodes(): Promise<readonly string[]> {
    const { events } = await this.call('events.list', { limit: 500 });
    return events.map(({ code }) => code);
  }

  /** Resident memory, MB. */
  residentMb(): number {
    const text = readFileSync(`/proc/${this.pid}/status`, 'utf8');
    return Number(/^VmRSS:\s+(\d+)/m.exec(text)?.[1] ?? Number.NaN) / 1024;
  }

  /** The end of its log, for the message of a test that fails. */
  tail(): string {
    return readFileSync(this.log, 'utf8').slice(-3000);
  }
}
