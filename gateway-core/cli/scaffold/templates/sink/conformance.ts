import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { defineConformance } from 'patchbay/plugin-api/testing';

/** What the conformance tests can't know by themselves. */
export default defineConformance({
  sinks: {
    'example-plugin': {
      setup({ folder }) {
        const path = join(folder, 'written.jsonl');
        return {
          config: { path },
          message: (body) => ({ data: body }),
          async received() {
            const lines = (await readFile(path, 'utf8')).split('\n').slice(0, -1);
            return lines.map((line) => String((JSON.parse(line) as { data?: unknown }).data));
          },
        };
      },
      badConfigs: {
        'a folder that is not there': ({ folder }) => ({
          config: { path: join(folder, 'missing', 'file') },
          path: 'path',
        }),
      },
    },
  },
});
