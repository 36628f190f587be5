/**
 * The form of startup.yaml (design §4) as JSON Schema 2020-12. docs/config.md is generated
 * from it, so every key has its `description` here. `x-not-yet` marks keys of features that
 * are not built into this version: accepted, reported, ignored.
 */
import type { JsonSchema } from '../plugin-api/manifest.ts';

/** Version of the config form that this gateway writes; older ones migrate, newer ones are refused. */
export const CONFIG_VERSION = 1;

export const NAME_PATTERN = '^[A-Za-z0-9][A-Za-z0-9._-]{0,62}$';

const names = { type: 'string', pattern: NAME_PATTERN };

const severity = {
  enum: ['debug', 'info', 'warning', 'critical'],
  description: 'Only events of this severity or above.',
};

const EXAMPLES = { source: 'amqp1@^1.2', handler: 'filter', sink: 'prometheus', executor: 'kubectl' } as const;

function instance(kind: keyof typeof EXAMPLES, more: JsonSchema = {}): JsonSchema {
  return {
    type: 'object',
    required: ['plugin'],
    additionalProperties: false,
    properties: {
      plugin: {
        type: 'string',
        minLength: 1,
        description: `Name of the ${kind} plugin, or \`name@range\`; without a range the highest version wins.`,
        examples: [EXAMPLES[kind]],
      },
      enabled: { type: 'boolean', default: true, description: 'Off: the instance keeps its config and does not run.' },
      config: { type: 'object', description: 'Options of the plugin; see docs/plugins.md.' },
      ...more,
    },
  };
}

function section(kind: keyof typeof EXAMPLES, description: string, more: JsonSchema = {}): JsonSchema {
  return {
    type: 'object',
    description,
    propertyNames: names,
    additionalProperties: instance(kind, more),
  };
}

const nameList = { type: 'array', items: { type: 'string' }, uniqueItems: true };

export const configSchema = {
  $schema: 'https://json-schema.org/draft/2020-12/schema',
  title: 'startup.yaml',
  type: 'object',
  required: ['version'],
  additionalProperties: false,
  properties: {
    version: { type: 'integer', const: CONFIG_VERSION, description: 'Version of the form of this file.' },
    sources: section('source', 'Instances that bring messages in, by name.', {
      expect: {
        type: 'object',
        required: ['every'],
        additionalProperties: false,
        description: 'What the source should do; if it does not, there is an event.',
        properties: {
          every: {
            type: 'string',
            format: 'patchbay-duration',
            description: 'Silence longer than this is an event and "needs you".',
            examples: ['30s', '5m'],
          },
        },
      },
    }),
    handlers: section('handler', 'Instances that decode, filter or map messages, by name.'),
    sinks: section('sink', 'Instances that store or forward messages, by name.', {
      buffer: {
        type: 'object',
        additionalProperties: false,
        description: 'What waits before the sink.',
        properties: {
          kind: {
            enum: ['memory', 'disk'],
            description:
              '`memory` is a window: what waits in it is not acknowledged upstream. `disk` is written and synced before it is acknowledged. Default: `disk` for sinks whose peer confirms (custody `remote`), else `memory`.',
          },
          max: {
            type: 'string',
            format: 'patchbay-size',
            description:
              'Bytes that may wait, from 64KiB on; `memory` at most 1GiB. Default: 1GiB on disk, 64MiB in memory.',
            examples: ['64MiB', '1GiB'],
          },
          whenFull: {
            enum: ['block', 'dropNewest', 'dropOldest'],
            default: 'block',
            description:
              '`block` slows the sources of its pipelines. `dropNewest` drops what comes, `dropOldest` what has waited longest: counted, with an event, and acknowledged upstream.',
          },
        },
      },
    }),
    pipelines: {
      type: 'object',
      description: 'The ways of messages, by name.',
      propertyNames: names,
      additionalProperties: {
        type: 'object',
        required: ['from', 'to'],
        additionalProperties: false,
        properties: {
          from: { ...nameList, minItems: 1, description: 'Names of sources.' },
          where: {
            type: 'string',
            description: 'CEL condition; messages for which it does not hold are filtered. Absent: every message.',
            examples: ['attributes.address == "collectd/telemetry"'],
          },
          through: { ...nameList, default: [], description: 'Names of handlers, in order.' },
          to: { ...nameList, minItems: 1, description: 'Names of sinks; every message goes to all of them.' },
          delivery: {
            enum: ['at-least-once', 'at-most-once'],
            default: 'at-least-once',
            description:
              '`at-least-once` acknowledges upstream when the sinks have the message; `at-most-once` when it has come in.',
          },
          enabled: { type: 'boolean', default: true, description: 'Off: the pipeline takes no messages.' },
          workers: {
            type: 'integer',
            minimum: 1,
            maximum: 64,
            default: 1,
            description: 'Copies of competing sources and their handlers (not built into this version: one runs).',
          },
        },
      },
    },
    executors: {
      ...section('executor', 'Instances that answer commands, by name.'),
      'x-not-yet': 'executors are checked and not started',
    },
    events: {
      type: 'array',
      description: "Where the gateway's own events go besides its own store.",
      'x-not-yet': 'events are kept in the store of the gateway and shown in the panel only',
      items: {
        type: 'object',
        required: ['to'],
        additionalProperties: false,
        properties: {
          to: { type: 'string', description: 'Name of a sink.' },
          severity,
          sources: { type: 'array', items: { type: 'string' }, description: 'Parts of the gateway; absent: all.' },
        },
      },
    },
    runbooks: {
      type: 'object',
      description: 'Graphs of actions, by name.',
      'x-not-yet': 'runbooks are ignored',
      propertyNames: names,
      additionalProperties: { type: 'object' },
    },
    settings: {
      type: 'object',
      additionalProperties: false,
      description: 'The gateway itself.',
      properties: {
        project: {
          type: 'string',
          minLength: 1,
          maxLength: 100,
          default: 'default',
          description: 'Goes with every message as `project`.',
        },
        control: {
          type: 'object',
          additionalProperties: false,
          description: 'Where panel, `/metrics` and `/healthz` are served; read at start.',
          properties: {
            host: { type: 'string', minLength: 1, default: '127.0.0.1', description: 'Address to listen on.' },
            port: {
              type: 'integer',
              minimum: 0,
              maximum: 65535,
              default: 7080,
              description: 'Port; 0 takes any free one.',
            },
          },
        },
        log: {
          type: 'object',
          additionalProperties: false,
          description: "The gateway's log.",
          properties: {
            level: { enum: ['debug', 'info', 'warn', 'error'], default: 'info', description: 'From this level on.' },
          },
        },
        deadLetters: {
          type: 'object',
          additionalProperties: false,
          description:
            'How many refused messages are kept; beyond each bound the oldest go, with an event. Takes effect at once.',
          properties: {
            count: { type: 'integer', minimum: 1, maximum: 10000000, default: 100000, description: 'At most so many.' },
            bytes: {
              type: 'string',
              format: 'patchbay-size',
              default: '512MiB',
              description: 'At most so much, from 1MiB on: their messages and what is known of them together.',
              examples: ['64MiB', '2GiB'],
            },
            age: {
              type: 'string',
              format: 'patchbay-duration',
              default: '30d',
              description: 'At most so old.',
              examples: ['7d', '12h'],
            },
          },
        },
      },
    },
  },
} as const satisfies JsonSchema;
