/** The gateway is killed in the midst of it: what a sender was told is accepted is there after the restart. */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, expect, it } from 'vitest';
import { RheaPeer } from '../../gateway-core/amqp/test-peer.ts';
import { endsWithTest, folder, removeFolders, startGateway, type RunningGateway } from '../cli/patchbay.ts';
import { eventually, freePort } from '../peers/program.ts';

afterAll(removeFolders);

it('nothing that was accepted is missing after SIGKILL, and a torn line is cut', async () => {
  const port = await freePort();
  const out = join(folder('out'), 'out.jsonl');
  const data = folder('data');
  const input = `version: 1
sources:
  telemetry: { plugin: amqp1, config: { listen: { port: ${port} } } }
sinks:
  file: { plugin: json-file, config: { path: ${out} } }
  look: { plugin: console }
pipelines:
  flow: { from: [telemetry], to: [file, look] }
`;
  const run = async (): Promise<RunningGateway> => endsWithTest(await startGateway('-', { data, input }));
  const accepted = new Set<string>();
  for (let round = 0; round < 3; round++) {
    const gateway = await run();
    const peer = new RheaPeer(port, 'a');
    let sent = 0;
    const told = (): number => peer.told.length;
    await eventually(
      () => `${told()} were accepted in round ${round}`,
      () => {
        while (peer.unsent < 10_000) {
          const name = `r${round}-${sent++}`;
          peer.send({ body: name, message_id: name });
        }
        return told() > 3000 * (round + 1) || undefined;
      },
    );
    gateway.signal('SIGKILL');
    await gateway.ended;
    await eventually(
      () => 'the sender has lost its connection',
      () => peer.errors.length > 0 || undefined,
    );
    expect(told()).toBeLessThan(sent);
    for (const { body, outcome } of peer.told) if (outcome === 'accepted') accepted.add(String(body));
    peer.close();
  }
  expect(existsSync(out)).toBe(true);
  // The last start cuts what the last kill tore.
  const last = await run();
  last.signal('SIGTERM');
  expect((await last.ended).code).toBe(0);
  const text = readFileSync(out, 'utf8');
  expect(text.endsWith('\n')).toBe(true);
  const there = new Set(
    text
      .trimEnd()
      .split('\n')
      .map((line) => (JSON.parse(line) as { data: string }).data),
  );
  expect(accepted.size).toBeGreaterThan(9000);
  expect([...accepted].filter((body) => !there.has(body))).toEqual([]);
});
