/** Peers that break every rule, against a gateway that runs as a process: they lose their own connection, all else runs on. */
import { readFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { connect, type Socket } from 'node:net';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { WebSocket } from 'ws';
import {
  BEGIN,
  binaryBody,
  HEADER,
  OPEN,
  RawPeer,
  RheaPeer,
  transfer,
  uint32,
} from '../../gateway-core/amqp/test-peer.ts';
import { connectWebSocket } from '../../gateway-core/control/ws-client.ts';
import { createClient, type Client } from '../../gateway-core/protocol/client.ts';
import { folder, removeFolders, startGateway, type RunningGateway } from '../cli/patchbay.ts';
import { eventually, freePort } from '../peers/program.ts';

let gateway: RunningGateway;
let client: Client;
let token: string;
let ports: { open: number; closed: number; web: number };
let out: string;

beforeAll(async () => {
  ports = { open: await freePort(), closed: await freePort(), web: await freePort() };
  out = join(folder('out'), 'out.jsonl');
  gateway = await startGateway('-', {
    input: `version: 1
sources:
  amqp: { plugin: amqp1, config: { listen: { port: ${ports.open} }, maxMessageSize: 1000000, maxFrameSize: 65536 } }
  locked:
    plugin: amqp1
    config: { listen: { port: ${ports.closed}, anonymous: false, users: [{ username: me, password: rightpassword }] } }
  web: { plugin: http-events, config: { port: ${ports.web}, maxSize: 64, requestTimeout: 1000 } }
  calm: { plugin: generator, config: { rate: 500, faults: 0 } }
handlers:
  decode: { plugin: collectd-metrics }
sinks:
  file: { plugin: json-file, config: { path: ${out} } }
  scrape: { plugin: prometheus, config: { port: 0 } }
pipelines:
  flow: { from: [amqp, locked, web], to: [file] }
  neighbour: { from: [calm], through: [decode], to: [scrape] }
`,
  });
  const { hostname, port } = new URL(gateway.control);
  token = (await readFile(join(gateway.data, 'control-token'), 'utf8')).trim();
  client = createClient(connectWebSocket({ host: hostname, port: Number(port), token }), { client: 'test' });
  await client.opened();
});
afterAll(async () => {
  client.close();
  gateway.signal('SIGKILL');
  await gateway.ended;
  removeFolders();
});

const status = () => client.call('status.get', {});
const delivered = async (pipeline: string): Promise<number> => (await status()).pipelines[pipeline]?.delivered ?? 0;
const megabytes = (): number =>
  Number(/^VmRSS:\s+(\d+)/m.exec(readFileSync(`/proc/${gateway.pid}/status`, 'utf8'))?.[1] ?? Infinity) / 1024;
let name = 0;

/** After each attack: the gateway and all its instances run, the neighbour flows, a well-behaved sender is served. */
afterEach(async () => {
  expect(gateway.running()).toBe(true);
  const { state, instances, pipelines } = await status();
  expect(state).toBe('running');
  for (const [instance, { state: is, restarts }] of Object.entries(instances))
    expect({ instance, is, restarts }).toEqual({ instance, is: 'running', restarts: 0 });
  expect(pipelines['neighbour']?.addsUp).toBe(true);
  const before = pipelines['neighbour']?.delivered ?? 0;
  const good = new RheaPeer(ports.open, 'good');
  const body = `still here ${name++}`;
  good.send({ body });
  try {
    await eventually(
      () => `the well-behaved sender is served: ${good.errors.join()}`,
      () => good.told.find((told) => told.outcome === 'accepted'),
      15_000,
    );
    await eventually(
      () => 'the neighbour flows',
      async () => (await delivered('neighbour')) > before || undefined,
      15_000,
    );
  } finally {
    good.close();
  }
  expect(readFileSync(out, 'utf8')).toContain(body);
});

/** Resolves when the log of the gateway has the code, with its lines. */
const logged = (code: string): Promise<string> =>
  eventually(
    () => `${code} is logged: ${gateway.stderr().slice(-2000)}`,
    () =>
      gateway
        .stderr()
        .split('\n')
        .find((line) => line.includes(`"${code}"`)),
    15_000,
  );

async function raw(port: number): Promise<RawPeer> {
  const peer = await RawPeer.connect(port);
  onTestFinished(() => void peer.socket.destroy());
  return peer;
}
async function attached(): Promise<RawPeer> {
  const peer = await RawPeer.attached(ports.open);
  onTestFinished(() => void peer.socket.destroy());
  await eventually(
    () => 'the peer has credit',
    () => peer.got(0x13) || undefined,
  );
  return peer;
}
const cutOff = (peer: { readonly closed: boolean }): Promise<unknown> =>
  eventually(
    () => 'the peer is cut off',
    () => peer.closed || undefined,
    20_000,
  );

describe('AMQP peers', () => {
  it.each([
    ['garbage', Buffer.from('8f0e1d2c3b4a59687766554433221100', 'hex'), 'PB_AMQP_NOT_AMQP'],
    ['a malformed frame', Buffer.concat([HEADER, uint32(4), Buffer.alloc(8)]), 'PB_AMQP_BAD_FRAME'],
    ['a frame header of 2 GiB', Buffer.concat([HEADER, OPEN, uint32(0x7fffffff)]), 'PB_AMQP_FRAME_TOO_LARGE'],
  ])('%s', async (_what, bytes, code) => {
    const peer = await raw(ports.open);
    peer.write(bytes);
    await cutOff(peer);
    const line = JSON.parse(await logged(code)) as { instance: string; fields: { remedy: string } };
    expect(line.instance).toBe('amqp');
    expect(line.fields.remedy).toMatch(/\w/);
  });

  it('a frame of 2 GiB that is really sent, and a message of endless frames, take no memory', async () => {
    const before = megabytes();
    const huge = await raw(ports.open);
    huge.write(HEADER, OPEN, BEGIN, uint32(0x7fffffff));
    const endless = await attached();
    const frame = transfer(0, true, Buffer.alloc(60_000));
    const next = transfer(undefined, true, Buffer.alloc(60_000));
    endless.write(frame);
    for (const peer of [huge, endless]) {
      for (let sent = 0; sent < 300_000_000 && !peer.closed && peer.socket.writable; sent += 60_000) {
        if (!peer.write(peer === huge ? Buffer.alloc(60_000) : next))
          await eventually(
            () => 'the peer can go on or is cut off',
            () => peer.closed || !peer.socket.writable || peer.socket.writableLength === 0 || undefined,
          );
      }
      await cutOff(peer);
    }
    await logged('PB_AMQP_MESSAGE_TOO_LARGE');
    expect(megabytes() - before).toBeLessThan(150);
  });

  it('a wrong password is refused and told, without the password; a right one is served', async () => {
    const wrong = new RheaPeer(ports.closed, 'a', { username: 'me', password: 'wrongpassword' });
    onTestFinished(() => wrong.close());
    await logged('PB_AMQP_SASL_REFUSED');
    expect(gateway.stderr()).not.toContain('wrongpassword');
    const anonymous = new RheaPeer(ports.closed, 'a');
    onTestFinished(() => anonymous.close());
    const right = new RheaPeer(ports.closed, 'a', { username: 'me', password: 'rightpassword' });
    onTestFinished(() => right.close());
    for (const peer of [wrong, anonymous, right]) peer.send({ body: 'let me in' });
    await eventually(
      () => `the right one is served: ${right.errors.join()}`,
      () => right.told[0],
    );
    expect(wrong.told).toEqual([]);
    expect(anonymous.told).toEqual([]);
  });

  it('clients that never read or never settle anything hold up nobody and take no memory', async () => {
    const before = megabytes();
    const peers = await Promise.all(Array.from({ length: 20 }, () => attached()));
    const block = Buffer.concat(
      Array.from({ length: 200 }, (_, id) => transfer(id, false, binaryBody(Buffer.alloc(500)))),
    );
    for (const peer of peers) {
      // Its answers pile up at the gateway from now on.
      peer.socket.pause();
      peer.write(block);
    }
    await eventually(
      () => 'their messages are delivered all the same',
      async () => (await delivered('flow')) >= 20 * 200 || undefined,
    );
    expect(megabytes() - before).toBeLessThan(150);
  });
});

describe('HTTP clients', () => {
  const type = { 'content-type': 'application/cloudevents+json' };
  const post = (body: string): Promise<Response> =>
    fetch(`http://127.0.0.1:${ports.web}/events`, { method: 'POST', headers: type, body });

  it.each([
    ['too large', JSON.stringify({ specversion: '1.0', data: 'x'.repeat(200_000) }), 413],
    ['broken JSON', '{"specversion": "1.0", "id":', 400],
    [
      'deep JSON',
      `{"specversion":"1.0","id":"1","source":"s","type":"t","data":${'['.repeat(30_000)}${']'.repeat(30_000)}}`,
      400,
    ],
    ['no CloudEvent', '{"id": 1}', 400],
    ['nothing', '', 400],
  ])('%s is answered with what is wrong', async (_what, body, expected) => {
    const response = await post(body);
    expect(response.status).toBe(expected);
    expect(await response.json()).toMatchObject({
      code: expect.stringMatching(/^PB_/) as string,
      remedy: expect.stringMatching(/\w/) as string,
    });
  });

  it('a slow one is answered 408 or cut off after its time, and many of them hold up nobody', async () => {
    const slow = await Promise.all(
      Array.from({ length: 100 }, async () => {
        const socket: Socket = connect({ host: '127.0.0.1', port: ports.web });
        const peer = { socket, closed: false, text: '' };
        socket.on('error', () => undefined);
        socket.on('data', (bytes: Buffer) => (peer.text += bytes.toString()));
        socket.on('close', () => (peer.closed = true));
        onTestFinished(() => void socket.destroy());
        socket.write(
          'POST /events HTTP/1.1\r\nHost: x\r\nContent-Type: application/cloudevents+json\r\nContent-Length: 100\r\n\r\n{',
        );
        return peer;
      }),
    );
    const good = await post(JSON.stringify({ specversion: '1.0', id: '1', source: 's', type: 't', data: 1 }));
    expect(good.status).toBe(202);
    await eventually(
      () => `${slow.filter(({ closed }) => !closed).length} slow ones are still there`,
      () => slow.every(({ closed }) => closed) || undefined,
      40_000,
    );
    for (const { text } of slow) if (text !== '') expect(text).toMatch(/^HTTP\/1\.1 408 /);
  });
});

describe('clients of the control protocol', () => {
  async function socket(): Promise<WebSocket & { readonly texts: string[] }> {
    const opened = new WebSocket(`${gateway.control.replace('http', 'ws')}/ws`, {
      headers: { authorization: `Bearer ${token}` },
    });
    const texts: string[] = [];
    opened.on('message', (bytes: Buffer) => texts.push(bytes.toString()));
    opened.on('error', () => undefined);
    onTestFinished(() => opened.terminate());
    await new Promise((resolve, reject) => {
      opened.once('open', resolve);
      opened.once('error', reject);
    });
    return Object.assign(opened, { texts });
  }
  const hello = JSON.stringify({ t: 'hello', versions: [1], client: 'hostile' });
  const closed = (one: WebSocket): Promise<unknown> =>
    eventually(
      () => 'the connection is closed',
      () => one.readyState === WebSocket.CLOSED || undefined,
    );

  it.each([
    ['no JSON', 'GET / HTTP/1.1'],
    ['bytes', Buffer.from([0, 1, 2, 255])],
    ['a call before hello', JSON.stringify({ t: 'call', id: 1, method: 'status.get' })],
    ['deep JSON', `${'['.repeat(50_000)}${']'.repeat(50_000)}`],
  ])('garbage (%s) is answered with a code, and its connection closed', async (_what, garbage) => {
    const one = await socket();
    one.send(garbage);
    await closed(one);
    expect(one.texts.join()).toMatch(/"code":"PB_/);
  });

  it('that never grant credit or vanish in the middle take no memory', async () => {
    const before = megabytes();
    const held = await Promise.all(
      Array.from({ length: 15 }, async () => {
        const one = await socket();
        one.send(hello);
        one.send(
          JSON.stringify({
            t: 'subscribe',
            id: 1,
            stream: 'live',
            params: { instance: 'calm', full: true },
            credit: 1,
          }),
        );
        one.send(JSON.stringify({ t: 'subscribe', id: 2, stream: 'status', credit: 0 }));
        one.send(JSON.stringify({ t: 'subscribe', id: 3, stream: 'logs', credit: 0 }));
        return one;
      }),
    );
    await eventually(
      () => 'all of them were welcomed and had what their credit is for',
      () => held.every(({ texts }) => texts.length >= 2) || undefined,
    );
    const seen = await delivered('neighbour');
    await eventually(
      () => 'a thousand messages went by',
      async () => (await delivered('neighbour')) > seen + 1000 || undefined,
    );
    for (const { texts } of held) {
      const items = texts.map((text) => JSON.parse(text) as { t: string; id?: number });
      expect(items.filter(({ t, id }) => t === 'item' && id === 1)).toHaveLength(1);
      expect(items.filter(({ t, id }) => t === 'item' && id !== 1)).toEqual([]);
    }
    expect(megabytes() - before).toBeLessThan(200);
    for (const one of held) one.terminate();
  });
});
