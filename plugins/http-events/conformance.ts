import { request } from 'node:http';
import { connect } from 'node:net';
import { defineConformance, type Verdict } from 'patchbay/plugin-api/testing';

function post(port: number, contentType: string, body: string): Promise<number> {
  return new Promise((resolve, reject) => {
    const headers = { 'content-type': contentType };
    request({ host: '127.0.0.1', port, path: '/events', method: 'POST', headers, agent: false }, (response) => {
      response.resume();
      resolve(response.statusCode ?? 0);
    })
      .on('error', reject)
      .end(body);
  });
}

/** Sends bytes that are no HTTP, and waits until they are answered or the connection ends. */
function raw(port: number, bytes: string): Promise<void> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1', () => socket.end(bytes));
    socket.resume();
    socket.on('error', () => undefined).on('close', () => resolve());
  });
}

function verdictOf(status: number): Verdict {
  if (status === 202) return 'accepted';
  return status === 503 || status === 429 ? 'returned' : 'rejected';
}

export default defineConformance({
  sources: {
    'http-events': {
      async setup({ freePort }) {
        const port = await freePort();
        const verdicts = new Map<string, Verdict>();
        const event = (body: string): object => ({
          specversion: '1.0',
          id: body,
          source: '/conformance',
          type: 'test',
          data: body,
        });
        return {
          config: { port },
          async send(bodies) {
            const status = await post(port, 'application/cloudevents-batch+json', JSON.stringify(bodies.map(event)));
            for (const body of bodies) verdicts.set(body, verdictOf(status));
          },
          bodyOf: ({ id }) => id,
          verdicts: () => verdicts,
          async sendDamaged() {
            await post(port, 'application/cloudevents+json', '{"specversion":');
            await post(port, 'application/cloudevents-batch+json', '[null, 7, {}]');
            await post(port, 'text/plain', 'no event');
            await raw(port, '\u0000\u0001 no HTTP\r\n\r\n');
            await raw(port, 'POST /events HTTP/1.1\r\nhost: x\r\ncontent-length: 100\r\n\r\ncut');
          },
        };
      },
    },
  },
});
