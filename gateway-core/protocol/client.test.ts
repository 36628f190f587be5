import { describe, expect, it, vi } from 'vitest';
import type { Carrier } from './carrier.ts';
import { createClient, type ClientOptions, type ConnectionState } from './client.ts';
import type { Clock } from './clock.ts';
import { memoryPair, type MemoryCarrier } from './memory-carrier.ts';
import { pause } from './back-off.ts';
import { nearest } from './nearest.ts';
import { RemoteError, wireError } from './wire-error.ts';

/** Time that stands still until told otherwise. */
class StoppedClock implements Clock {
  private time = 1000;
  private timers: { at: number; run: () => void }[] = [];

  now(): number {
    return this.time;
  }

  after(ms: number, run: () => void): () => void {
    const timer = { at: this.time + ms, run };
    this.timers.push(timer);
    return () => {
      this.timers = this.timers.filter((other) => other !== timer);
    };
  }

  pass(ms: number): void {
    const end = this.time + ms;
    for (;;) {
      const next = this.timers.filter((timer) => timer.at <= end).toSorted((a, b) => a.at - b.at)[0];
      if (next === undefined) break;
      this.timers = this.timers.filter((timer) => timer !== next);
      this.time = next.at;
      next.run();
    }
    this.time = end;
  }

  get waiting(): number {
    return this.timers.length;
  }
}

const turn = (): Promise<void> => new Promise((resolve) => setTimeout(resolve, 5));

function rig(connect: () => Promise<Carrier>, options: Partial<ClientOptions> = {}) {
  const clock = new StoppedClock();
  const states: ConnectionState[] = [];
  const client = createClient(connect, {
    client: 'test',
    clock,
    random: () => 0,
    backOff: { min: 100, max: 1000 },
    ...options,
  });
  client.onState((state) => states.push(state));
  return { clock, states, client };
}

/** Connects to an engine played by the test. */
function playedEngine(options: Partial<ClientOptions> = {}) {
  const engines: MemoryCarrier[] = [];
  const heard: unknown[] = [];
  const parts = rig(async () => {
    const [engine, client] = memoryPair();
    engine.onFrame((text) => heard.push(JSON.parse(text)));
    engines.push(engine);
    return client;
  }, options);
  const say = (frame: unknown): void => engines.at(-1)?.send(JSON.stringify(frame));
  const welcome = (epoch = 'e1'): void => say({ t: 'welcome', version: 1, engine: '9.9.9', access: 'full', epoch });
  return { ...parts, engines, heard, say, welcome };
}

describe('the protocol client', () => {
  it('backs off further with every failure, up to a bound, and says since when and what next', async () => {
    let attempts = 0;
    const { clock, client } = rig(() => {
      attempts++;
      return Promise.reject(new Error('refused'));
    });
    const delays: number[] = [];
    for (let i = 0; i < 7; i++) {
      await turn();
      const { state } = client;
      if (state.name !== 'connecting' || state.retryAt === undefined) throw new Error('no attempt is planned');
      expect(state).toMatchObject({
        since: 1000,
        failures: i + 1,
        reason: { code: 'PB_DISCONNECTED', message: expect.stringContaining('refused') as string },
      });
      delays.push(state.retryAt - clock.now());
      clock.pass(state.retryAt - clock.now());
    }
    expect(attempts).toBe(8);
    // With random() = 0 the lower edge of the jitter: half of the doubling pause.
    expect(delays).toEqual([100, 200, 400, 500, 500, 500, 500]);
    client.close();
    expect(clock.waiting).toBe(0);
  });

  it('spreads attempts over the upper half of the pause', () => {
    const backOff = { min: 100, max: 1000 };
    expect([pause(backOff, 1, 0), pause(backOff, 1, 0.999)].map(Math.round)).toEqual([50, 100]);
    expect(pause(backOff, 1e9, 0.5)).toBe(750);
  });

  it('gives up on an engine that does not greet in time', async () => {
    const { clock, client, states } = playedEngine({ connectTimeout: 3000 });
    await turn();
    clock.pass(3000);
    expect(states.at(-1)).toMatchObject({ name: 'connecting', reason: { code: 'PB_HELLO_TIMEOUT' }, failures: 1 });
    client.close();
  });

  it('stays with "incompatible" when the two share no version, until told to retry', async () => {
    const { clock, client, say, engines, welcome } = playedEngine();
    await turn();
    say({
      t: 'error',
      error: wireError('PB_PROTOCOL_VERSION', { client: 'test', theirs: 1, engine: '9.9.9', ours: 2 }),
    });
    engines[0]?.close('PB_PROTOCOL_VERSION');
    await turn();
    expect(client.state).toMatchObject({ name: 'incompatible', reason: { code: 'PB_PROTOCOL_VERSION' } });
    clock.pass(1e6);
    expect(engines).toHaveLength(1);
    client.retry();
    await turn();
    welcome();
    await turn();
    expect(client.state.name).toBe('open');
    client.close();
  });

  it('does not take a welcome in another version', async () => {
    const { client, say } = playedEngine();
    await turn();
    say({ t: 'welcome', version: 2, engine: '9.9.9', access: 'full', epoch: 'e' });
    await turn();
    expect(client.state.name).toBe('incompatible');
    client.close();
  });

  it('does not try again where it was refused for good', async () => {
    let attempts = 0;
    const { clock, client } = rig(() => {
      attempts++;
      return Promise.reject(new RemoteError(wireError('PB_NO_SESSION')));
    });
    await expect(client.opened()).rejects.toMatchObject({ code: 'PB_NO_SESSION' });
    clock.pass(1e6);
    await turn();
    expect(attempts).toBe(1);
    expect(client.state.name).toBe('closed');
    client.close();
  });

  it('retries at once when told to, and not twice', async () => {
    const { client, engines, welcome } = playedEngine();
    await turn();
    client.retry();
    await turn();
    expect(engines).toHaveLength(1);
    welcome();
    await turn();
    engines[0]?.close();
    await turn();
    expect(client.state).toMatchObject({ name: 'connecting', failures: 0 });
    client.retry();
    await turn();
    expect(engines).toHaveLength(2);
    welcome();
    await turn();
    expect(client.state.name).toBe('open');
    client.close();
  });

  it('leaves no call hanging and no stream running at close', async () => {
    const { client, welcome, heard } = playedEngine();
    await turn();
    welcome();
    await turn();
    const call = client.call('status.get', {}).catch((error: unknown) => error);
    const stream = client.subscribe('events', {}, () => undefined);
    client.close();
    await expect(call).resolves.toMatchObject({ code: 'PB_CLIENT_CLOSED' });
    expect(stream.state.name).toBe('ended');
    await expect(client.call('status.get', {})).rejects.toMatchObject({ code: 'PB_CLIENT_CLOSED' });
    expect(heard[0]).toEqual({ t: 'hello', versions: [1], client: 'test' });
  });

  it('is not upset by a consumer that throws: the error is its, the stream goes on', async () => {
    const { client, welcome, say, heard } = playedEngine();
    await turn();
    welcome();
    await turn();
    const errors: string[] = [];
    const fail = (how: 'sync' | 'async') => () => {
      if (how === 'sync') throw new Error(how);
      return Promise.reject(new Error(how));
    };
    client.subscribe('events', {}, fail('sync'), { credit: 2, onError: (error) => errors.push(error.message) });
    client.subscribe('events', {}, fail('async'), { credit: 2, onError: (error) => errors.push(error.message) });
    say({ t: 'item', id: 1, value: {} });
    say({ t: 'item', id: 2, value: {} });
    await vi.waitFor(() => {
      expect(errors).toEqual(['sync', 'async']);
      expect(heard.slice(-2)).toEqual([
        { t: 'credit', id: 1, credit: 1 },
        { t: 'credit', id: 2, credit: 1 },
      ]);
    });
    client.close();
  });

  it('drops an engine that sends what is no frame', async () => {
    const { client, welcome, say } = playedEngine();
    await turn();
    welcome();
    await turn();
    say({ t: 'result' });
    await turn();
    expect(client.state).toMatchObject({ name: 'connecting', reason: { code: 'PB_BAD_FRAME' } });
    client.close();
  });
});

describe('nearest', () => {
  it('finds what was meant, and nothing where nothing is close', () => {
    const names = ['flow.pause', 'flow.resume', 'status.get'];
    expect(nearest('flow.puase', names)).toBe('flow.pause');
    expect(nearest('FLOW.RESUME', names)).toBe('flow.resume');
    expect(nearest('shutdown', names)).toBeUndefined();
    expect(nearest('x'.repeat(10_000), names)).toBeUndefined();
  });
});
