import { expect, it } from 'vitest';
import type { SpoolState } from '../storage/spool-wire.ts';
import { orphanNeed, spoolNeeds } from './spool-needs.ts';

const spool = (change: Partial<SpoolState> = {}): SpoolState => ({
  messages: 5,
  bytes: 100,
  maxBytes: 2 ** 30,
  whenFull: 'block',
  fullSince: 0,
  oldest: 1,
  dropped: 0,
  failing: '',
  failingCode: '',
  lowDisk: undefined,
  commits: 0,
  commitSeconds: 0,
  longestCommitSeconds: 0,
  ...change,
});

it('needs nobody while there is room', () => {
  expect(spoolNeeds('out', spool())).toEqual([]);
  expect(spoolNeeds('out', undefined)).toEqual([]);
});

it('says which of three things keeps it from taking more, and since when', () => {
  const full = spool({ fullSince: 7 });
  expect(spoolNeeds('out', full)).toMatchObject([
    { code: 'PB_SPOOL_FULL', message: 'The spool of out is full (1 GiB)', subject: 'out', since: 7 },
  ]);
  const low = { ...full, lowDisk: { free: '90 MB', keep: '256 MB' } };
  expect(spoolNeeds('out', low)).toMatchObject([
    { code: 'PB_SPOOL_LOW_DISK', message: expect.stringContaining('(90 MB free)') as string, since: 7 },
  ]);
  expect(spoolNeeds('out', { ...low, failing: 'it is held' })).toMatchObject([
    { code: 'PB_SPOOL_FAILING', message: expect.stringContaining('it is held') as string, since: 7 },
  ]);
});

it('names a spool whose sink is gone, and what lies in it as far as it can be read', () => {
  const orphan = { sink: 'old', file: 'old.sqlite', messages: 12, bytes: 1, oldest: 3 };
  expect(orphanNeed(orphan)).toMatchObject({ code: 'PB_SPOOL_ORPHAN', subject: 'old', since: 3 });
  expect(orphanNeed(orphan).message).toContain('12 messages lie in the spool of old');
  expect(orphanNeed({ ...orphan, messages: -1 }).message).toContain('An unknown number of messages');
});
