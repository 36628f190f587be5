import { createServer } from 'node:net';
import { isMap } from '../../../config/is-map.ts';
import { closed, compileSchema } from '../../../config/schema-check.ts';
import { ConfigError } from '../../errors.ts';
import type { JsonSchema } from '../../manifest.ts';
import type { Handler } from '../../handler.ts';
import type { Sink } from '../../sink.ts';
import type { Source } from '../../source.ts';
import { fakeEmit } from '../context.ts';
import { fail, failWith, textOf } from './check.ts';
import type { BadConfig, Scratch } from './definition.ts';
import { ResourceWatch } from './resources.ts';
import { fieldsOf, typesOf, variationsOf, withValue } from './schema-variations.ts';
import { configOf, create, listenPlaces } from './stage.ts';
import type { AnyRig, Subject } from './subject.ts';
import { outcomeOf, until, type Patience } from './waiting.ts';

/** Every field has a type and words for people; defaults and examples are valid by their own schema. */
export function checkSchemaSpeaks({ schema }: Subject): void {
  const problems: string[] = [];
  // One schema for the values of all fields, since compiling is what takes long.
  const schemas: Record<string, JsonSchema> = {};
  const said: Record<string, unknown[]> = {};
  for (const { path, schema: field } of fieldsOf(schema)) {
    const name = path.join('.');
    if (typesOf(field) === undefined) problems.push(`${name} takes anything: give it a \`type\` or \`enum\``);
    if (typeof field.description !== 'string' || field.description.trim() === '')
      problems.push(`${name} has no \`description\`: the panel's form shows it`);
    const examples = Array.isArray(field.examples) ? (field.examples as unknown[]) : [];
    const values = 'default' in field ? [field.default, ...examples] : examples;
    schemas[name] = { type: 'array', items: field };
    // Examples may be references, which are resolved before the schema is asked.
    said[name] = values.filter((value) => JSON.stringify(value)?.includes('${') !== true);
  }
  const check = compileSchema({
    type: 'object',
    properties: schemas,
    ...(isMap(schema.$defs) ? { $defs: schema.$defs } : {}),
  });
  for (const { instancePath } of check.check(structuredClone(said))) {
    const [name = '', place = ''] = instancePath.split('/').slice(1);
    problems.push(`${name}: its own default or example ${JSON.stringify(said[name]?.[Number(place)])} is not valid`);
  }
  failWith([...new Set(problems)]);
}

/** What the schema excludes is refused: wrong types, values out of bounds, unknown and missing keys. */
export function checkSchemaRefuses(subject: Subject, config: unknown): void {
  const { schema } = subject;
  const check = compileSchema(schema);
  const base = configOf(subject, config);
  const errorsOf = (value: unknown): string[] =>
    check.check(structuredClone(value)).map((error) => `${error.instancePath} ${error.keyword} ${error.message ?? ''}`);
  const problems: string[] = [];
  for (const field of fieldsOf(schema)) {
    for (const { name, path, value } of variationsOf(field)) {
      const at = `/${path.map((key) => key.replaceAll('~', '~0').replaceAll('/', '~1')).join('/')}`;
      // An error elsewhere, such as of a part made on the way, is not the one looked for.
      if (!errorsOf(withValue(base, path, value)).some((error) => error.startsWith(at)))
        problems.push(`its schema lets pass ${name}`);
    }
  }
  const { additionalProperties: further, patternProperties, unevaluatedProperties } = closed(schema);
  // A map of the user's own keys is fine as long as their values are described.
  const described = isMap(further) && typesOf(further) !== undefined;
  if (further === undefined && unevaluatedProperties === undefined && patternProperties === undefined)
    problems.push('its schema lists no properties: unknown keys pass');
  else if (!described && errorsOf({ ...base, 'no-such-key': 1 }).length === 0)
    problems.push('its schema lets unknown keys pass');
  for (const key of Array.isArray(schema.required) ? (schema.required as string[]) : []) {
    const { [key]: _left, ...rest } = base;
    if (errorsOf(rest).length === 0) problems.push(`its schema lets pass a config without ${key}`);
  }
  failWith(problems);
}

/** A config that can't work is a ConfigError at the field to change, at once. */
export async function checkBadConfigs(
  subject: Subject,
  rig: AnyRig,
  scratch: Scratch,
  patience: Patience,
): Promise<void> {
  const problems: string[] = [];
  for (const { path, host } of listenPlaces(subject, rig.config)) {
    const port = await takenPort(host, scratch);
    const config = withValue(configOf(subject, rig.config), path, port);
    problems.push(
      ...(await tryBad(`port ${port}, which is taken,`, subject, { config, path: path.join('.') }, patience)),
    );
  }
  for (const [name, make] of Object.entries(subject.trial?.badConfigs ?? {})) {
    problems.push(...(await tryBad(name, subject, await make(scratch), patience)));
  }
  failWith(problems);
}

async function takenPort(host: string, scratch: Scratch): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(0, host, resolve);
  });
  scratch.defer(() => new Promise((resolve) => void server.close(resolve)));
  const address = server.address();
  return typeof address === 'object' && address !== null ? address.port : fail('no port');
}

async function tryBad(name: string, subject: Subject, bad: BadConfig, { patienceMs }: Patience): Promise<string[]> {
  const watch = new ResourceWatch();
  try {
    let made: Handler | Sink | Source | undefined;
    let end: () => void = () => undefined;
    const outcome = await watch.run(() =>
      outcomeOf(patienceMs, async () => {
        const instance = create(subject, bad.config);
        made = instance.made;
        end = () => instance.context.abort();
        if (subject.kind === 'source') await (made as Source).start(fakeEmit().emit);
        else await (made as Handler | Sink).open?.();
        // What it notices right after is as good.
        if (instance.context.failures.length > 0) throw instance.context.failures[0];
      }),
    );
    const problems: string[] = [];
    if (outcome.kind === 'late') problems.push(`with ${name} it neither opens nor fails within ${patienceMs / 1000} s`);
    else if (outcome.kind === 'value') problems.push(`with ${name} it opens as if all were well`);
    else if (!(outcome.error instanceof ConfigError))
      problems.push(`with ${name} it throws no ConfigError but ${textOf(outcome.error)}`);
    else if (outcome.error.path !== bad.path)
      problems.push(`with ${name} the ConfigError is at '${outcome.error.path}', not at '${bad.path}'`);
    // The host closes a source that did not start, and what opened after all; a sink that failed to open is not closed.
    if (subject.kind === 'source' || outcome.kind === 'value')
      await outcomeOf(patienceMs, async () => {
        if (outcome.kind === 'value' && subject.kind === 'source') await (made as Source | undefined)?.stop();
        await made?.close?.();
      });
    end();
    await until(
      () => `after ${name} failed it leaves open: ${watch.left().join(', ')}`,
      patienceMs,
      () => watch.left().length === 0,
    ).catch((error: unknown) => problems.push(error instanceof Error ? error.message : String(error)));
    return problems;
  } finally {
    watch.end();
  }
}
