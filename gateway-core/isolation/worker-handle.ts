/**
 * The engine's end of a worker thread: commands with answers, the watchdog, restarts with
 * back-off. What is to run there is the owner's to say, again after each restart.
 */
import { Worker, type MessagePort } from 'node:worker_threads';
import { BackOff } from '../delivery/back-off.ts';
import { counterMemory } from '../flow/counter-block.ts';
import { PatchbayError } from '../plugin-api/errors.ts';
import { reviveFault } from './fault.ts';
import type { WorkerStart } from './worker-entry.ts';
import type { CommandName, Commands, FromWorker, ToWorker } from './wire.ts';

export interface WorkerOptions {
  readonly name: string;
  readonly deadlineMs: number;
  readonly writeMs: number;
  /** Third-party code: empty environment but these names, Node's permission flags with these folders. */
  readonly sandbox:
    | {
        readonly env: Readonly<Record<string, string>>;
        readonly read: readonly string[];
        readonly write: readonly string[];
      }
    | undefined;
  readonly heapLimitMb: number;
  /** Seconds without a sign of life before it is ended. */
  readonly watchdogSeconds: number;
  storagePort(): Promise<MessagePort>;
  spoolPort(): Promise<MessagePort>;
  onMessage(message: FromWorker): void;
  /** It has started (again): tell it what to run. */
  onUp(first: boolean): Promise<void>;
  /** It died. `restartMs`: when it is started again; undefined when it stays down. */
  onDown(reason: string, code: string, restartMs: number | undefined): void;
}

const MAX_CRASHES = 8;
const HEALTHY_MS = 60_000;
const YOUNG_MB = 32;

export class WorkerHandle {
  readonly name: string;
  private readonly options: WorkerOptions;
  private worker: Worker | undefined;
  private heartbeat = new Int32Array(new SharedArrayBuffer(4));
  private silent = 0;
  /** What its present thread counts in, or its last one counted in. */
  counters = counterMemory();
  private id = 0;
  private readonly pending = new Map<number, { resolve: (value: never) => void; reject: (error: unknown) => void }>();
  private readonly backOff = new BackOff(500, 30_000);
  private watchdog: NodeJS.Timeout | undefined;
  private restartTimer: NodeJS.Timeout | undefined;
  private downReason: { reason: string; code: string } | undefined;
  private upSince = 0;
  private ending = false;
  private everUp = false;
  restarts = 0;

  constructor(options: WorkerOptions) {
    this.options = options;
    this.name = options.name;
  }

  /** Whole seconds without a sign of life. */
  get silentSeconds(): number {
    return this.silent;
  }

  get up(): boolean {
    return this.worker !== undefined;
  }

  /** Starts the thread and resolves when it answers and `onUp` is through. */
  async start(): Promise<void> {
    const [storage, spools] = await Promise.all([this.options.storagePort(), this.options.spoolPort()]);
    this.heartbeat = new Int32Array(new SharedArrayBuffer(4));
    this.counters = counterMemory();
    const { sandbox } = this.options;
    const start: WorkerStart = {
      settings: {
        worker: this.name,
        deadlineMs: this.options.deadlineMs,
        writeMs: this.options.writeMs,
        heartbeat: this.heartbeat.buffer as SharedArrayBuffer,
        counters: this.counters,
      },
      storage,
      spools,
    };
    const worker = new Worker(new URL('./worker-entry.ts', import.meta.url), {
      name: this.name,
      workerData: start,
      transferList: [storage, spools],
      // Without a stated young generation, reaching the limit sometimes aborts the whole process
      // instead of ending the thread (7 of 21 tries on Node 24.21; none of 42 with one).
      resourceLimits: { maxOldGenerationSizeMb: this.options.heapLimitMb, maxYoungGenerationSizeMb: YOUNG_MB },
      stdout: false,
      stderr: false,
      ...(sandbox === undefined
        ? {}
        : { env: { ...sandbox.env }, execArgv: permissionFlags(sandbox.read, sandbox.write) }),
    });
    this.worker = worker;
    const ready = new Promise<void>((resolve, reject) => {
      worker.on('message', (message: FromWorker) => {
        if (message.t === 'ready') resolve();
        else this.heard(message);
      });
      worker.on('error', (error: Error & { code?: string }) => {
        const memory = error.code === 'ERR_WORKER_OUT_OF_MEMORY';
        this.downReason ??= memory
          ? { reason: `used more than ${this.options.heapLimitMb} MB of memory`, code: 'PB_WORKER_MEMORY' }
          : { reason: `died: ${error instanceof Error ? error.message : String(error)}`, code: 'PB_WORKER_CRASHED' };
      });
      worker.on('exit', (exitCode) => {
        reject(new PatchbayError('PB_WORKER_CRASHED', `worker ${this.name} ended while starting`));
        this.exited(worker, exitCode);
      });
    });
    await ready;
    this.upSince = performance.now();
    this.watch(worker);
    const first = !this.everUp;
    this.everUp = true;
    await this.options.onUp(first);
  }

  /** Sends a command. Rejects with the fault it ended in, or `PB_WORKER_CRASHED` when the thread dies first. */
  command<Name extends CommandName>(
    command: Name,
    params: Commands[Name]['params'],
    transfer: readonly MessagePort[] = [],
  ): Promise<Commands[Name]['result']> {
    const { worker } = this;
    if (worker === undefined) return Promise.reject(new PatchbayError('PB_WORKER_DOWN', `worker ${this.name} is down`));
    return new Promise((resolve, reject) => {
      const id = this.id++;
      this.pending.set(id, { resolve: resolve as (value: never) => void, reject });
      worker.postMessage({ id, command, params } satisfies ToWorker, [...transfer]);
    });
  }

  /** Starts it again although it had stayed down. */
  async revive(): Promise<void> {
    if (this.worker !== undefined || this.ending) return;
    clearTimeout(this.restartTimer);
    this.backOff.reset();
    await this.start();
  }

  /** Ends the thread for good; `shutdown` it first for a clean end. */
  async end(): Promise<void> {
    this.ending = true;
    clearTimeout(this.restartTimer);
    clearInterval(this.watchdog);
    await this.worker?.terminate();
  }

  /** Ends the thread as if it had crashed: it comes back. */
  async kill(reason: string, code: string): Promise<void> {
    this.downReason = { reason, code };
    await this.worker?.terminate();
  }

  private heard(message: FromWorker): void {
    if (message.t === 'done' || message.t === 'failed') {
      const pending = this.pending.get(message.id);
      this.pending.delete(message.id);
      if (message.t === 'done') pending?.resolve(message.value as never);
      else pending?.reject(reviveFault(message.error));
      return;
    }
    this.options.onMessage(message);
  }

  private exited(worker: Worker, exitCode: number): void {
    if (this.worker !== worker) return;
    this.worker = undefined;
    clearInterval(this.watchdog);
    const { reason, code } = this.downReason ?? {
      reason: `ended by itself (exit ${exitCode})`,
      code: 'PB_WORKER_CRASHED',
    };
    this.downReason = undefined;
    const lost = new PatchbayError('PB_WORKER_CRASHED', `worker ${this.name} ${reason}`);
    for (const { reject } of this.pending.values()) reject(lost);
    this.pending.clear();
    if (this.ending) return;
    if (performance.now() - this.upSince > HEALTHY_MS) this.backOff.reset();
    if (this.backOff.failures >= MAX_CRASHES) {
      this.options.onDown(`${reason}; given up after ${MAX_CRASHES} crashes in a row`, code, undefined);
      return;
    }
    const delay = this.backOff.next();
    this.restarts++;
    this.options.onDown(reason, code, delay);
    this.restartTimer = setTimeout(() => {
      this.start().catch(() => {
        // The exit handler has taken note and planned the next try.
      });
    }, delay);
  }

  /** Counts checks without a sign of life, not time: a machine that slept must not look like a hang. */
  private watch(worker: Worker): void {
    let last = Atomics.load(this.heartbeat, 0);
    this.silent = 0;
    this.watchdog = setInterval(() => {
      const now = Atomics.load(this.heartbeat, 0);
      this.silent = now === last ? this.silent + 1 : 0;
      last = now;
      if (this.silent >= this.options.watchdogSeconds) {
        this.downReason = {
          reason: `did not answer for ${this.silent} s (an endless loop?)`,
          code: 'PB_WORKER_STALLED',
        };
        clearInterval(this.watchdog);
        void worker.terminate();
      }
    }, 1000);
    this.watchdog.unref();
  }
}

function permissionFlags(read: readonly string[], write: readonly string[]): string[] {
  return [
    '--permission',
    ...read.map((path) => `--allow-fs-read=${path}`),
    ...write.map((path) => `--allow-fs-write=${path}`),
    '--no-warnings',
  ];
}
