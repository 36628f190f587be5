import { Ajv2020 } from 'ajv/dist/2020.js';
import { ConfigError, defineSource } from 'patchbay/plugin-api';

export interface NoopConfig {
  readonly type?: string;
  readonly schema?: Readonly<Record<string, unknown>>;
}

/** Emits nothing. A schema that cannot work is told at start, not when others come to use it. */
export default defineSource<NoopConfig>({
  create({ config }) {
    return {
      start() {
        if (config.schema === undefined) return;
        try {
          new Ajv2020({ strict: false }).compile(config.schema);
        } catch (error) {
          const message = error instanceof Error ? error.message : String(error);
          throw new ConfigError('PB_NOOP_SCHEMA', 'schema', `not a JSON Schema: ${message}`, 'Correct the schema.');
        }
      },
      stop() {
        // Nothing flows.
      },
      close() {
        // Nothing is held.
      },
    };
  },
});
