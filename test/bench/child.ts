import { spawn, type ChildProcess } from 'node:child_process';
import { createInterface, type Interface } from 'node:readline';
import { fileURLToPath } from 'node:url';

/** `PATCHBAY_BENCH_NODE`: further flags for the programs measured, such as `--cpu-prof --cpu-prof-dir=/tmp/p`. */
const FLAGS = ['--no-warnings', ...(process.env['PATCHBAY_BENCH_NODE'] ?? '').split(' ').filter(Boolean)];

export interface Usage {
  readonly received: number;
  readonly cpuMicros: number;
  readonly [more: string]: unknown;
}

/** A program of this folder that prints its port, and what it used for every line it is sent. */
export class BenchChild {
  private readonly process: ChildProcess;
  private readonly lines: Interface;
  private readonly waiting: { resolve(line: string): void; reject(error: Error): void }[] = [];
  readonly port: Promise<number>;
  readonly hello: Promise<Record<string, number>>;

  constructor(file: string, args: readonly string[] = []) {
    const program = fileURLToPath(new URL(file, import.meta.url));
    this.process = spawn(process.execPath, [...FLAGS, program, ...args], { stdio: ['pipe', 'pipe', 'inherit'] });
    this.lines = createInterface({ input: this.process.stdout as NodeJS.ReadableStream });
    this.lines.on('line', (line) => this.waiting.shift()?.resolve(line));
    this.process.once('exit', (code, signal) => {
      const error = new Error(`${file} ended with ${String(signal ?? code)}`);
      for (const { reject } of this.waiting.splice(0)) reject(error);
    });
    this.hello = this.next().then((line) => JSON.parse(line) as Record<string, number>);
    this.port = this.hello.then(({ port }) => port as number);
  }

  get pid(): number {
    return this.process.pid as number;
  }

  async usage(command = ''): Promise<Usage> {
    const answer = this.next();
    this.process.stdin?.write(`${command}\n`);
    return JSON.parse(await answer) as Usage;
  }

  async end(): Promise<void> {
    const gone = new Promise((resolve) => this.process.once('exit', resolve));
    this.process.stdin?.end();
    await gone;
  }

  /** As a power cut would: nothing is written any more. */
  async kill(): Promise<void> {
    const gone = new Promise((resolve) => this.process.once('exit', resolve));
    this.process.kill('SIGKILL');
    await gone;
  }

  private next(): Promise<string> {
    return new Promise((resolve, reject) => this.waiting.push({ resolve, reject }));
  }
}
