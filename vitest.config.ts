import { fileURLToPath } from 'node:url';
import { defineConfig } from 'vitest/config';

const api = fileURLToPath(new URL('./gateway-core/plugin-api/', import.meta.url));

export default defineConfig({
  resolve: {
    alias: [
      { find: /^patchbay\/plugin-api\/testing$/, replacement: `${api}testing/index.ts` },
      { find: /^patchbay\/plugin-api$/, replacement: `${api}index.ts` },
    ],
  },
  test: {
    pool: 'forks',
    include: ['{gateway-core,plugins,electron,renderer,scripts}/**/*.test.ts'],
    testTimeout: 20_000,
  },
});
