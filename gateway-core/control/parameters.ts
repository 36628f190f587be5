/**
 * Run-time checks of the contract's parameters: one schema per call and stream. A missing one
 * does not compile, and `parameters.test.ts` holds names and types against `contract.ts`.
 */
import { Ajv2020, type ErrorObject, type ValidateFunction } from 'ajv/dist/2020.js';
import Type, { type TSchema } from 'typebox';
import type { CallName, StreamName } from '../protocol/contract.ts';
import type { ParameterFault } from '../protocol/server.ts';

const closed = { additionalProperties: false };

const NOTHING = Type.Unsafe<Record<string, never>>(Type.Object({}, closed));
/** Of an instance, pipeline, plugin or contribution. */
const NAME = Type.String({ minLength: 1, maxLength: 200 });
/** A whole config. Its own limit (PB_CONFIG_…) is the config reader's; this one is the frame's. */
const YAML = Type.String({ maxLength: 4 * 1024 * 1024 });
const COMMENT = Type.String({ maxLength: 1000 });
const EXPRESSION = Type.String({ maxLength: 10_000 });
const TEXT = Type.String({ maxLength: 1000 });
const COUNT = Type.Integer({ minimum: 0 });
const VERSION = Type.Integer({ minimum: 1 });
const LIMIT = Type.Integer({ minimum: 1, maximum: 1000 });
const PATH = Type.Array(Type.Union([Type.String({ maxLength: 200 }), COUNT]), { minItems: 1, maxItems: 32 });
const EDITS = Type.Array(
  Type.Union([
    Type.Object({ op: Type.Literal('set'), path: PATH, value: Type.Unknown() }, closed),
    Type.Object({ op: Type.Literal('delete'), path: PATH, value: Type.Optional(Type.Unknown()) }, closed),
  ]),
  { minItems: 1, maxItems: 200 },
);
const KIND = Type.Union([
  Type.Literal('source'),
  Type.Literal('handler'),
  Type.Literal('sink'),
  Type.Literal('executor'),
  Type.Literal('action'),
  Type.Literal('driver'),
]);
const SPOOLS = Type.Record(
  Type.String({ minLength: 1, maxLength: 63 }),
  Type.Union([Type.Literal('drain'), Type.Literal('keep'), Type.Literal('discard')]),
);
const NAMED = Type.Object({ name: NAME }, closed);
const TAP = Type.String({ minLength: 1, maxLength: 100 });

const LETTER_ID = Type.Integer({ minimum: 1 });
const LETTER_FILTER = Type.Object(
  {
    pipeline: Type.Optional(NAME),
    instance: Type.Optional(NAME),
    code: Type.Optional(Type.String({ minLength: 1, maxLength: 200 })),
    from: Type.Optional(COUNT),
    to: Type.Optional(COUNT),
    text: Type.Optional(TEXT),
    upTo: Type.Optional(COUNT),
  },
  closed,
);
const LETTERS = Type.Union([
  Type.Object({ ids: Type.Array(LETTER_ID, { minItems: 1, maxItems: 10_000 }) }, closed),
  Type.Object({ filter: LETTER_FILTER }, closed),
]);
/** An edited message has to fit a frame. */
const PAYLOAD = Type.String({ maxLength: 4 * 1024 * 1024 });

export const callSchemas = {
  'status.get': NOTHING,
  'topology.get': NOTHING,
  'config.get': NOTHING,
  'config.validate': Type.Object({ yaml: YAML }, closed),
  'config.plan': Type.Object({ yaml: YAML }, closed),
  'config.apply': Type.Object(
    {
      yaml: YAML,
      baseVersion: Type.Optional(COUNT),
      comment: Type.Optional(COMMENT),
      spools: Type.Optional(SPOOLS),
    },
    closed,
  ),
  'config.preview': Type.Object({ edits: EDITS }, closed),
  'config.edit': Type.Object(
    {
      edits: EDITS,
      baseVersion: Type.Optional(COUNT),
      comment: Type.Optional(COMMENT),
      spools: Type.Optional(SPOOLS),
    },
    closed,
  ),
  'config.history': Type.Object({ limit: Type.Optional(LIMIT) }, closed),
  'config.version': Type.Object({ version: VERSION }, closed),
  'config.rollback': Type.Object({ version: VERSION, spools: Type.Optional(SPOOLS) }, closed),
  'setup.demo': NOTHING,
  'setup.empty': NOTHING,
  'setup.import': Type.Object({ yaml: YAML }, closed),
  'plugins.list': NOTHING,
  'plugins.get': Type.Object({ name: NAME, version: Type.Optional(Type.String({ maxLength: 100 })) }, closed),
  'plugins.check': Type.Object({ kind: KIND, plugin: NAME, instance: NAME, config: Type.Unknown() }, closed),
  'flow.pause': NAMED,
  'flow.resume': NAMED,
  'flow.drain': NAMED,
  'flow.purge': NAMED,
  'spools.list': NOTHING,
  'spools.discard': NAMED,
  'instance.restart': NAMED,
  'filter.check': Type.Object({ expression: EXPRESSION }, closed),
  'live.message': Type.Object({ tap: TAP, seq: COUNT }, closed),
  'live.page': Type.Object({ tap: TAP, before: COUNT, limit: LIMIT }, closed),
  'control.link': NOTHING,
  'deadletters.list': Type.Object(
    { filter: Type.Optional(LETTER_FILTER), before: Type.Optional(LETTER_ID), limit: Type.Optional(LIMIT) },
    closed,
  ),
  'deadletters.summary': Type.Object({ filter: Type.Optional(LETTER_FILTER) }, closed),
  'deadletters.show': Type.Object({ id: LETTER_ID }, closed),
  'deadletters.edit': Type.Object(
    {
      id: LETTER_ID,
      revision: COUNT,
      change: Type.Object(
        {
          payload: Type.Optional(
            Type.Union([Type.Object({ text: PAYLOAD }, closed), Type.Object({ base64: PAYLOAD }, closed)]),
          ),
          type: Type.Optional(Type.String({ minLength: 1, maxLength: 1000 })),
          subject: Type.Optional(TEXT),
          partitionkey: Type.Optional(TEXT),
          attributes: Type.Optional(Type.Record(Type.String(), Type.Unknown())),
        },
        { ...closed, minProperties: 1 },
      ),
    },
    closed,
  ),
  'deadletters.retry': Type.Object(
    {
      selection: LETTERS,
      to: Type.Union([Type.Literal('place'), Type.Literal('start')]),
      perSecond: Type.Optional(Type.Number({ minimum: 0.1, maximum: 1_000_000 })),
    },
    closed,
  ),
  'deadletters.cancel': Type.Object({ job: Type.String({ minLength: 1, maxLength: 100 }) }, closed),
  'deadletters.discard': Type.Object({ selection: LETTERS, reason: COMMENT }, closed),
  'events.list': Type.Object(
    {
      limit: Type.Optional(LIMIT),
      before: Type.Optional(COUNT),
      severity: Type.Optional(Type.String({ maxLength: 20 })),
      source: Type.Optional(NAME),
    },
    closed,
  ),
} satisfies Record<CallName, TSchema>;

export const streamSchemas = {
  status: NOTHING,
  topology: NOTHING,
  live: Type.Object(
    {
      instance: NAME,
      where: Type.Optional(EXPRESSION),
      text: Type.Optional(TEXT),
      budget: Type.Optional(
        Type.Object(
          {
            rowsPerSecond: Type.Optional(Type.Number({ minimum: 0, maximum: 10_000 })),
            bytesPerSecond: Type.Optional(Type.Number({ minimum: 1024, maximum: 64 * 1024 * 1024 })),
            ringBytes: Type.Optional(Type.Number({ minimum: 64 * 1024, maximum: 256 * 1024 * 1024 })),
          },
          closed,
        ),
      ),
      full: Type.Optional(Type.Boolean()),
    },
    closed,
  ),
  events: NOTHING,
  logs: Type.Object({ instance: Type.Optional(NAME) }, closed),
  changes: NOTHING,
  deadletters: NOTHING,
  'deadletters.export': Type.Object({ selection: LETTERS }, closed),
} satisfies Record<StreamName, TSchema>;

const ajv = new Ajv2020({ strict: true });
/** Compiled at first use: most connections use few of the calls. */
const compiled = new Map<TSchema, ValidateFunction>();

/** The first thing wrong with a call's parameters; undefined when they fit. */
export function checkCall(name: CallName, params: unknown): ParameterFault | undefined {
  return check(callSchemas[name], params);
}

/** The first thing wrong with a stream's parameters; undefined when they fit. */
export function checkStream(name: StreamName, params: unknown): ParameterFault | undefined {
  return check(streamSchemas[name], params);
}

function check(schema: TSchema, params: unknown): ParameterFault | undefined {
  let validate = compiled.get(schema);
  if (validate === undefined) {
    validate = ajv.compile(schema);
    compiled.set(schema, validate);
  }
  if (validate(params)) return undefined;
  const error = validate.errors?.[0];
  return error === undefined ? { place: '', what: 'wrong parameters' } : describe(error);
}

function describe(error: ErrorObject): ParameterFault {
  const place = error.instancePath.slice(1);
  const subject = place === '' ? '' : `${place} `;
  const params = error.params as Readonly<Record<string, unknown>>;
  switch (error.keyword) {
    case 'additionalProperties':
      return { place, what: `${subject}has no parameter ${String(params['additionalProperty']).slice(0, 60)}` };
    case 'required':
      return { place, what: `${subject}lacks ${String(params['missingProperty'])}` };
    default:
      return { place, what: `${subject}${error.message ?? 'is wrong'}` };
  }
}
