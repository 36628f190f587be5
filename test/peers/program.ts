/** Programs of others that a test starts, watches and ends. */
import { spawn, type ChildProcess } from 'node:child_process';
import { createServer } from 'node:net';

/** A port that was free a moment ago, for programs that can't choose one themselves. */
export async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  await new Promise((resolve) => server.close(resolve));
  if (address === null || typeof address === 'string') throw new Error('no port');
  return address.port;
}

export interface Program {
  /** The last of what it wrote, for the message of a test that fails. */
  output(): string;
  readonly running: boolean;
  /** Ends the program and all it started; resolves when it is gone. */
  end(signal?: NodeJS.Signals): Promise<void>;
}

const KEPT = 8_192;

/** Starts a program in a process group of its own, so that its children end with it. */
export function startProgram(command: string, args: readonly string[], env: NodeJS.ProcessEnv = {}): Program {
  let output = '';
  const child: ChildProcess = spawn(command, args, {
    env: { ...process.env, ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
    detached: true,
  });
  const keep = (bytes: Buffer): void => {
    output = (output + bytes.toString()).slice(-KEPT);
  };
  child.stdout?.on('data', keep);
  child.stderr?.on('data', keep);
  let running = true;
  const gone = new Promise<void>((resolve) => {
    child.once('error', (error) => {
      output += error.message;
      running = false;
      resolve();
    });
    child.once('exit', () => {
      running = false;
      resolve();
    });
  });
  return {
    output: () => output,
    get running() {
      return running;
    },
    async end(signal = 'SIGKILL') {
      if (running && child.pid !== undefined) {
        try {
          process.kill(-child.pid, signal);
        } catch {
          // It ended by itself just now.
        }
      }
      await gone;
    },
  };
}

/** Asks again and again until `ask` gives something; fails with what it threw last, or with `what`. */
export async function eventually<T>(
  what: () => string,
  ask: () => T | undefined | Promise<T | undefined>,
  timeoutMs = 60_000,
): Promise<T> {
  const deadline = Date.now() + timeoutMs;
  let last: unknown;
  while (Date.now() < deadline) {
    try {
      const found = await ask();
      if (found !== undefined && found !== false) return found;
    } catch (error) {
      last = error;
    }
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  throw new Error(`not in ${timeoutMs / 1000} s: ${what()}`, { cause: last });
}
