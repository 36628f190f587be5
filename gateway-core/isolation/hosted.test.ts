/** Instances that fail: tried again with back-off, to a limit, and again when someone asks for it. */
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { stepCounters } from '../flow/counters.ts';
import { SourceFeed } from '../flow/source-feed.ts';
import { DeadLetters } from '../delivery/dead-letters.ts';
import { SinkQueue } from '../delivery/sink-queue.ts';
import type { SpoolReader } from '../delivery/spool-reader.ts';
import { TapPoint } from '../live/tap-point.ts';
import {
  defineHandler,
  defineSink,
  defineSource,
  NotConnectedError,
  type Context,
  type Handler,
} from '../plugin-api/index.ts';
import { createMessage } from '../plugin-api/message.ts';
import type { WorkerStorage } from '../storage/storage.ts';
import { HostedHandler } from './hosted-handler.ts';
import { HostedSink } from './hosted-sink.ts';
import { HostedSource } from './hosted-source.ts';
import type { ContextServices } from './instance-context.ts';
import { PluginMetrics } from './plugin-metrics.ts';
import type { InstanceSpec } from './spec.ts';

const spec = (kind: InstanceSpec['kind'], stateful = false): InstanceSpec => ({
  name: 'acme',
  kind,
  plugin: 'acme@1.0.0',
  moduleUrl: '',
  config: {},
  project: 'default',
  concurrency: 1,
  secrets: [],
  buffer: 'memory',
  whenFull: 'block',
  maxBytes: 0,
  custody: '',
  stateful,
});
const quiet = (): void => undefined;
const services: ContextServices = {
  storage: {} as WorkerStorage,
  metrics: new PluginMetrics(),
  logger: () => ({ debug: quiet, info: quiet, warn: quiet, error: quiet }),
  amqp: () => {
    throw new Error('no AMQP here');
  },
  notice: quiet,
};

beforeEach(() => void vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance'] }));
afterEach(() => void vi.useRealTimers());

/** Lets all planned tries happen. */
async function triesUntil(over: () => boolean): Promise<void> {
  for (let i = 0; i < 1000 && !over(); i++) await vi.advanceTimersByTimeAsync(1000);
}

describe('a source', () => {
  it('that fails 20 times in a row stays down, says why, and begins again when asked', async () => {
    const states: [string, string][] = [];
    let [starts, away] = [0, true];
    const definition = defineSource({
      create: () => ({
        start() {
          starts++;
          if (away) throw new NotConnectedError('nobody there');
        },
        stop: quiet,
        close: quiet,
      }),
    });
    const feed = new SourceFeed('acme', stepCounters(), new TapPoint());
    const hosted = new HostedSource(spec('source'), definition, feed, services, (state, reason) =>
      states.push([state, reason]),
    );
    await hosted.begin();
    await triesUntil(() => states.at(-1)?.[0] === 'failed');
    expect(states.at(-1)).toEqual(['failed', 'nobody there; given up after 20 tries']);
    expect(starts).toBe(21);
    await vi.advanceTimersByTimeAsync(600_000);
    expect(starts).toBe(21);
    away = false;
    await hosted.begin();
    expect(states.at(-1)?.[0]).toBe('running');
    await hosted.end(0);
  });
});

describe('a handler', () => {
  const message = createMessage('in', 'default', { data: '' });

  async function begin(make: (context: Context<unknown>, life: number) => Handler, stateful = false) {
    const states: [string, string][] = [];
    let lives = 0;
    const definition = defineHandler<unknown>({ create: (context) => make(context, ++lives) });
    const hosted = await HostedHandler.begin(
      spec('handler', stateful),
      definition,
      stepCounters(),
      new TapPoint(),
      services,
      (state, reason) => states.push([state, reason]),
    );
    return { hosted, states, lives: () => lives, definition };
  }

  it('that fails again and again gets a new life with growing pauses, and stays down after 20', async () => {
    const { states, lives } = await begin((context) => ({
      open: () => void setTimeout(() => context.fail(new Error('lost it')), 10),
      handle: (batch) => batch,
    }));
    await triesUntil(() => states.at(-1)?.[0] === 'failed');
    expect(states.at(-1)).toEqual(['failed', 'lost it; given up after 20 restarts']);
    expect(lives()).toBe(21);
    expect(
      states.some(([state, reason]) => state === 'retrying' && /restarted in (1[5-9]|2\d|30) s/.test(reason)),
    ).toBe(true);
  });

  it('gives messages back while it can not be opened, and takes them when it can', async () => {
    let away = false;
    const { hosted, states } = await begin((context, life) => ({
      open() {
        if (away) throw new NotConnectedError('nobody there');
        if (life === 1) setTimeout(() => context.fail(new Error('lost it')), 10);
      },
      handle: (batch) => batch,
    }));
    away = true;
    await triesUntil(() => states.some(([, reason]) => reason.includes('nobody there')));
    expect(await hosted.step.handle([message])).toEqual([expect.objectContaining({ code: 'PB_HANDLER_STOPPED' })]);
    away = false;
    await triesUntil(() => states.at(-1)?.[0] === 'running');
    expect(await hosted.step.handle([message])).toEqual([message]);
    await hosted.end();
  });

  it('keeps messages waiting between two lives, and gives them back when there is no next one', async () => {
    const { hosted, definition } = await begin(() => ({ handle: (batch) => batch }));
    await hosted.end();
    let over = false;
    const waiting = Promise.resolve(hosted.step.handle([message])).finally(() => (over = true));
    await vi.advanceTimersByTimeAsync(1000);
    expect(over).toBe(false);
    const next = await HostedHandler.begin(
      spec('handler'),
      definition,
      stepCounters(),
      new TapPoint(),
      services,
      quiet,
      hosted.access,
    );
    expect(await waiting).toEqual([message]);
    await next.end();
    const late = Promise.resolve(next.step.handle([message]));
    next.step.end();
    expect(await late).toEqual([expect.objectContaining({ code: 'PB_HANDLER_STOPPED' })]);
  });

  it('that remembers is closed before its next life is opened, with its last commit done', async () => {
    const order: string[] = [];
    let open: () => void = quiet;
    const { hosted, definition } = await begin(
      (_, life) => ({
        open: () => void order.push(`open ${life}`),
        close: () => void order.push(`close ${life}`),
        handle: (batch) => batch,
        async settled() {
          order.push(`commit ${life}`);
          if (life === 1) await new Promise<void>((resolve) => (open = resolve));
          order.push(`committed ${life}`);
        },
      }),
      true,
    );
    const first = hosted.access.settler?.settle([message], new Map());
    const replaced = hosted.replace(spec('handler', true), { ...definition });
    await vi.advanceTimersByTimeAsync(1);
    const second = hosted.access.settler?.settle([message], new Map());
    open();
    await Promise.all([first, replaced, second]);
    expect(order).toEqual(['open 1', 'commit 1', 'committed 1', 'close 1', 'open 2', 'commit 2', 'committed 2']);
  });

  it('with `settled` must say in its manifest that it remembers', async () => {
    await expect(begin(() => ({ handle: (batch) => batch, settled: quiet }))).rejects.toMatchObject({
      code: 'PB_PLUGIN_SHAPE',
    });
  });
});

describe('a sink', () => {
  it('whose connection stands but that cannot be opened on it does not pass for running', async () => {
    const states: [string, string][] = [];
    const onState = (state: string, reason: string): void => void states.push([state, reason]);
    let refused = true;
    const definition = defineSink({
      custody: 'remote',
      create: (context) => ({
        open() {
          setTimeout(() => context.health({ state: 'running' }), 10);
          if (refused) throw new NotConnectedError('the link was refused');
        },
        write: quiet,
        close: quiet,
      }),
    });
    const queue = new SinkQueue({
      name: 'acme',
      concurrency: 1,
      maxMessages: 10,
      maxBytes: 1000,
      whenFull: 'block',
      deadlineMs: Infinity,
      writeMs: 1000,
      deadLetters: new DeadLetters(async () => undefined, quiet),
      onState,
    });
    const reader = { start: quiet, end: quiet } as unknown as SpoolReader;
    const hosted = new HostedSink(spec('sink'), definition, queue, reader, services, onState);
    await hosted.begin();
    await vi.advanceTimersByTimeAsync(50);
    expect(states.at(-1)).toEqual(['retrying', expect.stringContaining('the link was refused')]);
    refused = false;
    await triesUntil(() => states.at(-1)?.[0] === 'running');
    expect(states.at(-1)?.[0]).toBe('running');
  });
});
