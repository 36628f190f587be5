import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { Refused, type Message } from 'patchbay/plugin-api';
import { fakeContext } from 'patchbay/plugin-api/testing';
import handler, { type Config } from './handler.ts';

describe('example-plugin', () => {
  const context = fakeContext<Config>({ config: { field: 'site', value: 'berlin-1' } });

  it('adds the field', async () => {
    const [result] = await handler.create(context).handle([context.message({ data: '{"n":1}' })]);
    assert.deepEqual((result as Message).data, { n: 1, site: 'berlin-1' });
  });

  it('refuses what is no object', async () => {
    const [result] = await handler.create(context).handle([context.message({ data: '[1]' })]);
    assert.ok(result instanceof Refused);
    assert.equal(result.code, 'EXAMPLE_PLUGIN_NOT_AN_OBJECT');
  });
});
