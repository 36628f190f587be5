import type { Message } from 'patchbay/plugin-api';
import { fakeContext, fakeEmit } from 'patchbay/plugin-api/testing';
import { afterEach, describe, expect, it, vi } from 'vitest';
import generator, { type GeneratorConfig } from './source.ts';

const config: GeneratorConfig = {
  rate: 2000,
  hosts: 3,
  faults: 0,
  body: 'bytes',
  address: 'collectd/telemetry',
  seed: 1,
};
const running: { stop(): void | Promise<void> }[] = [];

function start(changes: Partial<GeneratorConfig> = {}) {
  const context = fakeContext({ config: { ...config, ...changes } });
  const out = fakeEmit();
  const source = generator.create(context);
  running.push(source);
  const count = (): number => out.batches.reduce((sum, batch) => sum + batch.length, 0);
  return { context, out, source, count, begin: () => source.start(out.emit) };
}

afterEach(async () => {
  for (const source of running.splice(0)) await source.stop();
});

describe('generator', () => {
  it('makes collectd messages at its rate, in batches', async () => {
    const { out, begin, count, context } = start();
    const from = performance.now();
    await begin();
    await vi.waitUntil(() => count() >= 1000, { timeout: 5000 });
    const seconds = (performance.now() - from) / 1000;
    // Never faster than told; how much slower depends on who else uses this machine.
    expect(count() / seconds).toBeLessThan(2000 * 1.05);
    expect(out.batches.length).toBeLessThan(count() / 2);
    const message = out.batches[0]![0] as Message;
    expect(message.attributes).toEqual({ address: 'collectd/telemetry' });
    expect(message.data).toBeInstanceOf(Uint8Array);
    expect(JSON.parse(Buffer.from(message.data as Uint8Array).toString())).toMatchObject([
      { host: 'node-1.demo', plugin: 'cpu' },
    ]);
    expect(context.failures).toEqual([]);
  });

  it('owns the bytes it hands over: none lie in the shared pool', async () => {
    const { out, begin, count } = start();
    await begin();
    await vi.waitUntil(() => count() > 10, { timeout: 5000 });
    const pool = Buffer.from('x').buffer;
    for (const message of out.batches.flat() as Message[]) expect((message.data as Uint8Array).buffer).not.toBe(pool);
  });

  it('emits nothing while there is no room, and does not flood afterwards', async () => {
    const { out, begin, context } = start({ rate: 100_000 });
    out.hold();
    await begin();
    await vi.waitUntil(() => out.batches.length === 1, { timeout: 5000 });
    const held = performance.now();
    await vi.waitUntil(() => performance.now() - held > 600, { timeout: 5000 });
    expect(out.batches).toHaveLength(1);
    out.release();
    await vi.waitUntil(() => out.batches.length > 1, { timeout: 5000 });
    expect(context.counts.get('generator_left_out_total')).toBeGreaterThan(20_000);
  });

  it('takes another rate while it runs', async () => {
    const { begin, source, count, out } = start({ rate: 1, body: 'text' });
    await begin();
    expect(await source.reconfigure!({ ...config, rate: 5000, body: 'text' })).toBe(true);
    await vi.waitUntil(() => count() > 500, { timeout: 5000 });
    expect(typeof (out.batches[0]![0] as Message).data).toBe('string');
  });

  it('stops at once, waiting for its next message or for room', async () => {
    const slow = start({ rate: 1 });
    await slow.begin();
    await slow.source.stop();
    expect(slow.count()).toBe(0);
    const blocked = start({ rate: 1000 });
    blocked.out.hold();
    await blocked.begin();
    await vi.waitUntil(() => blocked.out.batches.length === 1, { timeout: 5000 });
    await blocked.source.stop();
    blocked.out.release();
    expect(blocked.out.batches).toHaveLength(1);
  });
});
