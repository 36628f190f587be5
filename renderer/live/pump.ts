/**
 * Takes what came from the engine into the view, once per frame and for at most 8 ms, so that no
 * flood can freeze the window. Each push resolves when its work is done: credit goes back then.
 */
export interface PumpClock {
  readonly now: () => number;
  /** Calls back before the next paint, or, while the window is hidden, after a while. */
  readonly soon: (callback: () => void) => () => void;
}

export interface PumpOptions {
  /** Milliseconds per frame; default 8. */
  readonly budget?: number;
  readonly clock?: PumpClock;
  /** After every frame in which something was done. */
  readonly flushed: () => void;
}

interface Job {
  readonly run: () => void;
  readonly done: () => void;
}

const HIDDEN_MS = 250;

/** Animation frames while the window is visible, a timer while it is not: frames then do not come. */
export const windowClock: PumpClock = {
  now: () => performance.now(),
  soon: (callback) => {
    let called = false;
    const once = (): void => {
      if (called) return;
      stop();
      callback();
    };
    const frame = requestAnimationFrame(once);
    // Also when the window is hidden between asking for the frame and getting it.
    const timer = setTimeout(once, HIDDEN_MS);
    const stop = (): void => {
      called = true;
      cancelAnimationFrame(frame);
      clearTimeout(timer);
    };
    return stop;
  },
};

export class Pump {
  #queue: Job[] = [];
  #stop: (() => void) | undefined;
  #closed = false;
  readonly #budget: number;
  readonly #clock: PumpClock;
  readonly #flushed: () => void;

  constructor(options: PumpOptions) {
    this.#budget = options.budget ?? 8;
    this.#clock = options.clock ?? windowClock;
    this.#flushed = options.flushed;
  }

  /** Work in order. The promise resolves when `run` has run; never rejects. */
  push(run: () => void): Promise<void> {
    if (this.#closed) return Promise.resolve();
    return new Promise((resolve) => {
      this.#queue.push({ run, done: resolve });
      this.#stop ??= this.#clock.soon(this.#frame);
    });
  }

  get waiting(): number {
    return this.#queue.length;
  }

  /** Drops what waits; its promises resolve. */
  close(): void {
    this.#closed = true;
    this.#stop?.();
    this.#stop = undefined;
    for (const job of this.#queue.splice(0)) job.done();
  }

  #frame = (): void => {
    this.#stop = undefined;
    const end = this.#clock.now() + this.#budget;
    let done = 0;
    // At least one job per frame, however long it takes: else nothing would ever move on.
    while (done < this.#queue.length && (done === 0 || this.#clock.now() < end)) {
      const job = this.#queue[done];
      done++;
      job?.run();
      job?.done();
    }
    this.#queue = this.#queue.slice(done);
    if (this.#queue.length > 0) this.#stop = this.#clock.soon(this.#frame);
    this.#flushed();
  };
}
