/** AMQP → collectd → Prometheus, every message accepted, against a bare rhea receive loop; and the cost of a live client. */
import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { BenchChild, type Usage } from './child.ts';
import { show, summarise } from './statistics.ts';

const run = promisify(execFile);
const SIZE = 230;
const WINDOW = 4096;

interface Round {
  readonly micros: number;
  readonly rate: number;
}

async function sender(): Promise<string> {
  const program = join(await mkdtemp(join(tmpdir(), 'patchbay-bench-')), 'proton-sender');
  const source = fileURLToPath(new URL('./proton-sender.c', import.meta.url));
  if (!existsSync('/usr/include/proton/message.h'))
    throw new Error('libqpid-proton11-dev is missing: apt-get install libqpid-proton11-dev gcc');
  await run('gcc', ['-O2', '-o', program, source, '-lqpid-proton']);
  return program;
}

async function round(program: string, child: BenchChild, count: number): Promise<Round> {
  const before: Usage = await child.usage();
  const { stdout } = await run(program, [
    '127.0.0.1',
    String(await child.port),
    String(count),
    String(SIZE),
    'collectd/telemetry',
    String(WINDOW),
  ]);
  const after = await child.usage();
  const result = JSON.parse(stdout) as { accepted: number; seconds: number };
  if (result.accepted !== count) throw new Error(`only ${result.accepted} of ${count} were accepted`);
  return { micros: (after.cpuMicros - before.cpuMicros) / count, rate: count / result.seconds };
}

const format = (rounds: readonly Round[]): string =>
  `${show(summarise(rounds.map(({ micros }) => micros)))} µs CPU a message, ${Math.round(summarise(rounds.map(({ rate }) => rate)).median / 100) / 10} k msg/s`;

export async function amqp(pairs: number, count: number): Promise<void> {
  const program = await sender();
  const bare = new BenchChild('./rhea-loop.ts');
  const gateway = new BenchChild('./gateway-loop.ts');
  await round(program, bare, count);
  await round(program, gateway, count);
  const bareRounds: Round[] = [];
  const ours: Round[] = [];
  for (let i = 0; i < pairs; i++) {
    bareRounds.push(await round(program, bare, count));
    ours.push(await round(program, gateway, count));
  }
  const cpu = summarise(ours.map(({ micros }, i) => (bareRounds[i] as Round).micros / micros));
  const wall = summarise(ours.map(({ rate }, i) => rate / (bareRounds[i] as Round).rate));
  console.log(`bare rhea loop                    ${format(bareRounds)}`);
  console.log(`amqp1 → collectd → prometheus     ${format(ours)}`);
  console.log(`  ours against bare, by CPU       ${show(cpu)}   goal: at least 0.7`);
  console.log(`  ours against bare, by wall      ${show(wall)}`);
  await bare.end();

  const without: Round[] = [];
  const withClient: Round[] = [];
  for (let i = 0; i < pairs; i++) {
    without.push(await round(program, gateway, count));
    await gateway.usage('tap');
    withClient.push(await round(program, gateway, count));
    await gateway.usage('untap');
  }
  const cost = summarise(withClient.map(({ micros }, i) => micros / (without[i] as Round).micros));
  const last = await gateway.usage();
  console.log(
    `  with a live client attached     ${show(cost, 3)} × the CPU   goal: at most 1.03 (${String(last['rows'])} rows seen)`,
  );
  console.log(
    `  the ledger ${last['addsUp'] === true ? 'adds up' : 'DOES NOT ADD UP'}, resident memory ${String(last['rssMb'])} MB`,
  );
  await gateway.end();
}
