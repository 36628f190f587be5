import { createServer, type AddressInfo } from 'node:net';

const USUAL_PORT = 3000;

/** The config of the first run's "demo": traffic to look at in one click, so it takes another port where the usual one is taken. */
export async function demoConfig(): Promise<string> {
  const port = (await bound(USUAL_PORT)) ?? (await bound(0)) ?? USUAL_PORT;
  return DEMO.replaceAll(String(USUAL_PORT), String(port));
}

/** The port when it could be listened on (0: any free one); undefined when not. Let go again before it resolves. */
function bound(port: number): Promise<number | undefined> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once('error', () => resolve(undefined));
    server.listen(port, '127.0.0.1', () => {
      const taken = (server.address() as AddressInfo).port;
      server.close(() => resolve(taken));
    });
  });
}

const DEMO = `# Patchbay's demo: collectd-like traffic, decoded and served as Prometheus metrics.
# Everything here can be changed in the panel; comments stay where they are.
version: 1

sources:
  demo-traffic: # what twenty small machines running collectd would send
    plugin: generator
    config:
      rate: 200
      hosts: 20
      faults: 0.005

handlers:
  decode:
    plugin: collectd-metrics

sinks:
  scrape: # http://127.0.0.1:3000/metrics
    plugin: prometheus
    config:
      host: 127.0.0.1
      port: 3000

pipelines:
  metrics:
    from: [demo-traffic]
    through: [decode]
    to: [scrape]
`;

export const EMPTY_CONFIG = `# Patchbay. Add sources, handlers and sinks here or in the panel under Plugins.
version: 1
`;
