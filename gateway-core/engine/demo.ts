/** The config of the first run's "demo": traffic to look at in one click. */
export const DEMO_CONFIG = `# Patchbay's demo: collectd-like traffic, decoded and served as Prometheus metrics.
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
