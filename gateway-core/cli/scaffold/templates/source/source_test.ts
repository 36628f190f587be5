import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import type { Message, Outcome } from 'patchbay/plugin-api';
import { fakeContext, fakeEmit } from 'patchbay/plugin-api/testing';
import source, { type Config } from './source.ts';

describe('example-plugin', () => {
  let folder = '';
  before(async () => void (folder = await mkdtemp(join(tmpdir(), 'example-plugin-'))));
  after(() => rm(folder, { recursive: true }));

  it('emits a line again that was not taken, with the same id', async () => {
    const path = join(folder, 'lines.log');
    await writeFile(path, 'first\nsecond\n');
    const context = fakeContext<Config>({ config: { path, interval: 10 } });
    const ids: string[] = [];
    let tries = 0;
    const taken = new Promise<void>((resolve) => {
      const { emit } = fakeEmit({
        outcome(entry): Outcome {
          const message = entry as Message;
          if (message.data !== 'second') return { kind: 'delivered' };
          ids.push(message.id);
          if (++tries === 1) return { kind: 'retry', code: 'TEST_AWAY', cause: 'the sink is away', afterMs: 10 };
          resolve();
          return { kind: 'delivered' };
        },
      });
      const instance = source.create(context);
      after(() => instance.stop());
      void instance.start(emit);
    });
    await taken;
    assert.deepEqual(ids, [`${path}:6`, `${path}:6`]);
  });
});
