/** `plugin.json` (design §5) as JSON Schema 2020-12; docs/plugin-guide.md and the check are made of it. */
import type { JsonSchema } from '../plugin-api/manifest.ts';

/** Generation of the plugin interface that this gateway has. */
export const API_VERSION = '1';
export const MANIFEST_VERSION = 1;

/** Names of plugins and contributions: safe in file names, URLs and metrics. */
export const PLUGIN_NAME = '^[a-z0-9][a-z0-9-]{0,62}$';

const edge = {
  type: 'string',
  pattern: '^(\\*|same|(raw|metric|event|log)(:[a-z0-9][a-z0-9.-]*/[0-9]+)?)$',
  examples: ['raw', 'metric', 'metric:collectd/1', '*'],
};
const edges = { type: 'array', items: edge, minItems: 1, uniqueItems: true };
const modulePath = { type: 'string', pattern: '^\\./', description: 'Path of a module, relative to plugin.json.' };
const text = { type: 'string', maxLength: 2000 };

export const manifestSchema = {
  $schema: 'https://json-schema.org/draft/2020-12/schema',
  title: 'plugin.json',
  type: 'object',
  required: [
    'manifestVersion',
    'name',
    'version',
    'apiVersion',
    'title',
    'description',
    'license',
    'stability',
    'contributes',
  ],
  additionalProperties: false,
  patternProperties: { '^(\\$schema|x-.*)$': {} },
  properties: {
    manifestVersion: { const: MANIFEST_VERSION, description: 'Version of the form of this file.' },
    name: { type: 'string', pattern: PLUGIN_NAME, description: 'Name of the plugin: lower case, digits and `-`.' },
    version: { type: 'string', maxLength: 100, description: 'Semantic version.', examples: ['1.0.0'] },
    apiVersion: { const: API_VERSION, description: 'Generation of the plugin interface it is made for.' },
    title: { ...text, minLength: 1, description: 'Name for people.' },
    description: { ...text, description: 'One line: what it does.' },
    license: { ...text, description: 'SPDX identifier.', examples: ['Apache-2.0'] },
    stability: { enum: ['experimental', 'beta', 'stable', 'deprecated'], description: 'How far one can rely on it.' },
    author: { ...text, description: 'Who made it.' },
    homepage: { ...text, description: 'Where to read more.' },
    icon: { ...text, description: "Name of an icon of the panel's set, or an SVG file beside plugin.json." },
    command: {
      type: 'array',
      items: { type: 'string' },
      minItems: 1,
      description: 'Program of an external plugin (not built into this version).',
    },
    protocol: { enum: ['go-plugin'], description: 'How an external plugin is spoken to.' },
    contributes: {
      type: 'array',
      minItems: 1,
      maxItems: 100,
      description: 'What the plugin offers.',
      items: {
        type: 'object',
        required: ['kind', 'name'],
        additionalProperties: false,
        properties: {
          kind: { enum: ['source', 'handler', 'sink', 'executor', 'action', 'driver'], description: 'Kind of plugin.' },
          name: { type: 'string', pattern: PLUGIN_NAME, description: 'What configs write as `plugin`.' },
          main: {
            ...modulePath,
            description: 'Module whose default export is the definition, relative to plugin.json.',
          },
          title: { ...text, description: 'Name for people, where it differs from the plugin.' },
          description: { ...text, description: 'One line: what it does.' },
          produces: { ...edges, description: 'Types it gives; handlers: `same` for what came in. Absent: anything.' },
          accepts: { ...edges, description: 'Types it takes. Absent: anything.' },
          custody: { enum: ['durable', 'remote', 'view'], description: 'Sinks: what "done" means.' },
          concurrency: {
            type: 'integer',
            minimum: 1,
            maximum: 256,
            description: 'Sinks: `write` calls at once; default 1.',
          },
          stateful: {
            type: 'boolean',
            description: 'Handlers: it remembers, so that one instance serves all pipelines; a must for `settled`.',
          },
          competing: { type: 'boolean', description: 'Sources: several copies may compete for the same upstream.' },
          redelivers: { type: 'boolean', description: 'Sources: upstream delivers again what was not accepted.' },
          config: {
            type: 'object',
            description:
              'Schema of its config: inline, or `{ "$ref": "./file.schema.json" }`. Absent: takes no config.',
          },
        },
      },
    },
    errors: {
      type: 'array',
      maxItems: 200,
      description: 'Codes it refuses messages or configs with.',
      items: {
        type: 'object',
        required: ['code', 'cause', 'remedy'],
        additionalProperties: false,
        properties: {
          code: { type: 'string', pattern: '^[A-Z][A-Z0-9]*(_[A-Z0-9]+)+$', description: 'The code.' },
          cause: { ...text, description: 'Why it happens.' },
          remedy: { ...text, description: 'What to do.' },
        },
      },
    },
    permissions: {
      type: 'object',
      additionalProperties: false,
      description: 'What it needs from the machine.',
      properties: {
        network: { type: 'array', items: { enum: ['connect', 'listen'] }, description: 'Connects, listens.' },
        env: { type: 'array', items: { type: 'string' }, description: 'Environment variables it reads.' },
        files: { type: 'array', items: { type: 'string' }, description: 'Files: `read:/path`, `write:/path`.' },
      },
    },
  },
} as const satisfies JsonSchema;
