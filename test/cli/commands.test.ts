/** What the commands print and answer, asked of one gateway that runs (design §9: the named fields are a contract). */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { connectWebSocket } from '../../gateway-core/control/ws-client.ts';
import { createClient } from '../../gateway-core/protocol/client.ts';
import type { CloudEventJson, Plan, Problem, StatusReport } from '../../gateway-core/protocol/model.ts';
import { eventually } from '../peers/program.ts';
import {
  endsWithTest,
  file,
  folder,
  json,
  patchbay,
  removeFolders,
  start,
  startGateway,
  type RunningGateway,
} from './patchbay.ts';

const YAML = `# The demo of this test
version: 1
sources:
  demo: { plugin: generator, config: { rate: 400, faults: 0.02, seed: 7 } } # rate: per second
handlers:
  decode: { plugin: collectd-metrics }
sinks:
  # counts for Prometheus
  scrape: { plugin: prometheus, config: { port: 0 } }
pipelines:
  flow: { from: [demo], through: [decode], to: [scrape] }
`;

let gateway: RunningGateway;
let startup: string;

beforeAll(async () => {
  startup = file(YAML);
  gateway = await startGateway(startup);
});
afterAll(async () => {
  gateway.signal('SIGKILL');
  await gateway.ended;
  removeFolders();
});

const at = (): string[] => ['--data', gateway.data];
const asked = async <T>(...args: string[]): Promise<T> => {
  const ended = await patchbay([...args, '--json', ...at()]);
  expect(ended.code, ended.stderr).toBe(0);
  return json<T>(ended);
};
interface Answer {
  readonly error: { readonly code: string; readonly message: string; readonly remedy: string };
}

const count = expect.any(Number) as number;
const text = expect.any(String) as string;

describe('status', () => {
  it('--json has the fields of the contract, and its ledger adds up', async () => {
    const status = await eventually(
      () => 'dead letters are counted',
      async () => {
        const report = await asked<StatusReport>('status');
        return (report.pipelines['flow']?.deadLettered ?? 0) > 0 ? report : undefined;
      },
    );
    expect(status).toMatchObject({ state: 'running', version: text });
    expect(status.pipelines['flow']).toMatchObject({
      received: count,
      delivered: count,
      filtered: 0,
      deadLettered: count,
      dropped: 0,
      spooled: 0,
      inFlight: count,
      ratePerSecond: count,
      addsUp: true,
    });
    const flow = status.pipelines['flow'];
    if (flow === undefined) throw new Error('no flow');
    expect(flow.received).toBe(flow.delivered + flow.deadLettered + flow.inFlight + flow.returned);
    expect(Object.keys(status.instances).toSorted()).toEqual(['decode', 'demo', 'scrape']);
    expect(status.instances['decode']).toMatchObject({
      kind: 'handler',
      plugin: 'collectd-metrics',
      version: text,
      state: 'running',
      reason: '',
      restarts: 0,
      ratePerSecond: count,
    });
    expect(status.sinks).toEqual({
      scrape: expect.objectContaining({ custody: 'view', spooled: 0, oldestSeconds: 0, state: 'running' }) as unknown,
    });
  });

  it('for people names every pipeline and instance', async () => {
    const { stdout, code } = await patchbay(['status', ...at()]);
    expect(code).toBe(0);
    for (const word of ['running', 'flow', 'demo', 'generator@', 'decode', 'scrape']) expect(stdout).toContain(word);
    for (const word of ['adds up', 'held up by', 'control', 'storage', 'worker-1', 'free of'])
      expect(stdout).toContain(word);
  });

  it('is reached by --control and --token alone, and not with a wrong token', async () => {
    const control = new URL(gateway.control).host;
    const token = (await readFile(join(gateway.data, 'control-token'), 'utf8')).trim();
    const elsewhere = folder('elsewhere');
    const right = await patchbay(['status', '--json', '--control', control, '--token', token, '--data', elsewhere]);
    expect(json<StatusReport>(right).state).toBe('running');
    const wrong = await patchbay(['status', '--json', '--control', control, '--token', 'guess', '--data', elsewhere]);
    expect(wrong.code).toBe(1);
    expect(json<Answer>(wrong).error).toMatchObject({
      code: 'PB_BAD_TOKEN',
      remedy: expect.stringMatching(/\w/) as string,
    });
    const none = await patchbay(['status', '--json', '--control', control, '--data', elsewhere]);
    expect(json<Answer>(none).error.code).toBe('PB_TOKEN_UNREADABLE');
  });
});

describe('tap', () => {
  const lines = (stdout: string): CloudEventJson[] =>
    stdout
      .split('\n')
      .filter((line) => line !== '')
      .map((line) => JSON.parse(line) as CloudEventJson);

  it('--json prints one CloudEvent a line, each with an id of its own', async () => {
    const { stdout, code } = await patchbay(['tap', 'demo', '--json', '--count', '20', ...at()]);
    expect(code).toBe(0);
    const events = lines(stdout);
    expect(events).toHaveLength(20);
    expect(new Set(events.map(({ id }) => id)).size).toBe(20);
    for (const event of events) {
      expect(event).toMatchObject({
        specversion: '1.0',
        type: text,
        kind: 'raw',
        instance: 'demo',
        project: 'default',
      });
      expect(event.source).toMatch(/./);
      expect('data' in event).not.toBe('data_base64' in event);
    }
  });

  it('at a handler prints what came out, by condition and text', async () => {
    const where = 'data.name == "collectd_load_shortterm"';
    const { stdout, code } = await patchbay(['tap', 'scrape', '--json', '--where', where, '--count', '2', ...at()]);
    expect(code).toBe(0);
    for (const event of lines(stdout)) {
      expect(event.kind).toBe('metric');
      expect(event.data).toMatchObject({ name: 'collectd_load_shortterm', type: 'gauge', value: count });
    }
    const after = await patchbay(['tap', 'decode', '--json', '--text', 'cpu', '--count', '1', ...at()]);
    expect(lines(after.stdout)[0]).toMatchObject({ kind: 'metric' });
  });

  it('ends with exit 0 on SIGINT', async () => {
    const tap = endsWithTest(start(['tap', 'demo', '--json', ...at()]));
    await eventually(
      () => 'messages are printed',
      () => tap.stdout().includes('\n') || undefined,
    );
    tap.signal('SIGINT');
    expect(await tap.ended).toMatchObject({ code: 0, signal: null, stderr: '' });
  });

  it('ends with an error when the name or the condition is wrong', async () => {
    const unknown = await patchbay(['tap', 'dem', '--json', ...at()]);
    expect(unknown.code).toBe(1);
    expect(json<Answer>(unknown).error).toMatchObject({
      code: 'PB_INSTANCE_UNKNOWN',
      message: expect.stringContaining('demo') as string,
    });
    const broken = await patchbay(['tap', 'demo', '--json', '--where', 'data.x ==', ...at()]);
    expect(broken.code).toBe(1);
    expect(json<Answer>(broken).error.code).toMatch(/^PB_/);
  });
});

describe('pause, resume, drain, restart', () => {
  const flow = async (): Promise<StatusReport['pipelines'][string]> => {
    const one = (await asked<StatusReport>('status')).pipelines['flow'];
    if (one === undefined) throw new Error('no flow');
    return one;
  };

  it('stop and start the flow of a pipeline', async () => {
    await asked('drain', 'flow');
    const drained = await flow();
    expect(drained).toMatchObject({ state: 'paused', inFlight: 0, addsUp: true });
    const { received } = await flow();
    expect(received).toBe(drained.received);
    await asked('resume', 'flow');
    await eventually(
      () => 'it flows again',
      async () => (await flow()).received > drained.received || undefined,
    );
    // By an instance: all of its pipelines.
    await asked('pause', 'decode');
    expect((await flow()).state).toBe('paused');
    await asked('resume', 'decode');
    await asked('restart', 'scrape');
    expect((await asked<StatusReport>('status')).instances['scrape']?.state).toMatch(/running|starting/);
  });

  it('say which names there are when one is wrong', async () => {
    const ended = await patchbay(['pause', 'nothing', ...at()]);
    expect(ended).toMatchObject({ code: 1, stdout: '' });
    expect(ended.stderr).toContain('PB_INSTANCE_UNKNOWN');
  });
});

describe('plugins', () => {
  it('list and show tell what there is', async () => {
    const { plugins } = await asked<{
      plugins: { name: string; version: string; origin: string; instances: string[] }[];
    }>('plugins', 'list');
    const names = plugins.map(({ name }) => name);
    for (const name of ['amqp1', 'http-events', 'noop', 'generator', 'collectd-metrics', 'filter', 'prometheus'])
      expect(names).toContain(name);
    expect(plugins.find(({ name }) => name === 'generator')).toMatchObject({ origin: 'built-in', instances: ['demo'] });
    const shown = await asked<{ name: string; contributions: unknown[]; readme: string }>(
      'plugins',
      'show',
      'json-file',
    );
    expect(shown).toMatchObject({ name: 'json-file', readme: expect.stringContaining('# JSON file') as string });
    expect(shown.contributions).toHaveLength(1);
    const missing = await patchbay(['plugins', 'show', 'no-such', '--json', ...at()]);
    expect(missing.code).toBe(1);
    expect(json<Answer>(missing).error.code).toMatch(/^PB_PLUGIN/);
  });
});

describe('config', () => {
  it('show prints the file as it is written', async () => {
    expect((await patchbay(['config', 'show', ...at()])).stdout).toBe(YAML);
    expect(await asked('config', 'show')).toMatchObject({
      yaml: YAML,
      version: 1,
      file: startup,
      config: { version: 1 },
    });
  });

  it('plan, apply, history and rollback go through the versions', async () => {
    const faster = file(YAML.replace('rate: 400', 'rate: 300'));
    const { plan, problems } = await asked<{ plan: Plan; problems: Problem[] }>('config', 'plan', faster);
    expect(problems).toEqual([]);
    expect(plan.steps.filter(({ act }) => act !== 'keep')).toEqual([
      expect.objectContaining({ subject: 'instance', name: 'demo', reason: expect.stringContaining('rate') as string }),
    ]);
    // A plan changes nothing.
    expect(await asked('config', 'show')).toMatchObject({ version: 1 });

    const applied = await asked<{ version: number }>('config', 'apply', faster, '--comment', 'not so fast');
    expect(applied.version).toBe(2);
    expect(await readFile(startup, 'utf8')).toContain('rate: 300');
    const { versions } = await asked<{
      versions: { version: number; origin: string; comment: string; time: number }[];
    }>('config', 'history');
    expect(versions.map(({ version }) => version)).toEqual([2, 1]);
    expect(versions[0]).toMatchObject({ origin: 'cli', comment: 'not so fast', time: count });

    const back = await asked<{ version: number }>('config', 'rollback', '1');
    expect(back.version).toBe(3);
    expect(await readFile(startup, 'utf8')).toBe(YAML);
    const unknown = await patchbay(['config', 'rollback', '99', '--json', ...at()]);
    expect(json<Answer>(unknown).error.code).toBe('PB_CONFIG_VERSION_UNKNOWN');
  });

  it('apply of a faulty file changes nothing and exits 78 with every problem', async () => {
    const before = await asked<{ version: number }>('config', 'show');
    const broken = file(YAML.replace('rate: 400', 'rate: fast').replace('to: [scrape]', 'to: [scrap]'));
    const refused = await patchbay(['config', 'apply', broken, '--json', ...at()]);
    expect(refused.code).toBe(78);
    const { error } = json<{ error: { code: string; details: { problems: Problem[] } } }>(refused);
    expect(error.code).toBe('PB_CONFIG_INVALID');
    const errors = error.details.problems.filter(({ severity }) => severity === 'error');
    expect(errors.map(({ code }) => code).toSorted()).toEqual(['PB_CONFIG_TYPE', 'PB_CONFIG_UNKNOWN_INSTANCE']);
    const planned = await patchbay(['config', 'plan', broken, ...at()]);
    expect(planned.code).toBe(78);
    expect(planned.stderr).toContain(`${broken}:4:`);
    expect(await asked('config', 'show')).toMatchObject({ version: before.version, yaml: YAML });
    expect((await asked<StatusReport>('status')).instances['demo']?.state).toBe('running');
  });

  it('edits of the panel keep comments and order of the file', async () => {
    const { hostname, port } = new URL(gateway.control);
    const token = (await readFile(join(gateway.data, 'control-token'), 'utf8')).trim();
    const client = createClient(connectWebSocket({ host: hostname, port: Number(port), token }), { client: 'test' });
    try {
      await client.opened();
      await client.call('config.edit', {
        edits: [
          { op: 'set', path: ['sources', 'demo', 'config', 'rate'], value: 250 },
          { op: 'set', path: ['handlers', 'keep'], value: { plugin: 'filter', config: { where: 'kind == "metric"' } } },
        ],
      });
    } finally {
      client.close();
    }
    const written = await readFile(startup, 'utf8');
    expect(written).toContain('# The demo of this test');
    expect(written).toContain('config: { rate: 250, faults: 0.02, seed: 7 } } # rate: per second');
    expect(written).toContain('  # counts for Prometheus\n  scrape:');
    expect(written).toMatch(/decode:[^]*keep:[^]*sinks:/);
  });
});

describe('events', () => {
  it('follow prints what comes, and list what was done, newest first', async () => {
    const follow = endsWithTest(start(['events', 'follow', '--json', ...at()]));
    // Whether it listens already cannot be seen from outside: changes go on until one is printed.
    const rates = [310, 320, 330, 340, 350, 360, 370, 380, 390];
    while (!follow.stdout().includes('"config.applied"')) {
      const rate = rates.pop();
      if (rate === undefined) throw new Error(`no event was printed: ${follow.stderr()}`);
      await asked('config', 'apply', file(YAML.replace('rate: 400', `rate: ${rate}`)));
    }
    follow.signal('SIGINT');
    const { stdout, code } = await follow.ended;
    expect(code).toBe(0);
    const printed = stdout
      .split('\n')
      .filter((line) => line !== '')
      .map((line) => JSON.parse(line) as { type: string });
    expect(printed).toContainEqual(expect.objectContaining({ type: 'config.applied', version: 1 }));

    const { events } = await asked<{ events: { id: number; type: string; severity: string; version: number }[] }>(
      'events',
      'list',
      '--limit',
      '20',
    );
    expect(events.map(({ type }) => type)).toContain('gateway.started');
    expect(events.map(({ type }) => type)).toContain('config.applied');
    expect(events.map(({ id }) => id)).toEqual(events.map(({ id }) => id).toSorted((a, b) => b - a));
    const one = await asked<{ events: unknown[] }>('events', 'list', '--limit', '1');
    expect(one.events).toHaveLength(1);
  });
});
