/** One instance under test with everything a host gives it, ended as a host would. */
import { createAmqpHost } from '../../../amqp/host.ts';
import { isMap } from '../../../config/is-map.ts';
import { compileSchema } from '../../../config/schema-check.ts';
import { walkSchema } from '../../../config/schema-walk.ts';
import type { AmqpHost } from '../../amqp.ts';
import type { State } from '../../context.ts';
import type { Handler } from '../../handler.ts';
import { createMessage, type Message, type MessageInit } from '../../message.ts';
import type { Sink } from '../../sink.ts';
import type { Source } from '../../source.ts';
import { fakeContext, type FakeContext } from '../context.ts';
import { fail } from './check.ts';
import type { Scratch } from './definition.ts';
import { withValue } from './schema-variations.ts';
import type { AnyRig, Subject } from './subject.ts';
import { inTime } from './waiting.ts';

export const INSTANCE = 'under-test';

export interface Instance<Made> {
  readonly made: Made;
  readonly context: FakeContext<unknown>;
}

/** The config as an instance gets it: a copy, defaults filled in. Fails when the schema does not let it pass. */
export function configOf(subject: Subject, config: unknown): Record<string, unknown> {
  const copy = structuredClone(config ?? {}) as Record<string, unknown>;
  const errors = compileSchema(subject.schema).check(copy);
  const first = errors[0];
  if (first !== undefined)
    fail(`the config of conformance.ts does not fit the schema: ${first.instancePath} ${first.message ?? ''}`);
  return copy;
}

/** The config to test with: what conformance.ts gives, else defaults and examples of the schema; undefined: none fits. */
export async function rigOf(subject: Subject, scratch: Scratch): Promise<AnyRig | undefined> {
  if (subject.trial !== undefined) return subject.trial.setup(scratch);
  let config = plainConfig(subject);
  if (config === undefined) return undefined;
  // The usual port may be in use on this machine, by the plugin itself for one.
  for (const { path } of listenPlaces(subject, config)) config = withValue(config, path, await scratch.freePort());
  return { config };
}

function plainConfig({ schema }: Subject): unknown {
  const check = compileSchema(schema);
  const examples = Array.isArray(schema.examples) ? (schema.examples as unknown[]) : [];
  return [{}, ...examples].find((candidate) => check.check(structuredClone(candidate)).length === 0);
}

export interface ListenPlace {
  /** `listen.port`. */
  readonly path: readonly string[];
  readonly host: string;
}

/** Where a config would listen, by the `x-listen` of its schema; only TCP. */
export function listenPlaces(subject: Subject, config: unknown): ListenPlace[] {
  const places = new Map<string, ListenPlace>();
  const filled = configOf(subject, config);
  walkSchema(subject.schema, filled, (node, value, path) => {
    if (node['x-listen'] !== 'tcp') return;
    const keys = path.map(String);
    const onPort = typeof value === 'number';
    if (!onPort && !isMap(value)) return;
    const holder = onPort
      ? keys.slice(0, -1).reduce<unknown>((at, key) => (isMap(at) ? at[key] : undefined), filled)
      : value;
    const place = onPort ? keys : [...keys, 'port'];
    const host = isMap(holder) && typeof holder.host === 'string' ? holder.host : '0.0.0.0';
    places.set(place.join('.'), { path: place, host });
  });
  return [...places.values()];
}

/** `definition.create(context)` with a host in miniature; AMQP is the real one. `state`: of an earlier life. */
export function create(subject: Subject, config: unknown, state?: State): Instance<Handler | Sink | Source> {
  const { definition } = subject;
  if (definition === undefined) fail('its code is not loaded');
  // Filled in below: the AMQP host wants the context's own log and signal.
  const amqp: { host?: AmqpHost } = {};
  const context = fakeContext<unknown>({
    config: configOf(subject, config),
    instance: INSTANCE,
    ...(state === undefined ? {} : { state }),
    amqp: {
      version: 1,
      listen: (options) => (amqp.host as AmqpHost).listen(options),
      connect: (options) => (amqp.host as AmqpHost).connect(options),
    },
  });
  amqp.host = createAmqpHost({ log: context.log, signal: context.signal });
  return { made: definition.create(context), context };
}

export function messages(inits: readonly MessageInit[], from = 'upstream'): Message[] {
  return inits.map((init, i) => createMessage(from, 'default', { id: `${from}:${i}`, ...init }));
}

/** Ends a sink or handler as the host does: close, then the signal. */
export async function closeInstance({ made, context }: Instance<Handler | Sink>, patienceMs: number): Promise<void> {
  try {
    await inTime('close()', patienceMs, () => made.close?.());
  } finally {
    context.abort();
  }
}

/** Ends a source as the host does: stop, close, then the signal. */
export async function endSource({ made, context }: Instance<Source>, patienceMs: number): Promise<void> {
  try {
    await inTime('stop()', patienceMs, () => made.stop());
    await inTime('close()', patienceMs, () => made.close());
  } finally {
    context.abort();
  }
}
