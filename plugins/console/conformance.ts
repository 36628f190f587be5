import { defineConformance } from 'patchbay/plugin-api/testing';

export default defineConformance({
  sinks: {
    console: {
      setup: () => ({
        config: { format: 'short', rate: 10_000 },
        other: { format: 'short', rate: 9000, maxLength: 100 },
        // The log is the far end. Lines end with the payload.
        received: ({ logs }) => logs.map(({ message }) => message.split(' ').at(-1) ?? ''),
      }),
    },
  },
});
