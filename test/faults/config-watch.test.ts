/** A config file that is watched: changes are taken over as SIGHUP does, faulty ones are told and change nothing. */
import { renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { dataFolder, demoConfig, eventually, startRig } from './rig.ts';

it('takes over what is written into the file, and goes on with the old one when that is faulty', async () => {
  const data = await dataFolder();
  const file = join(data, 'startup.yaml');
  const config = demoConfig([]);
  const write = (text: string): void => {
    // As editors do: a new file in the place of the old one.
    writeFileSync(`${file}.edited`, text);
    renameSync(`${file}.edited`, file);
  };
  writeFileSync(file, JSON.stringify(config));
  const rig = await startRig(data, config, { config: { file }, watch: true });
  await rig.until('traffic', ({ pipelines }) => (pipelines['flow']?.delivered ?? 0) > 0);
  write(JSON.stringify({ ...config, sinks: { ...config.sinks, log: { plugin: 'console' } } }));
  await rig.until('the second version', ({ configVersion }) => configVersion === 2);
  write('version: 1\nsources: { demo: { plugin: nothing-of-the-kind } }\n');
  await eventually('the refusal', async () => (await rig.events()).some(({ type }) => type === 'config.refused'));
  const before = await rig.status();
  expect(before.configVersion).toBe(2);
  await rig.until(
    'traffic all the same',
    ({ pipelines }) => (pipelines['flow']?.delivered ?? 0) > (before.pipelines['flow']?.delivered ?? 0),
  );
  write(JSON.stringify(config));
  await rig.until('the third version', ({ configVersion }) => configVersion === 3);
});
