/** `patchbay deadletters` against a gateway that refused something. */
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import type { LetterDetail, LetterRow, LetterSummary, RetryJob } from '../../gateway-core/protocol/dead-letters.ts';
import { eventually, freePort } from '../peers/program.ts';
import { folder, json, patchbay, removeFolders, startGateway, type Ended, type RunningGateway } from './patchbay.ts';

let gateway: RunningGateway;
let port: number;
let out: string;

beforeAll(async () => {
  port = await freePort();
  out = join(folder('out'), 'out.jsonl');
  gateway = await startGateway('-', {
    input: `version: 1
sources:
  web: { plugin: http-events, config: { port: ${port} } }
handlers:
  decode: { plugin: collectd-metrics }
sinks:
  file: { plugin: json-file, config: { path: ${out} } }
pipelines:
  flow: { from: [web], through: [decode], to: [file] }
`,
  });
});
afterAll(async () => {
  gateway.signal('SIGTERM');
  await gateway.ended;
  removeFolders();
});

const run = (...args: string[]): Promise<Ended> => patchbay(['deadletters', ...args, '--data', gateway.data]);

async function refuse(...ids: string[]): Promise<void> {
  for (const id of ids) {
    const answer = await fetch(`http://127.0.0.1:${port}/events`, {
      method: 'POST',
      headers: { 'ce-id': id, 'ce-source': 't', 'ce-type': 't', 'ce-specversion': '1.0', 'content-type': 'text/plain' },
      body: `nonsense ${id}`,
    });
    expect(answer.status).toBe(202);
  }
}

const letters = async (...filters: string[]): Promise<readonly LetterRow[]> =>
  json<{ letters: readonly LetterRow[] }>(await run('list', '--json', ...filters)).letters;
const discardAll = async (): Promise<void> => {
  if ((await letters()).length > 0) expect((await run('discard', '--all', '--reason', 'next test')).code).toBe(0);
};

it('lists, sums up and shows', async () => {
  expect((await run('list')).stdout).toBe('No dead letters.\n');
  await refuse('a', 'b');
  expect((await letters()).map(({ messageId }) => messageId)).toEqual(['b', 'a']);
  expect(await letters('--text', 'nothing like it')).toEqual([]);
  expect(await letters('--since', '1h', '--instance', 'decode', '--code', 'PB_COLLECTD_JSON')).toHaveLength(2);
  expect(await letters('--until', '2020-01-01')).toEqual([]);
  expect((await run('list')).stdout).toMatch(/^ID +STORED +INSTANCE.*\n\d+ .*decode +PB_COLLECTD_JSON +1 +not JSON/);
  expect(json<LetterSummary>(await run('list', '--summary', '--json'))).toMatchObject({ count: 2 });
  const id = String((await letters())[0]?.id);
  expect(json<LetterDetail>(await run('show', id, '--json'))).toMatchObject({
    letter: { messageId: 'b', place: 'handler' },
    message: { payload: { text: 'nonsense b' } },
  });
  expect((await run('show', id)).stdout).toContain('refused by   decode (handler) in flow, came from web');
  const none = await run('show', '4711', '--json');
  expect(none.code).toBe(1);
  expect(json(none)).toMatchObject({ error: { code: 'PB_LETTER_UNKNOWN' } });
  await discardAll();
});

it('edits and retries until it is delivered; exit 1 while something is still there', async () => {
  await refuse('c');
  const again = await run('retry', '--all', '--json');
  expect(again.code).toBe(1);
  expect(json<RetryJob>(again)).toMatchObject({ state: 'done', refused: 1, delivered: 0 });
  const file = join(folder('payload'), 'payload.json');
  writeFileSync(
    file,
    '[{"values":[1],"dstypes":["gauge"],"dsnames":["value"],"time":1700000000,"interval":10,"host":"h","plugin":"load","type":"load"}]',
  );
  const id = String((await letters())[0]?.id);
  expect((await run('edit', id, '--attributes', 'nothing')).code).toBe(1);
  expect(json(await run('edit', id, '--payload', file, '--json'))).toMatchObject({ revision: 1 });
  const done = await run('retry', id);
  expect(done.stdout).toBe('1 delivered, 0 filtered, 0 refused again, 0 kept\n');
  expect(done.code).toBe(0);
  await eventually(
    () => 'the message in the file',
    () => existsSync(out) && readFileSync(out, 'utf8').includes('"name"'),
  );
  expect(await letters()).toEqual([]);
});

it('exports as CloudEvents and discards with a reason', async () => {
  await refuse('d', 'e');
  const lines = (await run('export', '--all')).stdout.trimEnd().split('\n');
  expect(lines.map((line) => JSON.parse(line) as object)).toMatchObject([
    { specversion: '1.0', id: 'd', refusedby: 'decode', refusedcode: 'PB_COLLECTD_JSON', pipeline: 'flow' },
    { id: 'e' },
  ]);
  expect((await run('discard', '--all')).code).toBe(2);
  expect(json(await run('discard', '--text', 'nothing like it', '--all', '--reason', 'x', '--json'))).toMatchObject({
    error: { code: 'PB_LETTERS_NONE' },
  });
  expect(json(await run('discard', '--instance', 'decode', '--reason', 'x', '--json'))).toEqual({ discarded: 2 });
});

it.each([
  [['retry'], 'PB_LETTERS_UNNAMED'],
  [['discard', '--reason', 'x'], 'PB_LETTERS_UNNAMED'],
  [['export'], 'PB_LETTERS_UNNAMED'],
  [['retry', 'one'], 'PB_LETTERS_UNNAMED'],
  [['list', '--since', 'yesterday-ish'], 'PB_LETTERS_WHEN'],
])('%j does not say what is meant: exit 2', async (args, code) => {
  const ended = await run(...args, '--json');
  expect(json(ended)).toMatchObject({ error: { code } });
  expect(ended.code).toBe(2);
});
