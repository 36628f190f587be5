import { compileExpression } from '../flow/expression.ts';
import { ConfigError, PatchbayError } from '../plugin-api/errors.ts';
import { createMessage } from '../plugin-api/message.ts';
import type { AmqpHost, Context, Health, Logger } from '../plugin-api/index.ts';
import type { WorkerStorage } from '../storage/storage.ts';
import type { PluginMetrics } from './plugin-metrics.ts';
import type { InstanceSpec } from './spec.ts';

/** What a worker supplies to the contexts of its instances. */
export interface ContextServices {
  readonly storage: WorkerStorage;
  readonly metrics: PluginMetrics;
  logger(instance: string): Logger;
  amqp(instance: string, signal: AbortSignal): AmqpHost;
}

/** One life of an instance: its context, and the means to end it. */
export interface Life {
  readonly context: Context<Record<string, unknown>>;
  end(): void;
}

/** A context for one life of `spec`. After `end` its faults and health reports are ignored. */
export function beginLife(
  spec: InstanceSpec,
  services: ContextServices,
  onHealth: (health: Health) => void,
  onFail: (error: unknown) => void,
): Life {
  const abort = new AbortController();
  const { storage, metrics } = services;
  const { name, project } = spec;
  let amqp: AmqpHost | undefined;
  const context: Context<Record<string, unknown>> = {
    instance: name,
    project,
    config: structuredClone(spec.config),
    log: services.logger(name),
    state: {
      get: (key) => storage.stateGet(name, key),
      set: (key, value) => storage.stateSet(name, key, value),
      delete: (key) => storage.stateDelete(name, key),
      keys: () => storage.stateKeys(name),
    },
    cache: {
      get: (key) => storage.cacheGet(name, key),
      set: (key, value, ttlMs) => storage.cacheSet(name, key, value, ttlMs),
    },
    metrics: {
      count: (metric, by = 1) => metrics.count(name, metric, by),
      gauge: (metric, value) => metrics.gauge(name, metric, value),
    },
    get amqp() {
      return (amqp ??= services.amqp(name, abort.signal));
    },
    expression(source) {
      try {
        return compileExpression(source);
      } catch (error) {
        throw error instanceof PatchbayError ? error : new ConfigError('PB_EXPRESSION', '', String(error));
      }
    },
    signal: abort.signal,
    message: (init) => createMessage(name, project, init),
    health: (health) => {
      if (!abort.signal.aborted) onHealth(health);
    },
    fail: (error) => {
      if (!abort.signal.aborted) onFail(error);
    },
  };
  return { context, end: () => abort.abort(new Error(`${name} is ending`)) };
}
