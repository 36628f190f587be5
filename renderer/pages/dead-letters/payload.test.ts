import { describe, expect, it } from 'vitest';
import { bytesOf, formsOf, hexDump, jsonOf } from './payload.ts';

describe('a payload', () => {
  it('is offered in the forms that it has', () => {
    expect(formsOf({ form: 'text-bytes', text: '{"a":1}' })).toEqual(['formatted', 'text', 'hex']);
    expect(formsOf({ form: 'text', text: '{"a":' })).toEqual(['text', 'hex']);
    expect(formsOf({ form: 'bytes', base64: '/wA=' })).toEqual(['hex']);
    expect(formsOf({ form: 'none' })).toEqual([]);
    expect(formsOf({ form: 'large', bytes: 9 })).toEqual([]);
    expect(jsonOf({ form: 'json', text: 'null' })).toEqual({ value: null });
  });

  it('is dumped with offset, bytes and what is printable, up to a limit', () => {
    expect([...bytesOf({ form: 'bytes', base64: '/wA=' })]).toEqual([255, 0]);
    const dump = hexDump(bytesOf({ form: 'text', text: 'Grüße, 0123456789' }), 100).split('\n');
    expect(dump[0]).toBe('000000  47 72 c3 bc c3 9f 65 2c 20 30 31 32 33 34 35 36  Gr····e, 0123456');
    expect(dump[1]?.trimEnd()).toMatch(/^000010 {2}37 38 39 +789$/);
    expect(hexDump(new Uint8Array(40), 16).split('\n')).toHaveLength(1);
  });
});
