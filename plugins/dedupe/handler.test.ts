import { Filtered, Refused, type Handler, type HandlerResult, type Message, type Settled } from 'patchbay/plugin-api';
import { fakeContext, type FakeContext } from 'patchbay/plugin-api/testing';
import { describe, expect, it } from 'vitest';
import dedupe, { type DedupeConfig } from './handler.ts';

const DEFAULTS: DedupeConfig = { window: '10m', max: 100_000, onMissingKey: 'pass' };

interface Life {
  readonly handler: Handler<DedupeConfig>;
  readonly context: FakeContext<DedupeConfig>;
}

/** `of`: another life of the same instance; its state is there. */
async function begin(config: Partial<DedupeConfig> = {}, of?: Life): Promise<Life> {
  const made = fakeContext<DedupeConfig>({ config: { ...DEFAULTS, ...config } });
  const context = of === undefined ? made : { ...made, state: of.context.state };
  const handler = dedupe.create(context);
  await handler.open?.();
  return { handler, context };
}

const { message } = fakeContext({ config: {}, instance: 'in' });
const named = (id: string, data: unknown = ''): Message => message({ id, data });

const verdict = (result: HandlerResult | undefined, input: Message): string => {
  if (result === input) return 'passed';
  if (result instanceof Filtered) return result.follows === undefined ? 'duplicate' : `follows ${result.follows.id}`;
  return result instanceof Refused ? result.code : 'something else';
};

async function handled({ handler }: Life, ...batch: Message[]): Promise<string[]> {
  const results = await handler.handle(batch);
  return batch.map((input, i) => verdict(results[i], input));
}

const settle = async ({ handler }: Life, result: Settled['result'], ...batch: Message[]): Promise<void> =>
  handler.settled?.(batch.map((each) => ({ message: each, result })));

describe('dedupe', () => {
  it('lets a message through once, however often it comes', async () => {
    const life = await begin();
    const first = named('a');
    expect(await handled(life, first, named('b'))).toEqual(['passed', 'passed']);
    await settle(life, 'kept', first);
    expect(await handled(life, named('a'), named('c'))).toEqual(['duplicate', 'passed']);
    expect(life.context.counts.get('dedupe_duplicates_total')).toBe(1);
  });

  it('lets a duplicate of a message on its way follow it, in the same batch too', async () => {
    const life = await begin();
    expect(await handled(life, named('a'), named('a'))).toEqual(['passed', 'follows a']);
    expect(await handled(life, named('a'))).toEqual(['follows a']);
  });

  it('remembers nothing of what was given back or refused', async () => {
    const life = await begin();
    for (const result of ['back', 'refused'] as const) {
      const lost = named('a');
      expect(await handled(life, lost)).toEqual(['passed']);
      await settle(life, result, lost);
      const again = named('a');
      expect(await handled(life, again)).toEqual(['passed']);
      await settle(life, 'back', again);
    }
  });

  it('knows in its next life what was delivered, and nothing that was only on its way', async () => {
    const life = await begin();
    const kept = named('kept');
    await handled(life, kept, named('under way'));
    await settle(life, 'kept', kept);
    const next = await begin({}, life);
    expect(await handled(next, named('kept'), named('under way'))).toEqual(['duplicate', 'passed']);
  });

  it('takes over what an earlier life had passed on', async () => {
    const life = await begin();
    const old = named('a');
    await handled(life, old);
    const next = await begin({}, life);
    await settle(next, 'kept', old);
    expect(await handled(next, named('a'))).toEqual(['duplicate']);
  });

  it('does not remember what could not be stored, and rejects', async () => {
    const life = await begin();
    const broken: Life = { ...life, context: life.context };
    const { apply } = life.context.state;
    (life.context.state as { apply: unknown }).apply = () => Promise.reject(new Error('disk full'));
    const one = named('a');
    await handled(broken, one);
    await expect(settle(broken, 'kept', one)).rejects.toThrow('disk full');
    (life.context.state as { apply: unknown }).apply = apply;
    expect(await handled(life, named('a'))).toEqual(['passed']);
  });

  it('forgets after the window', async () => {
    const life = await begin({ window: '1ms' });
    const one = named('a');
    await handled(life, one);
    await settle(life, 'kept', one);
    const end = performance.now() + 5;
    while (performance.now() < end);
    expect(await handled(life, named('a'))).toEqual(['passed']);
  });

  it('forgets the oldest above the bound, and counts them', async () => {
    const life = await begin({ max: 2 });
    for (const id of ['a', 'b', 'c']) {
      const one = named(id);
      await handled(life, one);
      await settle(life, 'kept', one);
    }
    expect(await handled(life, named('b'), named('c'), named('a'))).toEqual(['duplicate', 'duplicate', 'passed']);
    expect(life.context.counts.get('dedupe_evicted_total')).toBe(1);
    expect(life.context.gauges.get('dedupe_remembered')).toBe(2);
    expect(life.context.logs.filter(({ level }) => level === 'warn')).toHaveLength(1);
  });

  it('tells messages apart by an expression of any type', async () => {
    const life = await begin({ key: '[data.host, data.n]' });
    const same = named('1', { host: 'a', n: 1 });
    await handled(life, same);
    await settle(life, 'kept', same);
    expect(
      await handled(
        life,
        named('2', { n: 1, host: 'a' }),
        named('3', '{"host":"a","n":1}'),
        named('4', { host: 'a', n: 2 }),
        named('5', { host: 'a', n: '1' }),
      ),
    ).toEqual(['duplicate', 'duplicate', 'passed', 'passed']);
  });

  it('does with a message without a key as told', async () => {
    const odd = [named('1', {}), named('2', { host: null }), named('3', { host: '' }), named('4', 'text')];
    expect(await handled(await begin({ key: 'data.host' }), ...odd)).toEqual(odd.map(() => 'passed'));
    expect(await handled(await begin({ key: 'data.?host' }), ...odd)).toEqual(odd.map(() => 'passed'));
    expect(await handled(await begin({ key: 'data.host', onMissingKey: 'refuse' }), ...odd)).toEqual(
      odd.map(() => 'PB_DEDUPE_NO_KEY'),
    );
  });

  it('tells sources apart when both give the same id', async () => {
    const life = await begin();
    const [a, b] = ['/a', '/b'].map((source) => message({ id: '1', source, data: '' })) as [Message, Message];
    expect(await handled(life, a, b)).toEqual(['passed', 'passed']);
  });

  it('takes everything but another key while it runs; another key begins anew', async () => {
    const life = await begin();
    const one = named('a', { n: 1 });
    await handled(life, one);
    await settle(life, 'kept', one);
    expect(life.handler.reconfigure?.({ ...DEFAULTS, max: 5 })).toBe(true);
    expect(await handled(life, named('a'))).toEqual(['duplicate']);
    expect(life.handler.reconfigure?.({ ...DEFAULTS, key: 'data.n' })).toBe(false);
    const next = await begin({ key: 'data.n' }, life);
    expect(await handled(next, named('a', { n: 1 }))).toEqual(['passed']);
    expect(await handled(await begin({}, next), named('a'))).toEqual(['passed']);
  });

  it('refuses a key that is no expression', async () => {
    await expect(begin({ key: 'data.' })).rejects.toMatchObject({ code: 'PB_EXPRESSION', path: 'key' });
  });
});
