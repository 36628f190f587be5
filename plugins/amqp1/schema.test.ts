import { readFileSync } from 'node:fs';
import { Ajv2020 } from 'ajv/dist/2020.js';
import { describe, expect, it } from 'vitest';

const read = (name: string): Record<string, unknown> =>
  JSON.parse(readFileSync(new URL(name, import.meta.url), 'utf8')) as Record<string, unknown>;
const check = (name: string, config: unknown): boolean => {
  const ajv = new Ajv2020({ useDefaults: true, strict: true, strictRequired: false, allErrors: true });
  for (const keyword of ['x-listen', 'x-advanced', 'x-unit']) ajv.addKeyword(keyword);
  return ajv.compile(read(name))(config);
};

describe('schemas', () => {
  it.each([
    [{ listen: { port: 5672 } }, true],
    [{ listen: { host: '127.0.0.1', port: 5672 }, addresses: ['collectd/telemetry'] }, true],
    [{ url: 'amqps://broker:5671', addresses: ['/queue/q'] }, true],
    [{ url: 'amqps://broker:5671' }, false],
    [{}, false],
    [{ listen: { port: 5672 }, url: 'amqp://x', addresses: ['a'] }, false],
    [{ listen: { port: 70000 } }, false],
    [{ listen: { port: 5672 }, extra: 1 }, false],
    [{ url: 'amqp://user:pw@broker', addresses: ['a'] }, false],
  ])('source %j: %s', (config, ok) => {
    const copy: unknown = structuredClone(config);
    expect(check('./source.schema.json', copy)).toBe(ok);
  });

  it('fills in what the source counts on', () => {
    const config: Record<string, unknown> = { listen: { port: 1 } };
    check('./source.schema.json', config);
    expect(config).toEqual({
      listen: {
        host: '127.0.0.1',
        port: 1,
        anonymous: true,
        users: [],
        clientCertificates: false,
        maxConnections: 1000,
      },
      addresses: [],
      durable: false,
      credit: 4096,
      maxMessageSize: 16_777_216,
      maxFrameSize: 1_048_576,
    });
  });

  it('fills in what the sink counts on', () => {
    const config: Record<string, unknown> = { url: 'amqp://x', address: 'a' };
    expect(check('./sink.schema.json', config)).toBe(true);
    expect(config).toEqual({ url: 'amqp://x', address: 'a', format: 'data', body: 'data', durable: true, timeout: 30 });
  });

  it.each(['./source.schema.json', './sink.schema.json'])('explains every field of %s', (name) => {
    const walk = (schema: Record<string, unknown>, path: string): void => {
      for (const [key, value] of Object.entries(
        (schema['properties'] ?? {}) as Record<string, Record<string, unknown>>,
      )) {
        const at = `${path}.${key}`;
        for (const keyword of ['title', 'description', 'examples']) expect(value, at).toHaveProperty(keyword);
        if (/password|key$/i.test(key)) expect(value['writeOnly'], at).toBe(true);
        walk(value, at);
        walk((value['items'] ?? {}) as Record<string, unknown>, at);
      }
    };
    walk(read(name), '');
  });
});
