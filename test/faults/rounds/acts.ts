/** What can go wrong in a round, and how often it does. Each act leaves everything running when it resolves. */
import { setTimeout as wait } from 'node:timers/promises';
import { eventually } from '../../peers/program.ts';
import type { Random } from './random.ts';
import type { Death } from './trap-plugin.ts';
import type { World } from './world.ts';

export interface Act {
  readonly name: string;
  readonly weight: number;
  run(world: World, random: Random): Promise<void>;
}

/** What the receiver's system still takes while it is away, and how long a frozen engine holds up everybody: ms. */
const DOWN = [0, 700] as const;
const FROZEN = [200, 1500] as const;

async function restart(world: World, random: Random): Promise<void> {
  await wait(random.between(0, 200));
  await world.engine.start();
}

async function receiverBack(world: World, random: Random): Promise<void> {
  await wait(random.between(...DOWN));
  await world.receiver.start();
}

export const ACTS: readonly Act[] = [
  {
    name: 'engine killed',
    weight: 4,
    async run(world, random) {
      await world.engine.kill();
      await restart(world, random);
    },
  },
  {
    name: 'engine stopped in good order',
    weight: 1,
    async run(world, random) {
      const code = await world.engine.stop();
      if (code !== 0) throw new Error(`the gateway ended with ${String(code)}`);
      await restart(world, random);
    },
  },
  {
    name: 'engine killed while it starts',
    weight: 1,
    async run(world, random) {
      await world.engine.kill();
      const starting = world.engine.start().catch(() => undefined);
      await wait(random.between(50, 900));
      await world.engine.kill();
      await starting;
      await restart(world, random);
    },
  },
  {
    name: 'engine frozen',
    weight: 1,
    async run(world, random) {
      world.engine.signal('SIGSTOP');
      await wait(random.between(...FROZEN));
      world.engine.signal('SIGCONT');
    },
  },
  {
    name: 'receiver killed',
    weight: 3,
    async run(world, random) {
      await world.receiver.kill();
      await receiverBack(world, random);
    },
  },
  {
    name: 'receiver and engine killed',
    weight: 2,
    async run(world, random) {
      await world.receiver.kill();
      await wait(random.between(0, 300));
      await world.engine.kill();
      await restart(world, random);
      await receiverBack(world, random);
    },
  },
  {
    name: 'receiver frozen',
    weight: 1,
    async run(world, random) {
      world.receiver.freeze();
      await wait(random.between(...FROZEN));
      world.receiver.thaw();
    },
  },
  {
    name: 'receiver gives some back',
    weight: 2,
    async run(world, random) {
      world.receiver.answer({ release: random.between(2, 20) });
      await wait(random.between(100, 500));
      world.receiver.answer({});
    },
  },
  {
    name: 'receiver rejects some',
    weight: 1,
    async run(world, random) {
      world.receiver.answer({ reject: random.between(3, 30) });
      await wait(random.between(50, 200));
      world.receiver.answer({});
    },
  },
  {
    name: 'receiver slow',
    weight: 1,
    async run(world, random) {
      world.receiver.answer({ delay: random.between(1, 5) });
      await wait(random.between(200, 600));
      world.receiver.answer({});
    },
  },
  {
    name: "handler's thread dies",
    weight: 2,
    async run(world, random) {
      const death: Death = random.chance(0.5) ? 'throw' : 'exit';
      world.trap.arm(death);
      const entry = world.amqp.inject('crash');
      await eventually(
        () => `the thread died and the message that killed it was taken: ${world.describe()}`,
        () => (world.trap.sprung(death) && entry.accepted > 0) || undefined,
      );
    },
  },
  {
    name: 'unrelated pipeline added or removed',
    weight: 2,
    async run(world) {
      const { config } = await world.engine.call('config.get', {});
      const there = config.pipelines?.['beside'] !== undefined;
      const parts: readonly (readonly [readonly string[], unknown])[] = [
        [['sources', 'noise'], { plugin: 'generator', config: { rate: 200, faults: 0 } }],
        [['sinks', 'look'], { plugin: 'prometheus', config: { port: 0 } }],
        [['handlers', 'decode'], { plugin: 'collectd-metrics' }],
        [['pipelines', 'beside'], { from: ['noise'], through: ['decode'], to: ['look'] }],
      ];
      await world.engine.call('config.edit', {
        edits: there
          ? parts.toReversed().map(([path]) => ({ op: 'delete', path }))
          : parts.map(([path, value]) => ({ op: 'set', path, value })),
      });
    },
  },
  {
    name: "handler's config changed",
    weight: 2,
    async run(world, random) {
      await world.engine.call('config.edit', {
        edits: [{ op: 'set', path: ['handlers', 'trap', 'config', 'note'], value: random.between(1, 1_000_000) }],
      });
    },
  },
  {
    name: "sink's config changed",
    weight: 2,
    async run(world, random) {
      await world.engine.call('config.edit', {
        edits: [{ op: 'set', path: ['sinks', 'away', 'config', 'timeout'], value: 2 + random.between(1, 1000) / 1000 }],
      });
    },
  },
  {
    name: "source's config changed",
    weight: 1,
    async run(world, random) {
      await world.engine.call('config.edit', {
        edits: [{ op: 'set', path: ['sources', 'telemetry', 'config', 'credit'], value: random.between(200, 5000) }],
      });
    },
  },
  {
    name: 'pipeline paused and resumed',
    weight: 1,
    async run(world, random) {
      await world.engine.call('flow.pause', { name: 'flow' });
      await wait(random.between(50, 400));
      await world.engine.call('flow.resume', { name: 'flow' });
    },
  },
  {
    name: 'sender cut off',
    weight: 2,
    async run(world, random) {
      if (random.chance(0.7)) world.amqp.drop();
      if (random.chance(0.7)) world.http.drop();
      await Promise.resolve();
    },
  },
];
