/** How the thread it runs in is doing: delays of its event loop, load, memory, CPU time. */
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { getHeapStatistics } from 'node:v8';

/** Plain data: it crosses threads. Delays and `utilisation` are of the last interval. */
export interface ThreadFigures {
  /** How late the event loop was, milliseconds. */
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

export class ThreadProbe {
  private readonly delay = monitorEventLoopDelay({ resolution: TICK_MS });
  private last = performance.eventLoopUtilization();

  constructor() {
    this.delay.enable();
  }

  /** Figures of the time since the last call; for one caller only, at even intervals. */
  look(): ThreadFigures {
    const { delay } = this;
    const late = (ns: number): number =>
      delay.count === 0 ? 0 : Math.max(0, Math.round(ns / 1e4 - TICK_MS * 100) / 100);
    const now = performance.eventLoopUtilization();
    const { utilization } = performance.eventLoopUtilization(now, this.last);
    this.last = now;
    const { heapUsed, external, arrayBuffers } = process.memoryUsage();
    const { user, system } = process.threadCpuUsage();
    const figures = {
      delayP50Ms: late(delay.percentile(50)),
      delayP99Ms: late(delay.percentile(99)),
      delayMaxMs: late(delay.max),
      utilisation: Math.round(utilization * 1000) / 1000,
      cpuSeconds: (user + system) / 1e6,
      heapBytes: heapUsed,
      heapLimitBytes: getHeapStatistics().heap_size_limit,
      externalBytes: external,
      arrayBufferBytes: arrayBuffers,
    };
    delay.reset();
    return figures;
  }

  end(): void {
    this.delay.disable();
  }
}
