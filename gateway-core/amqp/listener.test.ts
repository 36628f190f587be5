import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import rhea from 'rhea';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import type { AmqpDelivery, AmqpListener } from '../plugin-api/amqp.ts';
import { ConfigError } from '../plugin-api/errors.ts';
import { listen, RheaPeer, testHost, type TestHost } from './test-peer.ts';

let test: TestHost;
const peers: RheaPeer[] = [];
const until = (condition: () => boolean): Promise<unknown> => vi.waitUntil(condition, { timeout: 10_000, interval: 5 });

function client(port: number, address?: string, options: object = {}): RheaPeer {
  const peer = new RheaPeer(port, address, options);
  peers.push(peer);
  return peer;
}

beforeEach(() => {
  test = testHost();
});
afterEach(() => {
  for (const peer of peers.splice(0)) peer.close();
  test.stop();
});

const accept = (listener: AmqpListener, deliveries: readonly AmqpDelivery[]): void =>
  listener.settle(deliveries, { kind: 'accepted' });
const text = (delivery: AmqpDelivery | undefined): string => Buffer.from(delivery?.body as Uint8Array).toString();

describe('taking messages in', () => {
  it('takes the address of the link, or of each message when the link has none', async () => {
    const { listener, deliveries } = await listen(test);
    client(listener.port, 'one').send({ body: 'a', to: 'ignored' });
    client(listener.port).send(
      { body: 'b', to: 'two' },
      { body: 'c', to: 'three' },
      { body: 'd', to: 'two' },
      { body: 'e' },
    );
    await until(() => deliveries.length === 5);
    const pairs = deliveries.map((delivery) => `${String(delivery.body)}:${delivery.address}`).toSorted();
    expect(pairs).toEqual(['a:one', 'b:two', 'c:three', 'd:two', 'e:']);
  });

  it('reads binary, text, lists, sequences and joined data sections, and says what else it was', async () => {
    const { listener, deliveries } = await listen(test);
    const { message } = rhea;
    client(listener.port, 'a').send(
      { body: Buffer.from('binary') },
      { body: 'text äö' },
      { body: ['one', Buffer.from('two'), { three: 3 }] },
      { body: message.data_section(Buffer.from('data')) },
      { body: message.data_sections([Buffer.from('da'), Buffer.from('ta')]) },
      { body: message.sequence_section(['x', 'y']) },
      { body: 17 },
      { body: { a: 1 } },
      { body: null },
      { body: Buffer.alloc(100_000, 'x') },
    );
    await until(() => deliveries.length === 10);
    const [binary, string, list, data, joined, sequence, number, map, nothing, large] = deliveries;
    expect(text(binary)).toBe('binary');
    expect(string?.body).toBe('text äö');
    expect(list?.body).toEqual(['one', Buffer.from('two'), { three: 3 }]);
    expect(text(data)).toBe('data');
    expect(text(joined)).toBe('data');
    expect(sequence?.body).toEqual(['x', 'y']);
    expect(number).toMatchObject({ body: undefined, unsupported: 'amqp-value of number' });
    expect(map).toMatchObject({ body: undefined, unsupported: 'amqp-value of map' });
    expect(nothing).toMatchObject({ body: undefined, unsupported: 'amqp-value of null' });
    expect(large?.body).toHaveLength(100_000);
  });

  it('gives properties when there are any', async () => {
    const { listener, deliveries } = await listen(test);
    const uuid = rhea.string_to_uuid('12345678-1234-1234-1234-123456789abc');
    client(listener.port).send(
      { body: 'plain', to: 'a' },
      {
        body: 'rich',
        to: 'a',
        message_id: 'id-1',
        subject: 's',
        content_type: 'application/json',
        creation_time: new Date(1_600_000_000_000),
        group_id: 'g',
        application_properties: { zone: 'eu', n: 3, ok: true },
      },
      { body: 'uuid', to: 'a', message_id: uuid },
      { body: 'number', to: 'a', message_id: 12 },
    );
    await until(() => deliveries.length === 4);
    const [plain, rich, byUuid, byNumber] = deliveries;
    expect(plain?.hasProperties).toBe(false);
    expect(plain?.applicationProperties).toBeUndefined();
    expect(rich?.hasProperties).toBe(true);
    expect(rich?.properties).toMatchObject({
      messageId: 'id-1',
      to: 'a',
      subject: 's',
      contentType: 'application/json',
      creationTime: 1_600_000_000_000,
      groupId: 'g',
    });
    expect(rich?.applicationProperties).toEqual({ zone: 'eu', n: 3, ok: true });
    expect(byUuid?.properties.messageId).toBe('12345678-1234-1234-1234-123456789abc');
    expect(byNumber?.properties.messageId).toBe('12');
  });

  it('refuses links and messages of addresses it does not serve', async () => {
    const { listener, deliveries } = await listen(test, { addresses: ['served'] });
    const wrong = client(listener.port, 'other');
    await until(() => wrong.errors.some((error) => error.includes('amqp:not-found')));
    const anonymous = client(listener.port);
    anonymous.send({ body: 'no', to: 'other' }, { body: 'yes', to: 'served' });
    await until(() => anonymous.told.length === 1 && deliveries.length === 1);
    expect(anonymous.told).toEqual([{ body: 'no', outcome: 'rejected', condition: 'amqp:not-found' }]);
    expect(deliveries[0]?.body).toBe('yes');
    expect(test.codes()).toContain('PB_AMQP_LINK_REFUSED');
  });

  it('takes /a and a for one address, as collectd means them', async () => {
    const { listener, deliveries } = await listen(test, { addresses: ['collectd/telemetry', '/b'] });
    client(listener.port).send({ body: '1', to: '/collectd/telemetry' }, { body: '2', to: 'collectd/telemetry' });
    client(listener.port, '/collectd/telemetry').send({ body: '3' });
    client(listener.port, 'b').send({ body: '4' });
    await until(() => deliveries.length === 4);
    expect(deliveries.map((delivery) => delivery.address).toSorted()).toEqual([
      'b',
      'collectd/telemetry',
      'collectd/telemetry',
      'collectd/telemetry',
    ]);
  });

  it('gives no messages to a peer that wants to receive', async () => {
    const { listener } = await listen(test);
    const peer = client(listener.port, 'a');
    const receiver = peer.connection.open_receiver('a');
    let condition: unknown;
    receiver.on('receiver_error', () => {
      condition = (receiver.error as { condition?: string } | undefined)?.condition;
    });
    await until(() => condition !== undefined);
    expect(condition).toBe('amqp:not-implemented');
  });

  it('hands over in batches, no larger than asked', async () => {
    const { listener, deliveries, batches } = await listen(test, { maxBatch: 64 });
    const peer = client(listener.port, 'a');
    peer.send(...Array.from({ length: 1_000 }, (_, i) => ({ body: String(i) })));
    await until(() => deliveries.length === 1_000);
    expect(deliveries.map((delivery) => Number(delivery.body))).toEqual(Array.from({ length: 1_000 }, (_, i) => i));
    expect(Math.max(...batches.map((batch) => batch.length))).toBe(64);
    expect(batches.length).toBeLessThan(200);
  });
});

describe('outcomes', () => {
  it('tells nothing before it is settled', async () => {
    const { listener, deliveries } = await listen(test);
    const peer = client(listener.port, 'a');
    peer.send({ body: '1' }, { body: '2' });
    await until(() => deliveries.length === 2);
    // One more round trip on the same connection: had there been an outcome, it would be here.
    peer.connection.open_sender('b');
    await until(
      () =>
        peer.connection.find_sender((link: { target?: { address?: string } }) => link.target?.address === 'b') !==
        undefined,
    );
    expect(peer.told).toEqual([]);
    expect(listener.unsettled).toBe(2);
    accept(listener, deliveries);
    await until(() => peer.told.length === 2);
    expect(peer.told.map((told) => told.outcome)).toEqual(['accepted', 'accepted']);
    expect(listener.unsettled).toBe(0);
  });

  // rhea's own writer merges the second of two neighbours into the first one's outcome.
  it('keeps neighbours of different outcome apart', async () => {
    const { listener, deliveries } = await listen(test);
    const peer = client(listener.port, 'a');
    peer.send(...['a', 'b', 'c', 'd', 'e', 'f'].map((body) => ({ body })));
    await until(() => deliveries.length === 6);
    listener.settle(deliveries, { kind: 'accepted' }, 0, 1);
    listener.settle(deliveries, { kind: 'released' }, 1, 2);
    listener.settle(deliveries, { kind: 'accepted' }, 2, 4);
    listener.settle(deliveries, { kind: 'rejected', condition: 'amqp:decode-error', description: 'no' }, 4, 5);
    listener.settle(deliveries, { kind: 'modified', deliveryFailed: true }, 5, 6);
    await until(() => peer.told.length === 6);
    expect(peer.told).toEqual([
      { body: 'a', outcome: 'accepted', condition: undefined },
      { body: 'b', outcome: 'released', condition: undefined },
      { body: 'c', outcome: 'accepted', condition: undefined },
      { body: 'd', outcome: 'accepted', condition: undefined },
      { body: 'e', outcome: 'rejected', condition: 'amqp:decode-error' },
      { body: 'f', outcome: 'modified', condition: undefined },
    ]);
  });

  it('settles out of order, each once, over several connections', async () => {
    const { listener, deliveries } = await listen(test);
    const one = client(listener.port, 'a');
    const two = client(listener.port, 'a');
    for (let i = 0; i < 50; i++) {
      one.send({ body: `1-${i}` });
      two.send({ body: `2-${i}` });
    }
    await until(() => deliveries.length === 100);
    accept(listener, deliveries.slice(50));
    accept(listener, deliveries);
    await until(() => one.told.length + two.told.length === 100);
    expect([...one.told, ...two.told].every((told) => told.outcome === 'accepted')).toBe(true);
    expect(listener.unsettled).toBe(0);
  });

  it('takes presettled messages', async () => {
    const { listener, deliveries } = await listen(test);
    const peer = client(listener.port, 'a');
    const sender = peer.connection.open_sender({ target: { address: 'p' }, snd_settle_mode: 1 });
    sender.once('sendable', () => {
      for (let i = 0; i < 10; i++) sender.send({ body: String(i) });
    });
    await until(() => deliveries.length === 10);
    expect(deliveries.every((delivery) => delivery.presettled)).toBe(true);
    accept(listener, deliveries);
    expect(listener.unsettled).toBe(0);
  });

  it('releases what is unsettled when it closes', async () => {
    const { listener, deliveries } = await listen(test);
    const peer = client(listener.port, 'a');
    peer.send({ body: 'kept' }, { body: 'given back' }, { body: 'given back too' });
    await until(() => deliveries.length === 3);
    listener.settle(deliveries, { kind: 'accepted' }, 0, 1);
    await listener.close();
    await until(() => peer.told.length === 3);
    expect(peer.told.map((told) => told.outcome)).toEqual(['accepted', 'released', 'released']);
  });

  it('drains: no new connections, what came in is handed over and still settled', async () => {
    const { listener, deliveries } = await listen(test);
    const peer = client(listener.port, 'a');
    peer.send(...Array.from({ length: 100 }, (_, i) => ({ body: String(i) })));
    await until(() => deliveries.length === 100);
    await listener.drain();
    const late = client(listener.port, 'a');
    await until(() => late.errors.length > 0);
    peer.send({ body: 'late' });
    accept(listener, deliveries);
    await until(() => peer.told.length === 101);
    expect(deliveries.length).toBe(100);
    // rhea does not heed drain: what it goes on to send comes back to it.
    const outcomes = peer.told.map((told) => `${String(told.body)} ${told.outcome}`);
    expect(outcomes).toContain('late released');
    expect(outcomes.filter((told) => told.endsWith('accepted')).length).toBe(100);
  });
});

describe('credit', () => {
  it('lets no more messages be unsettled than it gave credit for, and goes on as they are settled', async () => {
    const { listener, deliveries } = await listen(test, { credit: 10 });
    const peer = client(listener.port, 'a');
    peer.send(...Array.from({ length: 100 }, (_, i) => ({ body: String(i) })));
    await until(() => deliveries.length === 10);
    let taken = 0;
    let most = 0;
    while (taken < 100) {
      await until(() => deliveries.length > taken);
      most = Math.max(most, listener.unsettled);
      const next = deliveries.slice(taken, taken + 3);
      taken += next.length;
      accept(listener, next);
    }
    await until(() => peer.told.length === 100);
    expect(most).toBeLessThanOrEqual(10);
  });

  it('hands nothing over while the consumer has no room', async () => {
    let room = Promise.withResolvers<void>();
    const batches: number[] = [];
    const { listener } = await listen(test, {
      maxBatch: 20,
      onDeliveries: (batch) => {
        batches.push(batch.length);
        listener.settle(batch, { kind: 'accepted' });
        room = Promise.withResolvers<void>();
        return room.promise;
      },
    });
    const peer = client(listener.port, 'a');
    peer.send({ body: 'first' });
    await until(() => batches.length === 1);
    peer.send(...Array.from({ length: 50 }, (_, i) => ({ body: String(i) })));
    await until(() => listener.unsettled === 50);
    expect(batches).toEqual([1]);
    room.resolve();
    await until(() => batches.length === 2);
    expect(batches).toEqual([1, 20]);
    room.resolve();
    await until(() => batches.length === 3);
    room.resolve();
    await until(() => peer.told.length === 51);
    expect(batches).toEqual([1, 20, 20, 10]);
  });

  it('stops reading when too many bytes are held, and reads on when they are settled', async () => {
    const { listener, deliveries } = await listen(test, { limits: { maxHeldBytes: 200_000 } });
    const peer = client(listener.port, 'a');
    peer.send(...Array.from({ length: 100 }, () => ({ body: Buffer.alloc(50_000) })));
    await until(() => deliveries.length >= 4);
    let taken = 0;
    let most = 0;
    while (taken < 100) {
      await until(() => deliveries.length > taken);
      most = Math.max(most, listener.unsettled);
      const next = deliveries.slice(taken);
      taken += next.length;
      accept(listener, next);
    }
    await until(() => peer.told.length === 100);
    // What lay in the block that was being read when the limit was reached comes on top.
    expect(most).toBeLessThanOrEqual(8);
  });

  it('skips what waits on a connection that is gone, and gives its room back', async () => {
    let room = Promise.withResolvers<void>();
    const seen: string[] = [];
    const { listener } = await listen(test, {
      onDeliveries: (batch) => {
        seen.push(...batch.map((delivery) => String(delivery.body)));
        listener.settle(batch, { kind: 'accepted' });
        return room.promise;
      },
    });
    const staying = client(listener.port, 'a');
    staying.send({ body: 'first' });
    await until(() => seen.length === 1);
    const leaving = client(listener.port, 'a');
    leaving.send({ body: 'lost 1' }, { body: 'lost 2' });
    await until(() => listener.unsettled === 2);
    leaving.close();
    await until(() => listener.connections === 1);
    staying.send({ body: 'second' });
    await until(() => listener.unsettled === 3);
    room.resolve();
    room = Promise.withResolvers<void>();
    await until(() => seen.length === 2);
    expect(seen).toEqual(['first', 'second']);
    expect(listener.unsettled).toBe(0);
  });
});

describe('logging in', () => {
  const plain = { plain: [{ username: 'collectd', password: 'päss' }] };
  // rhea's client cuts a password that is not ASCII: the bytes by hand.
  const login = (username: string, password: string): object => ({
    sasl_mechanisms: {
      PLAIN: () => ({
        start: (done: (error: undefined, response: Buffer) => void) =>
          done(undefined, Buffer.from(`\0${username}\0${password}`)),
      }),
    },
  });

  it('takes the right password', async () => {
    const { listener, deliveries } = await listen(test, { sasl: plain });
    client(listener.port, 'a', login('collectd', 'päss')).send({ body: 'in' });
    await until(() => deliveries.length === 1);
    expect(test.errors).toEqual([]);
  });

  it.each([
    ['a wrong password', login('collectd', 'wrong'), 'wrong user or password'],
    ['a wrong user', login('nobody', 'päss'), 'wrong user or password'],
    ['a mechanism that is not offered', { username: 'x' }, ''],
    ['no SASL at all', {}, ''],
  ])('refuses %s', async (_name, options, why) => {
    const { listener, deliveries } = await listen(test, { sasl: plain });
    const peer = client(listener.port, 'a', options);
    peer.send({ body: 'in' });
    await until(() => peer.errors.length > 0 && listener.connections === 0);
    expect(deliveries).toEqual([]);
    // These give up by themselves, before they have told us anything that we could refuse.
    if (why === '') return;
    await until(() => test.errors.length > 0);
    expect(test.codes()).toEqual(['PB_AMQP_SASL_REFUSED']);
    expect(test.errors[0]?.message).toContain(why);
    expect(test.errors[0]?.message).toContain('127.0.0.1:');
    expect(test.logged.join()).not.toContain('päss');
  });

  it('names a mechanism that a client insists on', async () => {
    const { listener } = await listen(test, { sasl: { anonymous: true } });
    const peer = client(listener.port, 'a');
    peer.close();
    const { RawPeer, amqp } = await import('./test-peer.ts');
    const raw = await RawPeer.connect(listener.port);
    const init = amqp.described(0x41, amqp.list(Buffer.concat([Buffer.from([0xa3, 11]), Buffer.from('constructor')])));
    const size = Buffer.alloc(4);
    size.writeUInt32BE(init.length + 8);
    raw.write(Buffer.from('AMQP\x03\x01\0\0', 'latin1'), size, Buffer.from([2, 1, 0, 0]), init);
    await until(() => raw.closed);
    await until(() => test.errors.length > 0);
    expect(test.errors.at(-1)?.message).toContain('mechanism "constructor" is not offered; ours: ANONYMOUS');
  });

  it('limits what it logs of one fault', async () => {
    const { listener } = await listen(test, { sasl: plain });
    for (let i = 0; i < 15; i++) client(listener.port, 'a', login('collectd', 'wrong'));
    await until(() => test.errors.length === 15);
    expect(test.logged.length).toBe(10);
  });

  it('refuses to start when nobody could log in, or with a port that is taken', async () => {
    await expect(listen(test, { sasl: {} })).rejects.toMatchObject({ code: 'PB_AMQP_SASL_NONE' });
    const { listener } = await listen(test);
    const second = listen(test, { port: listener.port });
    await expect(second).rejects.toBeInstanceOf(ConfigError);
    await expect(second).rejects.toMatchObject({ code: 'PB_AMQP_LISTEN', path: 'listen.port' });
  });
});

describe('TLS', () => {
  let folder: string;
  const pem = (name: string): string => readFileSync(join(folder, name), 'utf8');
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'patchbay-amqp-'));
    const openssl = (...args: string[]): Buffer =>
      execFileSync('openssl', args, { cwd: folder, stdio: ['ignore', 'pipe', 'pipe'] });
    const ec = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-days', '2'];
    openssl('req', '-x509', ...ec, '-subj', '/CN=test CA', '-keyout', 'ca.key', '-out', 'ca.crt');
    openssl('req', '-x509', ...ec, '-subj', '/CN=other CA', '-keyout', 'other.key', '-out', 'other.crt');
    for (const [name, ca] of [
      ['server', 'ca'],
      ['client', 'ca'],
      ['stranger', 'other'],
    ] as const) {
      openssl(
        'req',
        '-x509',
        ...ec,
        '-subj',
        `/CN=${name}`,
        '-addext',
        'subjectAltName=DNS:localhost,IP:127.0.0.1',
        '-addext',
        'basicConstraints=CA:FALSE',
        '-CA',
        `${ca}.crt`,
        '-CAkey',
        `${ca}.key`,
        '-keyout',
        `${name}.key`,
        '-out',
        `${name}.crt`,
      );
    }
  });
  afterAll(() => rmSync(folder, { recursive: true }));

  const server = (): { cert: string; key: string; ca: string } => ({
    cert: pem('server.crt'),
    key: pem('server.key'),
    ca: pem('ca.crt'),
  });

  it('encrypts, and a client that knows the CA gets in', async () => {
    const { listener, deliveries } = await listen(test, { tls: server() });
    const peer = client(listener.port, 'a', { transport: 'tls', ca: pem('ca.crt') });
    peer.send({ body: 'secret' });
    await until(() => deliveries.length === 1);
    accept(listener, deliveries);
    await until(() => peer.told.length === 1);
  });

  it('logs in by certificate, and only by one that our CA signed', async () => {
    const { listener, deliveries } = await listen(test, { tls: server(), sasl: { external: true } });
    const options = (name: string): object => ({
      transport: 'tls',
      ca: pem('ca.crt'),
      cert: pem(`${name}.crt`),
      key: pem(`${name}.key`),
      enable_sasl_external: true,
    });
    client(listener.port, 'a', options('client')).send({ body: 'in' });
    await until(() => deliveries.length === 1);
    const stranger = client(listener.port, 'a', options('stranger'));
    await until(() => stranger.errors.length > 0 && test.errors.length > 0);
    expect(test.codes()).toEqual(['PB_AMQP_SASL_REFUSED']);
    expect(deliveries.length).toBe(1);
  });

  it('turns away clients without a certificate when it is a must, and those without TLS', async () => {
    const { listener } = await listen(test, { tls: { ...server(), requireClientCert: true } });
    const without = client(listener.port, 'a', { transport: 'tls', ca: pem('ca.crt') });
    await until(() => without.errors.length > 0);
    const plain = client(listener.port, 'a');
    await until(() => plain.errors.length > 0);
    expect(listener.connections).toBe(0);
  });

  it('says at start what is wrong with its own certificate', async () => {
    const mixed = { cert: pem('server.crt'), key: pem('client.key') };
    await expect(listen(test, { tls: mixed })).rejects.toMatchObject({ code: 'PB_AMQP_TLS', path: 'listen.tls' });
    const none = { cert: 'no PEM', key: pem('client.key') };
    await expect(listen(test, { tls: none })).rejects.toMatchObject({ code: 'PB_AMQP_TLS' });
    const external = listen(test, {
      tls: { cert: pem('server.crt'), key: pem('server.key') },
      sasl: { external: true },
    });
    await expect(external).rejects.toMatchObject({ code: 'PB_AMQP_TLS', path: 'listen.tls.ca' });
  });
});
