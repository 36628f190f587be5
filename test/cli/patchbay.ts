/** The command line as real processes: commands that end, and gateways that run. */
import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { onTestFinished } from 'vitest';
import { eventually } from '../peers/program.ts';

const ROOT = fileURLToPath(new URL('../../', import.meta.url));
const MAIN = join(ROOT, 'gateway-core/cli/main.ts');
/** Compiled code of all processes of this run, as `npm run gateway` keeps it too. */
const COMPILE_CACHE = join(ROOT, 'node_modules/.cache/patchbay/test-cli');

export interface Ended {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly stdout: string;
  readonly stderr: string;
}

export interface CommandOptions {
  /** What is piped into standard input; absent: it is empty. */
  readonly input?: string | Buffer;
  readonly env?: Readonly<Record<string, string>>;
  readonly cwd?: string;
  /** Seconds after which it is killed and the test fails; default 60. */
  readonly seconds?: number;
}

/** A process of the command line that was started. */
export interface Process {
  readonly pid: number;
  stdout(): string;
  stderr(): string;
  readonly ended: Promise<Ended>;
  running(): boolean;
  signal(signal: NodeJS.Signals): void;
}

/** Starts `patchbay ARGS`. It is killed when the test is over, if it still runs. */
export function start(args: readonly string[], options: CommandOptions = {}): Process {
  const { PATCHBAY_DATA: _data, ...inherited } = process.env;
  const child = spawn(process.execPath, ['--no-warnings', MAIN, ...args], {
    cwd: options.cwd ?? tmpdir(),
    env: { ...inherited, NODE_COMPILE_CACHE: COMPILE_CACHE, ...options.env },
    stdio: ['pipe', 'pipe', 'pipe'],
  });
  let stdout = '';
  let stderr = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => (stdout += text));
  child.stderr.setEncoding('utf8').on('data', (text: string) => (stderr += text));
  // A command that ends without reading its input breaks the pipe: its answer is what counts.
  child.stdin.on('error', () => undefined);
  child.stdin.end(options.input ?? '');
  let running = true;
  const ended = new Promise<Ended>((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (code, signal) => {
      running = false;
      resolve({ code, signal, stdout, stderr });
    });
  });
  ended.catch(() => undefined);
  return {
    pid: child.pid ?? 0,
    stdout: () => stdout,
    stderr: () => stderr,
    ended,
    running: () => running,
    signal: (signal) => void child.kill(signal),
  };
}

/** Runs `patchbay ARGS` to its end. */
export async function patchbay(args: readonly string[], options: CommandOptions = {}): Promise<Ended> {
  const started = start(args, options);
  const seconds = options.seconds ?? 60;
  const timer = setTimeout(() => started.signal('SIGKILL'), seconds * 1000);
  const ended = await started.ended;
  clearTimeout(timer);
  if (ended.signal === 'SIGKILL')
    throw new Error(`patchbay ${args.join(' ')} did not end within ${seconds} s: ${ended.stdout}${ended.stderr}`);
  return ended;
}

/** What `--json` printed. Fails with everything there is to know when it is no JSON. */
export function json<T>({ stdout, stderr, code }: Ended): T {
  try {
    return JSON.parse(stdout) as T;
  } catch {
    throw new Error(`no JSON (exit ${code}): ${stdout}\n${stderr}`);
  }
}

export interface RunningGateway extends Process {
  readonly data: string;
  /** `http://HOST:PORT` */
  readonly control: string;
}

export interface GatewayOptions extends CommandOptions {
  readonly data?: string;
  /** Further arguments of `run`. */
  readonly args?: readonly string[];
}

/** Starts `patchbay run FILE` (`-`: with `input`) on a free control port, and waits until it runs. */
export async function startGateway(file: string | undefined, options: GatewayOptions = {}): Promise<RunningGateway> {
  const data = options.data ?? folder('data');
  const fileArgs = file === undefined ? [] : [file];
  const args = ['run', ...fileArgs, '--data', data, '--control', '127.0.0.1:0', ...(options.args ?? [])];
  const started = start(args, options);
  const control = await eventually(
    () => `the gateway runs: ${started.stdout()}${started.stderr()}`,
    () => {
      if (!started.running()) throw new Error(`it ended: ${started.stdout()}${started.stderr()}`);
      const found = /(?:^Control: |"control":")(http:[^\s"]+)/m.exec(started.stdout())?.[1];
      // The link is printed last.
      return /#code=/.test(started.stdout()) || options.args?.includes('--no-panel') === true ? found : undefined;
    },
    60_000,
  );
  return { ...started, data, control };
}

const folders: string[] = [];

/** A fresh folder; `removeFolders` removes all of them. */
export function folder(what: string): string {
  const made = mkdtempSync(join(tmpdir(), `patchbay-cli-${what}-`));
  folders.push(made);
  return made;
}

export function removeFolders(): void {
  for (const made of folders.splice(0)) rmSync(made, { recursive: true, force: true, maxRetries: 3 });
}

/** Writes a file into a fresh folder and returns its path. */
export function file(text: string | Buffer, name = 'startup.yaml'): string {
  const path = join(folder('config'), name);
  writeFileSync(path, text);
  return path;
}

/** Ends a process when the test is over, whatever became of it. */
export function endsWithTest<T extends Process>(process: T): T {
  onTestFinished(async () => {
    if (process.running()) process.signal('SIGKILL');
    await process.ended;
  });
  return process;
}
