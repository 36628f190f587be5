/**
 * Memory that `resourceLimits` doesn't see. Each worker is asked from outside, which interrupts
 * even an endless loop (measured: under 1 ms); the whole process is held against what it may use.
 */

/** A worker as the watch sees it. */
export interface WatchedWorker {
  readonly name: string;
  /** Bytes of JavaScript heap, and of Buffers and the like outside of it; undefined when it is down or can't say. */
  memory(): Promise<{ readonly heap: number; readonly external: number } | undefined>;
  /** Ends it as a crash; it comes back. */
  kill(reason: string, code: string): Promise<void>;
}

export interface MemoryWatchOptions {
  /** Megabytes of Buffers per worker. */
  readonly buffersLimitMb: number;
  /** Megabytes of resident memory that the process may use. */
  readonly processLimitMb: number;
  workers(): readonly WatchedWorker[];
  /** Resident bytes of the process. */
  resident(): number;
  onHigh(usedMb: number, limitMb: number): void;
}

const MB = 1024 * 1024;
const EVERY_MS = 250;
/** Warned at this share of the limit, again after it fell below the lower one. */
const HIGH = 0.85;
const CALM = 0.75;
/** What a dead thread held is back with the system after this long. */
const SETTLES_MS = 3000;

export class MemoryWatch {
  private readonly options: MemoryWatchOptions;
  private timer: NodeJS.Timeout | undefined;
  private readonly asked = new Set<string>();
  private readonly known = new Map<string, { readonly bytes: number; readonly worker: WatchedWorker }>();
  private high = false;
  private settlesAt = 0;
  /** After an end did not help: memory that is nobody's is no reason to end one worker after another. */
  private floor = 0;

  constructor(options: MemoryWatchOptions) {
    this.options = options;
  }

  start(): void {
    this.timer = setInterval(() => this.look(performance.now()), EVERY_MS).unref();
  }

  stop(): void {
    clearInterval(this.timer);
  }

  /** `now`: performance.now. */
  look(now: number): void {
    const workers = this.options.workers();
    for (const worker of workers) void this.ask(worker);
    for (const name of this.known.keys()) if (!workers.some((worker) => worker.name === name)) this.known.delete(name);
    this.judge(now);
  }

  /** Resolves when the worker answered and was judged. One that can't answer now is asked no second time meanwhile. */
  private async ask(worker: WatchedWorker): Promise<void> {
    const { name } = worker;
    if (this.asked.has(name)) return;
    this.asked.add(name);
    const used = await worker.memory();
    this.asked.delete(name);
    if (used === undefined) {
      this.known.delete(name);
      return;
    }
    this.known.set(name, { bytes: used.heap + used.external, worker });
    const { buffersLimitMb } = this.options;
    if (used.external <= buffersLimitMb * MB) return;
    this.known.delete(name);
    await worker.kill(
      `held ${Math.round(used.external / MB)} MB in Buffers; ${buffersLimitMb} MB are allowed`,
      'PB_WORKER_MEMORY',
    );
  }

  private judge(now: number): void {
    const { processLimitMb: limitMb } = this.options;
    const used = this.options.resident();
    const limit = limitMb * MB;
    const usedMb = Math.round(used / MB);
    if (used < limit * CALM) this.high = false;
    if (used >= limit * HIGH && !this.high) {
      this.high = true;
      this.options.onHigh(usedMb, limitMb);
    }
    if (used < limit) {
      this.floor = 0;
      return;
    }
    if (now < this.settlesAt) return;
    if (this.settlesAt > 0 && this.floor === 0) this.floor = used * 1.05;
    if (used < this.floor) return;
    const largest = [...this.known.values()].reduce<{ bytes: number; worker: WatchedWorker } | undefined>(
      (most, each) => (most === undefined || each.bytes > most.bytes ? each : most),
      undefined,
    );
    if (largest === undefined) return;
    this.settlesAt = now + SETTLES_MS;
    this.floor = 0;
    this.known.delete(largest.worker.name);
    void largest.worker.kill(
      `was the largest, with ${Math.round(largest.bytes / MB)} MB, when the gateway used ${usedMb} MB of ${limitMb} MB`,
      'PB_WORKER_MEMORY',
    );
  }
}

/** Megabytes that the process may use unless told: four fifths of what the machine, or the container, has. */
export function defaultProcessLimitMb(machineBytes: number, containerBytes: number | undefined): number {
  const bytes =
    containerBytes !== undefined && containerBytes > 0 ? Math.min(machineBytes, containerBytes) : machineBytes;
  return Math.floor((bytes * 0.8) / MB);
}
