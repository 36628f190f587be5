/** `npm run bench [NAME…]`: ratios within one run, since rates of shared machines vary by half. */
import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';

/** A bench of a plugin's own folder. */
const program = (file: string) => (): Promise<void> => {
  spawnSync(
    process.execPath,
    ['--no-warnings', '--expose-gc', fileURLToPath(new URL(`../../${file}`, import.meta.url))],
    { stdio: 'inherit' },
  );
  return Promise.resolve();
};

const benches: Record<string, () => Promise<void>> = {
  amqp: async () => (await import('./amqp.ts')).amqp(10, 200_000),
  decode: program('plugins/collectd-metrics/bench/decode.ts'),
  scrape: program('plugins/prometheus/bench/scrape.ts'),
  change: async () => (await import('./change.ts')).change(10),
  http: async () => (await import('./http.ts')).http(10, 300),
  many: async () => (await import('./many.ts')).many(10, 400),
  neighbour: async () => (await import('./neighbour.ts')).neighbour(10, 50_000),
  recovery: async () => (await import('./recovery.ts')).recovery(5, 1_000_000),
  spool: async () => (await import('./spool.ts')).spool(10, 50_000),
  start: async () => (await import('./start.ts')).start(5),
};

const wanted = process.argv.slice(2).filter((name) => !name.startsWith('-'));
for (const name of wanted.length > 0 ? wanted : Object.keys(benches)) {
  const bench = benches[name];
  if (bench === undefined) {
    console.error(`there is no bench ${name}; there are: ${Object.keys(benches).join(', ')}`);
    process.exit(2);
  }
  console.log(`── ${name}`);
  await bench();
}
