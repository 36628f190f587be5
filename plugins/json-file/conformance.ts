import { mkdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { defineConformance } from 'patchbay/plugin-api/testing';

export default defineConformance({
  sinks: {
    'json-file': {
      setup({ folder }) {
        const path = join(folder, 'made', 'events.jsonl');
        return {
          config: { path },
          other: { path, fsync: 'interval', fsyncInterval: 10 },
          async received() {
            const lines = (await readFile(path, 'utf8')).split('\n').slice(0, -1);
            return lines.map((line) => String((JSON.parse(line) as { data?: unknown }).data));
          },
        };
      },
      badConfigs: {
        async 'a folder at `path`'({ folder }) {
          const path = join(folder, 'taken');
          await mkdir(path);
          return { config: { path }, path: 'path' };
        },
      },
    },
  },
});
