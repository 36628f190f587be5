import { fakeContext, fakeEmit } from 'patchbay/plugin-api/testing';
import { describe, expect, it } from 'vitest';
import noop from './source.ts';

describe('noop', () => {
  it('starts, emits nothing and stops', async () => {
    const out = fakeEmit();
    const source = noop.create(fakeContext({ config: { type: 't', schema: { type: 'object' } } }));
    await source.start(out.emit);
    await source.stop();
    await source.close();
    expect(out.batches).toEqual([]);
  });

  it('says at start that its schema is no schema', () => {
    const source = noop.create(fakeContext({ config: { schema: { type: 'objekt' } } }));
    expect(() => source.start(fakeEmit().emit)).toThrow(
      expect.objectContaining({ code: 'PB_NOOP_SCHEMA', path: 'schema' }),
    );
  });
});
