import { expect, it, vi } from 'vitest';
import { Epoch } from './epoch.ts';

/** Settings as the store keeps them: as JSON. */
function store() {
  const values = new Map<string, string>();
  return {
    values,
    settingGet: (key: string) => Promise.resolve(JSON.parse(values.get(key) ?? 'null') ?? undefined),
    settingSet: (key: string, value: unknown) => {
      values.set(key, JSON.stringify(value));
      return Promise.resolve();
    },
  };
}
const run = (of: ReturnType<typeof store>, id: string) => Epoch.open(of, { id, startedAt: 1000, version: '1.2.3' });

it('is the first one in a fresh data folder', async () => {
  const epoch = await run(store(), 'a');
  expect(epoch).toMatchObject({ id: 'a', start: 'first', last: null });
});

it('begins cleanly after a run that was stopped', async () => {
  const data = store();
  const first = await run(data, 'a');
  await first.begin();
  await first.end();
  expect((await run(data, 'b')).start).toBe('clean');
});

it('is marked after a run that was cut off, with when that was last alive', async () => {
  vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval', 'Date'], now: 50_000 });
  try {
    const data = store();
    await (await run(data, 'a')).begin();
    await vi.advanceTimersByTimeAsync(60_000);
    const after = await run(data, 'b');
    expect(after.start).toBe('unclean');
    expect(after.last).toEqual({ version: '1.2.3', startedAt: 1000, lastAlive: 110_000 });
  } finally {
    vi.useRealTimers();
  }
});

it('a start that fails leaves to the next what the last run left', async () => {
  const data = store();
  await (await run(data, 'a')).begin();
  const failing = await run(data, 'b');
  await failing.end();
  expect((await run(data, 'c')).start).toBe('unclean');
});

it('takes no harm from a store that fails or holds something else', async () => {
  const data = store();
  data.values.set('engine.epoch', '{"x":1}');
  expect((await run(data, 'a')).start).toBe('first');
  const broken = {
    settingGet: () => Promise.reject(new Error('disk')),
    settingSet: () => Promise.reject(new Error('disk')),
  };
  const epoch = await Epoch.open(broken, { id: 'a', startedAt: 0, version: '1' });
  await epoch.begin();
  await epoch.end();
  expect(epoch.start).toBe('first');
});
