import { execFile } from 'node:child_process';
import { writeFile, mkdtemp, rm } from 'node:fs/promises';
import { request as httpRequest } from 'node:http';
import { connect, createServer, type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { CloudEvent, HTTP } from 'cloudevents';
import fc from 'fast-check';
import { toCloudEvent, type Message, type Outcome, type Refused } from 'patchbay/plugin-api';
import { fakeContext, fakeEmit, type FakeEmitOptions } from 'patchbay/plugin-api/testing';
import { afterEach, describe, expect, it, vi } from 'vitest';
import httpEvents, { type HttpEventsConfig } from './source.ts';

const config: HttpEventsConfig = {
  host: '127.0.0.1',
  port: 0,
  strictSources: false,
  sources: {},
  maxSize: 64,
  maxEvents: 100,
  rateLimit: 0,
  maxInFlight: 50,
  outcomeTimeout: 5000,
  requestTimeout: 5000,
};
const closing: { close(): void | Promise<void> }[] = [];
afterEach(async () => {
  for (const one of closing.splice(0)) await one.close();
});

async function start(changes: Partial<HttpEventsConfig> = {}, options: FakeEmitOptions = {}) {
  const context = fakeContext({ config: { ...config, ...changes }, instance: 'web' });
  const out = fakeEmit(options);
  const source = httpEvents.create(context);
  closing.push(source);
  await source.start(out.emit);
  const port = context.logs[0]!.fields['port'] as number;
  const messages = (): Message[] => out.batches.flat() as Message[];
  return { context, out, source, port, messages, url: `http://127.0.0.1:${port}/events` };
}

interface Answer {
  readonly status: number;
  readonly headers: Record<string, unknown>;
  readonly code: string | undefined;
  readonly message: string | undefined;
  readonly remedy: string | undefined;
}

function post(
  port: number,
  headers: Record<string, string>,
  body: string | Uint8Array = '',
  path = '/events',
  method = 'POST',
): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const request = httpRequest({ port, path, method, headers, agent: false }, (response) => {
      const chunks: Buffer[] = [];
      response.on('data', (chunk: Buffer) => chunks.push(chunk));
      response.on('end', () => {
        const text = Buffer.concat(chunks).toString();
        const { code, message, remedy } = (text === '' ? {} : JSON.parse(text)) as Partial<Answer>;
        resolve({ status: response.statusCode!, headers: response.headers, code, message, remedy });
      });
    });
    request.on('error', reject);
    request.end(body);
  });
}

const STRUCTURED = { 'content-type': 'application/cloudevents+json' };
const BATCH = { 'content-type': 'application/cloudevents-batch+json; charset=utf-8' };
const event = { specversion: '1.0', id: '1', source: 'door', type: 'opened', data: { door: 'north' } };
const send = (port: number, change: object = {}): Promise<Answer> =>
  post(port, STRUCTURED, JSON.stringify({ ...event, ...change }));

describe('with the SDK', () => {
  const sent = new CloudEvent({
    id: 'sdk-1',
    source: '/plants/7',
    type: 'com.example.opened',
    subject: 'north gate',
    time: '2026-01-02T03:04:05.678Z',
    traceparent: '00-ab-cd-01',
    partitionkey: 'p1',
    data: { open: true, list: [1, 'ü'] },
  });

  it.each(['binary', 'structured'] as const)('%s', async (mode) => {
    const { port, messages } = await start();
    const { headers, body } = HTTP[mode](sent);
    expect((await post(port, headers as Record<string, string>, body as string)).status).toBe(202);
    const [message] = messages();
    expect(message).toMatchObject({
      id: 'sdk-1',
      source: '/plants/7',
      type: 'com.example.opened',
      subject: 'north gate',
      time: Date.UTC(2026, 0, 2, 3, 4, 5, 678),
      kind: 'raw',
      instance: 'web',
      partitionkey: 'p1',
      data: { open: true, list: [1, 'ü'] },
    });
    expect(message!.attributes['extensions']).toMatchObject({ traceparent: '00-ab-cd-01' });
    expect(toCloudEvent(message!)).toMatchObject({ id: 'sdk-1', data: sent.data });
  });

  it('batch, and one whose bytes are no text', async () => {
    const { port, messages, out } = await start();
    const bytes = new Uint8Array([0, 255, 128]);
    const binary = new CloudEvent({
      id: 'sdk-2',
      source: 's',
      type: 't',
      datacontenttype: 'application/octet-stream',
      data_base64: Buffer.from(bytes).toString('base64'),
    });
    expect((await post(port, BATCH, JSON.stringify([sent.toJSON(), binary.toJSON()]))).status).toBe(202);
    expect(out.batches).toHaveLength(1);
    expect(messages().map(({ id }) => id)).toEqual(['sdk-1', 'sdk-2']);
    expect(messages()[1]!.data).toEqual(bytes);
    expect(toCloudEvent(messages()[1]!)).toMatchObject({
      datacontenttype: 'application/octet-stream',
      data_base64: 'AP+A',
    });
  });
});

describe('with curl', () => {
  const curl = async (...args: string[]): Promise<{ status: string; body: string }> => {
    const { stdout } = await promisify(execFile)('curl', ['-sS', '--max-time', '10', '-w', '\n%{http_code}', ...args]);
    const [body = '', status = ''] = stdout.split(/\n(?=\d+$)/);
    return { status, body };
  };

  it('binary, structured and batch', async () => {
    const { url, messages } = await start();
    const ce = [
      '-H',
      'ce-specversion: 1.0',
      '-H',
      'ce-id: c%201',
      '-H',
      'ce-source: s',
      '-H',
      'ce-type: "a \\"t\\""',
      '-H',
      'ce-subject: Euro%20%E2%82%AC%20100%',
    ];
    expect(await curl(url, ...ce, '-H', 'content-type: text/plain', '-d', 'some text')).toEqual({
      status: '202',
      body: '',
    });
    expect(
      (await curl(url, ...ce, '-H', 'content-type: application/octet-stream', '--data-binary', 'bytes')).status,
    ).toBe('202');
    expect(
      (await curl(url, '-H', 'content-type: application/cloudevents+json; charset=UTF-8', '-d', JSON.stringify(event)))
        .status,
    ).toBe('202');
    expect(
      (await curl(url, '-H', 'content-type: application/cloudevents-batch+json', '-d', JSON.stringify([event, event])))
        .status,
    ).toBe('202');
    expect(messages()).toHaveLength(5);
    expect(messages()[0]).toMatchObject({ id: 'c 1', type: 'a "t"', subject: 'Euro € 100%', data: 'some text' });
    expect(Buffer.from(messages()[1]!.data as Uint8Array).toString()).toBe('bytes');
  });

  it('oversize: the answer arrives, with and without Expect', async () => {
    const { url, messages } = await start();
    const folder = await mkdtemp(join(tmpdir(), 'http-events-'));
    closing.push({ close: () => rm(folder, { recursive: true }) });
    const file = join(folder, 'big');
    await writeFile(file, 'x'.repeat(5_000_000));
    for (const expectHeader of ['Expect: 100-continue', 'Expect:']) {
      for (const chunked of [[], ['-H', 'Transfer-Encoding: chunked']]) {
        const { status, body } = await curl(
          url,
          '-H',
          'content-type: application/cloudevents+json',
          '-H',
          expectHeader,
          ...chunked,
          '--data-binary',
          `@${file}`,
        );
        expect([status, (JSON.parse(body) as { code: string }).code]).toEqual(['413', 'PB_HTTP_EVENTS_TOO_LARGE']);
      }
    }
    expect(messages()).toEqual([]);
  });
});

describe('what is turned away', () => {
  it.each<[string, Record<string, string>, string, number, string]>([
    ['no content type', {}, '{}', 415, 'MEDIA_TYPE'],
    ['plain JSON', { 'content-type': 'application/json' }, '{}', 415, 'MEDIA_TYPE'],
    ['another event format', { 'content-type': 'application/cloudevents+avro' }, '', 415, 'MEDIA_TYPE'],
    ['another charset', { 'content-type': 'application/cloudevents+json; charset=latin1' }, '{}', 415, 'MEDIA_TYPE'],
    ['a compressed body', { ...STRUCTURED, 'content-encoding': 'gzip' }, '', 415, 'MEDIA_TYPE'],
    ['broken JSON', STRUCTURED, '{"id":', 400, 'JSON'],
    ['an empty body', STRUCTURED, '', 400, 'JSON'],
    [
      'deep JSON',
      STRUCTURED,
      JSON.stringify(event).replace('{"door":"north"}', '['.repeat(30_000) + ']'.repeat(30_000)),
      400,
      'JSON',
    ],
    ['no object', STRUCTURED, '[]', 400, 'INVALID'],
    ['no id', STRUCTURED, JSON.stringify({ ...event, id: undefined }), 400, 'INVALID'],
    ['an empty source', STRUCTURED, JSON.stringify({ ...event, source: '' }), 400, 'INVALID'],
    ['a numeric type', STRUCTURED, JSON.stringify({ ...event, type: 5 }), 400, 'INVALID'],
    ['no type', STRUCTURED, JSON.stringify({ ...event, type: undefined }), 400, 'INVALID'],
    ['version 0.3', STRUCTURED, JSON.stringify({ ...event, specversion: '0.3' }), 400, 'INVALID'],
    ['no time', STRUCTURED, JSON.stringify({ ...event, time: 'yesterday' }), 400, 'INVALID'],
    ['an attribute in capitals', STRUCTURED, JSON.stringify({ ...event, Bad: 1 }), 400, 'INVALID'],
    ['an attribute that is an object', STRUCTURED, JSON.stringify({ ...event, bad: {} }), 400, 'INVALID'],
    ['both kinds of data', STRUCTURED, JSON.stringify({ ...event, data_base64: 'AA==' }), 400, 'INVALID'],
    ['bad base64', STRUCTURED, JSON.stringify({ ...event, data: undefined, data_base64: 'A?' }), 400, 'INVALID'],
    ['a batch that is none', BATCH, JSON.stringify(event), 400, 'INVALID'],
    ['a batch with one bad event', BATCH, JSON.stringify([event, { ...event, id: 5 }]), 400, 'INVALID'],
    ['too many events', BATCH, JSON.stringify(Array.from({ length: 101 }, () => event)), 413, 'TOO_LARGE'],
    ['binary without an id', { 'ce-specversion': '1.0', 'ce-source': 's', 'ce-type': 't' }, '', 400, 'INVALID'],
    [
      'binary with broken JSON',
      { 'ce-specversion': '1.0', 'ce-id': '1', 'ce-source': 's', 'ce-type': 't', 'content-type': 'application/json' },
      '{',
      400,
      'JSON',
    ],
    [
      'binary with a bad escape',
      { 'ce-specversion': '1.0', 'ce-id': '%ff', 'ce-source': 's', 'ce-type': 't' },
      '',
      400,
      'INVALID',
    ],
  ])('%s', async (_name, headers, body, status, code) => {
    const { port, messages } = await start();
    const answer = await post(port, headers, body);
    expect([answer.status, answer.code]).toEqual([status, `PB_HTTP_EVENTS_${code}`]);
    expect(answer.message).toBeTruthy();
    expect(answer.remedy).toBeTruthy();
    expect(messages()).toEqual([]);
  });

  it('another path or method', async () => {
    const { port } = await start();
    expect(await post(port, STRUCTURED, '{}', '/event')).toMatchObject({
      status: 404,
      code: 'PB_HTTP_EVENTS_NOT_FOUND',
    });
    expect(await post(port, {}, '', '/events', 'GET')).toMatchObject({ status: 405, headers: { allow: 'POST' } });
    expect((await post(port, STRUCTURED, JSON.stringify(event), '/events?x=1')).status).toBe(202);
  });

  it('without the token', async () => {
    const { port, messages } = await start({ token: 'correct horse' });
    const body = JSON.stringify(event);
    for (const authorization of [undefined, 'Bearer wrong', 'Basic correct', 'Bearer']) {
      const answer = await post(
        port,
        { ...STRUCTURED, ...(authorization === undefined ? {} : { authorization }) },
        body,
      );
      expect(answer).toMatchObject({
        status: 401,
        code: 'PB_HTTP_EVENTS_TOKEN',
        headers: { 'www-authenticate': 'Bearer' },
      });
    }
    expect(messages()).toEqual([]);
  });

  it('no token that is right, and none is seen downstream', async () => {
    const { port, messages } = await start({ token: 'correct-horse' });
    expect(
      (
        await post(
          port,
          { ...STRUCTURED, authorization: 'Bearer correct-horse', cookie: 'a=b', 'x-y': 'z' },
          JSON.stringify(event),
        )
      ).status,
    ).toBe(202);
    expect(JSON.stringify(messages()[0]!.attributes)).not.toContain('horse');
    expect(messages()[0]!.attributes).toMatchObject({
      'x-y': 'z',
      remoteAddress: expect.stringContaining('127.0.0.1') as unknown,
    });
    expect(messages()[0]!.attributes).not.toHaveProperty('cookie');
  });

  it('no request at all, or endless headers', async () => {
    const { port } = await start();
    const answerTo = (text: string): Promise<string> =>
      new Promise((resolve, reject) => {
        let received = '';
        const socket = connect(port, '127.0.0.1', () => socket.write(text));
        socket.on('data', (chunk) => (received += chunk.toString()));
        socket.on('close', () => resolve(received));
        socket.on('error', reject);
      });
    expect(await answerTo('garbage\r\n\r\n')).toMatch(/^HTTP\/1.1 400 [\s\S]*PB_HTTP_EVENTS_REQUEST/);
    expect(await answerTo(`POST /events HTTP/1.1\r\nHost: x\r\nx: ${'y'.repeat(20_000)}`)).toMatch(/^HTTP\/1.1 431 /);
  });

  it('a request that takes too long', async () => {
    const { port, messages } = await start({ requestTimeout: 200 });
    const received = await new Promise<string>((resolve, reject) => {
      let text = '';
      const socket = connect(port, '127.0.0.1', () =>
        socket.write(
          'POST /events HTTP/1.1\r\nHost: x\r\nContent-Type: application/cloudevents+json\r\nContent-Length: 10\r\n\r\n{',
        ),
      );
      socket.on('data', (chunk) => (text += chunk.toString()));
      socket.on('close', () => resolve(text));
      socket.on('error', reject);
    });
    expect(received).toMatch(/^HTTP\/1.1 408 [\s\S]*PB_HTTP_EVENTS_TIMEOUT/);
    expect(messages()).toEqual([]);
  });

  it('never makes it fall over, whatever the body', async () => {
    const { port, context } = await start();
    const body = fc.oneof(
      fc.uint8Array(),
      fc.json(),
      fc
        .record(
          {
            specversion: fc.constant('1.0'),
            id: fc.jsonValue(),
            source: fc.jsonValue(),
            type: fc.string(),
            data: fc.jsonValue(),
            time: fc.string(),
          },
          { requiredKeys: [] },
        )
        .map((value) => JSON.stringify(value)),
    );
    await fc.assert(
      fc.asyncProperty(
        fc.constantFrom(STRUCTURED, BATCH, {
          'ce-id': '1',
          'ce-source': 's',
          'ce-type': 't',
          'ce-specversion': '1.0',
          'content-type': 'application/json',
        }),
        body,
        async (headers, content) => {
          expect([202, 400, 413]).toContain((await post(port, headers, content)).status);
        },
      ),
      { numRuns: 200 },
    );
    expect(context.logs.filter(({ level }) => level === 'error')).toEqual([]);
  });
});

describe('registered sources', () => {
  const sources = {
    door: {
      type: 'door.opened',
      schema: { type: 'object', required: ['door'], properties: { door: { type: 'string' } } },
    },
    plain: {},
  };

  it('alone are let in when strict, with the default type and the schema of their data', async () => {
    const { port, messages } = await start({ strictSources: true, sources });
    expect((await send(port, { type: undefined })).status).toBe(202);
    expect((await send(port, { source: 'plain' })).status).toBe(202);
    expect(messages().map(({ type }) => type)).toEqual(['door.opened', 'opened']);
    expect(await send(port, { source: 'window' })).toMatchObject({ status: 400, code: 'PB_HTTP_EVENTS_SOURCE' });
    expect(await send(port, { source: 'constructor' })).toMatchObject({ status: 400, code: 'PB_HTTP_EVENTS_SOURCE' });
    expect(await send(port, { source: 'plain', type: undefined })).toMatchObject({
      status: 400,
      code: 'PB_HTTP_EVENTS_INVALID',
    });
    expect(await send(port, { data: { door: 5 } })).toMatchObject({
      status: 400,
      code: 'PB_HTTP_EVENTS_DATA',
      message: 'data of source `door` at /door must be string',
    });
    expect(await send(port, { data: 'x', datacontenttype: 'text/plain' })).toMatchObject({
      status: 400,
      code: 'PB_HTTP_EVENTS_DATA',
    });
    expect(messages()).toHaveLength(2);
  });

  it('keep their rules when others are let in too', async () => {
    const { port } = await start({ sources });
    expect((await send(port, { source: 'window' })).status).toBe(202);
    expect((await send(port, { data: {} })).status).toBe(400);
  });

  it('with a schema that is none are a fault of the config', () => {
    const create = (schema: object) => () =>
      httpEvents.create(
        fakeContext({ config: { ...config, sources: { door: { schema: schema as Record<string, unknown> } } } }),
      );
    expect(create({ type: 'objekt' })).toThrow(
      expect.objectContaining({ code: 'PB_HTTP_EVENTS_SCHEMA', path: 'sources.door.schema' }) as Error,
    );
    expect(create({ $ref: 'https://example.org/else.json' })).toThrow(
      expect.objectContaining({ code: 'PB_HTTP_EVENTS_SCHEMA' }) as Error,
    );
  });
});

describe('a JSON text as data', () => {
  it('stays one', async () => {
    const { port, messages } = await start();
    await send(port, { data: '{"looks":"like JSON"}' });
    expect(toCloudEvent(messages()[0]!).data).toBe('{"looks":"like JSON"}');
  });
});

describe('the answer', () => {
  const judge = (outcomes: Record<string, Outcome>): FakeEmitOptions => ({
    outcome: (entry: Message | Refused) => outcomes[(entry as Message).id] ?? { kind: 'delivered' },
  });
  const batch = (...ids: string[]): string => JSON.stringify(ids.map((id) => ({ ...event, id })));
  const refused = (code: string, stored: boolean): Outcome => ({ kind: 'refused', code, cause: 'why', stored });

  it('is 202 when all were taken: delivered, filtered or kept as a dead letter', async () => {
    const { port } = await start({}, judge({ b: { kind: 'filtered', reason: 'x' }, c: refused('X', true) }));
    expect((await post(port, BATCH, batch('a', 'b', 'c'))).status).toBe(202);
    expect((await post(port, BATCH, '[]')).status).toBe(202);
  });

  it('is 400 for what was refused and not kept, 500 when a plugin is at fault, 503 when it may be sent again', async () => {
    const retry: Outcome = { kind: 'retry', code: 'PB_SINK', cause: 'away', afterMs: 1500 };
    const { port } = await start(
      {},
      judge({ r: refused('X_CODE', false), t: refused('PB_PLUGIN_THREW', false), y: retry }),
    );
    expect(await post(port, BATCH, batch('a', 'r'))).toMatchObject({
      status: 400,
      code: 'PB_HTTP_EVENTS_REFUSED',
      message: 'event 1: X_CODE: why',
    });
    expect((await post(port, BATCH, batch('t'))).status).toBe(500);
    expect(await post(port, BATCH, batch('r', 'y'))).toMatchObject({
      status: 503,
      code: 'PB_HTTP_EVENTS_BUSY',
      headers: { 'retry-after': '2' },
    });
  });

  it('does not come before the outcome', async () => {
    const gate = Promise.withResolvers<Outcome>();
    const { port, messages } = await start({}, { outcome: () => gate.promise });
    let answered = false;
    const answer = send(port).then((one) => {
      answered = true;
      return one;
    });
    await vi.waitUntil(() => messages().length === 1, { timeout: 5000 });
    await new Promise(setImmediate);
    expect(answered).toBe(false);
    gate.resolve({ kind: 'delivered' });
    expect((await answer).status).toBe(202);
  });

  it('is 503 without an outcome in time', async () => {
    const { port } = await start({ outcomeTimeout: 100 }, { outcome: () => new Promise(() => undefined) });
    expect(await send(port)).toMatchObject({
      status: 503,
      code: 'PB_HTTP_EVENTS_BUSY',
      message: expect.stringContaining('no outcome in time') as unknown,
      headers: { 'retry-after': '5' },
    });
  });

  it('is 503 when there is no room, and what got no room is never emitted', async () => {
    const { port, out, messages } = await start({ outcomeTimeout: 200 });
    out.hold();
    expect((await send(port, { id: 'first' })).status).toBe(202);
    expect(await send(port, { id: 'second' })).toMatchObject({ status: 503, message: 'no room for more events' });
    out.release();
    expect((await send(port, { id: 'third' })).status).toBe(202);
    expect(messages().map(({ id }) => id)).toEqual(['first', 'third']);
  });

  it('is 429 above the rate, and above so many at once', async () => {
    const limited = await start({ rateLimit: 2 });
    const answers = await Promise.all([1, 2, 3, 4].map(() => send(limited.port)));
    expect(answers.map(({ status }) => status).sort((a, b) => a - b)).toEqual([202, 202, 429, 429]);
    expect(answers.find(({ status }) => status === 429)).toMatchObject({
      code: 'PB_HTTP_EVENTS_RATE',
      headers: { 'retry-after': '1' },
    });
    const gate = Promise.withResolvers<Outcome>();
    const narrow = await start({ maxInFlight: 1 }, { outcome: () => gate.promise });
    const first = send(narrow.port);
    await vi.waitUntil(() => narrow.messages().length === 1, { timeout: 5000 });
    expect((await send(narrow.port)).status).toBe(429);
    gate.resolve({ kind: 'delivered' });
    expect((await first).status).toBe(202);
  });
});

describe('start and stop', () => {
  it('answers 503 to who still waits when it is closed, and frees the port', async () => {
    const { port, source, messages } = await start({}, { outcome: () => new Promise(() => undefined) });
    const waiting = send(port);
    await vi.waitUntil(() => messages().length === 1, { timeout: 5000 });
    await source.stop();
    await source.close();
    expect(await waiting).toMatchObject({ status: 503, headers: { connection: 'close' } });
    expect((await start({ port })).port).toBe(port);
  });

  it('lets outcomes arrive after stop', async () => {
    const gate = Promise.withResolvers<Outcome>();
    const { port, source, messages } = await start({}, { outcome: () => gate.promise });
    const waiting = send(port);
    await vi.waitUntil(() => messages().length === 1, { timeout: 5000 });
    await source.stop();
    gate.resolve({ kind: 'delivered' });
    expect((await waiting).status).toBe(202);
  });

  it('says that its port is taken', async () => {
    const other = createServer().listen(0, '127.0.0.1');
    await new Promise((resolve) => other.once('listening', resolve));
    closing.push({ close: () => void other.close() });
    await expect(start({ port: (other.address() as AddressInfo).port })).rejects.toMatchObject({
      code: 'PB_PORT_IN_USE',
      path: 'port',
    });
  });
});
