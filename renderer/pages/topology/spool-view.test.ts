import { describe, expect, it } from 'vitest';
import type { PipelineStatus, SinkStatus, StatusReport } from '../../../gateway-core/protocol/model.ts';
import { backlog, blockKey, blocksFrom, blocksOf, bufferFill, predictedShare, waitingBefore } from './spool-view.ts';

const sink = (change: Partial<SinkStatus> = {}): SinkStatus => ({
  custody: 'remote',
  spooled: 0,
  oldestSeconds: 0,
  state: 'running',
  queued: 0,
  queueLimit: 10_000,
  buffer: 'disk',
  spooledBytes: 0,
  spoolLimitBytes: 1000,
  whenFull: 'block',
  fullSince: 0,
  paused: false,
  circuit: 'closed',
  delivered: 0,
  refused: 0,
  retried: 0,
  dropped: 0,
  ...change,
});

describe('bufferFill', () => {
  it.each([
    [600, 'ok'],
    [601, 'warn'],
    [850, 'warn'],
    [851, 'bad'],
  ] as const)('%i of 1000 bytes is %s', (spooledBytes, tone) => {
    expect(bufferFill(sink({ spooledBytes }))).toEqual({ share: spooledBytes / 1000, tone });
  });

  it('goes by bytes on disk, by messages in memory, and is red when nothing more is taken', () => {
    const queued = { queued: 9000, queueLimit: 10_000 };
    expect(bufferFill(sink({ ...queued, spooledBytes: 10 }))).toEqual({ share: 0.01, tone: 'ok' });
    expect(bufferFill(sink({ ...queued, buffer: 'memory' }))).toEqual({ share: 0.9, tone: 'bad' });
    expect(bufferFill(sink({ spooledBytes: 100, fullSince: 5 }))?.tone).toBe('bad');
    expect(bufferFill(sink({ spoolLimitBytes: 0 }))).toBeUndefined();
  });
});

describe('backlog', () => {
  it('is silent about what passes through', () => {
    expect(backlog(sink({ spooled: 400, oldestSeconds: 0.4 }))).toBe('');
    expect(backlog(sink({ oldestSeconds: 9 }))).toBe('');
  });

  it('speaks of what stays', () => {
    expect(backlog(sink({ spooled: 1, oldestSeconds: 5 }))).toBe('waiting');
    expect(backlog(sink({ spooled: 1, circuit: 'open' }))).toBe('waiting');
    expect(backlog(sink({ spooled: 1, paused: true }))).toBe('waiting');
    expect(backlog(sink({ spooled: 1, spooledBytes: 700 }))).toBe('waiting');
    expect(backlog(sink({ spooled: 1, fullSince: 7 }))).toBe('full');
  });

  it('counts what lies in memory where there is no spool', () => {
    expect(waitingBefore(sink({ buffer: 'memory', queued: 3, spooled: 0 }))).toBe(3);
    expect(waitingBefore(sink({ queued: 3, spooled: 8 }))).toBe(8);
  });
});

it('predicts where the bar will be in ten minutes', () => {
  expect(predictedShare(0.5, 1200)).toBeCloseTo(0.75);
  expect(predictedShare(0.5, 600)).toBe(1);
  expect(predictedShare(0.5, 60)).toBe(1);
  expect(predictedShare(0.5, undefined)).toBeUndefined();
});

describe('blocksOf', () => {
  const pipeline = (change: Partial<PipelineStatus>) => ({ state: 'blocked', blockedBy: [], ...change });
  const report = {
    pipelines: {
      a: pipeline({ blockedBy: ['search', 'mail'] }),
      b: pipeline({ blockedBy: ['search'] }),
      c: pipeline({ blockedBy: ['search'], state: 'paused' }),
      d: pipeline({ state: 'running' }),
    },
    sinks: { search: sink({ fullSince: 1000 }), mail: sink({ buffer: 'memory' }) },
    needsYou: [],
  } as unknown as StatusReport;

  it('says who waits for whom, why and since when', () => {
    expect(blocksOf(report, ['a', 'b', 'c', 'd'])).toEqual([
      { sink: 'mail', cause: 'memoryFull', since: 0, pipelines: ['a'] },
      { sink: 'search', cause: 'spoolFull', since: 1000, pipelines: ['a', 'b'] },
    ]);
    expect(blocksOf(report, ['d'])).toEqual([]);
    expect(blocksOf(undefined, ['a'])).toEqual([]);
  });

  it('tells a spool that fails from one that is full', () => {
    const needsYou = [{ code: 'PB_SPOOL_FAILING', subject: 'search', message: '', remedy: '', since: 1 }];
    expect(blocksOf({ ...report, needsYou }, ['b'])[0]?.cause).toBe('spoolFailing');
    const low = [{ code: 'PB_SPOOL_LOW_DISK', subject: 'search', message: '', remedy: '', since: 1 }];
    expect(blocksOf({ ...report, needsYou: low }, ['b'])[0]?.cause).toBe('diskLow');
  });

  it('survives its way through a key', () => {
    const blocks = blocksOf(report, ['a']);
    expect(blocksFrom(blockKey(blocks))).toEqual(blocks);
    expect(blocksFrom(blockKey([]))).toEqual([]);
  });
});
