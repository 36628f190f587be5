import { afterEach, describe, expect, it, vi } from 'vitest';
import type { Carrier } from '../../gateway-core/protocol/carrier.ts';
import {
  createClient,
  type Client,
  type ClientOptions,
  type ConnectionState,
} from '../../gateway-core/protocol/client.ts';
import type { EngineFrame } from '../../gateway-core/protocol/frames.ts';
import type { SubscriptionState } from '../../gateway-core/protocol/subscription.ts';
import { RemoteError } from '../../gateway-core/protocol/wire-error.ts';
import { testEngine } from './engine.ts';
import { lineKinds, type Line, type LineOptions } from './lines.ts';

const HELLO = { t: 'hello', versions: [1], client: 'test' };
const WAIT = { timeout: 10_000, interval: 5 };

/** The coded error a promise rejects with. */
async function refused(promise: Promise<unknown>): Promise<RemoteError> {
  const error: unknown = await promise.then(
    () => new Error('was not refused'),
    (reason: unknown) => reason,
  );
  if (error instanceof RemoteError) return error;
  throw error;
}

describe.each(lineKinds)('control protocol over $name', (kind) => {
  const cleanUp: (() => void | Promise<void>)[] = [];
  afterEach(async () => {
    for (const clean of cleanUp.splice(0).toReversed()) await clean();
  });

  async function start(options: LineOptions = {}) {
    const engine = testEngine();
    const line = await kind.open(engine, options);
    cleanUp.push(() => line.close());
    return { engine, line };
  }

  function connected(line: Line, options: Partial<ClientOptions> = {}): Client {
    const client = createClient(() => line.connect(), { client: 'test', backOff: { min: 5, max: 20 }, ...options });
    cleanUp.push(() => client.close());
    return client;
  }

  async function opened(options: LineOptions = {}) {
    const { engine, line } = await start(options);
    const client = connected(line);
    await client.opened();
    return { engine, line, client };
  }

  /** A connection driven frame by frame, without the client. */
  async function raw(line: Line, connect: () => Promise<Carrier> = () => line.connect()) {
    const carrier = await connect();
    cleanUp.push(() => carrier.close());
    const frames: EngineFrame[] = [];
    const seen = { closed: undefined as string | undefined };
    carrier.onFrame((text) => frames.push(JSON.parse(text) as EngineFrame));
    carrier.onClose((reason) => (seen.closed = reason));
    return {
      carrier,
      frames,
      seen,
      send: (frame: unknown) => carrier.send(typeof frame === 'string' ? frame : JSON.stringify(frame)),
    };
  }

  const codes = (frames: readonly EngineFrame[]): string[] =>
    frames.flatMap((frame) => (frame.t === 'error' ? [frame.error.code] : []));

  it('greets with version, engine, access and epoch', async () => {
    const { client } = await opened({ access: 'read' });
    expect(client.state).toMatchObject({ name: 'open', engine: '0.0.0-test', access: 'read', epoch: 'first' });
  });

  it('refuses a client of another protocol version, naming both sides', async () => {
    const { line } = await start();
    const { frames, seen, send } = await raw(line);
    send({ t: 'hello', versions: [98, 99], client: 'patchbay-panel 9.0' });
    await vi.waitFor(() => expect(seen.closed).toBe('PB_PROTOCOL_VERSION'), WAIT);
    expect(frames).toHaveLength(1);
    const message = frames[0]?.t === 'error' ? frames[0].error.message : '';
    for (const part of ['patchbay-panel 9.0', '98, 99', '0.0.0-test', 'speaks 1']) expect(message).toContain(part);
  });

  it('closes on a client that speaks before its hello, or says none', async () => {
    const { line } = await start({ limits: { hello: 30 } });
    const eager = await raw(line);
    eager.send({ t: 'call', id: 1, method: 'flow.pause', params: { name: 'a' } });
    await vi.waitFor(() => expect(eager.seen.closed).toBe('PB_BAD_FRAME'), WAIT);
    const silent = await raw(line);
    await vi.waitFor(() => expect(silent.seen.closed).toBe('PB_HELLO_TIMEOUT'), WAIT);
  });

  it('answers calls, each with its own answer', async () => {
    const { client } = await opened();
    const lengths = [5, 0, 300, 7];
    const answers = await Promise.all(lengths.map((n) => client.call('config.validate', { yaml: 'x'.repeat(n) })));
    expect(answers.map((answer) => answer.problems[0]?.message)).toEqual(lengths.map(String));
  });

  it('hands over coded errors with place and details, and never a stack', async () => {
    const { client } = await opened();
    const coded = await refused(client.call('flow.pause', { name: 'coded' }));
    expect(coded.wire).toEqual({
      code: 'PB_CONFIG_CONFLICT',
      message: 'The config changed meanwhile: version 3 runs, the change was made on 2',
      remedy: 'Reload the running config and make the change again.',
      place: 'startup.yaml:3:1',
      details: { running: 3, base: 2 },
    });
    const plain = await refused(client.call('flow.pause', { name: 'plain' }));
    expect(plain.code).toBe('PB_INTERNAL');
    expect(JSON.stringify(plain.wire)).not.toContain('engine.ts');
    expect((await refused(client.call('flow.resume', { name: 'a' }))).code).toBe('PB_INTERNAL');
    expect((await refused(client.call('flow.pause', { name: 'cyclic' }))).code).toBe('PB_INTERNAL');
    expect((await refused(client.call('status.get', {}))).code).toBe('PB_INTERNAL');
  });

  it('names the nearest call or stream for one that is not there', async () => {
    const { client } = await opened();
    const call = await refused(client.call('flow.pauze' as 'flow.pause', { name: 'a' }));
    expect(call.code).toBe('PB_UNKNOWN_METHOD');
    expect(call.message).toContain('did you mean flow.pause?');
    expect((await refused(client.call('constructor' as 'flow.pause', { name: 'a' }))).code).toBe('PB_UNKNOWN_METHOD');
    const error = await new Promise<Error>((resolve) =>
      client.subscribe('event' as 'events', {}, () => undefined, { onError: resolve }),
    );
    expect(error).toMatchObject({
      code: 'PB_UNKNOWN_STREAM',
      message: 'There is no stream event; did you mean events?',
    });
  });

  it('checks parameters before a handler sees them', async () => {
    const { client } = await opened();
    const error = await refused(client.call('flow.pause', { name: 7 as unknown as string }));
    expect(error).toMatchObject({ code: 'PB_BAD_PARAMETERS', place: 'name' });
    const stream = await new Promise<Error>((resolve) =>
      client.subscribe('logs', { instance: 7 as unknown as string }, () => undefined, { onError: resolve }),
    );
    expect(stream).toMatchObject({ code: 'PB_BAD_PARAMETERS' });
  });

  it('lets a reading client read and change nothing', async () => {
    const { client } = await opened({ access: 'read' });
    await expect(client.call('config.validate', { yaml: '' })).resolves.toBeDefined();
    for (const call of [
      client.call('flow.pause', { name: 'a' }),
      client.call('control.link', {}),
      client.call('setup.demo', {}),
    ]) {
      expect((await refused(call)).code).toBe('PB_READ_ONLY');
    }
  });

  it('cancels the one call that was given up', async () => {
    const { engine, client } = await opened();
    const control = new AbortController();
    const other = client.call('flow.drain', { name: 'other' });
    const given = client.call('flow.drain', { name: 'given-up' }, { signal: control.signal });
    const outcomes = Promise.allSettled([given, other]);
    await vi.waitFor(() => expect(engine.pending).toBe(2), WAIT);
    control.abort();
    expect((await refused(given)).code).toBe('PB_CANCELLED');
    await vi.waitFor(() => expect(engine.aborted).toEqual(['given-up']), WAIT);
    expect(engine.pending).toBe(1);
    client.close();
    await outcomes;
  });

  it('keeps items in order and ends a stream as its producer says', async () => {
    const { engine, client } = await opened();
    const ids: number[] = [];
    const subscription = client.subscribe('events', {}, (event) => void ids.push(event.id), { credit: 50 });
    await vi.waitFor(() => expect(ids.length).toBeGreaterThan(2000), WAIT);
    subscription.close();
    const count = ids.length;
    expect(ids).toEqual(Array.from({ length: count }, (_, i) => i + 1));
    await vi.waitFor(() => expect(engine.running.size).toBe(0), WAIT);

    const states: SubscriptionState['name'][] = [];
    const lines: string[] = [];
    client.subscribe('logs', { instance: 'ends' }, (line) => void lines.push(line.message), {
      onState: (state) => states.push(state.name),
    });
    await vi.waitFor(() => expect(states).toEqual(['open', 'ended']), WAIT);
    expect(lines).toEqual(['the only one']);
    const error = await new Promise<Error>((resolve) =>
      client.subscribe('logs', { instance: 'fails' }, () => undefined, { onError: resolve }),
    );
    expect(error).toMatchObject({ code: 'PB_CONFIG_CONFLICT' });
    expect(engine.stopped).toBe(3);
    expect(ids).toHaveLength(count);
  });

  it('never sends an item beyond credit', async () => {
    const { client } = await opened();
    const ids: number[] = [];
    const subscription = client.subscribe('events', {}, (event) => void ids.push(event.id), {
      credit: 3,
      manual: true,
    });
    // Frames keep their order: what had been sent before an answer is here before it.
    const settled = () => client.call('config.validate', { yaml: '' });
    await settled();
    expect(ids).toEqual([1, 2, 3]);
    subscription.more(2);
    await settled();
    expect(ids).toEqual([1, 2, 3, 4, 5]);
    const none: number[] = [];
    client.subscribe('events', {}, (event) => void none.push(event.id), { credit: 0, manual: true });
    await settled();
    expect(none).toEqual([]);
  });

  it('gives credit back only when the consumer is done with an item', async () => {
    const { client } = await opened();
    let underWay = 0;
    let most = 0;
    let done = 0;
    const release: (() => void)[] = [];
    client.subscribe(
      'events',
      {},
      () => {
        most = Math.max(most, ++underWay);
        return new Promise<void>((resolve) => {
          release.push(() => {
            underWay--;
            done++;
            resolve();
          });
        });
      },
      { credit: 4 },
    );
    await vi.waitFor(() => {
      release.shift()?.();
      expect(done).toBeGreaterThan(40);
    }, WAIT);
    expect(most).toBe(4);
  });

  it('stops streams and cancels calls of a client that vanished', async () => {
    const { engine, line } = await start();
    const { carrier, send } = await raw(line);
    send(HELLO);
    send({ t: 'subscribe', id: 1, stream: 'events', params: {}, credit: 1 });
    send({ t: 'call', id: 2, method: 'flow.drain', params: { name: 'vanished' } });
    await vi.waitFor(() => expect([engine.running.size, engine.pending]).toEqual([1, 1]), WAIT);
    carrier.close();
    await vi.waitFor(() => expect([engine.running.size, engine.pending, engine.stopped]).toEqual([0, 0, 1]), WAIT);
    expect(engine.aborted).toEqual(['vanished']);
    await line.served[0]?.closed;
  });

  it('reconnects by itself, rejects what was pending, restores streams and notices a new engine', async () => {
    const { engine, line, client } = await opened();
    const states: ConnectionState[] = [];
    const epochs: string[] = [];
    const streamStates: SubscriptionState[] = [];
    client.onState((state) => states.push(state));
    client.onEpoch((epoch) => epochs.push(epoch));
    const ids: number[] = [];
    client.subscribe('events', {}, (event) => void ids.push(event.id), {
      credit: 2,
      manual: true,
      onState: (state) => streamStates.push(state),
    });
    const pending = refused(client.call('flow.drain', { name: 'a' }));
    await vi.waitFor(() => expect(ids).toEqual([1, 2]), WAIT);

    engine.epoch = 'second';
    line.served[0]?.close();
    const error = await pending;
    expect(error.code).toBe('PB_DISCONNECTED');
    expect(error.message).toContain('The gateway is stopping');
    expect((await refused(client.call('config.validate', { yaml: '' }))).code).toBe('PB_DISCONNECTED');
    await client.opened();
    await vi.waitFor(() => expect(ids).toEqual([1, 2, 1, 2]), WAIT);
    expect(epochs).toEqual(['second']);
    expect(streamStates.map((state) => state.name)).toEqual(['open', 'waiting', 'open']);
    expect(streamStates[0]).toMatchObject({ restored: false, newEpoch: false });
    expect(streamStates[2]).toMatchObject({ restored: true, newEpoch: true });
    expect(states[0]).toMatchObject({ name: 'connecting', reason: { code: 'PB_GATEWAY_STOPPING' } });
    expect(states.at(-1)).toMatchObject({ name: 'open', epoch: 'second' });
    expect(engine.running.size).toBe(1);
  });

  it('carries big frames both ways and refuses what is too big', async () => {
    const { line, client } = await opened();
    const asked = await client.call('config.validate', { yaml: 'ü'.repeat(1024 * 1024) });
    expect(asked.problems[0]?.message).toBe(String(1024 * 1024));
    const { yaml } = await client.call('config.version', { version: 8 * 1024 * 1024 });
    expect(yaml).toHaveLength(8 * 1024 * 1024);

    const { frames, seen, send } = await raw(line);
    send(HELLO);
    send({ t: 'call', id: 1, method: 'config.validate', params: { yaml: 'x'.repeat(4 * 1024 * 1024) } });
    await vi.waitFor(() => expect(seen.closed).toBe('PB_FRAME_TOO_LARGE'), WAIT);
    expect(codes(frames)).toEqual(['PB_FRAME_TOO_LARGE']);
  });

  it('answers garbage with a coded error, goes on, and closes when there is no end to it', async () => {
    const { line } = await start();
    const { frames, seen, send } = await raw(line);
    send(HELLO);
    const garbage = [
      '',
      '{',
      'null',
      '[]',
      '{"t":"dance","id":1}',
      '{"t":"call","id":-1,"method":"x"}',
      '{"t":"call","id":7}',
      `{"t":"cancel","id":1,"deep":${'['.repeat(200)}${']'.repeat(200)}}`,
    ];
    for (const text of garbage) send(text);
    send({ t: 'call', id: 9, method: 'config.validate', params: { yaml: '' } });
    await vi.waitFor(() => expect(frames.at(-1)).toMatchObject({ t: 'result', id: 9 }), WAIT);
    expect(codes(frames)).toEqual(garbage.map(() => 'PB_BAD_FRAME'));
    expect(frames.filter((frame) => frame.t === 'error' && frame.id === 7)).toHaveLength(1);
    for (let i = 0; i < 3; i++) send('more of it');
    await vi.waitFor(() => expect(seen.closed).toBe('PB_TOO_MANY_FAULTS'), WAIT);
  });

  it('takes what is no text for garbage', async () => {
    const { line } = await start();
    const { seen } = await raw(line, () => line.nonsense());
    await vi.waitFor(() => expect(seen.closed).toBe('PB_BAD_FRAME'), WAIT);
  });

  it('bounds calls, streams and credit of one client', async () => {
    const { engine, line } = await start({ limits: { calls: 2, subscriptions: 2, credit: 10 } });
    const { frames, send } = await raw(line);
    send(HELLO);
    for (const id of [1, 2, 3]) send({ t: 'call', id, method: 'flow.drain', params: { name: 'a' } });
    for (const id of [4, 5, 6]) send({ t: 'subscribe', id, stream: 'events', credit: 0 });
    await vi.waitFor(() => expect(codes(frames)).toEqual(['PB_TOO_MANY_CALLS', 'PB_TOO_MANY_SUBSCRIPTIONS']), WAIT);
    send({ t: 'credit', id: 4, credit: 11 });
    await vi.waitFor(() => expect(codes(frames)).toContain('PB_BAD_CREDIT'), WAIT);
    expect(engine.running.size).toBe(1);
    for (const credit of [-1, 0.5, 1e300]) send({ t: 'subscribe', id: 8, stream: 'events', credit });
    await vi.waitFor(() => expect(codes(frames).filter((code) => code === 'PB_BAD_CREDIT')).toHaveLength(4), WAIT);
    expect(engine.running.size).toBe(1);
  });

  it('holds streams back for a client that never reads, and cuts it when there is more to say', async () => {
    const { engine, line } = await start({ limits: { highWater: 256 * 1024, unread: 1024 * 1024 } });
    const mute = await line.mute();
    mute.send(JSON.stringify(HELLO));
    mute.send(JSON.stringify({ t: 'subscribe', id: 1, stream: 'logs', params: {}, credit: 1024 }));
    await vi.waitFor(() => expect(engine.running.size).toBe(1), WAIT);
    let id = 2;
    await vi.waitFor(() => {
      mute.send(JSON.stringify({ t: 'call', id: id++, method: 'config.version', params: { version: 1024 * 1024 } }));
      expect(line.faults.map((fault) => fault.code)).toEqual(['PB_SLOW_CLIENT']);
    }, WAIT);
    await line.served[0]?.closed;
    expect(engine.running.size).toBe(0);
  });

  it('goes on with a stream that was held back as soon as the client has read', async () => {
    const { line } = await start({ limits: { highWater: 128 * 1024 } });
    const client = connected(line);
    let lines = 0;
    client.subscribe('logs', {}, () => void lines++, { credit: 300, manual: true });
    await vi.waitFor(() => expect(lines).toBe(300), WAIT);
  });

  it('cuts a client that makes no progress at all', async () => {
    const { engine, line } = await start({ limits: { highWater: 256 * 1024, stall: 100 } });
    const mute = await line.mute();
    mute.send(JSON.stringify(HELLO));
    mute.send(JSON.stringify({ t: 'subscribe', id: 1, stream: 'logs', params: {}, credit: 1024 }));
    await vi.waitFor(() => expect(line.faults.map((fault) => fault.code)).toEqual(['PB_SLOW_CLIENT']), WAIT);
    await line.served[0]?.closed;
    expect(engine.running.size).toBe(0);
  });
});
