import { rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { GatewayConfig } from '../../gateway-core/protocol/model.ts';
import { dataFolder, demoConfig, eventually, handlerCode, startRig, writePlugin } from './rig.ts';

/** Beside the plugin under test, a pipeline that must never notice. */
function withNeighbour(config: GatewayConfig): GatewayConfig {
  return {
    ...config,
    sources: { ...config.sources, calm: { plugin: 'generator', config: { rate: 200, faults: 0 } } },
    sinks: { ...config.sinks, beside: { plugin: 'prometheus', config: { port: 0 } } },
    handlers: { ...config.handlers, plain: { plugin: 'collectd-metrics' } },
    pipelines: { ...config.pipelines, neighbour: { from: ['calm'], through: ['plain'], to: ['beside'] } },
  };
}

describe('a third-party handler', () => {
  it('runs in a thread of its own, and its messages keep their lineage', async () => {
    const data = await dataFolder();
    await writePlugin(data, { name: 'acme', kind: 'handler', code: handlerCode('return m;') });
    const rig = await startRig(data, demoConfig(['acme']));
    const status = await rig.until('messages flow', ({ pipelines }) => (pipelines['flow']?.delivered ?? 0) > 200);
    expect(status.instances['acme']).toMatchObject({ state: 'running', placement: 'plugin:acme' });
    expect(status.pipelines['flow']?.addsUp).toBe(true);
  });

  it('that throws for one message refuses that one', async () => {
    const data = await dataFolder();
    await writePlugin(data, {
      name: 'acme',
      kind: 'handler',
      code: handlerCode("if (++n % 50 === 0) throw new TypeError('every fiftieth'); return m;", 'let n = 0;'),
    });
    const rig = await startRig(data, demoConfig(['acme']));
    const { pipelines } = await rig.until('dead letters', ({ pipelines: p }) => (p['flow']?.deadLettered ?? 0) > 5);
    expect(pipelines['flow']?.delivered).toBeGreaterThan(200);
    expect(pipelines['flow']?.addsUp).toBe(true);
  });

  it('that ends its process-wide thread is restarted, and nothing is lost', async () => {
    const data = await dataFolder();
    await writePlugin(data, {
      name: 'acme',
      kind: 'handler',
      code: handlerCode(
        'if (!globalThis.told && ++n > 300) { setImmediate(() => { throw new Error("out of nowhere"); }); globalThis.told = true; } return m;',
        'let n = 0;',
      ),
    });
    const rig = await startRig(data, withNeighbour(demoConfig(['acme'])));
    await rig.until('a crash', ({ instances }) => (instances['acme']?.restarts ?? 0) > 0);
    const crashed = (await rig.status()).pipelines['flow']?.delivered ?? 0;
    const { pipelines, instances } = await rig.until(
      'it runs on',
      (status) => (status.pipelines['flow']?.delivered ?? 0) > crashed + 300,
    );
    expect(pipelines['flow']).toMatchObject({ addsUp: true, returned: 0, dropped: 0 });
    expect(pipelines['neighbour']).toMatchObject({ addsUp: true, returned: 0, state: 'running' });
    expect(instances['calm']?.restarts).toBe(0);
    expect((await rig.events()).map(({ code }) => code)).toContain('PB_WORKER_CRASHED');
  });

  it('that loops without end on one message is ended by the watchdog, and the message set aside', async () => {
    const data = await dataFolder();
    await writePlugin(data, {
      name: 'acme',
      kind: 'handler',
      code: handlerCode(`if (Buffer.from(m.data).includes('"plugin":"load"')) for (;;); return m;`),
    });
    const rig = await startRig(data, withNeighbour(demoConfig(['acme'], {}, 20)), { watchdogSeconds: 2 });
    const { pipelines } = await rig.until(
      'the message is refused',
      ({ pipelines: p }) => (p['flow']?.deadLettered ?? 0) > 0,
      60,
    );
    expect(pipelines['neighbour']).toMatchObject({ addsUp: true, state: 'running' });
    expect((await rig.events()).map(({ code }) => code)).toContain('PB_WORKER_STALLED');
  });

  it('that takes all memory is ended, and the rest runs on', async () => {
    const data = await dataFolder();
    await writePlugin(data, {
      name: 'acme',
      kind: 'handler',
      code: handlerCode(
        'for (let i = 0; i < 1000; i++) hoard.push(new Array(1000).fill(Math.random())); return m;',
        'const hoard = [];',
      ),
    });
    const rig = await startRig(data, withNeighbour(demoConfig(['acme'])), { workerHeapMb: 64 });
    await eventually(
      'the memory limit',
      async () => (await rig.events()).some(({ code }) => code === 'PB_WORKER_MEMORY'),
      60,
    );
    const before = (await rig.status()).pipelines['neighbour']?.delivered ?? 0;
    await rig.until('the neighbour flows', ({ pipelines }) => (pipelines['neighbour']?.delivered ?? 0) > before + 100);
  });

  it('that throws at import or at start keeps its pipeline still, with the reason, and nothing else', async () => {
    const data = await dataFolder();
    await writePlugin(data, { name: 'acme', kind: 'handler', code: "throw new Error('no such luck');" });
    await writePlugin(data, {
      name: 'other',
      kind: 'handler',
      code: "import { defineHandler } from 'patchbay/plugin-api';\nexport default defineHandler({ create() { throw new Error('cannot begin'); } });",
    });
    const base = withNeighbour(demoConfig(['acme']));
    const rig = await startRig(data, {
      ...base,
      handlers: { ...base.handlers, other: { plugin: 'other' } },
      pipelines: { ...base.pipelines, second: { from: ['calm'], through: ['other', 'plain'], to: ['beside'] } },
    });
    const status = await rig.until(
      'the neighbour flows',
      ({ pipelines }) => (pipelines['neighbour']?.delivered ?? 0) > 100,
    );
    expect(status.instances['acme']).toMatchObject({
      state: 'failed',
      reason: expect.stringContaining('no such luck'),
    });
    expect(status.instances['other']).toMatchObject({
      state: 'failed',
      reason: expect.stringContaining('cannot begin'),
    });
    expect(status.pipelines['flow']).toMatchObject({ state: 'stopped', received: 0 });
    expect(status.needsYou.map(({ subject }) => subject)).toEqual(expect.arrayContaining(['acme', 'other']));
  });

  it('cannot read files or start programs it did not ask for', async () => {
    const data = await dataFolder();
    const attempts = `
      import { readFileSync } from 'node:fs';
      import { execSync } from 'node:child_process';
      const tried = [() => readFileSync('/etc/passwd'), () => execSync('true')].map((act) => { try { act(); return 'allowed'; } catch (error) { return error.code; } });
      const env = Object.keys(process.env).length;`;
    await writePlugin(data, {
      name: 'acme',
      kind: 'handler',
      code: handlerCode("return new Refused('ACME', tried.join(' ') + ' ' + env);", attempts),
    });
    const rig = await startRig(data, demoConfig(['acme'], {}, 10));
    await rig.until('it was asked', ({ pipelines }) => (pipelines['flow']?.deadLettered ?? 0) > 0);
    const { DatabaseSync } = await import('node:sqlite');
    await rig.gateway.stop();
    const store = new DatabaseSync(join(data, 'store', 'deadletters.sqlite'), { readOnly: true });
    const table = store.prepare("SELECT name FROM sqlite_master WHERE type = 'table' AND sql LIKE '%cause%'").get() as {
      name: string;
    };
    const row = store.prepare(`SELECT cause FROM "${table.name}" LIMIT 1`).get() as { cause: string };
    store.close();
    expect(row.cause).toBe('ERR_ACCESS_DENIED ERR_ACCESS_DENIED 0');
  });
});

describe('a plugin folder of a running gateway', () => {
  it('changed on disk, an imported file of it too, is taken over with no message lost', async () => {
    const data = await dataFolder();
    const folder = await writePlugin(data, {
      name: 'acme',
      kind: 'handler',
      code: handlerCode('return derive(m, { subject: mark });', "import { mark } from './mark.js';"),
      files: { 'mark.js': "export const mark = 'one';" },
    });
    const rig = await startRig(data, demoConfig(['acme']));
    await rig.until('messages flow', ({ pipelines }) => (pipelines['flow']?.delivered ?? 0) > 100);
    const subjects = new Set<string>();
    const stop = rig.gateway.handlers.streams.live(
      { instance: 'acme', full: true },
      {
        ready: true,
        send: (item) => {
          if (item.kind === 'messages')
            for (const { after } of item.messages) subjects.add(String(after?.[0]?.subject));
          return true;
        },
        onReady: () => undefined,
        end: () => undefined,
      },
      { access: 'full', client: 'test' },
    );
    await eventually('the old mark', () => subjects.has('one'));
    await writeFile(join(folder, 'mark.js'), "export const mark = 'two';");
    await eventually('the new mark', () => subjects.has('two'), 30);
    stop();
    const { pipelines, instances } = await rig.status();
    expect(pipelines['flow']).toMatchObject({ addsUp: true, returned: 0, dropped: 0, deadLettered: 0 });
    expect(instances['demo']?.restarts).toBe(0);
  });

  it('changed for the worse leaves the old code running, and says why', async () => {
    const data = await dataFolder();
    const folder = await writePlugin(data, { name: 'acme', kind: 'handler', code: handlerCode('return m;') });
    const rig = await startRig(data, demoConfig(['acme']));
    await rig.until('messages flow', ({ pipelines }) => (pipelines['flow']?.delivered ?? 0) > 100);
    await writeFile(join(folder, 'main.js'), 'this is not JavaScript');
    await eventually('the refusal', async () => (await rig.events()).some(({ type }) => type === 'plugin.refused'), 30);
    const { pipelines, instances } = await rig.status();
    expect(instances['acme']?.state).toBe('running');
    const before = pipelines['flow']?.delivered ?? 0;
    await rig.until('it flows on', (status) => (status.pipelines['flow']?.delivered ?? 0) > before + 200);
    await writeFile(join(folder, 'main.js'), handlerCode("return new Filtered('mended');"));
    await rig.until('the mended code', (status) => (status.pipelines['flow']?.filtered ?? 0) > 100, 30);
    expect((await rig.status()).pipelines['flow']).toMatchObject({
      addsUp: true,
      returned: 0,
      dropped: 0,
      deadLettered: 0,
    });
  });

  it('dropped in can be used at once, and removed stops its instances alone', async () => {
    const data = await dataFolder();
    const rig = await startRig(data, withNeighbour(demoConfig([])));
    const folder = await writePlugin(data, { name: 'late', kind: 'handler', code: handlerCode('return m;') });
    await eventually(
      'the catalogue has it',
      async () => (await rig.call('plugins.list', {})).plugins.some(({ name }) => name === 'late'),
      30,
    );
    await rig.call('config.edit', {
      edits: [
        { op: 'set', path: ['handlers', 'late'], value: { plugin: 'late' } },
        { op: 'set', path: ['pipelines', 'flow', 'through'], value: ['late', 'decode'] },
      ],
    });
    await rig.until('it is used', ({ instances }) => (instances['late']?.received ?? 0) > 100);
    await rm(folder, { recursive: true });
    const status = await rig.until('it has failed', ({ instances }) => instances['late']?.state === 'failed', 30);
    expect(status.needsYou.map(({ code }) => code)).toContain('PB_PLUGIN_MISSING');
    const before = status.pipelines['neighbour']?.delivered ?? 0;
    await rig.until('the neighbour flows', ({ pipelines }) => (pipelines['neighbour']?.delivered ?? 0) > before + 100);
  });
});
