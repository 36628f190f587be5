import { Worker } from 'node:worker_threads';
import { describe, expect, it, onTestFinished } from 'vitest';
import { defaultProcessLimitMb, MemoryWatch, type WatchedWorker } from './memory-watch.ts';

const MB = 1024 * 1024;

interface TestWorker extends WatchedWorker {
  used: { heap: number; external: number } | undefined;
  readonly ended: string[];
}

function worker(name: string, heap: number, external: number): TestWorker {
  return {
    name,
    used: { heap: heap * MB, external: external * MB },
    ended: [],
    memory() {
      return Promise.resolve(this.used);
    },
    kill(reason, code) {
      this.ended.push(`${code}: ${reason}`);
      return Promise.resolve();
    },
  };
}

function watch(workers: readonly TestWorker[], residentMb: () => number, processLimitMb = 1000) {
  const warned: string[] = [];
  const memory = new MemoryWatch({
    buffersLimitMb: 100,
    processLimitMb,
    workers: () => workers,
    resident: () => residentMb() * MB,
    onHigh: (used, limit) => void warned.push(`${used}/${limit}`),
  });
  /** Looks as at `now` milliseconds, and waits for the workers' answers. */
  const look = async (now: number): Promise<void> => {
    memory.look(now);
    await new Promise((resolve) => setImmediate(resolve));
  };
  return { look, warned };
}

describe('the memory watch', () => {
  it('ends a worker whose Buffers are above the limit, and says how much', async () => {
    const [greedy, plain] = [worker('a', 10, 101), worker('b', 400, 99)];
    const { look } = watch([greedy, plain], () => 500);
    await look(0);
    expect(greedy.ended).toEqual(['PB_WORKER_MEMORY: held 101 MB in Buffers; 100 MB are allowed']);
    expect(plain.ended).toEqual([]);
  });

  it('warns once when the process nears its limit, and again after it was well below', async () => {
    let resident = 849;
    const { look, warned } = watch([], () => resident);
    for (const [now, mb] of [849, 850, 900, 800, 860, 740, 855].entries()) {
      resident = mb;
      await look(now * 250);
    }
    expect(warned).toEqual(['850/1000', '855/1000']);
  });

  it('ends the largest worker at the limit, and the next one only when it still grows', async () => {
    let resident = 1100;
    const [small, large] = [worker('a', 50, 10), worker('b', 200, 60)];
    const { look } = watch([small, large], () => resident);
    await look(0);
    await look(250);
    expect(large.ended).toEqual([
      'PB_WORKER_MEMORY: was the largest, with 260 MB, when the gateway used 1100 MB of 1000 MB',
    ]);
    large.used = undefined;
    await look(500);
    resident = 1050;
    // It did not help: what is left is nobody's here.
    await look(4000);
    await look(8000);
    expect(small.ended).toEqual([]);
    resident = 1200;
    await look(9000);
    expect(small.ended).toHaveLength(1);
  });

  it('takes the container for the machine where it is smaller', () => {
    expect(defaultProcessLimitMb(1000 * MB, undefined)).toBe(800);
    expect(defaultProcessLimitMb(1000 * MB, 500 * MB)).toBe(400);
    expect(defaultProcessLimitMb(1000 * MB, 1e15)).toBe(800);
    expect(defaultProcessLimitMb(1000 * MB, 0)).toBe(800);
  });

  it('can ask a worker in an endless loop, and its Buffers show', async () => {
    const busy = new Worker(
      `const hoard = Array.from({ length: 64 }, () => Buffer.alloc(1 << 20, 1));
       require('node:worker_threads').parentPort.postMessage('full');
       for (;;) hoard.length;`,
      { eval: true },
    );
    onTestFinished(async () => void (await busy.terminate()));
    await new Promise((resolve) => busy.once('message', resolve));
    const { external_memory } = await busy.getHeapStatistics();
    expect(external_memory).toBeGreaterThan(64 * MB);
    expect(external_memory).toBeLessThan(80 * MB);
  });
});
