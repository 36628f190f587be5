import { createRequire } from 'node:module';
import { describe, expect, it } from 'vitest';
import { loadRhea } from './rhea.ts';

describe('rhea', () => {
  // We stand in for parts of it: an update needs these read again (intake.ts, session-intake.ts, peer-connection.ts).
  it('is the version whose inside we know, with the parts we use', async () => {
    const { version } = createRequire(import.meta.url)('rhea/package.json') as { version: string };
    expect(version).toBe('3.0.5');
    const rhea = await loadRhea();
    const connection = rhea.create_container({}).create_connection({});
    const session = connection.create_session();
    expect(typeof connection.input).toBe('function');
    expect(typeof connection._register).toBe('function');
    expect(typeof connection._disconnected).toBe('function');
    expect(typeof connection.amqp_transport.read).toBe('function');
    expect(connection.remote_channel_map).toEqual({});
    expect(typeof session._write_flow).toBe('function');
    expect(typeof session.on_attach).toBe('function');
    for (const name of [
      'on_begin',
      'on_flow',
      'on_disposition',
      'on_transfer',
      'process',
      'next_transfer_id',
      'max_transfer_id',
    ]) {
      expect(session.incoming).toHaveProperty(name);
    }
    for (const name of ['next_delivery_id', 'next_pending_delivery', 'deliveries', 'available', 'on_disposition']) {
      expect(session.outgoing).toHaveProperty(name);
    }
  });

  it('is loaded once, and reads counts with care from then on', async () => {
    const { types } = await loadRhea();
    expect((await loadRhea()).types).toBe(types);
    const claim = Buffer.from([0xd0, 0, 0, 0, 4, 0xff, 0xff, 0xff, 0xff]);
    expect(() => new types.Reader(claim).read()).toThrow(/elements/);
    const list = Buffer.from([0xc0, 5, 2, 0xa1, 1, 65, 0x40]);
    expect(types.unwrap(new types.Reader(list).read())).toEqual(['A', null]);
  });
});
