/** AMQP → collectd → Prometheus, every message accepted, against a bare rhea receive loop; and the cost of a live client. */
import { BenchChild, type Usage } from './child.ts';
import { compileSender, type Sender } from './sender.ts';
import { show, summarise } from './statistics.ts';

interface Round {
  readonly micros: number;
  readonly rate: number;
}

async function round(send: Sender, child: BenchChild, count: number): Promise<Round> {
  const before: Usage = await child.usage();
  const { seconds } = await send(await child.port, count);
  const after = await child.usage();
  return { micros: (after.cpuMicros - before.cpuMicros) / count, rate: count / seconds };
}

const format = (rounds: readonly Round[]): string =>
  `${show(summarise(rounds.map(({ micros }) => micros)))} µs CPU a message, ${Math.round(summarise(rounds.map(({ rate }) => rate)).median / 100) / 10} k msg/s`;

export async function amqp(pairs: number, count: number): Promise<void> {
  const send = await compileSender();
  const bare = new BenchChild('./rhea-loop.ts');
  const gateway = new BenchChild('./gateway-loop.ts');
  await round(send, bare, count);
  await round(send, gateway, count);
  const bareRounds: Round[] = [];
  const ours: Round[] = [];
  for (let i = 0; i < pairs; i++) {
    bareRounds.push(await round(send, bare, count));
    ours.push(await round(send, gateway, count));
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
    without.push(await round(send, gateway, count));
    await gateway.usage('tap');
    withClient.push(await round(send, gateway, count));
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
