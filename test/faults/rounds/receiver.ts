/** The peer that a sink sends to, and what it has. */
import { spawn, type ChildProcess } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import type { Receipt } from './check.ts';

const PEER = fileURLToPath(new URL('receiver-peer.ts', import.meta.url));
const OUTCOMES: Readonly<Record<string, Receipt['outcome']>> = { '+': 'accepted', '-': 'released', '!': 'rejected' };

export interface ReceiverOptions {
  readonly port: number;
  /** Survives the process: what it had acknowledged stays acknowledged. */
  readonly log: string;
  readonly host?: string;
  /** Put before the command, as in `['ip', 'netns', 'exec', NAME]`. */
  readonly wrapper?: readonly string[];
}

export interface Answers {
  /** Every so manieth message is released, or rejected; 0: none. */
  readonly release?: number;
  readonly reject?: number;
  /** Milliseconds from one message to the next. */
  readonly delay?: number;
  /** Nothing is written down: for runs so long that the log would fill the disk. */
  readonly quiet?: boolean;
}

export class Receiver {
  private readonly options: ReceiverOptions;
  private child: ChildProcess | undefined;

  constructor(options: ReceiverOptions) {
    this.options = options;
  }

  get running(): boolean {
    return this.child !== undefined;
  }

  /** Resolves when it listens. */
  async start(): Promise<void> {
    if (this.child !== undefined) return;
    const { port, log, host = '127.0.0.1', wrapper = [] } = this.options;
    const command = [...wrapper, process.execPath, '--no-warnings', PEER, String(port), log, host];
    const child = spawn(command[0] as string, command.slice(1), { stdio: ['pipe', 'pipe', 'inherit'] });
    child.stdin.on('error', () => undefined);
    this.child = child;
    await new Promise<void>((resolve, reject) => {
      child.stdout.once('data', () => resolve());
      child.once('exit', (code) => reject(new Error(`the receiver ended with ${String(code)}`)));
      child.once('error', reject);
    });
  }

  /** Resolves when it is gone. */
  async kill(): Promise<void> {
    const { child } = this;
    this.child = undefined;
    if (child === undefined || child.exitCode !== null || child.signalCode !== null) return;
    const gone = new Promise((resolve) => child.once('exit', resolve));
    child.kill('SIGKILL');
    await gone;
  }

  /** It answers nothing, and its system takes what fits in its buffers, until {@link thaw}. */
  freeze(): void {
    this.child?.kill('SIGSTOP');
  }

  thaw(): void {
    this.child?.kill('SIGCONT');
  }

  /** How it answers from now on, until it is started again. */
  answer({ release = 0, reject = 0, delay = 0, quiet = false }: Answers): void {
    this.child?.stdin?.write(`release ${release}\nreject ${reject}\ndelay ${delay}\nquiet ${quiet ? 1 : 0}\n`);
  }

  /** Everything that came, in the order of arrival, over all its lives. */
  receipts(): readonly Receipt[] {
    const { log } = this.options;
    if (!existsSync(log)) return [];
    const lines = readFileSync(log, 'latin1').split('\n');
    // What follows the last line feed was being written.
    return lines.slice(0, -1).map((line) => {
      const outcome = OUTCOMES[line[0] ?? ''];
      if (outcome === undefined) throw new Error(`not a line of the receiver: ${line}`);
      return { id: line.slice(1), outcome };
    });
  }
}
