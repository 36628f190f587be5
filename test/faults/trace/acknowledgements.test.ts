import { describe, expect, it } from 'vitest';
import { amqp, binaryBody, frame, transfer } from '../../../gateway-core/amqp/test-peer.ts';
import { judge } from './acknowledgements.ts';
import { readCalls } from './system-calls.ts';

const AMQP = '20<TCP:[127.0.0.1:5672->127.0.0.1:40000]>';
const HTTP = '21<TCP:[127.0.0.1:7090->127.0.0.1:40001]>';
const STORE = '30</data/spool/out.sqlite-wal>';

const hex = (bytes: Buffer): string =>
  `"${[...bytes].map((byte) => `\\x${byte.toString(16).padStart(2, '0')}`).join('')}"`;
const call = (name: string, fd: string, bytes: Buffer): string =>
  `11 ${name}(${fd}, ${hex(bytes)}, ${bytes.length}) = ${bytes.length}`;
const arrives = (id: number): string => call('read', AMQP, transfer(id, false, binaryBody(Buffer.from('x'))));
const disposition = (first: number, last: number, outcome = 0x24): Buffer =>
  frame(0, 0x15, [
    amqp.bool(true),
    amqp.uint(first),
    amqp.uint(last),
    amqp.bool(true),
    amqp.described(outcome, amqp.list()),
  ]);
const accepts = (first: number, last = first): string => call('write', AMQP, disposition(first, last));
const sync = `12 fdatasync(${STORE}) = 0`;
const request = `11 read(${HTTP}, "POST /events HTTP/1.1\\r\\n\\r\\n{\\"id\\":1}", 65536) = 36`;
const answer = `11 writev(${HTTP}, [{iov_base="HTTP/1.1 202 Accepted\\r\\n", iov_len=23}, {iov_base="\\r\\n", iov_len=2}], 2) = 25`;

const verdict = (...lines: string[]) =>
  judge(readCalls(lines), { amqpPort: 5672, httpPort: 7090, isStore: (path) => path.startsWith('/data/spool/') });

describe('the judge of a trace', () => {
  it('passes a sync between arrival and acknowledgement', () => {
    expect(verdict(arrives(0), sync, accepts(0), request, sync, answer)).toEqual({
      acknowledged: { amqp: 1, http: 1 },
      syncs: 2,
      early: [],
    });
  });

  it.each([
    ['no sync', [arrives(0), accepts(0)]],
    ['the sync came before the message', [sync, arrives(0), accepts(0)]],
    ['the sync came after the answer', [arrives(0), accepts(0), sync]],
    ['another file was synced', [arrives(0), sync.replace('/data/spool/', '/data/store/'), accepts(0)]],
    ['the sync failed', [arrives(0), sync.replace('= 0', '= -1 EIO (Input/output error)'), accepts(0)]],
    ['the second message came after the sync for the first', [arrives(0), sync, arrives(1), accepts(0, 1)]],
    [
      'the sync had not ended',
      [arrives(0), `12 fdatasync(${STORE} <unfinished ...>`, accepts(0), '12 <... fdatasync resumed>) = 0'],
    ],
    [
      'the sync had begun before the message came',
      [`12 fdatasync(${STORE} <unfinished ...>`, arrives(0), '12 <... fdatasync resumed>) = 0', accepts(0)],
    ],
    ['HTTP: no sync', [request, answer]],
    ['HTTP: the sync was for the request before', [request, sync, answer, request, answer]],
  ])('finds: %s', (_what, lines) => {
    expect(verdict(...lines).early).toHaveLength(1);
  });

  it('takes a call that another thread came between for one', () => {
    const lines = [arrives(0), `12 fdatasync(${STORE} <unfinished ...>`, '11 read(4<pipe:[1]>, "", 1) = 0'];
    expect(verdict(...lines, '12 <... fdatasync resumed>) = 0', accepts(0)).early).toEqual([]);
  });

  it('joins messages and outcomes that come in pieces', () => {
    const bytes = transfer(7, false, binaryBody(Buffer.from('in two')));
    const out = disposition(7, 7);
    const pieces = [
      call('read', AMQP, bytes.subarray(0, 9)),
      call('read', AMQP, bytes.subarray(9)),
      call('write', AMQP, out.subarray(0, 5)),
      call('write', AMQP, out.subarray(5)),
    ];
    expect(verdict(...pieces).early).toHaveLength(1);
    expect(verdict(pieces[0] as string, pieces[1] as string, sync, ...pieces.slice(2))).toMatchObject({
      acknowledged: { amqp: 1 },
      early: [],
    });
  });

  it('asks nothing of a message that is given back', () => {
    expect(verdict(arrives(0), call('write', AMQP, disposition(0, 0, 0x26)))).toEqual({
      acknowledged: { amqp: 0, http: 0 },
      syncs: 0,
      early: [],
    });
  });

  it('knows an acknowledgement of what never came', () => {
    expect(verdict(sync, accepts(3)).early).toHaveLength(1);
  });
});
