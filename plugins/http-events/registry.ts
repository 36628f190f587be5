import { createRequire } from 'node:module';
import { Ajv2020, type ValidateFunction } from 'ajv/dist/2020.js';
import type * as AjvFormats from 'ajv-formats';
import { ConfigError } from 'patchbay/plugin-api';
import { Rejection } from './answer.ts';
import type { IncomingEvent } from './parse.ts';

// A CommonJS module whose types and values disagree about `default` under Node's own resolution.
const addFormats = createRequire(import.meta.url)('ajv-formats') as typeof AjvFormats.default.default;

export interface RegisteredSource {
  readonly type?: string;
  readonly schema?: Readonly<Record<string, unknown>>;
}

interface Entry {
  readonly type: string | undefined;
  readonly validate: ValidateFunction | undefined;
}

/** The registered names, with what is known of their events. */
export class SourceRegistry {
  private readonly entries: ReadonlyMap<string, Entry>;
  private readonly strict: boolean;

  /** Throws ConfigError `PB_HTTP_EVENTS_SCHEMA` for a schema that is none. */
  constructor(sources: Readonly<Record<string, RegisteredSource>>, strict: boolean) {
    this.strict = strict;
    this.entries = new Map(
      Object.entries(sources).map(([name, { type, schema }]) => [
        name,
        { type, validate: schema === undefined ? undefined : compile(name, schema) },
      ]),
    );
  }

  /** The event's type, its own or its source's default. Throws a {@link Rejection} when the event may not come in. */
  check(event: IncomingEvent): string {
    const entry = this.entries.get(event.source);
    if (entry === undefined && this.strict) {
      throw new Rejection(400, 'PB_HTTP_EVENTS_SOURCE', `source \`${event.source.slice(0, 200)}\` is not registered`);
    }
    const type = event.type ?? entry?.type;
    if (type === undefined)
      throw new Rejection(
        400,
        'PB_HTTP_EVENTS_INVALID',
        `\`type\` is missing, and source \`${event.source.slice(0, 200)}\` has no default`,
      );
    if (entry?.validate !== undefined) checkData(event, entry.validate);
    return type;
  }
}

function checkData({ data, isJson, source }: IncomingEvent, validate: ValidateFunction): void {
  const of = `data of source \`${source}\``;
  if (!isJson) throw new Rejection(400, 'PB_HTTP_EVENTS_DATA', `${of} must be JSON, its schema says what`);
  if (validate(data) === true) return;
  const [first] = validate.errors ?? [];
  const place = first === undefined || first.instancePath === '' ? '' : ` at ${first.instancePath}`;
  throw new Rejection(400, 'PB_HTTP_EVENTS_DATA', `${of}${place} ${first?.message ?? 'does not follow its schema'}`);
}

function compile(name: string, schema: Readonly<Record<string, unknown>>): ValidateFunction {
  try {
    // One each: two schemas may carry the same $id.
    const ajv = new Ajv2020({ strict: false, logger: false });
    addFormats(ajv);
    if (schema['$async'] !== undefined) throw new Error('$async is not possible here');
    return ajv.compile(schema);
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    throw new ConfigError(
      'PB_HTTP_EVENTS_SCHEMA',
      `sources.${name}.schema`,
      `not a JSON Schema: ${message}`,
      'Correct the schema.',
    );
  }
}
