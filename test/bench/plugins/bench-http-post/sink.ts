import { Agent, request } from 'node:http';
import { defineSink, NotConnectedError, toCloudEvent, type Message } from 'patchbay/plugin-api';

export default defineSink<{ readonly port: number }>({
  custody: 'remote',
  create({ config }) {
    const agent = new Agent({ keepAlive: true });
    return {
      open() {
        // The first post finds out.
      },
      write(batch: readonly Message[]): Promise<undefined> {
        const body = JSON.stringify(batch.map(toCloudEvent));
        const headers = {
          'content-type': 'application/cloudevents-batch+json',
          'content-length': Buffer.byteLength(body),
        };
        return new Promise((resolve, reject) => {
          request({ agent, host: '127.0.0.1', port: config.port, method: 'POST', headers }, (response) => {
            response.resume().once('end', () => {
              if (response.statusCode === 202) resolve(undefined);
              else reject(new NotConnectedError(`the receiver answered ${String(response.statusCode)}`));
            });
          })
            .once('error', (error) => reject(new NotConnectedError(error.message)))
            .end(body);
        });
      },
      close: () => agent.destroy(),
    };
  },
});
