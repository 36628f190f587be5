/** How the thread it runs in is doing: delays of its event loop, load, memory, CPU time. */
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { getHeapStatistics } from 'node:v8';

/** Plain data: it crosses threads. */
export interface ThreadFigures {
  /** How late the event loop was, milliseconds: quantiles of the last half minute to minute, the worst of the last interval. */
  readonly delayP50Ms: number;
  readonly delayP99Ms: number;
  readonly delayMaxMs: number;
  /** Share of the interval the thread was busy, 0 to 1. */
  readonly utilisation: number;
  /** CPU time since the thread began. */
  readonly cpuSeconds: number;
  readonly heapBytes: number;
  readonly heapLimitBytes: number;
  /** Outside the JavaScript heap, held by it; `arrayBufferBytes` is part of it. */
  readonly externalBytes: number;
  readonly arrayBufferBytes: number;
}

/** The histogram takes the time between two ticks this far apart, so this is what no delay at all looks like. */
const TICK_MS = 50;
/** A second has too few ticks to tell its 99th percentile from its worst. */
const LOOKS_PER_WINDOW = 30;

export class ThreadProbe {
  private readonly delay = monitorEventLoopDelay({ resolution: TICK_MS });
  private readonly window = monitorEventLoopDelay({ resolution: TICK_MS });
  /** Of the window before this one. */
  private before = { p50: 0, p99: 0 };
  private looks = 0;
  private last = performance.eventLoopUtilization();

  constructor() {
    this.delay.enable();
    this.window.enable();
  }

  /** Figures of the time since the last call; for one caller only, at even intervals. */
  look(): ThreadFigures {
    const { delay, window } = this;
    const present = { p50: late(window, window.percentile(50)), p99: late(window, window.percentile(99)) };
    const now = performance.eventLoopUtilization();
    const { utilization } = performance.eventLoopUtilization(now, this.last);
    this.last = now;
    const { heapUsed, external, arrayBuffers } = process.memoryUsage();
    const { user, system } = process.threadCpuUsage();
    const figures = {
      delayP50Ms: Math.max(this.before.p50, present.p50),
      delayP99Ms: Math.max(this.before.p99, present.p99),
      delayMaxMs: late(delay, delay.max),
      utilisation: Math.round(utilization * 1000) / 1000,
      cpuSeconds: (user + system) / 1e6,
      heapBytes: heapUsed,
      heapLimitBytes: getHeapStatistics().heap_size_limit,
      externalBytes: external,
      arrayBufferBytes: arrayBuffers,
    };
    delay.reset();
    if (++this.looks % LOOKS_PER_WINDOW === 0) {
      this.before = present;
      window.reset();
    }
    return figures;
  }

  end(): void {
    this.delay.disable();
    this.window.disable();
  }
}

/** Milliseconds beyond the tick. */
function late(of: { readonly count: number }, ns: number): number {
  return of.count === 0 ? 0 : Math.max(0, Math.round(ns / 1e4 - TICK_MS * 100) / 100);
}
