/** Refused messages in a real gateway: looked at, edited, retried, discarded, and killed in the midst of it. */
import { appendFileSync, existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { endsWithTest, folder, json, patchbay, removeFolders, start, startGateway } from '../cli/patchbay.ts';
import type { LetterState, RetryJob } from '../../gateway-core/protocol/dead-letters.ts';
import type { GatewayConfig } from '../../gateway-core/protocol/model.ts';
import { dataFolder, eventually, handlerCode, startRig, writePlugin, type Rig } from './rig.ts';

afterAll(removeFolders);

/** Emits the lines of a file in the data folder that were not there before; a folder to feed a gateway by. */
const FEED = `import { readFileSync, existsSync } from 'node:fs';
import { defineSource } from 'patchbay/plugin-api';
export default defineSource({ create: (context) => {
  let timer; let done = 0;
  return {
    start(emit) {
      const look = () => {
        const lines = existsSync(context.config.file) ? readFileSync(context.config.file, 'utf8').split('\\n').slice(0, -1) : [];
        const fresh = lines.slice(done); done = lines.length;
        if (fresh.length > 0) void emit(fresh.map((line) => context.message({ id: 'id-' + line, data: line }))).outcomes;
        timer = setTimeout(look, 20);
      };
      look();
    },
    stop() { clearTimeout(timer); },
  };
} });
`;
/** Refuses what the file beside it does not allow: \`ok\` in it lets all pass. */
const GATE = handlerCode(
  `if (!open()) { if (m.data.startsWith('throw')) throw new Error('no ' + m.data); return new Refused('TEST_SHUT', 'shut for ' + m.data); } return derive(m, { data: m.data.toUpperCase() });`,
  `import { readFileSync, existsSync } from 'node:fs';\nlet file = '';\nconst open = () => existsSync(process.env.GATE_FILE) && readFileSync(process.env.GATE_FILE, 'utf8').includes('ok');`,
);

const FILES = { files: ['read:/tmp'], env: ['GATE_FILE'] };

interface Bench {
  readonly rig: Rig;
  readonly out: string;
  feed(...lines: string[]): void;
  open(): void;
  shut(): void;
  delivered(): string[];
  state(): Promise<LetterState>;
  ended(job: string): Promise<RetryJob>;
  edit(config: Partial<GatewayConfig>): Promise<void>;
}

async function config(data: string): Promise<GatewayConfig> {
  await writePlugin(data, {
    name: 'feed',
    kind: 'source',
    code: FEED,
    manifest: {
      permissions: FILES,
      contributes: [
        {
          kind: 'source',
          name: 'feed',
          main: './main.js',
          produces: ['raw'],
          config: { type: 'object', properties: { file: { type: 'string' } }, additionalProperties: false },
        },
      ],
    },
  });
  await writePlugin(data, { name: 'gate', kind: 'handler', code: GATE, manifest: { permissions: FILES } });
  return {
    version: 1,
    sources: { in: { plugin: 'feed', config: { file: join(data, 'in.txt') } } },
    handlers: { gate: { plugin: 'gate' } },
    sinks: { file: { plugin: 'json-file', config: { path: join(data, 'out.jsonl') } } },
    pipelines: { flow: { from: ['in'], where: 'data != "left out"', through: ['gate'], to: ['file'] } },
  };
}

function deliveredIn(out: string): string[] {
  if (!existsSync(out)) return [];
  return readFileSync(out, 'utf8')
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => (JSON.parse(line) as { data: string }).data);
}

async function bench(): Promise<Bench> {
  const data = await dataFolder();
  const gate = join(data, 'gate.txt');
  process.env['GATE_FILE'] = gate;
  const given = await config(data);
  const rig = await startRig(data, given);
  const out = join(data, 'out.jsonl');
  const state = (): Promise<LetterState> =>
    new Promise((resolve, reject) => {
      const stop = rig.gateway.handlers.streams.deadletters(
        {},
        {
          ready: true,
          send: (item) => {
            resolve(item);
            setImmediate(() => stop());
            return true;
          },
          onReady: () => undefined,
          end: reject,
        },
        { access: 'full', client: 'test' },
      );
    });
  return {
    rig,
    out,
    feed: (...lines) => appendFileSync(join(data, 'in.txt'), lines.map((line) => `${line}\n`).join('')),
    open: () => writeFileSync(gate, 'ok'),
    shut: () => writeFileSync(gate, ''),
    delivered: () => deliveredIn(out),
    state,
    async ended(job) {
      let found: RetryJob | undefined;
      await eventually('the end of the retry', async () => {
        found = (await state()).jobs.find(({ id, state: is }) => id === job && is !== 'running');
        return found !== undefined;
      });
      return found as RetryJob;
    },
    async edit(change) {
      await rig.call('config.apply', { yaml: JSON.stringify({ ...given, ...change }) });
    },
  };
}

const all = { filter: {} } as const;
const listed = async ({ rig }: Bench) => (await rig.call('deadletters.list', {})).letters;

async function refused(count: number, at: Bench): Promise<void> {
  await eventually(`${count} letters`, async () => (await at.state()).count === count);
}

describe('dead letters', () => {
  it('a refused message is shown with its cause and stack, and retried where it was refused', async () => {
    const at = await bench();
    at.feed('a', 'throw b');
    await refused(2, at);
    const [thrown, plain] = await listed(at);
    expect(plain).toMatchObject({ code: 'TEST_SHUT', cause: 'shut for a', instance: 'gate', place: 'handler' });
    const detail = await at.rig.call('deadletters.show', { id: thrown?.id ?? 0 });
    expect(detail).toMatchObject({ cause: 'no throw b', message: { payload: { form: 'text', text: 'throw b' } } });
    expect(detail.stack).toMatch(/^Error: no throw b\n\s+at .*main\.js/);
    expect(detail.stack).not.toMatch(/gateway-core|node:/);
    const before = (await at.rig.status()).pipelines['flow'];

    at.open();
    const { job, total } = await at.rig.call('deadletters.retry', { selection: all, to: 'place' });
    expect(total).toBe(2);
    expect(await at.ended(job)).toMatchObject({ state: 'done', done: 2, delivered: 2, kept: 0 });
    expect(at.delivered()).toEqual(['A', 'THROW B']);
    expect(await at.state()).toMatchObject({ count: 0, bytes: 0 });
    const after = await at.rig.status();
    expect(after.pipelines['flow']).toMatchObject({
      received: (before?.received ?? 0) + 2,
      delivered: (before?.delivered ?? 0) + 2,
      deadLettered: 2,
      addsUp: true,
    });
    await eventually('the event of its end', async () =>
      (await at.rig.events()).some(({ type }) => type === 'deadletters.retried'),
    );
  });

  it('what is refused again lies there once, with its history and all attempts', async () => {
    const at = await bench();
    at.feed('a', 'b');
    await refused(2, at);
    const old = (await listed(at)).map(({ id }) => id);
    const { job } = await at.rig.call('deadletters.retry', { selection: all, to: 'place' });
    expect(await at.ended(job)).toMatchObject({ state: 'done', done: 2, refused: 2, delivered: 0 });
    const letters = await listed(at);
    expect(letters).toMatchObject([
      { messageId: 'id-b', attempts: 2, retries: 1 },
      { messageId: 'id-a', attempts: 2, retries: 1 },
    ]);
    for (const { id } of letters) expect(old).not.toContain(id);
    const { history } = await at.rig.call('deadletters.show', { id: letters[0]?.id ?? 0 });
    expect(history).toMatchObject([{ act: 'retried', by: 'test', to: 'place', ended: 'refused', code: 'TEST_SHUT' }]);
    expect((await at.rig.status()).pipelines['flow']).toMatchObject({ received: 4, deadLettered: 4, addsUp: true });
  });

  it('an edited message goes on as edited, keeps its id, and says who edited it', async () => {
    const at = await bench();
    at.feed('wrong');
    await refused(1, at);
    const id = (await listed(at))[0]?.id ?? 0;
    expect(
      await at.rig.call('deadletters.edit', { id, revision: 0, change: { payload: { text: 'right' }, subject: 's' } }),
    ).toEqual({ revision: 1 });
    await expect(at.rig.call('deadletters.edit', { id, revision: 0, change: { type: 'late' } })).rejects.toMatchObject({
      code: 'PB_LETTER_CHANGED',
    });
    const detail = await at.rig.call('deadletters.show', { id });
    expect(detail).toMatchObject({
      letter: { edited: true },
      message: { event: { id: 'id-wrong', data: 'right', subject: 's' } },
      original: { id: 'id-wrong', data: 'wrong' },
      history: [{ act: 'edited', by: 'test' }],
    });
    at.open();
    const { job } = await at.rig.call('deadletters.retry', { selection: { ids: [id] }, to: 'place' });
    await at.ended(job);
    const [line] = readFileSync(at.out, 'utf8').trimEnd().split('\n');
    expect(JSON.parse(line ?? '')).toMatchObject({ id: 'id-wrong', data: 'RIGHT', subject: 's' });
  });

  it('from the start, the condition of the pipeline holds again', async () => {
    const at = await bench();
    at.feed('a');
    await refused(1, at);
    const id = (await listed(at))[0]?.id ?? 0;
    await at.rig.call('deadletters.edit', { id, revision: 0, change: { payload: { text: 'left out' } } });
    at.open();
    const { job } = await at.rig.call('deadletters.retry', { selection: { ids: [id] }, to: 'start' });
    expect(await at.ended(job)).toMatchObject({ state: 'done', filtered: 1, delivered: 0 });
    expect(at.delivered()).toEqual([]);
    expect(await at.state()).toMatchObject({ count: 0 });
  });

  it('a letter that has nowhere to go stays, with a code that says why', async () => {
    const at = await bench();
    at.feed('a');
    await refused(1, at);
    const retry = async (to: 'place' | 'start'): Promise<RetryJob> =>
      at.ended((await at.rig.call('deadletters.retry', { selection: all, to })).job);
    await at.rig.call('flow.pause', { name: 'flow' });
    expect(await retry('place')).toMatchObject({ kept: 1, error: { code: 'PB_LETTER_NO_WAY' } });
    await at.rig.call('flow.resume', { name: 'flow' });
    const pipelines = (flow: object): Partial<GatewayConfig> => ({ pipelines: { flow: flow as never } });
    await at.edit({ ...pipelines({ from: ['in'], to: ['file'] }) });
    expect(await retry('place')).toMatchObject({ kept: 1, error: { code: 'PB_LETTER_PLACE_GONE' } });
    await at.edit(pipelines({ from: ['in'], to: ['file'], enabled: false }));
    expect(await retry('start')).toMatchObject({ kept: 1, error: { code: 'PB_LETTER_NO_WAY' } });
    expect((await listed(at)).map(({ messageId }) => messageId)).toEqual(['id-a']);
    await at.edit(pipelines({ from: ['in'], to: ['file'] }));
    expect(await retry('start')).toMatchObject({ delivered: 1 });
  });

  it('discarding takes a reason, which stays in the events', async () => {
    const at = await bench();
    at.feed('a', 'b', 'c');
    await refused(3, at);
    await expect(at.rig.call('deadletters.discard', { selection: all, reason: '  ' })).rejects.toMatchObject({
      code: 'PB_LETTER_REASON',
    });
    expect(await at.state()).toMatchObject({ count: 3 });
    const [, second] = await listed(at);
    expect(
      await at.rig.call('deadletters.discard', { selection: { ids: [second?.id ?? 0] }, reason: 'a test' }),
    ).toEqual({ discarded: 1 });
    expect(await at.rig.call('deadletters.discard', { selection: all, reason: 'the rest' })).toEqual({ discarded: 2 });
    await expect(at.rig.call('deadletters.discard', { selection: all, reason: 'none' })).rejects.toMatchObject({
      code: 'PB_LETTERS_NONE',
    });
    const told = async () => (await at.rig.events()).filter(({ type }) => type === 'deadletters.discarded');
    await eventually('both events', async () => (await told()).length === 2);
    expect(await told()).toMatchObject([
      { message: '2 dead letters are discarded (by test): the rest', details: { reason: 'the rest', count: 2 } },
      { message: 'One dead letter is discarded (by test): a test' },
    ]);
  });

  it('new bounds hold at once', async () => {
    const at = await bench();
    at.feed('a', 'b', 'c', 'd');
    await refused(4, at);
    await at.edit({ settings: { deadLetters: { count: 2 } } });
    await refused(2, at);
    expect((await listed(at)).map(({ messageId }) => messageId)).toEqual(['id-d', 'id-c']);
    expect((await at.rig.call('deadletters.summary', {})).bounds.count).toBe(2);
  });

  it('a kill in the midst of a retry of many loses none', async () => {
    const data = folder('letters-kill');
    const gate = join(data, 'gate.txt');
    const out = join(data, 'out.jsonl');
    const input = JSON.stringify(await config(data));
    const run = async () => endsWithTest(await startGateway('-', { data, input, env: { GATE_FILE: gate } }));
    const names = Array.from({ length: 3000 }, (_, i) => `m${i}`);
    const first = await run();
    appendFileSync(join(data, 'in.txt'), names.map((name) => `${name}\n`).join(''));
    const count = async (gateway: typeof first): Promise<number> => {
      const answer = await patchbay(['deadletters', 'list', '--summary', '--json', '--data', gateway.data]);
      return json<{ count: number }>(answer).count;
    };
    await eventually('all refused', async () => (await count(first)) === names.length);
    writeFileSync(gate, 'ok');
    start(['deadletters', 'retry', '--all', '--data', data]);
    await eventually('some delivered', () => wholeLines(out).length > 0);
    first.signal('SIGKILL');
    await first.ended;
    const doneAtKill = new Set(wholeLines(out)).size;
    expect(doneAtKill).toBeLessThan(names.length);
    writeFileSync(join(data, 'in.txt'), '');
    const second = await run();
    expect(await count(second)).toBeGreaterThanOrEqual(names.length - doneAtKill);
    const retried = await patchbay(['deadletters', 'retry', '--all', '--json', '--data', data]);
    expect(retried, retried.stdout).toMatchObject({ code: 0 });
    expect(await count(second)).toBe(0);
    second.signal('SIGTERM');
    await second.ended;
    const there = new Set(wholeLines(out));
    expect(names.filter((name) => !there.has(name.toUpperCase()))).toEqual([]);
  });
});

/** The last line may be torn by the kill. */
function wholeLines(out: string): string[] {
  if (!existsSync(out)) return [];
  return readFileSync(out, 'utf8')
    .split('\n')
    .slice(0, -1)
    .map((line) => (JSON.parse(line) as { data: string }).data);
}
