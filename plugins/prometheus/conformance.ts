import { get } from 'node:http';
import { text } from 'node:stream/consumers';
import { defineConformance } from 'patchbay/plugin-api/testing';

function scrape(port: number): Promise<string> {
  return new Promise((resolve, reject) => {
    get({ host: '127.0.0.1', port, path: '/metrics', agent: false }, (response) => {
      text(response).then(resolve, reject);
    }).on('error', reject);
  });
}

export default defineConformance({
  sinks: {
    prometheus: {
      async setup({ freePort }) {
        const port = await freePort();
        return {
          config: { port },
          other: { port, withTimeStamp: true },
          message: (body) => ({
            kind: 'metric',
            data: { name: 'conformance', type: 'gauge', value: 1, time: Date.now(), interval: 10, labels: { body } },
          }),
          received: async () =>
            [...(await scrape(port)).matchAll(/^conformance\{.*body="([^"]+)"/gm)].map(([, body]) => body ?? ''),
        };
      },
    },
  },
});
