import { defineConformance } from 'patchbay/plugin-api/testing';

export default defineConformance({
  handlers: {
    filter: {
      setup: () => ({
        config: { where: 'data.n > 2', severity: 'info' },
        other: { where: 'data.n < 2' },
        samples: [
          { data: { n: 1 } },
          { data: { n: 3 }, severity: 'critical' },
          { data: { n: 4 }, severity: 'debug' },
          { data: 'no n at all' },
        ],
      }),
      badConfigs: {
        'an expression that ends in the middle': () => ({ config: { where: 'data.n >' }, path: 'where' }),
      },
    },
  },
});
