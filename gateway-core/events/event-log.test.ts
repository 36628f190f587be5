import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { CodedError } from '../engine/error.ts';
import type { GatewayEvent } from '../protocol/model.ts';
import type { EventQuery } from '../storage/storage.ts';
import { createEventLog, type EventLog, type EventLogOptions } from './event-log.ts';
import type { EventReport } from './report.ts';

/** Stands in for the storage; can be made to fail or to hang. */
class FakeStorage {
  readonly rows: GatewayEvent[] = [];
  calls = 0;
  failing = false;
  gate: Promise<void> = Promise.resolve();
  async eventsAppend(events: readonly Omit<GatewayEvent, 'id'>[]): Promise<readonly number[]> {
    this.calls++;
    await this.gate;
    if (this.failing) throw new CodedError('PB_STORE_FULL', { file: 'events.sqlite' });
    return events.map((event) => this.rows.push({ ...event, id: this.rows.length + 1 }));
  }
  eventsList(query: EventQuery): Promise<readonly GatewayEvent[]> {
    return Promise.resolve(this.rows.toReversed().slice(0, query.limit));
  }
}

let storage: FakeStorage;
let log: EventLog;
let heard: GatewayEvent[];

beforeEach(() => {
  storage = new FakeStorage();
  heard = [];
});

afterEach(async () => {
  await log.close(10);
});

function create(options: Partial<EventLogOptions> = {}): void {
  log = createEventLog({ project: 'demo', redact: (text) => text.replaceAll('hunter2', '***'), foldMs: 0, ...options });
  log.subscribe((event) => heard.push(event));
}

function happening(n: number, more: Partial<EventReport> = {}): EventReport {
  return { severity: 'info', source: 'flow', type: 'test', subject: `s${n}`, message: `m${n}`, ...more };
}

describe('EventLog', () => {
  it('stores events and tells listeners with the id of the store, in order', async () => {
    create();
    log.attach(storage);
    for (let n = 0; n < 500; n++) log.report(happening(n));
    const listed = await log.list({ limit: 2 });
    expect(listed.map((event) => event.subject)).toEqual(['s499', 's498']);
    expect(heard.map((event) => event.id)).toEqual(Array.from({ length: 500 }, (_, n) => n + 1));
    expect(heard[7]).toMatchObject({ subject: 's7', project: 'demo', version: 1, code: '', details: {} });
    expect(storage.calls).toBe(3);
  });

  it('keeps what happens before it has its store', async () => {
    create();
    log.report(happening(1));
    expect(await log.list({ limit: 5 })).toMatchObject([{ id: 0, subject: 's1' }]);
    log.attach(storage);
    expect(await log.list({ limit: 5 })).toMatchObject([{ id: 1, subject: 's1' }]);
  });

  it('masks secrets everywhere and takes any details', async () => {
    create();
    log.attach(storage);
    const circle: Record<string, unknown> = { password: 'is hunter2' };
    circle['self'] = circle;
    const details = {
      circle,
      nan: Number.NaN,
      big: 1n,
      error: new Error('hunter2!'),
      list: ['hunter2'],
      gone: undefined,
      token: 'x',
    };
    log.report(happening(1, { message: 'x hunter2 y', remedy: 'not hunter2', subject: 'hunter2', details }));
    await log.list({ limit: 1 });
    expect(JSON.stringify(storage.rows)).not.toContain('hunter2');
    expect(storage.rows[0]).toMatchObject({
      message: 'x *** y',
      details: { nan: 'NaN', big: '1', error: '***!', list: ['***'], token: '***' },
    });
  });

  it('counts and reports what it had to drop', async () => {
    create({ queueLimit: 10 });
    let open = (): void => {};
    storage.gate = new Promise((resolve) => {
      open = resolve;
    });
    log.attach(storage);
    for (let n = 0; n < 25; n++) log.report(happening(n));
    open();
    await vi.waitFor(() => expect(storage.rows).toHaveLength(11));
    expect(storage.rows[10]).toMatchObject({ code: 'PB_EVENTS_DROPPED', details: { count: 15 } });
  });

  it('tells listeners at once when the store fails, and stores when it works again, without telling twice', async () => {
    create();
    storage.failing = true;
    log.attach(storage);
    log.report(happening(1));
    await vi.waitFor(() => expect(heard).toMatchObject([{ id: 0, subject: 's1' }]));
    storage.failing = false;
    await vi.waitFor(() => expect(storage.rows).toMatchObject([{ subject: 's1' }]), 5000);
    expect(heard).toHaveLength(1);
  });

  it('folds repeats into one event with a count', async () => {
    create({ foldMs: 50 });
    log.attach(storage);
    for (let n = 0; n < 5; n++) log.report(happening(1, { code: 'PB_X', message: `try ${n}` }));
    log.report(happening(2, { code: 'PB_X' }));
    await vi.waitFor(() => expect(storage.rows).toHaveLength(3));
    expect(storage.rows.map((row) => row.message)).toEqual(['try 0', 'm2', 'try 4 (4 more times)']);
    expect(storage.rows[2]?.details).toEqual({ repeated: 4 });
  });

  it('stores folded and waiting events when it is closed, and takes no more', async () => {
    create({ foldMs: 60_000 });
    log.attach(storage);
    log.report(happening(1));
    log.report(happening(1));
    await log.close();
    log.report(happening(3));
    expect(storage.rows.map((row) => row.message)).toEqual(['m1', 'm1 (once more)']);
  });

  it('never throws, whatever listener or event', async () => {
    create();
    log.attach(storage);
    log.subscribe(() => {
      throw new Error('listener');
    });
    const after: number[] = [];
    log.subscribe((event) => after.push(event.id));
    const poisoned = happening(1, {
      details: {
        get trap(): string {
          throw new Error('getter');
        },
      },
    });
    log.report(poisoned);
    log.report(happening(2));
    await vi.waitFor(() => expect(after).toEqual([1, 2]));
    expect(storage.rows).toMatchObject([{ subject: 's2' }, { code: 'PB_EVENTS_DROPPED', details: { count: 1 } }]);
  });

  it('ends closing when the store hangs', async () => {
    create();
    storage.gate = new Promise(() => {});
    log.attach(storage);
    log.report(happening(1));
    await log.close(20);
    expect(storage.rows).toEqual([]);
  });
});
