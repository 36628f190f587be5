import { spawn, type ChildProcess } from 'node:child_process';
import { createInterface, type Interface } from 'node:readline';
import { fileURLToPath } from 'node:url';

export interface Usage {
  readonly received: number;
  readonly cpuMicros: number;
  readonly [more: string]: unknown;
}

/** A program of this folder that prints its port, and what it used for every line it is sent. */
export class BenchChild {
  private readonly process: ChildProcess;
  private readonly lines: Interface;
  private readonly waiting: ((line: string) => void)[] = [];
  readonly port: Promise<number>;
  readonly hello: Promise<Record<string, number>>;

  constructor(file: string) {
    this.process = spawn(process.execPath, ['--no-warnings', fileURLToPath(new URL(file, import.meta.url))], {
      stdio: ['pipe', 'pipe', 'inherit'],
    });
    this.lines = createInterface({ input: this.process.stdout as NodeJS.ReadableStream });
    this.lines.on('line', (line) => this.waiting.shift()?.(line));
    this.hello = this.next().then((line) => JSON.parse(line) as Record<string, number>);
    this.port = this.hello.then(({ port }) => port as number);
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

  private next(): Promise<string> {
    return new Promise((resolve) => this.waiting.push(resolve));
  }
}
