/** A plugin `acme` that misbehaves in one way, and beside it a pipeline that must never notice. */
import { expect } from 'vitest';
import type { GatewayConfig } from '../../gateway-core/protocol/model.ts';
import { demoConfig, type Rig } from './rig.ts';

/** Beside the plugin under test, a pipeline that must never notice. */
export function withNeighbour(config: GatewayConfig): GatewayConfig {
  return {
    ...config,
    sources: { ...config.sources, calm: { plugin: 'generator', config: { rate: 200, faults: 0 } } },
    sinks: { ...config.sinks, beside: { plugin: 'prometheus', config: { port: 0 } } },
    handlers: { ...config.handlers, plain: { plugin: 'collectd-metrics' } },
    pipelines: { ...config.pipelines, neighbour: { from: ['calm'], through: ['plain'], to: ['beside'] } },
  };
}

export async function neighbourNeverNoticed(rig: Rig): Promise<void> {
  const before = (await rig.status()).pipelines['neighbour']?.delivered ?? 0;
  const { pipelines, instances } = await rig.until(
    'the neighbour flows',
    (status) => (status.pipelines['neighbour']?.delivered ?? 0) > before + 100,
  );
  expect(pipelines['neighbour']).toMatchObject({ addsUp: true, returned: 0, dropped: 0, state: 'running' });
  expect([instances['calm']?.restarts, instances['beside']?.restarts]).toEqual([0, 0]);
}

export const hasEvent = async (rig: Rig, code: string, text = ''): Promise<boolean> =>
  (await rig.events()).some((event) => event.code === code && event.message.includes(text));

/** Code of a plugin that does what `open` says when it begins, and else nothing wrong. */
export function quietCode(kind: 'source' | 'handler' | 'sink', open: string, head = ''): string {
  const made = {
    source: `({ async start() { ${open} }, stop() {}, close() {} })`,
    handler: `({ async open() { ${open} }, handle: (batch) => batch })`,
    sink: `({ async open() { ${open} }, write: () => undefined, close() {} })`,
  };
  const custody = kind === 'sink' ? "custody: 'view', " : '';
  const define = `define${kind[0]?.toUpperCase() ?? ''}${kind.slice(1)}`;
  return `import { ${define}, ConfigError, NotConnectedError } from 'patchbay/plugin-api';\n${head}\nexport default ${define}({ ${custody}create: (context) => ${made[kind]} });\n`;
}

/** The plugin `acme` in its place in a pipeline of its own, `own`. */
export function configFor(kind: 'source' | 'handler' | 'sink'): GatewayConfig {
  const base = demoConfig([]);
  const acme = { acme: { plugin: 'acme' } };
  return {
    ...base,
    sources: { ...base.sources, other: { plugin: 'generator' }, ...(kind === 'source' ? acme : {}) },
    handlers: { ...base.handlers, ...(kind === 'handler' ? acme : {}) },
    sinks: { ...base.sinks, look: { plugin: 'console' }, ...(kind === 'sink' ? acme : {}) },
    pipelines: {
      ...base.pipelines,
      own: {
        from: [kind === 'source' ? 'acme' : 'other'],
        through: kind === 'handler' ? ['acme'] : [],
        to: [kind === 'sink' ? 'acme' : 'look'],
      },
    },
  };
}

export const KINDS = ['source', 'handler', 'sink'] as const;
