import assert from 'node:assert/strict';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { fakeContext } from 'patchbay/plugin-api/testing';
import sink, { type Config } from './sink.ts';

describe('example-plugin', () => {
  let folder = '';
  before(async () => void (folder = await mkdtemp(join(tmpdir(), 'example-plugin-'))));
  after(() => rm(folder, { recursive: true }));

  it('writes one CloudEvent per line', async () => {
    const path = join(folder, 'out.jsonl');
    const context = fakeContext<Config>({ config: { path } });
    const instance = sink.create(context);
    await instance.open();
    await instance.write([context.message({ data: '{"n":1}' }), context.message({ data: 'two' })]);
    await instance.close();
    const lines = (await readFile(path, 'utf8'))
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line) as { data: unknown });
    assert.deepEqual(
      lines.map(({ data }) => data),
      [{ n: 1 }, 'two'],
    );
  });
});
