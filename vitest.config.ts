import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { defineConfig } from 'vitest/config';

const root = fileURLToPath(new URL('./', import.meta.url));
const api = `${root}gateway-core/plugin-api/`;

/** What a project of this list has in its folder below `test/`; `alone`: one file at a time, as they use the whole machine. */
const folders = [
  { name: 'architecture', timeout: 20_000, alone: false },
  { name: 'docs', timeout: 60_000, alone: false },
  { name: 'contract', timeout: 30_000, alone: false },
  { name: 'conformance', timeout: 60_000, alone: false },
  { name: 'security', timeout: 60_000, alone: false },
  { name: 'peers', timeout: 120_000, alone: true },
  { name: 'cli', timeout: 120_000, alone: true },
  { name: 'e2e', timeout: 120_000, alone: true },
  { name: 'electron', timeout: 120_000, alone: true },
  { name: 'faults', timeout: 120_000, alone: true },
];

export default defineConfig({
  resolve: {
    alias: [
      { find: /^patchbay\/plugin-api\/testing$/, replacement: `${api}testing/index.ts` },
      { find: /^patchbay\/plugin-api$/, replacement: `${api}index.ts` },
    ],
  },
  test: {
    pool: 'forks',
    maxWorkers: 2,
    projects: [
      {
        extends: true,
        test: {
          name: 'unit',
          include: ['{gateway-core,plugins,electron,renderer,scripts}/**/*.test.{ts,tsx}'],
          testTimeout: 20_000,
        },
      },
      ...folders
        .filter(({ name }) => existsSync(`${root}test/${name}`))
        .map(({ name, timeout, alone }) => ({
          extends: true as const,
          test: {
            name,
            include: [`test/${name}/**/*.test.{ts,tsx}`],
            testTimeout: timeout,
            hookTimeout: timeout,
            fileParallelism: !alone,
          },
        })),
    ],
  },
});
