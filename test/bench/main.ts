/** `npm run bench [NAME…]`: ratios within one run, since rates of shared machines vary by half. */
const benches: Record<string, () => Promise<void>> = {
  amqp: async () => (await import('./amqp.ts')).amqp(10, 100_000),
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
