import { defineConformance } from 'patchbay/plugin-api/testing';

export default defineConformance({
  handlers: {
    dedupe: {
      setup: () => ({
        config: {},
        other: { window: '1h', onMissingKey: 'refuse' },
        samples: [{ data: 'one' }, { data: 'two' }, { data: { n: 3 } }],
      }),
      badConfigs: {
        'an expression that ends in the middle': () => ({ config: { key: 'data.' }, path: 'key' }),
      },
    },
  },
});
