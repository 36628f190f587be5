/** Configs that are wrong, as `validate` and `run` meet them: each fault with code, place and remedy, exit 78, nothing started. */
import { createServer, type Server } from 'node:net';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, describe, expect, it, onTestFinished } from 'vitest';
import type { Problem, StatusReport } from '../../gateway-core/protocol/model.ts';
import { eventually, freePort } from '../peers/program.ts';
import { endsWithTest, file, folder, json, patchbay, removeFolders, start, startGateway } from './patchbay.ts';

afterAll(removeFolders);

/** `CODE line:column` of every error, in order. */
function faults(problems: readonly Problem[]): string[] {
  return problems
    .filter(({ severity }) => severity === 'error')
    .map(({ code, line, column }) => `${code} ${line}:${column}`);
}

async function validate(
  yaml: string,
  ...args: string[]
): Promise<{ code: number | null; problems: readonly Problem[] }> {
  const ended = await patchbay(['validate', file(yaml), '--json', '--data', folder('data'), ...args]);
  const { valid, problems } = json<{ valid: boolean; problems: Problem[] }>(ended);
  expect(valid).toBe(ended.code === 0);
  for (const { message, remedy } of problems) {
    expect(message).toMatch(/\w/);
    expect(remedy).toMatch(/\w.*[.:`}]$/);
  }
  return { code: ended.code, problems };
}

const FAULTY = `version: 1
surces: {}
sources:
  demo: { plugin: generator, config: { rate: fast, hots: 3 } }
  other: { plugin: generatr }
  web: { config: { port: 70000 } }
handlers:
  keep: { plugin: filter, config: { where: 'data.x ==' } }
sinks:
  look: { plugin: console, enabled: maybe }
  one: { plugin: prometheus, config: { port: 9103 } }
  two: { plugin: prometheus, config: { port: 9103 } }
  file: { plugin: json-file, config: { path: "\${env:PATCHBAY_NOT_SET}" } }
pipelines:
  flow: { from: [demo], through: [keep], to: [lok] }
  turned: { from: [look], to: [demo] }
  unlocked: { from: [demo], where: 'kind = "raw"', to: [look] }
settings: { log: { level: loud } }
`;

describe('validate', () => {
  it('tells every fault of the form at once, each at its place', async () => {
    const { code, problems } = await validate(FAULTY);
    expect(code).toBe(78);
    expect(faults(problems)).toMatchInlineSnapshot(`
      [
        "PB_CONFIG_UNKNOWN_KEY 2:1",
        "PB_CONFIG_TYPE 4:46",
        "PB_CONFIG_UNKNOWN_KEY 4:52",
        "PB_PLUGIN_MISSING 5:20",
        "PB_CONFIG_MISSING_KEY 6:3",
        "PB_CONFIG_EXPRESSION 8:44",
        "PB_CONFIG_TYPE 10:37",
        "PB_CONFIG_PORT_CLASH 12:46",
        "PB_CONFIG_ENV 13:46",
        "PB_CONFIG_UNKNOWN_INSTANCE 15:47",
        "PB_CONFIG_WRONG_KIND 16:20",
        "PB_CONFIG_WRONG_KIND 16:32",
        "PB_CONFIG_EXPRESSION 17:36",
        "PB_CONFIG_VALUE 18:27",
      ]
    `);
  });

  it('tells an edge of types that do not fit, and which handler would do', async () => {
    const { code, problems } = await validate(`version: 1
sources: { demo: { plugin: generator }, late: { plugin: generator@^9 } }
sinks: { scrape: { plugin: prometheus }, file: { plugin: json-file } }
pipelines:
  flow: { from: [demo], to: [scrape] }
`);
    expect(code).toBe(78);
    expect(faults(problems)).toEqual([
      'PB_PLUGIN_VERSION 2:57',
      'PB_CONFIG_MISSING_KEY 3:42',
      expect.stringMatching(/^PB_CONFIG_EDGE 5:/),
    ]);
    expect(problems.find((one) => one.code === 'PB_CONFIG_EDGE')?.remedy).toContain('collectd-metrics');
  });

  it.each([
    ['nothing', '', 'PB_CONFIG_NOT_MAP 1:1'],
    ['no version', 'sources: {}\n', 'PB_CONFIG_VERSION 1:1'],
    ['a newer version', 'version: 7\n', 'PB_CONFIG_NEWER 1:10'],
    ['no YAML', 'version: 1\nsources: [demo\n', 'PB_CONFIG_SYNTAX'],
    ['binary', '\0\x01\x02\xff', 'PB_CONFIG_'],
    ['a key twice', 'version: 1\nsinks: {}\nsinks: {}\n', 'PB_CONFIG_DUPLICATE_KEY 3:1'],
    ['deep nesting', `version: 1\nrunbooks: ${'['.repeat(5000)}${']'.repeat(5000)}\n`, 'PB_CONFIG_TOO_DEEP'],
  ])('refuses %s', async (_what, yaml, expected) => {
    const { code, problems } = await validate(yaml);
    expect(code).toBe(78);
    expect(faults(problems)[0]).toMatch(new RegExp(`^${expected}`));
  });

  it('--connect also says that a port is taken', async () => {
    const [port] = await occupied();
    const yaml = `version: 1
sources: { demo: { plugin: generator } }
handlers: { decode: { plugin: collectd-metrics } }
sinks:
  scrape: { plugin: prometheus, config: { port: ${port} } }
pipelines: { flow: { from: [demo], through: [decode], to: [scrape] } }
settings: { control: { port: 0 } }
`;
    expect((await validate(yaml)).code).toBe(0);
    const { code, problems } = await validate(yaml, '--connect');
    expect(code).toBe(78);
    expect(faults(problems)).toEqual([expect.stringMatching(/^PB_CONFIG_PORT_TAKEN 5:/)]);
  });

  it('a file that is not there, or is a folder, is a fault of its own', async () => {
    for (const path of ['/no/such/startup.yaml', folder('config')]) {
      const ended = await patchbay(['validate', path, '--json']);
      expect(ended.code).toBe(78);
      expect(json(ended)).toMatchObject({
        error: { code: 'PB_CONFIG_UNREADABLE', message: expect.stringContaining(path) as string },
      });
    }
  });

  it('for people: file, line, column, code, remedy', async () => {
    const path = file('version: 1\nsinkz: {}\n');
    const { code, stdout, stderr } = await patchbay(['validate', path]);
    expect({ code, stdout }).toEqual({ code: 78, stdout: '' });
    expect(stderr).toContain(`${path}:2:1: `);
    expect(stderr).toMatch(/sinks.*\[PB_CONFIG_UNKNOWN_KEY\]\n {4}\w/);
  });
});

const BOMB = `version: 1
a: &a [x,x,x,x,x,x,x,x,x]
${'bcdefghi'
  .split('')
  .map((name, i) => `${name}: &${name} [${Array(9).fill(`*${'abcdefgh'[i]}`).join(',')}]`)
  .join('\n')}
runbooks: { bomb: *i }
`;

describe('run', () => {
  it.each([
    ['faults', FAULTY, 78, 'PB_CONFIG_INVALID'],
    ['a YAML bomb', BOMB, 78, 'PB_CONFIG_INVALID'],
    [
      '50 MB of YAML',
      `version: 1\nrunbooks:\n${'  k: [1, 2, 3, 4, 5, 6]\n'.repeat(2_100_000)}`,
      78,
      'PB_CONFIG_INVALID',
    ],
    ['50 MB of one text', `version: 1\nrunbooks: { a: "${'x'.repeat(50_000_000)}" }\n`, 78, 'PB_CONFIG_INVALID'],
    ['80 MB', `version: 1\n${'#'.repeat(80_000_000)}\n`, 78, 'PB_CONFIG_UNREADABLE'],
  ])(
    'with %s ends with the fault, in bounded time and memory, and has started nothing',
    async (_what, yaml, code, is) => {
      const data = folder('data');
      const path = file(yaml);
      const process = endsWithTest(start(['run', path, '--json', '--data', data, '--control', '127.0.0.1:0']));
      let most = 0;
      const watch = setInterval(() => {
        most = Math.max(most, rss(process.pid));
      }, 20);
      onTestFinished(() => clearInterval(watch));
      const began = performance.now();
      const ended = await process.ended;
      expect(ended.code, ended.stderr).toBe(code);
      const { error } = json<{ error: { code: string; remedy: string; details: { problems?: Problem[] } } }>(ended);
      expect(error.code).toBe(is);
      expect(error.remedy).toMatch(/\w/);
      if (is === 'PB_CONFIG_INVALID') expect(error.details.problems?.length).toBeGreaterThan(0);
      expect(performance.now() - began).toBeLessThan(30_000);
      expect(most).toBeGreaterThan(0);
      expect(most).toBeLessThan(700);
      // Whoever comes next finds the folder free.
      const next = await patchbay(['status', '--json', '--data', data]);
      expect(json(next)).toMatchObject({ error: { code: 'PB_NOT_RUNNING' } });
      expect(existsSync(join(data, 'store', 'out.jsonl'))).toBe(false);
    },
  );

  it('with 50 MB on standard input ends the same way', async () => {
    const ended = await patchbay(['run', '-', '--json', '--data', folder('data')], {
      input: Buffer.alloc(50_000_000, 'a: b\n'),
    });
    expect(ended.code).toBe(78);
    expect(json(ended)).toMatchObject({ error: { details: { problems: [{ code: 'PB_CONFIG_TOO_LARGE' }] } } });
  });

  it('with the control port in use ends and says which', async () => {
    const [port] = await occupied();
    const ended = await patchbay(['run', '-', '--json', '--data', folder('data'), '--control', `127.0.0.1:${port}`], {
      input: 'version: 1\n',
    });
    expect(ended.code).toBe(78);
    expect(json(ended)).toMatchObject({
      error: { code: 'PB_PORT_IN_USE', message: expect.stringContaining(String(port)) as string },
    });
  });

  it('with the port of an instance in use runs without it, says why, and takes it when it is free', async () => {
    const [port, holder] = await occupied();
    const free = await freePort();
    const startup = file('');
    writeFileSync(
      startup,
      `version: 1
sources: { demo: { plugin: generator, config: { faults: 0 } } }
handlers: { decode: { plugin: collectd-metrics } }
sinks:
  taken: { plugin: prometheus, config: { port: ${port} } }
  scrape: { plugin: prometheus, config: { port: ${free} } }
pipelines:
  blocked: { from: [demo], through: [decode], to: [taken] }
  flow: { from: [demo], through: [decode], to: [scrape] }
`,
    );
    const gateway = endsWithTest(await startGateway(startup));
    const status = async (): Promise<StatusReport> =>
      json(await patchbay(['status', '--json', '--data', gateway.data]));
    const before = await eventually(
      () => 'the other pipeline flows',
      async () => {
        const report = await status();
        return (report.pipelines['flow']?.delivered ?? 0) > 0 ? report : undefined;
      },
    );
    expect(before.state).toBe('degraded');
    expect(before.instances['taken']).toMatchObject({ state: expect.stringMatching(/failed|retrying/) as string });
    expect(before.instances['taken']?.reason).toContain(String(port));
    expect(before.needsYou).toEqual([
      expect.objectContaining({
        subject: 'taken',
        code: 'PB_PORT_IN_USE',
        remedy: expect.stringMatching(/\w/) as string,
      }),
    ]);
    expect(await (await fetch(`http://127.0.0.1:${free}/metrics`)).text()).toContain('collectd_');
    await new Promise((resolve) => holder.close(resolve));
    await patchbay(['restart', 'taken', '--data', gateway.data]);
    await eventually(
      () => 'the sink runs',
      async () => (await status()).instances['taken']?.state === 'running' || undefined,
    );
    expect((await fetch(`http://127.0.0.1:${port}/metrics`)).status).toBe(200);
  });
});

/** A port someone else listens on. */
async function occupied(): Promise<[number, Server]> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => void server.close());
  return [(server.address() as { port: number }).port, server];
}

/** Megabytes a process has in memory; 0 when it is gone. */
function rss(pid: number): number {
  try {
    const kilobytes = /^VmRSS:\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1];
    return Number(kilobytes ?? 0) / 1024;
  } catch {
    return 0;
  }
}
