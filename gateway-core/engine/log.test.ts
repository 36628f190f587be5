import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { EventReport } from '../events/report.ts';
import type { LogLine } from '../protocol/model.ts';
import { openLog, type Log, type LogOptions } from './log.ts';

let written: string;
let log: Log;
let folder: string;
let events: EventReport[];

beforeEach(() => {
  written = '';
  events = [];
  folder = mkdtempSync(join(tmpdir(), 'patchbay-log-'));
});

afterEach(async () => {
  await log.close();
  rmSync(folder, { recursive: true, force: true });
});

function open(options: LogOptions = {}): void {
  log = openLog({
    stream: { write: (text: string) => (written += text) },
    onEvent: (event) => events.push(event),
    ...options,
  });
}

const lines = (): unknown[] =>
  written
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as unknown);

describe('log', () => {
  it('writes one JSON object per line, fields apart from its own', () => {
    open();
    log.info('hello', { level: 'mine', n: 1 });
    log.child({ instance: 'scrape' }).warn('careful');
    expect(lines()).toMatchObject([
      { level: 'info', msg: 'hello', fields: { level: 'mine', n: 1 } },
      { level: 'warn', msg: 'careful', instance: 'scrape' },
    ]);
    expect((lines()[0] as { time: string }).time).toMatch(/^\d{4}-\d\d-\d\dT.*Z$/);
  });

  it('writes plain lines on a terminal, on which no message can act', () => {
    open({ stream: { write: (text: string) => (written += text), isTTY: true } });
    log.child({ instance: 'in' }).error('bad \u001b[2J\nvalue', { port: 3000, why: 'two words' });
    expect(written).toMatch(
      /^\d\d:\d\d:\d\d\.\d{3} ERROR in: bad \\u001b\[2J\\u000avalue port=3000 why="two words"\n$/,
    );
  });

  it('changes its level at run time, for children too', () => {
    open({ level: 'warn' });
    const child = log.child({ instance: 'in' });
    child.info('no');
    log.setLevel('debug');
    child.debug('yes');
    log.debug('yes too');
    log.setLevel('error');
    child.warn('no more');
    expect(log.recent().map((line) => line.message)).toEqual(['yes', 'yes too']);
    expect(lines()).toHaveLength(2);
  });

  it('shows a registered secret nowhere', async () => {
    open();
    log.writeFiles(folder);
    const heard: LogLine[] = [];
    log.subscribe((line) => heard.push(line));
    log.registerSecrets(['hunter2']);
    const error = new Error('login as hunter2 failed');
    log.child({ instance: 'x' }).info('with hunter2', { url: 'http://u:hunter2@h', error, deep: [{ a: 'hunter2' }] });
    await log.close();
    const file = readFileSync(join(folder, 'patchbay.log'), 'utf8');
    for (const text of [written, file, JSON.stringify(heard), JSON.stringify(log.recent())]) {
      expect(text).toContain('with ***');
      expect(text).not.toContain('hunter2');
    }
    expect(log.redact('a hunter2')).toBe('a ***');
  });

  it('keeps the newest lines and tells listeners, by instance', () => {
    open({ memoryLines: 3 });
    const child = log.child({ instance: 'a' });
    const heard: string[] = [];
    const end = log.subscribe((line) => heard.push(line.message), { instance: 'a' });
    for (let n = 0; n < 4; n++) (n % 2 === 0 ? child : log).info(`m${n}`);
    end();
    child.info('after');
    expect(heard).toEqual(['m0', 'm2']);
    expect(log.recent().map((line) => line.message)).toEqual(['m2', 'm3', 'after']);
    expect(log.recent({ instance: 'a' }).map((line) => line.message)).toEqual(['m2', 'after']);
  });

  it('survives a listener that throws or logs itself, fields that throw, and a stream that breaks', () => {
    open({
      stream: {
        write: () => {
          throw new Error('EPIPE');
        },
      },
    });
    log.subscribe(() => {
      log.info('from the listener');
      throw new Error('listener');
    });
    log.info('one', {
      get trap(): string {
        throw new Error('getter');
      },
    });
    log.info('two');
    expect(log.recent().map((line) => line.message)).toEqual(['two', 'from the listener']);
  });

  it('reports that its file cannot be written, and goes on', async () => {
    open();
    log.writeFiles(join(folder, 'missing'));
    log.info('hello');
    await vi.waitFor(() => expect(events).toMatchObject([{ code: 'PB_LOG_FILE' }]));
    expect(lines()).toHaveLength(1);
  });
});
