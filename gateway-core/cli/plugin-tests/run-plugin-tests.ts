import { glob, readFile } from 'node:fs/promises';
import { join, relative } from 'node:path';
import { Worker } from 'node:worker_threads';
import { keyOf, type FromTestWorker, type TestResult, type TestWork } from './wire.ts';

export interface PluginTestOptions {
  /** Told of each result as it comes. */
  readonly onResult?: (result: TestResult) => void;
  /** What the plugin writes to its standard output and error. */
  readonly onOutput?: (text: string) => void;
  /** A check that takes longer is ended with its thread; default 120 000. */
  readonly checkLimitMs?: number;
}

const CHECK_LIMIT_MS = 120_000;
/** So many threads of one plugin may die before its other checks are given up. */
const MAX_DEATHS = 30;

/** Conformance checks and saved tests of the plugin in `folder`, in threads that a fault takes alone. */
export async function runPluginTests(folder: string, options: PluginTestOptions = {}): Promise<TestResult[]> {
  const results: TestResult[] = [];
  const add = (result: TestResult): void => {
    results.push(result);
    options.onResult?.(result);
  };
  for (let deaths = 0; ; deaths++) {
    const died = await runWorker({ folder, what: 'conformance', done: results.map(keyOf) }, add, options);
    if (died === undefined) break;
    add(died);
    // Before any check began there is nothing to go on with.
    if (died.subject === 'plugin') break;
    if (deaths + 1 >= MAX_DEATHS) {
      const detail = `given up: ${MAX_DEATHS} checks ended their thread; those not listed were not run`;
      add({ subject: 'plugin', check: 'the other checks', result: 'failed', detail, ms: 0 });
      break;
    }
  }
  const { ours, foreign } = await savedTests(folder);
  for (const file of foreign) {
    const detail = 'it is written for another test runner; `node:test` runs here';
    add({ subject: relative(folder, file), check: 'saved tests', result: 'not applicable', detail, ms: 0 });
  }
  if (ours.length > 0) {
    const died = await runWorker({ folder, what: ours, done: [] }, add, options);
    if (died !== undefined) add(died);
  }
  return results;
}

async function savedTests(folder: string): Promise<{ ours: string[]; foreign: string[] }> {
  const found: { ours: string[]; foreign: string[] } = { ours: [], foreign: [] };
  const exclude = (name: string): boolean => name === 'node_modules' || name === 'types';
  for await (const name of glob('**/*.test.{ts,mts,js,mjs}', { cwd: folder, exclude })) {
    // Where `plugins new` puts the very checks that have run.
    if (/(^|[\\/])conformance\.test\.\w+$/.test(name)) continue;
    const file = join(folder, name);
    const text = await readFile(file, 'utf8');
    (/['"]node:test['"]/.test(text) ? found.ours : found.foreign).push(file);
  }
  found.ours.sort();
  return found;
}

/** Resolves when the work is done; with the failure of the check that was running when the thread died. */
function runWorker(
  work: TestWork,
  add: (result: TestResult) => void,
  { onOutput, checkLimitMs = CHECK_LIMIT_MS }: PluginTestOptions,
): Promise<TestResult | undefined> {
  return new Promise((resolve) => {
    const worker = new Worker(new URL('./worker.ts', import.meta.url), {
      workerData: work,
      stdout: true,
      stderr: true,
    });
    for (const stream of [worker.stdout, worker.stderr])
      stream.on('data', (bytes: Buffer) => onOutput?.(bytes.toString()));
    let running = { subject: 'plugin', check: work.what === 'conformance' ? 'loads' : 'saved tests' };
    let since = performance.now();
    let ended = false;
    let cause = 'it ended its thread, for example by process.exit()';
    let timer: NodeJS.Timeout | undefined;
    const arm = (): void => {
      since = performance.now();
      clearTimeout(timer);
      timer = setTimeout(() => {
        cause = `it did not end within ${checkLimitMs / 1000} s: a loop without end, or a wait for nothing`;
        void worker.terminate();
      }, checkLimitMs);
    };
    arm();
    worker.on('message', (message: FromTestWorker) => {
      arm();
      if (message.t === 'begin') running = { subject: message.subject, check: message.check };
      else if (message.t === 'result') add(message.result);
      else {
        ended = true;
        // What a faulty plugin left open would keep the thread alive.
        void worker.terminate();
      }
    });
    worker.on('error', (error) => {
      cause = `it threw outside of any call: ${error instanceof Error ? error.message : String(error)}`;
    });
    worker.on('exit', () => {
      clearTimeout(timer);
      const ms = Math.round(performance.now() - since);
      resolve(ended ? undefined : { ...running, result: 'failed', detail: cause, ms });
    });
  });
}
