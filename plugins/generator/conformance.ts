import { defineConformance } from 'patchbay/plugin-api/testing';

export default defineConformance({
  sources: {
    generator: {
      setup: () => ({ config: { rate: 1000 }, other: { rate: 2000, body: 'text' }, emitsAlone: true }),
    },
  },
});
