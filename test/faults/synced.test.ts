/** Killing processes would pass without any sync, since the system keeps what they wrote: here every call is looked at. */
import { createReadStream, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { expect, it, onTestFinished } from 'vitest';
import { eventually, freePort } from '../peers/program.ts';
import { lacking } from './needs.ts';
import { AmqpSender } from './rounds/amqp-sender.ts';
import { Engine } from './rounds/engine.ts';
import { HttpSender } from './rounds/http-sender.ts';
import { Journal } from './rounds/journal.ts';
import { Receiver } from './rounds/receiver.ts';
import { judge, type Judgement } from './trace/acknowledgements.ts';
import { readCalls } from './trace/system-calls.ts';

const CALLS = 'fsync,fdatasync,read,readv,recvfrom,recvmsg,write,writev,sendto,sendmsg';
const lacks = lacking('strace');

it.skipIf(lacks !== '')(
  `no acknowledgement leaves before a data sync of the spool that began after the message had come${lacks}`,
  async () => {
    const folder = mkdtempSync(join(tmpdir(), 'patchbay-synced-'));
    onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
    const ports = { amqp: await freePort(), http: await freePort(), receiver: await freePort() };
    const trace = join(folder, 'trace');
    const engine = new Engine({
      folder,
      // As a grandchild: the process that is started is the gateway itself.
      wrapper: ['strace', '-D', '-f', '-yy', '-x', '-s', '1048576', '-e', `trace=${CALLS}`, '-o', trace],
      config: {
        version: 1,
        sources: {
          telemetry: { plugin: 'amqp1', config: { listen: { port: ports.amqp } } },
          web: { plugin: 'http-events', config: { port: ports.http } },
        },
        sinks: { away: { plugin: 'amqp1', config: { url: `amqp://127.0.0.1:${ports.receiver}`, address: 'out' } } },
        pipelines: { flow: { from: ['telemetry', 'web'], to: ['away'] } },
      },
    });
    const receiver = new Receiver({ port: ports.receiver, log: join(folder, 'receiver.log') });
    const journal = new Journal();
    const amqp = new AmqpSender({ port: ports.amqp, journal, keys: { one: 1, many: 50 }, rate: 200 });
    const http = new HttpSender({ port: ports.http, journal, keys: ['web'], batch: 3, pauseMs: 30 });
    onTestFinished(async () => {
      amqp.close();
      await http.close();
      await Promise.all([engine.kill(), receiver.kill()]);
    });
    await receiver.start();
    await engine.start();
    amqp.start();
    http.start();
    await eventually(
      () => `${journal.accepted} messages are accepted: ${engine.tail()}`,
      () => journal.accepted > 600 || undefined,
    );
    amqp.finish();
    http.finish();
    await eventually(
      () => `${journal.open} are open`,
      () => journal.open === 0 || undefined,
    );
    await engine.stop();

    const lines: string[] = [];
    for await (const line of createInterface({ input: createReadStream(trace, 'latin1') })) lines.push(line);
    const calls = [...readCalls(lines)];
    const of = (isStore: (path: string) => boolean): Judgement =>
      judge(calls, { amqpPort: ports.amqp, httpPort: ports.http, isStore });
    const spool = join(engine.data, 'spool');
    const { acknowledged, syncs, early } = of((path) => path.startsWith(spool));
    expect(early).toEqual([]);
    expect(acknowledged.amqp).toBe(journal.entries().filter(({ key }) => key !== 'web').length);
    expect(acknowledged.http).toBe(http.answers.get(202));
    expect(syncs).toBeGreaterThan(10);
    // The judge can fail: no other file was synced in between.
    expect(of((path) => path.startsWith(join(engine.data, 'store'))).early.length).toBeGreaterThan(0);
  },
);
