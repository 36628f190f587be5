import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { CloudEvent, HTTP, type Message } from 'cloudevents';
import { expect, it } from 'vitest';
import type { CloudEventJson } from '../../gateway-core/protocol/model.ts';
import { dataFolder, startRig } from '../faults/rig.ts';
import { freePort } from './program.ts';

const run = promisify(execFile);

it('events of the SDK and of curl arrive in each mode as they were sent', async () => {
  const data = await dataFolder();
  const [port, path] = [await freePort(), join(data, 'events.jsonl')];
  const url = `http://127.0.0.1:${port}/events`;
  const rig = await startRig(data, {
    version: 1,
    sources: { web: { plugin: 'http-events', config: { port, token: 'only-for-friends' } } },
    sinks: { file: { plugin: 'json-file', config: { path } } },
    pipelines: { flow: { from: ['web'], to: ['file'] } },
  });
  const authorization = 'Bearer only-for-friends';
  const event = (id: string): CloudEvent<unknown> =>
    new CloudEvent({
      id,
      source: '/doors/north',
      type: 'com.example.door.opened',
      subject: 'Tür 1',
      time: '2026-03-01T10:20:30.456Z',
      severity: 'warning',
      partitionkey: 'north',
      data: { door: 'north', times: [1, 2.5], ok: true, note: 'ä"\\' },
    });
  const send = async ({ headers, body }: Message): Promise<void> => {
    const response = await fetch(url, {
      method: 'POST',
      headers: { ...(headers as Record<string, string>), authorization },
      body: body as string,
    });
    expect(response.status, await response.text()).toBe(202);
  };
  await send(HTTP.binary(event('sdk-binary')));
  await send(HTTP.structured(event('sdk-structured')));
  await send({
    headers: { 'content-type': 'application/cloudevents-batch+json' },
    body: JSON.stringify([event('sdk-batch-1'), event('sdk-batch-2')]),
  });

  const curl = async (...args: string[]): Promise<string> => {
    const { stdout } = await run('curl', ['-sS', '-o', '/dev/null', '-w', '%{http_code}', ...args, url]);
    return stdout;
  };
  const auth = ['-H', `Authorization: ${authorization}`];
  const text = (id: string): string => JSON.stringify(event(id));
  const structured = 'Content-Type: application/cloudevents+json; charset=utf-8';
  expect(await curl(...auth, '-H', structured, '-d', text('curl-structured'))).toBe('202');
  const batch = 'Content-Type: application/cloudevents-batch+json';
  expect(await curl(...auth, '-H', batch, '-d', `[${text('curl-batch-1')},${text('curl-batch-2')}]`)).toBe('202');
  const binary = Object.entries({
    'ce-specversion': '1.0',
    'ce-id': 'curl-binary',
    'ce-source': '/doors/north',
    'ce-type': 'com.example.door.opened',
    // Percent-encoded, as the HTTP binding asks for.
    'ce-subject': 'T%C3%BCr%201',
    'ce-time': '2026-03-01T10:20:30.456Z',
    'ce-severity': 'warning',
    'ce-partitionkey': 'north',
    'Content-Type': 'application/json',
  }).flatMap(([name, value]) => ['-H', `${name}: ${value}`]);
  expect(await curl(...auth, ...binary, '-d', JSON.stringify(event('').data ?? null))).toBe('202');

  // What is turned away leaves no line.
  expect(await curl('-H', structured, '-d', text('no-token'))).toBe('401');
  expect(await curl(...auth, '-H', structured, '-d', '{"specversion":"1.0","id":"no-source"}')).toBe('400');
  expect(await curl(...auth, '-H', structured, '-d', '{')).toBe('400');
  expect(await curl(...auth, '-H', 'Content-Type: text/plain', '-d', text('plain'))).toMatch(/400|415/);
  expect(await curl(...auth, '-H', batch, '-d', `[${text('good-of-a-bad-batch')},{}]`)).toBe('400');

  const lines = readFileSync(path, 'utf8')
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as CloudEventJson);
  expect(lines.map(({ id }) => id).toSorted()).toEqual(
    [
      ...['sdk-binary', 'sdk-structured', 'sdk-batch-1', 'sdk-batch-2'],
      ...['curl-structured', 'curl-batch-1', 'curl-batch-2', 'curl-binary'],
    ].toSorted(),
  );
  for (const line of lines) {
    expect(line).toMatchObject({
      specversion: '1.0',
      source: '/doors/north',
      type: 'com.example.door.opened',
      subject: 'Tür 1',
      time: '2026-03-01T10:20:30.456Z',
      severity: 'warning',
      partitionkey: 'north',
      kind: 'raw',
      instance: 'web',
      project: 'default',
      datacontenttype: expect.stringMatching(/^application\/json/) as string,
      data: { door: 'north', times: [1, 2.5], ok: true, note: 'ä"\\' },
    });
    // The outside form is itself a valid event.
    expect(new CloudEvent(line as never).validate()).toBe(true);
  }
  const { pipelines } = await rig.status();
  expect(pipelines['flow']).toMatchObject({ received: 8, delivered: 8, addsUp: true });
});
