import { compileExpression, compileValue } from '../flow/expression.ts';
import { ConfigError, PatchbayError } from '../plugin-api/errors.ts';
import { createMessage } from '../plugin-api/message.ts';
import type { AmqpHost, Context, Health, Logger } from '../plugin-api/index.ts';
import type { WorkerStorage } from '../storage/storage.ts';
import type { Life } from './instance-life.ts';
import { Holdings, lifeEnded, releaseLeftovers } from './leftovers.ts';
import type { PluginMetrics } from './plugin-metrics.ts';
import { RejectionPolicy } from './rejection-policy.ts';
import type { InstanceSpec } from './spec.ts';

/** What a worker supplies to the contexts of its instances. */
export interface ContextServices {
  readonly storage: WorkerStorage;
  readonly metrics: PluginMetrics;
  logger(instance: string): Logger;
  amqp(instance: string, signal: AbortSignal): AmqpHost;
  /** Something to be told as an event: a code of the registry, and its details. */
  notice(instance: string, code: NoticeCode, details: Readonly<Record<string, unknown>>): void;
}

/** What a worker tells of an instance beside its state. */
export type NoticeCode = 'PB_INSTANCE_REJECTION' | 'PB_INSTANCE_LEAKS';

/** A context for one life of `spec`. After `end` its faults and health reports are ignored. */
export function beginLife(
  spec: InstanceSpec,
  services: ContextServices,
  onHealth: (health: Health) => void,
  onFail: (error: unknown) => void,
): Life {
  const tellLeft = (left: string): void => {
    if (left === '') return;
    services.logger(spec.name).warn('an earlier life left something behind', { left });
    services.notice(spec.name, 'PB_INSTANCE_LEAKS', { name: spec.name, left });
  };
  tellLeft(releaseLeftovers(spec.name));
  const holdings = new Holdings();
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
      apply: (changes) => storage.stateApply(name, changes),
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
    expression: (source) => compiled(() => compileExpression(source)),
    value: (source) => compiled(() => compileValue(source)),
    signal: abort.signal,
    message: (init) => createMessage(name, project, init),
    health: (health) => {
      if (!abort.signal.aborted) onHealth(health);
    },
    fail: (error) => {
      if (!abort.signal.aborted) onFail(error);
    },
  };
  const rejections = new RejectionPolicy({
    instance: name,
    services,
    onHealth: (health) => context.health(health),
    onFail: (error) => context.fail(error),
    ended: () => abort.signal.aborted,
  });
  return {
    instance: name,
    context,
    get ended() {
      return abort.signal.aborted;
    },
    rejected: (error) => rejections.take(error),
    holdings,
    end: () => {
      if (abort.signal.aborted) return;
      rejections.end();
      lifeEnded(name, holdings, tellLeft);
      abort.abort(new Error(`${name} is ending`));
    },
  };
}

function compiled<T>(compile: () => T): T {
  try {
    return compile();
  } catch (error) {
    throw error instanceof PatchbayError ? error : new ConfigError('PB_EXPRESSION', '', String(error));
  }
}
