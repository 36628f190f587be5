import { defineConformance } from 'patchbay/plugin-api/testing';

function record(plugin: string, values: readonly (number | null)[], types: readonly string[]): object {
  return {
    values,
    dstypes: types,
    dsnames: values.map((_, i) => (values.length === 1 ? 'value' : `part${i}`)),
    time: 1_700_000_000.123,
    interval: 10,
    host: 'web-1',
    plugin,
    plugin_instance: '0',
    type: plugin,
    type_instance: 'idle',
  };
}

const text = (...records: object[]): string => JSON.stringify(records);

export default defineConformance({
  handlers: {
    'collectd-metrics': {
      setup: () => ({
        config: {},
        samples: [
          { data: text(record('cpu', [1], ['gauge'])) },
          { data: new TextEncoder().encode(text(record('if_octets', [1, 2], ['derive', 'derive']))) },
          { data: text(record('load', [0.1, 0.2, 0.3], ['gauge', 'gauge', 'gauge']), record('df', [null], ['gauge'])) },
        ],
      }),
    },
  },
});
