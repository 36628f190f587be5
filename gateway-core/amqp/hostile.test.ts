import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { AmqpListenOptions } from '../plugin-api/amqp.ts';
import { CodedError } from '../engine/error.ts';
import { FrameGuard } from './frame-guard.ts';
import {
  amqp,
  attach,
  BEGIN,
  binaryBody,
  END,
  frame,
  HEADER,
  listen,
  OPEN,
  RawPeer,
  RheaPeer,
  testHost,
  transfer,
  uint32,
  type TestHost,
} from './test-peer.ts';

let test: TestHost;
const raw: RawPeer[] = [];
const until = (condition: () => boolean): Promise<unknown> => vi.waitUntil(condition, { timeout: 10_000, interval: 2 });
const FLOW = 0x13;
const CLOSE = 0x18;

beforeEach(() => {
  test = testHost();
});
afterEach(() => {
  for (const peer of raw.splice(0)) peer.socket.destroy();
  test.stop();
});

/** A raw peer on a new listener, and a well-behaved one that has to be served all along. */
async function scene(options: Partial<AmqpListenOptions> = {}) {
  const { listener, deliveries } = await listen(test, options);
  const good = new RheaPeer(listener.port, 'good');
  const goodIsServed = async (): Promise<void> => {
    const before = deliveries.length;
    good.send({ body: 'still here' });
    await until(() => deliveries.slice(before).some((delivery) => delivery.body === 'still here'));
    good.close();
  };
  const connect = async (): Promise<RawPeer> => {
    const peer = await RawPeer.connect(listener.port);
    raw.push(peer);
    return peer;
  };
  const attached = async (): Promise<RawPeer> => {
    const peer = await RawPeer.attached(listener.port);
    raw.push(peer);
    await until(() => peer.got(FLOW));
    return peer;
  };
  return { listener, deliveries, connect, attached, goodIsServed };
}

/** Writes the same block again and again for as long as the peer takes it. Returns the bytes written. */
async function flood(peer: RawPeer, block: Buffer, most: number): Promise<number> {
  let written = 0;
  while (written < most && !peer.closed && peer.socket.writable) {
    if (!peer.write(block)) await until(() => peer.closed || peer.socket.writableLength === 0 || !peer.socket.writable);
    written += block.length;
  }
  return written;
}

describe('a peer that breaks the rules loses its connection, alone', () => {
  it.each([
    ['HTTP', Buffer.from('GET / HTTP/1.1\r\nHost: x\r\n\r\n'), 'PB_AMQP_NOT_AMQP', '"GET / HTTP/1'],
    ['garbage', Buffer.from('8f0e1d2c3b4a59687766554433221100', 'hex'), 'PB_AMQP_NOT_AMQP', '8f0e1d2c3b4a'],
    ['AMQP 0-9-1', Buffer.from('AMQP\0\0\x09\x01', 'latin1'), 'PB_AMQP_VERSION', '0-9-1'],
    ['an unknown protocol id', Buffer.from('AMQP\x09\x01\0\0', 'latin1'), 'PB_AMQP_BAD_FRAME', 'protocol id 9'],
    [
      'a frame of 4 bytes',
      Buffer.concat([HEADER, uint32(4), Buffer.alloc(8)]),
      'PB_AMQP_BAD_FRAME',
      'a frame of 4 bytes',
    ],
    ['a frame of 2 GiB', Buffer.concat([HEADER, OPEN, uint32(0x7fffffff)]), 'PB_AMQP_FRAME_TOO_LARGE', '2147483647'],
    [
      'data offset 1',
      Buffer.concat([HEADER, uint32(16), Buffer.from([1, 0, 0, 0]), Buffer.alloc(8)]),
      'PB_AMQP_BAD_FRAME',
      'data offset',
    ],
    ['a performative that is none', Buffer.concat([HEADER, frame(0, 0x77, [])]), 'PB_AMQP_BAD_FRAME', ''],
    [
      'a frame that is no described list',
      Buffer.concat([HEADER, uint32(10), Buffer.from([2, 0, 0, 0, 0x50, 1])]),
      'PB_AMQP_BAD_FRAME',
      '',
    ],
    ['open twice', Buffer.concat([HEADER, OPEN, OPEN]), 'PB_AMQP_BAD_FRAME', 'Open already received'],
    [
      'a transfer before its link',
      Buffer.concat([HEADER, OPEN, BEGIN, transfer(0, false, Buffer.alloc(1))]),
      'PB_AMQP_BAD_FRAME',
      'handle',
    ],
    [
      'a transfer on a channel that is none',
      Buffer.concat([HEADER, OPEN, transfer(0, false, Buffer.alloc(1))]),
      'PB_AMQP_BAD_FRAME',
      'channel',
    ],
    [
      'a list of 4 thousand million',
      Buffer.concat([
        HEADER,
        uint32(20),
        Buffer.from([2, 0, 0, 0, 0, 0x53, 0x10, 0xd0]),
        uint32(4),
        uint32(0xffffffff),
      ]),
      'PB_AMQP_BAD_FRAME',
      'elements',
    ],
  ])('%s', async (_name, bytes, code, text) => {
    const { connect, goodIsServed } = await scene();
    const peer = await connect();
    peer.write(bytes);
    await until(() => peer.closed && test.errors.length > 0);
    await vi.waitFor(() => expect(test.codes()).toEqual([code]));
    expect(test.errors[0]?.message).toContain(text);
    expect(test.errors[0]?.message).toContain('127.0.0.1:');
    await goodIsServed();
  });

  it('tells an open peer why', async () => {
    const { attached } = await scene();
    const peer = await attached();
    peer.write(uint32(0x7fffffff));
    await until(() => peer.closed);
    expect(peer.got(CLOSE)).toBe(true);
    expect(peer.received.toString('latin1')).toContain('announced a frame of 2147483647 bytes');
  });

  it('takes no memory for a frame of 2 GiB that is really sent', async () => {
    const { connect, goodIsServed } = await scene();
    const before = process.memoryUsage.rss();
    const peer = await connect();
    peer.write(HEADER, OPEN, uint32(0x7fffffff), Buffer.from([2, 0, 0, 0]));
    const written = await flood(peer, Buffer.alloc(1024 * 1024), 256 * 1024 * 1024);
    await until(() => peer.closed);
    expect(written).toBeLessThan(64 * 1024 * 1024);
    expect(process.memoryUsage.rss() - before).toBeLessThan(96 * 1024 * 1024);
    await goodIsServed();
  });

  it('bounds a message of endless frames', async () => {
    const { attached, goodIsServed } = await scene();
    const peer = await attached();
    const before = process.memoryUsage.rss();
    peer.write(transfer(0, true, Buffer.alloc(1000)));
    const block = Buffer.concat(Array.from({ length: 16 }, () => transfer(undefined, true, Buffer.alloc(64 * 1024))));
    const written = await flood(peer, block, 512 * 1024 * 1024);
    await until(() => peer.closed && test.errors.length > 0);
    await vi.waitFor(() => expect(test.codes()).toEqual(['PB_AMQP_MESSAGE_TOO_LARGE']));
    expect(written).toBeLessThan(64 * 1024 * 1024);
    expect(process.memoryUsage.rss() - before).toBeLessThan(160 * 1024 * 1024);
    await goodIsServed();
  });

  it('bounds a message of endless empty frames, and many messages begun at once', async () => {
    const { attached, connect } = await scene({ limits: { maxMessageSize: 100_000 } });
    const empty = await attached();
    empty.write(transfer(0, true, Buffer.alloc(0)));
    await flood(
      empty,
      Buffer.concat(Array.from({ length: 100 }, () => transfer(undefined, true, Buffer.alloc(0)))),
      10_000_000,
    );
    await until(() => empty.closed);
    const many = await connect();
    many.write(HEADER, OPEN, BEGIN, ...Array.from({ length: 10 }, (_, i) => attach(i)));
    await until(() => many.received.toString('hex').split('00531').length > 20);
    for (let i = 0; i < 10; i++) many.write(transfer(i, true, Buffer.alloc(50_000), i));
    await until(() => many.closed && test.errors.length === 2);
    await vi.waitFor(() => expect(test.codes()).toEqual(['PB_AMQP_MESSAGE_TOO_LARGE', 'PB_AMQP_MESSAGE_TOO_LARGE']));
  });

  it('joins the frames of a message, and forgets one that is aborted', async () => {
    const { attached, deliveries } = await scene();
    const peer = await attached();
    const body = binaryBody(Buffer.from('joined'));
    const aborted = frame(0, 0x14, [
      amqp.uint(0),
      amqp.null,
      amqp.null,
      amqp.null,
      amqp.null,
      amqp.bool(false),
      amqp.null,
      amqp.null,
      amqp.null,
      amqp.bool(true),
    ]);
    peer.write(transfer(0, true, Buffer.alloc(10)), aborted);
    peer.write(
      transfer(1, true, body.subarray(0, 3)),
      transfer(undefined, true, body.subarray(3, 4)),
      transfer(undefined, false, body.subarray(4)),
    );
    await until(() => deliveries.length === 1);
    expect(Buffer.from(deliveries[0]?.body as Uint8Array).toString()).toBe('joined');
  });

  it('understands a stream that comes byte by byte', async () => {
    const { connect, deliveries } = await scene();
    const peer = await connect();
    const stream = Buffer.concat([HEADER, OPEN, BEGIN, attach()]);
    for (const byte of stream) peer.socket.write(Buffer.from([byte]));
    await until(() => peer.got(FLOW));
    for (const byte of transfer(0, false, binaryBody(Buffer.from('slow')))) peer.socket.write(Buffer.from([byte]));
    await until(() => deliveries.length === 1);
    expect(test.errors).toEqual([]);
  });

  it('cuts off a peer that sends without credit', async () => {
    const { attached, listener, goodIsServed } = await scene({ credit: 5 });
    const peer = await attached();
    peer.write(...Array.from({ length: 20 }, (_, i) => transfer(i, false, binaryBody(Buffer.from('x')))));
    await until(() => peer.closed && test.errors.length > 0);
    await vi.waitFor(() => expect(test.codes()).toEqual(['PB_AMQP_CREDIT_IGNORED']));
    expect(listener.unsettled).toBe(5);
    await goodIsServed();
  });

  it('cuts off a peer that attaches without end', async () => {
    const { connect, goodIsServed } = await scene({ limits: { maxLinks: 20 } });
    const peer = await connect();
    peer.write(HEADER, OPEN, BEGIN, ...Array.from({ length: 100 }, (_, i) => attach(i)));
    await until(() => peer.closed && test.errors.length > 0);
    await vi.waitFor(() => expect(test.codes()).toEqual(['PB_AMQP_TOO_MANY_LINKS']));
    await goodIsServed();
  });

  it('cuts off a peer that begins sessions without end', async () => {
    const { connect } = await scene();
    const peer = await connect();
    const begin = (channel: number): Buffer =>
      frame(channel, 0x11, [amqp.null, amqp.uint(0), amqp.uint(10), amqp.uint(10)]);
    peer.write(HEADER, OPEN, ...Array.from({ length: 200 }, (_, i) => begin(i)));
    await until(() => peer.closed && test.errors.length > 0);
    await vi.waitFor(() => expect(test.codes()).toEqual(['PB_AMQP_TOO_MANY_LINKS']));
  });

  it('cuts off a peer that does not read', async () => {
    const { connect, goodIsServed } = await scene({ limits: { maxUnsent: 64 * 1024 } });
    const peer = await connect();
    peer.socket.pause();
    peer.write(HEADER, OPEN);
    // Each of these is answered by two frames.
    const block = Buffer.concat(Array.from({ length: 500 }, () => Buffer.concat([BEGIN, END])));
    await flood(peer, block, 256 * 1024 * 1024);
    await until(() => test.errors.length > 0);
    await vi.waitFor(() => expect(test.codes()).toEqual(['PB_AMQP_PEER_NOT_READING']));
    await goodIsServed();
  });

  it('cuts off a peer that stalls before open', async () => {
    const { connect, goodIsServed } = await scene({ limits: { handshakeMs: 200 } });
    const silent = await connect();
    const stalled = await connect();
    stalled.write(HEADER);
    await until(() => silent.closed && stalled.closed);
    await vi.waitFor(() => expect(test.codes()).toEqual(['PB_AMQP_HANDSHAKE_TIMEOUT', 'PB_AMQP_HANDSHAKE_TIMEOUT']));
    await goodIsServed();
  });

  it('turns away more connections than allowed', async () => {
    const { connect, listener } = await scene({ limits: { maxConnections: 3 } });
    await until(() => listener.connections === 1);
    const peers = [await connect(), await connect(), await connect()];
    await until(() => peers.filter((peer) => peer.closed).length === 1);
    expect(listener.connections).toBe(3);
    await vi.waitFor(() => expect(test.codes()).toEqual(['PB_AMQP_TOO_MANY_CONNECTIONS']));
  });

  it('bounds a peer that names four thousand million deliveries', async () => {
    const { attached, goodIsServed } = await scene();
    const peer = await attached();
    const disposition = (role: boolean): Buffer =>
      frame(0, 0x15, [amqp.bool(role), amqp.uint(0), amqp.uint(0xffffffff), amqp.bool(true)]);
    peer.write(disposition(true), disposition(false));
    await goodIsServed();
    expect(peer.closed).toBe(false);
  });
});

describe('a body that is broken is a delivery that says so', () => {
  const nested = (depth: number): Buffer => {
    const parts: Buffer[] = [];
    for (let i = 0; i < depth; i++) parts.push(Buffer.from([0xd0]), uint32((depth - i) * 9), uint32(1));
    return Buffer.concat([...parts, Buffer.from([0x40])]);
  };
  it.each([
    ['nothing', Buffer.alloc(0)],
    ['no descriptor', Buffer.from([0xa1, 1, 65])],
    ['cut off', binaryBody(Buffer.alloc(300)).subarray(0, 100)],
    ['longer than it is', Buffer.from([0, 0x53, 0x77, 0xb0, 0x7f, 0xff, 0xff, 0xff, 1])],
    ['an unknown type', Buffer.from([0, 0x53, 0x77, 0x30, 1])],
    [
      'a list that claims all memory',
      Buffer.concat([Buffer.from([0, 0x53, 0x77, 0xd0]), uint32(4), uint32(0xffffffff)]),
    ],
    [
      'an array of nothings that claims all memory',
      Buffer.concat([
        Buffer.from([0, 0x53, 0x77, 0xd0]),
        uint32(14),
        uint32(1),
        Buffer.from([0xf0]),
        uint32(5),
        uint32(0xfffffff0),
        Buffer.from([0x40]),
      ]),
    ],
    ['lists in lists in lists', Buffer.concat([Buffer.from([0, 0x53, 0x77]), nested(60_000)])],
    [
      'a million elements',
      Buffer.concat([
        Buffer.from([0, 0x53, 0x77, 0xd0]),
        uint32(900_004),
        uint32(900_000),
        Buffer.alloc(900_000, 0x40),
      ]),
    ],
    ['a sequence that is a number', Buffer.from([0, 0x53, 0x76, 0x50, 1])],
    ['data that is text', Buffer.from([0, 0x53, 0x75, 0xa1, 1, 65])],
    [
      'a body after broken properties',
      Buffer.concat([Buffer.from([0, 0x53, 0x73, 0x50, 1]), binaryBody(Buffer.from('x'))]),
    ],
  ])('%s', async (_name, payload) => {
    const { attached, deliveries, goodIsServed } = await scene({ credit: 100 });
    const peer = await attached();
    const before = process.memoryUsage.rss();
    peer.write(transfer(0, false, payload));
    await until(() => deliveries.length === 1);
    expect(deliveries[0]?.body).toBeUndefined();
    expect(deliveries[0]?.unsupported).not.toBe('');
    expect(process.memoryUsage.rss() - before).toBeLessThan(150 * 1024 * 1024);
    expect(peer.closed).toBe(false);
    await goodIsServed();
  });

  it('reads broken properties as none', async () => {
    const { attached, deliveries } = await scene();
    const peer = await attached();
    // A subject whose list claims more elements than there are.
    const properties = Buffer.concat([
      Buffer.from([0, 0x53, 0x73, 0xc0, 6, 200, 0x40, 0x40, 0x40, 0xa1, 0]),
      Buffer.alloc(0),
    ]);
    peer.write(transfer(0, false, Buffer.concat([properties, binaryBody(Buffer.from('x'))])));
    await until(() => deliveries.length === 1);
    expect(deliveries[0]?.properties).toEqual({});
    expect(deliveries[0]?.applicationProperties).toBeUndefined();
  });
});

describe('FrameGuard', () => {
  const blocks = (stream: Buffer, size: number): Buffer[] => {
    const out: Buffer[] = [];
    for (let at = 0; at < stream.length; at += size) out.push(stream.subarray(at, at + size));
    return out;
  };
  const stream = Buffer.concat([HEADER, OPEN, BEGIN, attach(), transfer(0, false, Buffer.alloc(500)), HEADER, OPEN]);

  it.each([1, 2, 3, 5, 7, 11, 64, 10_000])('sees every frame, in blocks of %i bytes', (size) => {
    const guard = new FrameGuard('peer', 1024);
    for (const block of blocks(stream, size)) guard.check(block);
    const bad = Buffer.concat([stream, uint32(1025), Buffer.alloc(20)]);
    const strict = new FrameGuard('peer', 1024);
    expect(() => {
      for (const block of blocks(bad, size)) strict.check(block);
    }).toThrow(CodedError);
  });
});
