import { describe, expect, it } from 'vitest';
import type { CloudEventJson } from '../../gateway-core/protocol/model.ts';
import { fieldPaths, readable } from './readable.ts';

const event = (body: Partial<CloudEventJson>): CloudEventJson => ({
  specversion: '1.0',
  id: '1',
  source: 's',
  type: 't',
  kind: 'raw',
  instance: 'in',
  project: 'default',
  ...body,
});

describe('readable', () => {
  it('takes JSON in a text or in bytes apart', () => {
    expect(readable(event({ data: '[{"a":1}]' }))).toMatchObject({ data: [{ a: 1 }], decoded: true });
    expect(readable(event({ data_base64: btoa('{"a":1}') }))).toMatchObject({ data: { a: 1 }, decoded: true });
  });

  it('leaves text, broken JSON and bytes as they are', () => {
    expect(readable(event({ data: 'hello' }))).toMatchObject({ data: 'hello', decoded: false });
    expect(readable(event({ data: '{"a":' }))).toMatchObject({ data: '{"a":', decoded: false });
    expect(readable(event({ data_base64: btoa('\u00ff\u00fe') }))).toMatchObject({ data: btoa('\u00ff\u00fe') });
    expect(readable(event({})).data).toBeUndefined();
  });

  it('keeps the body out of the context', () => {
    expect(Object.keys(readable(event({ data: 1 })).context)).toEqual([
      'id',
      'source',
      'type',
      'kind',
      'instance',
      'project',
    ]);
  });
});

describe('fieldPaths', () => {
  it('writes paths as a filter does', () => {
    expect(fieldPaths('data', { labels: { host: 'a', 'with-dash': 1 } })).toEqual([
      'data.labels',
      'data.labels.host',
      'data.labels["with-dash"]',
    ]);
    expect(fieldPaths('data', [1, 2])).toEqual([]);
  });
});
