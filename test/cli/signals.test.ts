/** `patchbay run` as a process among others: signals, standard input, the data folder's lock. */
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { RheaPeer } from '../../gateway-core/amqp/test-peer.ts';
import type { StatusReport } from '../../gateway-core/protocol/model.ts';
import { eventually, freePort } from '../peers/program.ts';
import { endsWithTest, file, folder, json, patchbay, removeFolders, startGateway } from './patchbay.ts';

afterAll(removeFolders);

const SMALL = `version: 1
sources:
  demo: { plugin: generator, config: { rate: 20 } }
sinks:
  scrape: { plugin: console }
pipelines:
  flow: { from: [demo], to: [scrape] }
`;

const status = async (data: string): Promise<StatusReport> =>
  json(await patchbay(['status', '--json', '--data', data]));

describe('SIGTERM', () => {
  it('drains and exits 0: the file has exactly what was accepted, once, of a hundred thousand', async () => {
    const port = await freePort();
    const out = join(folder('out'), 'events.jsonl');
    const gateway = endsWithTest(
      await startGateway('-', {
        input: `version: 1
sources:
  telemetry: { plugin: amqp1, config: { listen: { port: ${port} } } }
sinks:
  file: { plugin: json-file, config: { path: ${out} } }
pipelines:
  flow: { from: [telemetry], to: [file] }
`,
      }),
    );
    const peer = new RheaPeer(port, 'a');
    let sent = 0;
    // Always enough waits to keep the link busy; all of it at once would be slow to take from.
    const send = (): void => {
      while (peer.unsent < 10_000) peer.send({ body: `m-${sent++}` });
    };
    const told = (): number => peer.told.length;
    const accepted = (): string[] =>
      peer.told.filter(({ outcome }) => outcome === 'accepted').map(({ body }) => String(body));
    await eventually(
      () => `only ${told()} were accepted`,
      () => {
        send();
        return told() > 105_000 || undefined;
      },
    );
    send();
    gateway.signal('SIGTERM');
    expect(await gateway.ended).toMatchObject({ code: 0, signal: null });
    await eventually(
      () => 'the sender knows',
      () => !peer.connection.is_open() || undefined,
    );
    peer.close();
    const lines = readFileSync(out, 'utf8')
      .split('\n')
      .filter((line) => line !== '')
      .map((line) => (JSON.parse(line) as { data: string }).data);
    // It was in the midst of it, else the drain has not been tried.
    expect(accepted().length).toBeLessThan(sent);
    const there = new Set(lines);
    expect(lines.length).toBe(there.size);
    const known = new Set(accepted());
    expect({
      missing: [...known].filter((body) => !there.has(body)),
      unasked: lines.filter((body) => !known.has(body)),
    }).toEqual({ missing: [], unasked: [] });
    expect(peer.told.filter(({ outcome }) => outcome === 'rejected')).toEqual([]);
  });

  it('ends one that waits for its first config, and SIGINT does the same', async () => {
    const gateway = endsWithTest(await startGateway(undefined));
    expect((await status(gateway.data)).configured).toBe(false);
    gateway.signal('SIGINT');
    expect(await gateway.ended).toMatchObject({ code: 0, signal: null });
    // Whoever asks now is told that it is gone, not where it was.
    const asked = await patchbay(['status', '--json', '--data', gateway.data]);
    expect(json<{ error: { code: string } }>(asked).error.code).toBe('PB_NOT_RUNNING');
  });
});

describe('SIGHUP', () => {
  it('reads the file again; a faulty one changes nothing and is told', async () => {
    const startup = file(SMALL);
    const gateway = endsWithTest(await startGateway(startup));
    writeFileSync(
      startup,
      SMALL.replace('pipelines:', '  second: { plugin: console }\npipelines:').replace('[scrape]', '[scrape, second]'),
    );
    gateway.signal('SIGHUP');
    await eventually(
      () => 'the new sink runs',
      async () => (await status(gateway.data)).instances['second']?.state === 'running' || undefined,
    );
    writeFileSync(startup, SMALL.replace('generator', 'generatr'));
    gateway.signal('SIGHUP');
    const refused = await eventually(
      () => 'the refusal is an event',
      async () => {
        const asked = await patchbay(['events', 'list', '--json', '--data', gateway.data]);
        const { events } = json<{ events: { type: string; code: string; message: string }[] }>(asked);
        return events.find(({ type }) => type === 'config.refused');
      },
    );
    expect(refused).toMatchObject({
      code: 'PB_CONFIG_INVALID',
      message: expect.stringContaining('generatr') as string,
    });
    const after = await status(gateway.data);
    expect(after.instances['demo']?.state).toBe('running');
    expect(after.instances['second']?.state).toBe('running');
  });
});

describe('run', () => {
  it('- takes the config from standard input, keeps it off the disk, and says where it is, as JSON too', async () => {
    const gateway = endsWithTest(await startGateway('-', { input: SMALL, args: ['--json'] }));
    const [first, second] = gateway.stdout().split('\n');
    expect(JSON.parse(first as string)).toEqual({ control: gateway.control, pid: gateway.pid, data: gateway.data });
    expect(JSON.parse(second as string)).toEqual({
      panel: expect.stringContaining(`${gateway.control}/#code=`) as string,
    });
    expect(existsSync(join(gateway.data, 'startup.yaml'))).toBe(false);
    expect((await fetch(`${gateway.control}/healthz`)).status).toBe(200);
    expect((await fetch(`${gateway.control}/readyz`)).status).toBe(200);

    // A second one on the same folder is told who has it, and the first goes on.
    const other = await patchbay(['run', '-', '--json', '--data', gateway.data, '--control', '127.0.0.1:0'], {
      input: SMALL,
    });
    expect(other.code).toBe(1);
    expect(json(other)).toMatchObject({
      error: {
        code: 'PB_DATA_LOCKED',
        message: expect.stringMatching(new RegExp(`process ${gateway.pid}\\b.*${gateway.control}`)) as string,
      },
    });
    expect((await status(gateway.data)).pid).toBe(gateway.pid);

    // A gateway that was killed leaves nothing in the way of the next.
    gateway.signal('SIGKILL');
    await gateway.ended;
    const next = endsWithTest(await startGateway('-', { input: SMALL, data: gateway.data, args: ['--no-panel'] }));
    expect((await status(next.data)).pid).toBe(next.pid);
    expect(next.stdout()).not.toContain('#code=');
  });
});
