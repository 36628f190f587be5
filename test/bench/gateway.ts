/**
 * A gateway with any config, to be measured from outside. Argument: {@link Given} as JSON. Speaks as
 * rhea-loop.ts does; a line `apply YAML-as-JSON-string` changes the config first.
 */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { createGateway } from '../../gateway-core/engine/gateway.ts';
import { StoreClient } from '../../gateway-core/storage/client.ts';
import type { SpoolStats } from '../../gateway-core/storage/spool-wire.ts';

export interface Given {
  readonly data: string;
  readonly config: object;
  readonly plugins: readonly string[];
}

/** What the engine hears from its spool thread: how long commits take is not in the status. */
let spools: SpoolStats | undefined;
const { call } = StoreClient.prototype;
StoreClient.prototype.call = async function (this: StoreClient, op, args) {
  const answer = await call.apply(this, [op, args]);
  if (op === 'spoolStats') spools = answer as SpoolStats;
  return answer;
};

const given = JSON.parse(process.argv[2] ?? '') as Given;
const file = join(given.data, 'startup.yaml');
// JSON is YAML.
writeFileSync(file, JSON.stringify(given.config));
const gateway = await createGateway({
  dataFolder: given.data,
  control: false,
  logToStderr: false,
  config: { file },
  pluginFolders: given.plugins,
});
const session = { access: 'full', client: 'bench' } as const;

const from = process.cpuUsage();
console.log(JSON.stringify({ port: 0 }));
for await (const line of createInterface({ input: process.stdin })) {
  let applyMs = 0;
  if (line.startsWith('apply ')) {
    const begun = performance.now();
    const yaml = JSON.parse(line.slice('apply '.length)) as string;
    // A sink that goes is given first what its spool has.
    const leaving = Object.keys(spools?.sinks ?? {}).map((name) => [name, 'drain'] as const);
    const change = { yaml, spools: Object.fromEntries(leaving) };
    await gateway.handlers.calls['config.apply'](change, session as never, new AbortController().signal);
    applyMs = performance.now() - begun;
  }
  const { pipelines, sinks, instances } = await gateway.status();
  const { user, system } = process.cpuUsage(from);
  const all = Object.values(pipelines);
  const sum = (of: (pipeline: (typeof all)[number]) => number): number => all.reduce((n, each) => n + of(each), 0);
  console.log(
    JSON.stringify({
      received: sum(({ received }) => received),
      delivered: sum(({ delivered }) => delivered),
      spooled: sum(({ spooled }) => spooled),
      addsUp: all.every(({ addsUp }) => addsUp),
      cpuMicros: user + system,
      rssMb: process.memoryUsage.rss() / 2 ** 20,
      applyMs,
      pipelines,
      sinks,
      failed: Object.entries(instances)
        .filter(([, { state }]) => state === 'failed')
        .map(([name, { reason }]) => `${name}: ${reason}`),
      spools: spools?.sinks ?? {},
    }),
  );
}
await gateway.stop(1000);
process.exit(0);
