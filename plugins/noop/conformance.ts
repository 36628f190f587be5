import { defineConformance } from 'patchbay/plugin-api/testing';

export default defineConformance({
  sources: {
    noop: {
      setup: () => ({ config: { type: 'com.example.opened', schema: { type: 'object' } } }),
      badConfigs: {
        'a schema that is none': () => ({ config: { schema: { type: 'nonsense' } }, path: 'schema' }),
      },
    },
  },
});
