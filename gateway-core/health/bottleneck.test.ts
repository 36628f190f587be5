import { describe, expect, it } from 'vitest';
import {
  bottleneckOf,
  type PipelineFigures,
  type SinkFigures,
  type StageFigures,
  type ThreadLoad,
} from './bottleneck.ts';

const stage = (name: string, of: Partial<StageFigures> = {}): StageFigures => ({
  name,
  thread: 'worker-1',
  busy: 0,
  waiting: 0,
  ...of,
});
const sink = (name: string, of: Partial<SinkFigures> = {}): SinkFigures => ({
  ...stage(name, of),
  thread: 'worker-2',
  fill: 0,
  away: false,
  ...of,
});
const calm: PipelineFigures = {
  sources: [stage('in', { busy: 0.3 })],
  handlers: [stage('decode', { busy: 0.2 })],
  sinks: [sink('scrape', { busy: 0.05 }), sink('search', { busy: 0.5 })],
  threads: new Map<string, ThreadLoad>([
    ['worker-1', { busy: 0.5, stages: [] }],
    ['worker-2', { busy: 0.5, stages: [] }],
  ]),
};

describe('the bottleneck', () => {
  it('is none while nothing waits', () => {
    expect(bottleneckOf(calm)).toBeNull();
    expect(bottleneckOf({ sources: [], handlers: [], sinks: [], threads: new Map() })).toBeNull();
  });

  it('is the sink whose queue is full, not the stages that wait for it', () => {
    const verdict = bottleneckOf({
      ...calm,
      sources: [stage('in', { waiting: 0.97 })],
      handlers: [stage('decode', { busy: 0.99 })],
      sinks: [sink('scrape', { busy: 0.05 }), sink('search', { busy: 0.98, fill: 1 })],
    });
    expect(verdict).toEqual({
      stage: 'search',
      kind: 'sink',
      why: 'full',
      reason: 'sink search: busy 98 %, queue full',
    });
  });

  it('is a sink that is away once messages wait for it', () => {
    const away = sink('search', { away: true });
    expect(bottleneckOf({ ...calm, sinks: [sink('scrape'), away] })).toBeNull();
    expect(
      bottleneckOf({ ...calm, sources: [stage('in', { waiting: 0.9 })], sinks: [sink('scrape'), away] }),
    ).toMatchObject({
      stage: 'search',
      why: 'away',
      reason: 'waits for sink search, which is away',
    });
    expect(bottleneckOf({ ...calm, sinks: [sink('scrape'), { ...away, fill: 1 }] })).toMatchObject({ why: 'away' });
    // One is away, but another is what there is no room for.
    expect(
      bottleneckOf({ ...calm, sources: [stage('in', { waiting: 0.9 })], sinks: [sink('scrape', { fill: 0.9 }), away] }),
    ).toMatchObject({ stage: 'scrape', why: 'full', reason: 'sink scrape: busy 0 %, queue 90 % full' });
  });

  it('is the handler that is always at it', () => {
    expect(
      bottleneckOf({
        ...calm,
        handlers: [stage('decode', { busy: 0.2 }), stage('lookup', { busy: 0.95, thread: 'plugin:x' })],
      }),
    ).toMatchObject({ stage: 'lookup', kind: 'handler', why: 'busy', reason: 'handler lookup: busy 95 % in plugin:x' });
  });

  it('is what takes the most of a thread without time to spare, of another pipeline too', () => {
    const load = (...stages: ThreadLoad['stages']): PipelineFigures => ({
      ...calm,
      threads: new Map([['worker-1', { busy: 0.99, stages }]]),
    });
    expect(
      bottleneckOf(
        load(
          { name: 'in', kind: 'source', busy: 0.2 },
          { name: 'decode', kind: 'handler', busy: 0.7 },
          { name: 'scrape', kind: 'sink', busy: 0.05 },
        ),
      ),
    ).toMatchObject({
      stage: 'decode',
      why: 'thread',
      reason: 'handler decode: takes 70 % of worker-1, which is busy 99 %',
    });
    expect(
      bottleneckOf(load({ name: 'in', kind: 'source', busy: 0.6 }, { name: 'other', kind: 'handler', busy: 0.3 })),
    ).toMatchObject({ stage: 'in', kind: 'source' });
    // Busy, but with none of them: it loads a plugin.
    expect(bottleneckOf(load({ name: 'decode', kind: 'handler', busy: 0.01 }))).toBeNull();
  });

  it('is the busiest stage when sources wait and none is full', () => {
    expect(
      bottleneckOf({
        ...calm,
        sources: [stage('in', { waiting: 0.5 })],
        handlers: [stage('decode', { busy: 0.2 })],
        sinks: [sink('search', { busy: 0.6 })],
      }),
    ).toMatchObject({ stage: 'search', why: 'busy' });
  });
});
