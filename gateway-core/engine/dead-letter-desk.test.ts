import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { createEventLog } from '../events/event-log.ts';
import type { EventReport } from '../events/report.ts';
import { pack } from '../flow/pack.ts';
import { createMessage } from '../plugin-api/message.ts';
import type { ExportItem } from '../protocol/dead-letters.ts';
import type { StreamOut } from '../protocol/handlers.ts';
import { openStorage } from '../storage/open-storage.ts';
import { DEFAULT_LIMITS, type Storage } from '../storage/storage.ts';
import { DeadLetterDesk, type DeskOptions } from './dead-letter-desk.ts';

let folder: string;
let storage: Storage;
let reports: EventReport[];

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'patchbay-desk-'));
  reports = [];
  const quiet = (): void => undefined;
  storage = await openStorage({
    folder,
    onEvent: quiet,
    log: { debug: quiet, info: quiet, warn: quiet, error: quiet },
  });
});
afterEach(async () => {
  await storage.close();
  rmSync(folder, { recursive: true, force: true });
});

const packed = (id: string): Uint8Array => pack([createMessage('in', 'p', { id, data: `data of ${id}` })]);

async function add(...letters: { id: string; packed?: Uint8Array }[]): Promise<void> {
  await storage.deadLettersAdd(
    letters.map(({ id, packed: given }) => ({
      time: 1,
      pipeline: 'p',
      instance: 'h',
      origin: 'in',
      messageId: id,
      code: 'ACME',
      cause: 'told s3cret',
      attempts: 1,
      place: 'handler',
      stack: 'Error: s3cret',
      packed: given ?? packed(id),
    })),
  );
}

function desk(options: Partial<DeskOptions> = {}): DeadLetterDesk {
  return new DeadLetterDesk({
    letters: storage.letters,
    ways: () => ({ config: null, idleReason: () => undefined, isPaused: () => false }),
    inject: async () => ({ not: 'absent' }),
    bounds: () => DEFAULT_LIMITS.deadLetters,
    remedyOf: (code) => `remedy of ${code}`,
    redact: (text) => text.replaceAll('s3cret', '***'),
    report: (event) => reports.push(event),
    ...options,
  });
}

const all = { filter: {} } as const;

describe('the desk', () => {
  it('shows a letter with its remedy, secrets masked', async () => {
    await add({ id: 'a' });
    expect(await desk().show({ id: 1 })).toMatchObject({
      cause: 'told ***',
      stack: 'Error: ***',
      remedy: 'remedy of ACME',
      letter: { cause: 'told ***' },
      message: { event: { id: 'a' } },
    });
    expect((await desk().summary({})).groups[0]?.cause).toBe('told ***');
  });

  it('lists and discards a letter that cannot be read, and says so when it is shown', async () => {
    await add({ id: 'a', packed: new Uint8Array([1, 2, 3]) });
    expect((await desk().list({})).letters).toHaveLength(1);
    const detail = await desk().show({ id: 1 });
    expect(detail.message).toBeUndefined();
    expect(detail.problem).toMatchObject({ code: 'PB_LETTER_DAMAGED' });
    await expect(desk().edit({ id: 1, revision: 0, change: { type: 't' } }, 'me')).rejects.toMatchObject({
      code: 'PB_LETTER_DAMAGED',
    });
    expect(await desk().discard({ selection: { ids: [1] }, reason: 'broken' }, 'me')).toEqual({ discarded: 1 });
  });

  it('discards nothing without a reason, and reports each act with its own', async () => {
    await add({ id: 'a' }, { id: 'b' });
    await expect(desk().discard({ selection: all, reason: ' \n' }, 'me')).rejects.toMatchObject({
      code: 'PB_LETTER_REASON',
    });
    expect((await storage.letters.kept()).count).toBe(2);
    const events = createEventLog({ project: 'p', redact: (text) => text });
    const at = desk({ report: (event) => events.report(event) });
    await at.discard({ selection: { ids: [1] }, reason: 'first' }, 'me');
    await at.discard({ selection: { ids: [2] }, reason: 'second' }, 'me');
    expect((await events.list({ limit: 10 })).map(({ details }) => details['reason'])).toEqual(['second', 'first']);
    await events.close();
  });

  it('changes nothing that a retry has in hand', async () => {
    await add({ id: 'a' }, { id: 'b' });
    let answer = (): void => undefined;
    const config = {
      pipelines: new Map([['p', { name: 'p', from: ['in'], through: ['h'], to: [], enabled: true }]]),
    } as never;
    const at = desk({
      ways: () => ({ config, idleReason: () => undefined, isPaused: () => false }),
      inject: () => new Promise((resolve) => (answer = () => resolve({ outcomes: [{ kind: 'delivered' }] }))),
    });
    const { job } = await at.retry({ selection: { ids: [1] }, to: 'place' }, 'me');
    await vi.waitUntil(async () => (await at.list({})).letters.some(({ busy }) => busy));
    const busy = { code: 'PB_LETTER_BUSY' };
    await expect(at.edit({ id: 1, revision: 0, change: { type: 't' } }, 'me')).rejects.toMatchObject(busy);
    await expect(at.discard({ selection: { ids: [1] }, reason: 'r' }, 'me')).rejects.toMatchObject(busy);
    await expect(at.retry({ selection: { ids: [1] }, to: 'start' }, 'me')).rejects.toMatchObject(busy);
    expect(await at.discard({ selection: all, reason: 'r' }, 'me')).toEqual({ discarded: 1 });
    expect(() => at.cancel({ job: 'another' })).toThrow(expect.objectContaining({ code: 'PB_RETRY_UNKNOWN' }));
    at.cancel({ job });
    answer();
    await at.stop();
    expect((await storage.letters.kept()).count).toBe(0);
    expect(reports.map(({ type }) => type)).toEqual([
      'deadletters.retry',
      'deadletters.discarded',
      'deadletters.retried',
    ]);
  });

  it('exports as far as there is credit, oldest first, and then ends', async () => {
    await add({ id: 'a' }, { id: 'b', packed: new Uint8Array([1]) }, { id: 'c' });
    const items: ExportItem[] = [];
    let credit = 0;
    let wake = (): void => undefined;
    let ended = false;
    const out: StreamOut<ExportItem> = {
      get ready() {
        return credit > 0;
      },
      send: (item) => {
        if (credit === 0) return false;
        credit--;
        items.push(item);
        return true;
      },
      onReady: (listener) => (wake = listener),
      end: () => (ended = true),
    };
    desk().export(all, out);
    await storage.letters.kept();
    expect(items).toEqual([]);
    await add({ id: 'later' });
    credit = 2;
    wake();
    await vi.waitUntil(() => ended);
    expect(items.flatMap(({ events }) => events)).toMatchObject([
      { specversion: '1.0', id: 'a', data: 'data of a', refusedcode: 'ACME', refusedcause: 'told ***', refusedby: 'h' },
      { id: 'c', pipeline: 'p', attempts: 1 },
    ]);
    expect(items.flatMap(({ unreadable }) => unreadable)).toEqual([2]);
  });

  it('says which letter is not there', async () => {
    const unknown = { code: 'PB_LETTER_UNKNOWN' };
    await expect(desk().show({ id: 7 })).rejects.toMatchObject(unknown);
    await expect(desk().retry({ selection: { ids: [7] }, to: 'place' }, 'me')).rejects.toMatchObject(unknown);
    await expect(desk().retry({ selection: all, to: 'place' }, 'me')).rejects.toMatchObject({
      code: 'PB_LETTERS_NONE',
    });
  });
});
