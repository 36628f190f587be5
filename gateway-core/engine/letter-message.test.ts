import { describe, expect, it } from 'vitest';
import { pack } from '../flow/pack.ts';
import type { Message, MessageInit } from '../plugin-api/index.ts';
import { createMessage } from '../plugin-api/message.ts';
import type { WholeLetter } from '../storage/storage.ts';
import { describeMessage, editMessage, readLetter } from './letter-message.ts';

const message = (init: MessageInit): Message => createMessage('in', 'project', { id: 'i', source: 's', ...init });
const utf8 = (text: string): Uint8Array => new Uint8Array(Buffer.from(text));
const described = (init: MessageInit) => describeMessage(message(init), 100);

describe('a letter’s message', () => {
  it('says in which form its payload is', () => {
    expect(described({ data: 'plain' }).payload).toEqual({ form: 'text', text: 'plain' });
    expect(described({ data: utf8('{"a":1}') }).payload).toEqual({ form: 'text-bytes', text: '{"a":1}' });
    expect(described({ data: new Uint8Array([0xff, 0]) }).payload).toEqual({ form: 'bytes', base64: '/wA=' });
    expect(described({ data: { a: NaN } }).payload).toEqual({ form: 'json', text: '{\n  "a": "NaN"\n}' });
    expect(described({ data: undefined }).payload).toEqual({ form: 'none' });
    const large = describeMessage(message({ data: 'x'.repeat(2_000_000) }), 2_000_100);
    expect(large.payload).toEqual({ form: 'large', bytes: 2_000_100 });
    expect(large.event.data).toBeUndefined();
  });

  it('keeps the form of its payload when the text is edited, and its identity in any case', () => {
    const bytes = message({ data: utf8('old'), subject: 'was', partitionkey: 'k', attributes: { address: 'a' } });
    const edited = editMessage(bytes, { payload: { text: 'new' }, subject: '' });
    expect(edited.data).toEqual(utf8('new'));
    expect(edited).toMatchObject({ id: 'i', source: 's', instance: 'in', project: 'project', partitionkey: 'k' });
    expect(edited.subject).toBeUndefined();
    expect(edited.attributes).toEqual({ address: 'a' });
    expect(editMessage(message({ data: 'old' }), { payload: { text: 'new' } }).data).toBe('new');
    expect(editMessage(message({ data: { a: 1 } }), { payload: { text: '{"a":2}' } }).data).toEqual({ a: 2 });
    expect(editMessage(message({ data: 'old' }), { payload: { base64: '/wA=' } }).data).toEqual(
      new Uint8Array([0xff, 0]),
    );
    expect(editMessage(bytes, { type: 't', attributes: { x: 1 } })).toMatchObject({
      type: 't',
      attributes: { x: 1 },
      data: utf8('old'),
      subject: 'was',
    });
  });

  it('refuses an edit that its kind cannot have', () => {
    const metric = message({
      kind: 'metric',
      data: { name: 'm', type: 'gauge', value: Infinity, time: 1, interval: 10, labels: { host: 'h' } },
    });
    const text = (metric: object): string => JSON.stringify(metric);
    const given = { name: 'm', type: 'gauge', value: '-Infinity', time: 1, interval: 10, labels: { host: 'h' } };
    expect(editMessage(metric, { payload: { text: text(given) } }).data).toMatchObject({ value: -Infinity });
    const refused = (change: { text: string } | { base64: string }, of = metric): unknown => {
      try {
        return editMessage(of, { payload: change });
      } catch (error) {
        return (error as { code?: string }).code;
      }
    };
    for (const wrong of [
      '{',
      'null',
      text({ ...given, value: '1' }),
      text({ ...given, type: 'sum' }),
      text({ ...given, labels: { host: 1 } }),
      text({ ...given, name: '' }),
    ])
      expect(refused({ text: wrong }), wrong).toBe('PB_LETTER_EDIT');
    expect(refused({ base64: 'not base64!' })).toBe('PB_LETTER_EDIT');
    expect(refused({ text: '{' }, message({ data: { a: 1 } }))).toBe('PB_LETTER_EDIT');
  });

  it('that is damaged is said with a code', () => {
    const whole = (packed: Uint8Array): WholeLetter => ({ id: 7, packed }) as unknown as WholeLetter;
    expect(readLetter(whole(pack([message({ data: 'x' })]))).data).toBe('x');
    for (const packed of [new Uint8Array(), new Uint8Array([9, 9]), pack([message({ data: 'x' })]).subarray(0, 30)])
      expect(() => readLetter(whole(packed))).toThrow(
        expect.objectContaining({ code: 'PB_LETTER_DAMAGED', details: expect.objectContaining({ id: 7 }) as unknown }),
      );
  });
});
