import { defineConformance } from 'patchbay/plugin-api/testing';

/** What the conformance tests can't know by themselves. */
export default defineConformance({
  handlers: {
    'example-plugin': {
      setup: () => ({
        config: { field: 'site', value: 'here' },
        other: { field: 'site', value: 'there' },
        samples: [{ data: '{"n":1}' }, { data: new TextEncoder().encode('{"n":2}') }, { data: { n: 3 } }],
      }),
    },
  },
});
