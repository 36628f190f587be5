import { readFileSync } from 'node:fs';
import type { Static } from 'typebox';
import { describe, expect, it } from 'vitest';
import type { CallName, Calls, StreamName, Streams } from '../protocol/contract.ts';
import { callSchemas, checkCall, checkStream, streamSchemas } from './parameters.ts';

/** Names declared in one interface of contract.ts, read from its text: types leave nothing at run time. */
function declared(name: string): string[] {
  const text = readFileSync(new URL('../protocol/contract.ts', import.meta.url), 'utf8');
  const start = text.indexOf(`export interface ${name} {`);
  const body = text.slice(start, text.indexOf('\n}', start));
  return [...body.matchAll(/^ {2}'?([\w.]+)'?: \{/gm)].map((match) => match[1] ?? '').toSorted();
}

// What a schema lets through must be what the handler is typed for; this compiles or it does not.
type Fits<Schema, Params> = Schema extends Params ? true : false;
const callsFit: { [Name in CallName]: Fits<Static<(typeof callSchemas)[Name]>, LooseOptional<Calls[Name]['params']>> } =
  Object.fromEntries(Object.keys(callSchemas).map((name) => [name, true])) as never;
const streamsFit: {
  [Name in StreamName]: Fits<Static<(typeof streamSchemas)[Name]>, LooseOptional<Streams[Name]['params']>>;
} = Object.fromEntries(Object.keys(streamSchemas).map((name) => [name, true])) as never;
type AllTrue<Table> = { [Key in keyof Table]: true };
/** typebox's optional keys also admit undefined; JSON has none. */
type LooseOptional<T> = T extends object
  ? { [Key in keyof T]: undefined extends T[Key] ? T[Key] | undefined : T[Key] }
  : T;
const everyCall: AllTrue<typeof callsFit> = callsFit;
const everyStream: AllTrue<typeof streamsFit> = streamsFit;

describe('parameter schemas', () => {
  it('exist for every call and stream of the contract, and for nothing else', () => {
    expect(declared('Calls').length).toBeGreaterThan(20);
    expect(Object.keys(everyCall).toSorted()).toEqual(declared('Calls'));
    expect(Object.keys(everyStream).toSorted()).toEqual(declared('Streams'));
  });

  it('let good parameters pass', () => {
    expect(checkCall('status.get', {})).toBeUndefined();
    expect(
      checkCall('config.edit', {
        edits: [
          { op: 'set', path: ['sinks', 's'], value: { a: 1 } },
          { op: 'delete', path: ['x', 0] },
        ],
      }),
    ).toBeUndefined();
    expect(checkCall('plugins.check', { kind: 'sink', plugin: 'p', instance: 'i', config: null })).toBeUndefined();
    expect(
      checkStream('live', { instance: 'decode', where: 'true', text: 'x', budget: { rowsPerSecond: 10 }, full: true }),
    ).toBeUndefined();
  });

  it('want the letters that are meant to be named', () => {
    expect(checkCall('deadletters.discard', { selection: { ids: [1] }, reason: 'r' })).toBeUndefined();
    expect(checkCall('deadletters.retry', { selection: { filter: {} }, to: 'start' })).toBeUndefined();
    for (const selection of [{}, { ids: [] }, { ids: [0] }, { ids: [1], filter: {} }, { filter: { name: 'x' } }])
      expect(checkCall('deadletters.discard', { selection, reason: 'r' }), JSON.stringify(selection)).toBeDefined();
    expect(checkCall('deadletters.discard', { selection: { ids: [1] } })).toBeDefined();
    expect(checkCall('deadletters.retry', { selection: { ids: [1] }, to: 'there' })).toBeDefined();
    expect(checkCall('deadletters.edit', { id: 1, revision: 0, change: {} })).toBeDefined();
  });

  it('name the place and what is wrong with it', () => {
    expect(checkCall('flow.pause', {})).toEqual({ place: '', what: 'lacks name' });
    expect(checkCall('flow.pause', { name: 1 })).toEqual({ place: 'name', what: 'name must be string' });
    expect(checkCall('flow.pause', { name: 'a', force: true })).toEqual({ place: '', what: 'has no parameter force' });
    expect(checkCall('status.get', [])?.what).toBe('must be object');
    expect(checkStream('live', { instance: 'a', budget: { rows: 1 } })).toEqual({
      place: 'budget',
      what: 'budget has no parameter rows',
    });
    expect(checkCall('live.page', { tap: 't', before: 1.5, limit: 10 })?.place).toBe('before');
    expect(checkCall('live.page', { tap: 't', before: 1, limit: 1e9 })?.place).toBe('limit');
  });
});
