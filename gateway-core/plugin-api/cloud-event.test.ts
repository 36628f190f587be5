import { CloudEvent as SdkEvent, HTTP } from 'cloudevents';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { decodeText, encodeBase64, MAX_DATA_DEPTH, toCloudEvent } from './cloud-event.ts';
import { createMessage, type MessageInit } from './message.ts';

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);
const out = (init: MessageInit) => toCloudEvent(createMessage('telemetry', 'default', init));

describe('toCloudEvent', () => {
  it('names what the message knows and leaves out what it does not', () => {
    const time = Date.UTC(2026, 0, 2, 3, 4, 5, 678);
    expect(
      out({
        id: 'a',
        source: '/s',
        type: 't',
        subject: 'u',
        time,
        kind: 'event',
        severity: 'warning',
        partitionkey: 'p',
        data: { a: 1 },
      }),
    ).toEqual({
      specversion: '1.0',
      id: 'a',
      source: '/s',
      type: 't',
      subject: 'u',
      time: '2026-01-02T03:04:05.678Z',
      kind: 'event',
      severity: 'warning',
      instance: 'telemetry',
      project: 'default',
      partitionkey: 'p',
      datacontenttype: 'application/json',
      data: { a: 1 },
    });
    const bare = out({ data: undefined, time: Number.NaN });
    expect(Object.keys(bare).sort()).toEqual(['id', 'instance', 'kind', 'project', 'source', 'specversion', 'type']);
    expect(bare.source).toBe('/instance/telemetry');
  });

  it.each<[string, unknown, object]>([
    ['JSON bytes', bytes(' [{"a":1}]'), { datacontenttype: 'application/json', data: [{ a: 1 }] }],
    ['bytes of a number', bytes('42'), { datacontenttype: 'application/json', data: 42 }],
    ['other text bytes', bytes('höh {'), { datacontenttype: 'text/plain', data: 'höh {' }],
    [
      'bytes that are not text',
      new Uint8Array([0xff, 0xfe, 0]),
      { datacontenttype: 'application/octet-stream', data_base64: '//4A' },
    ],
    ['no bytes', new Uint8Array(), { datacontenttype: 'text/plain', data: '' }],
    ['JSON text', '{"a":null}', { datacontenttype: 'application/json', data: { a: null } }],
    ['text of a number', '42', { datacontenttype: 'text/plain', data: '42' }],
    [
      'NaN',
      { value: Number.NaN, x: [Infinity, -Infinity, 1] },
      { datacontenttype: 'application/json', data: { value: 'NaN', x: ['Infinity', '-Infinity', 1] } },
    ],
    [
      'big integers and bytes inside',
      { a: 5n, b: 2n ** 64n, c: new Uint8Array([1]) },
      { datacontenttype: 'application/json', data: { a: 5, b: '18446744073709551616', c: 'AQ==' } },
    ],
  ])('%s', (_name, data, expected) => {
    expect(out({ data })).toMatchObject(expected);
  });

  it("keeps upstream's content type for text and bytes", () => {
    const attributes = { datacontenttype: 'text/xml' };
    expect(out({ data: bytes('{"not":"xml"}'), attributes })).toMatchObject({
      datacontenttype: 'text/xml',
      data: '{"not":"xml"}',
    });
    expect(out({ data: '{"a":1}', attributes: { datacontenttype: 'application/x+json; v=1' } }).data).toEqual({ a: 1 });
  });

  it('keeps a key named __proto__ when it has to copy', () => {
    const data: unknown = JSON.parse('{"__proto__":{"polluted":1},"big":1e999}');
    expect(JSON.stringify(out({ data }).data)).toBe('{"__proto__":{"polluted":1},"big":"Infinity"}');
  });

  it('can always be written, however deep', () => {
    const deep = '['.repeat(200_000) + ']'.repeat(200_000);
    expect(JSON.stringify(out({ data: JSON.parse(deep) }))).toContain('nested too deep');
    expect(JSON.stringify(out({ data: bytes(deep) })).length).toBeGreaterThan(MAX_DATA_DEPTH);
    const circular: Record<string, unknown> = {};
    circular['self'] = circular;
    expect(JSON.stringify(out({ data: circular }))).toContain('nested too deep');
  });

  it('is a CloudEvent to the SDK, whatever the payload', () => {
    fc.assert(
      fc.property(fc.oneof(fc.uint8Array(), fc.string({ unit: 'binary' }), fc.jsonValue()), (data) => {
        const body = JSON.stringify(out({ data }));
        const event = HTTP.toEvent({ headers: { 'content-type': 'application/cloudevents+json' }, body });
        expect(event instanceof SdkEvent && event.validate()).toBe(true);
      }),
    );
  });
});

describe('text and base64', () => {
  it('agree with Node for any bytes', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 20_000, size: 'max' }), (data) => {
        expect(encodeBase64(data)).toBe(Buffer.from(data).toString('base64'));
        const text = decodeText(data);
        if (text !== undefined && !text.startsWith('\ufeff') && data[0] !== 0xef) expect(bytes(text)).toEqual(data);
      }),
      { numRuns: 50 },
    );
  });
});
