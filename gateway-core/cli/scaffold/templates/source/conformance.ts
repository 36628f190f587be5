import { appendFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { defineConformance } from 'patchbay/plugin-api/testing';

/** What the conformance tests can't know by themselves. */
export default defineConformance({
  sources: {
    'example-plugin': {
      async setup({ folder }) {
        const path = join(folder, 'followed.log');
        await writeFile(path, '');
        return {
          config: { path, interval: 10 },
          send: (bodies) => appendFile(path, bodies.map((body) => `${body}\n`).join('')),
          sendDamaged: () => appendFile(path, Buffer.from([0xff, 0xfe, 0x00, 0x0a, 0x0a])),
        };
      },
      badConfigs: {
        'a file that is not there': ({ folder }) => ({ config: { path: join(folder, 'missing') }, path: 'path' }),
      },
    },
  },
});
