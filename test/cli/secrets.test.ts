/** A secret appears in nothing that the gateway prints, logs, stores or answers (design §4). */
import { createServer } from 'node:http';
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, expect, it } from 'vitest';
import { openSecrets } from '../../gateway-core/engine/secrets.ts';
import type { StatusReport } from '../../gateway-core/protocol/model.ts';
import { eventually, freePort } from '../peers/program.ts';
import { endsWithTest, file, folder, json, patchbay, removeFolders, startGateway } from './patchbay.ts';

afterAll(removeFolders);

const STORED = 'stored-Gr8nDq2w!';
const FROM_ENV = 'from-env-"Xk7/Lp';
const IN_PATH = 'path-secret-9Zt4';
const CHANGED = 'changed-5Bv1Hs';

/** Which of them a text shows, in whatever way of writing. */
function shown(text: string): string[] {
  return [STORED, FROM_ENV, IN_PATH, CHANGED].filter((secret) =>
    [
      secret,
      JSON.stringify(secret).slice(1, -1),
      encodeURIComponent(secret),
      Buffer.from(secret).toString('base64'),
    ].some((form) => text.includes(form)),
  );
}

it('secrets of the environment, the store and the config show nowhere', async () => {
  const data = folder('data');
  const secrets = openSecrets(data, { env: {} });
  await secrets.set('events', STORED);
  await secrets.set('folder', IN_PATH);
  const [web, nowhere] = [await freePort(), await freePort()];
  // What the http-events source asks for is right; the broker is away, and the file's folder can't be made.
  const yaml = `version: 1
sources:
  web: { plugin: http-events, config: { port: ${web}, token: "\${secret:events}" } }
  broker:
    plugin: amqp1
    config: { url: "amqp://127.0.0.1:${nowhere}", username: me, password: "\${env:BROKER_PASSWORD}", addresses: [q] }
sinks:
  look: { plugin: console, config: { format: json } }
  file: { plugin: json-file, config: { path: "/proc/\${secret:folder}/out.jsonl" } }
pipelines:
  one: { from: [web, broker], to: [look] }
  two: { from: [broker], to: [file] }
settings: { log: { level: debug } }
`;
  const startup = file(yaml);
  const gateway = endsWithTest(await startGateway(startup, { data, env: { BROKER_PASSWORD: FROM_ENV } }));
  const outputs = new Map<string, string>();
  const collect = async (...args: string[]): Promise<string> => {
    const { stdout, stderr } = await patchbay([...args, '--data', data]);
    outputs.set(`${args.join(' ')} (${outputs.size})`, stdout + stderr);
    return stdout;
  };
  const post = (token: string): Promise<Response> =>
    fetch(`http://127.0.0.1:${web}/events`, {
      method: 'POST',
      headers: { 'content-type': 'application/cloudevents+json', authorization: `Bearer ${token}` },
      body: JSON.stringify({ specversion: '1.0', id: '1', source: 's', type: 't', data: {} }),
    });
  const tap = patchbay(['tap', 'web', '--json', '--count', '1', '--data', data]);
  let tapped = false;
  void tap.then(() => (tapped = true));
  await eventually(
    () => 'a message with the right token is seen by the tap',
    async () => {
      expect((await post(STORED)).status).toBe(202);
      return tapped || undefined;
    },
  );
  const { stdout: event } = await tap;
  expect(event).toContain('"instance":"web"');
  outputs.set('tap', event);
  const wrong = await post(`${STORED}x`);
  expect(wrong.status).toBe(401);
  outputs.set('401', await wrong.text());

  const status = await eventually(
    () => `the broker is away and the file fails: ${outputs.get('last status') ?? ''}`,
    async () => {
      const text = (await patchbay(['status', '--json', '--data', data])).stdout;
      outputs.set('last status', text);
      const { instances } = JSON.parse(text) as StatusReport;
      const away = instances['broker']?.state !== 'running' && instances['broker']?.reason !== '';
      const failed = ['failed', 'retrying'].includes(instances['file']?.state ?? '');
      return away && failed ? (JSON.parse(text) as StatusReport) : undefined;
    },
  );
  // What was masked is told all the same.
  expect(status.instances['file']?.reason).toContain('/proc/***');

  for (const args of ['status', 'config show', 'config show --json', 'config history --json', 'plugins list --json'])
    await collect(...args.split(' '));
  await collect('plugins', 'show', 'http-events', '--json');
  // A change that fails, and one that is refused: their errors go over the protocol.
  const busy = createServer();
  await new Promise<void>((resolve) => busy.listen(0, '127.0.0.1', resolve));
  const taken = (busy.address() as { port: number }).port;
  const moved = yaml.replace(`port: ${web}`, `port: ${taken}`).replace('${secret:events}', CHANGED);
  await collect('config', 'apply', file(moved), '--json');
  await collect('config', 'apply', file(yaml.replace('/out.jsonl', '/other.jsonl')), '--json');
  await collect('config', 'apply', file(yaml.replace(`port: ${web}`, 'port: "${secret:events}"')), '--json');
  await collect('config', 'plan', file(yaml.replace('level: debug', 'level: "${secret:events}"')), '--json');
  busy.close();
  await collect('events', 'list', '--limit', '200', '--json');
  await collect('validate', startup, '--json');
  const token = (await readFile(join(data, 'control-token'), 'utf8')).trim();
  const metrics = await fetch(`${gateway.control}/metrics`, { headers: { authorization: `Bearer ${token}` } });
  expect(metrics.status).toBe(200);
  outputs.set('/metrics', await metrics.text());

  gateway.signal('SIGTERM');
  expect((await gateway.ended).code).toBe(0);
  outputs.set('run, standard output', gateway.stdout());
  outputs.set('run, standard error', gateway.stderr());
  for (const entry of readdirSync(data, { recursive: true, withFileTypes: true })) {
    const path = join(entry.parentPath, entry.name);
    if (entry.isFile() && statSync(path).size < 2 ** 24) outputs.set(path, readFileSync(path, 'latin1'));
  }
  expect([...outputs.keys()].filter((name) => name.endsWith('patchbay.log'))).toHaveLength(1);
  expect([...outputs].flatMap(([where, text]) => shown(text).map((secret) => `${where}: ${secret}`))).toEqual([]);
  expect(outputs.get('run, standard error')).not.toBe('');
  for (const path of ['secrets', 'secret-key', 'control-token'])
    expect(statSync(join(data, path)).mode & 0o077).toBe(0);
});

it('a value that is refused is not repeated where it may be a secret', async () => {
  const data = folder('data');
  const yaml = `version: 1
sources:
  broker: { plugin: amqp1, config: { url: "amqp://me:${STORED}@broker:5672", addresses: [q] } }
  web: { plugin: http-events, config: { port: 1, token: [${FROM_ENV.replace('"', '')}] } }
sinks:
  look: { plugin: console }
pipelines:
  one: { from: [broker, web], to: [look] }
`;
  const ended = await patchbay(['validate', file(yaml), '--json', '--data', data]);
  expect(ended.code).toBe(78);
  expect(json<{ problems: { path: string[] }[] }>(ended).problems.map(({ path }) => path.join('.'))).toEqual([
    'sources.broker.config.url',
    'sources.web.config.token',
  ]);
  expect(shown(ended.stdout + ended.stderr)).toEqual([]);
  expect(ended.stdout).not.toContain('from-env');
});
