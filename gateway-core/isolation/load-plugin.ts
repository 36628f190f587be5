import { registerHooks } from 'node:module';
import { ConfigError, PatchbayError } from '../plugin-api/errors.ts';
import type { HandlerDefinition, SinkDefinition, SourceDefinition } from '../plugin-api/index.ts';
import type { InstanceSpec } from './spec.ts';

const API: Readonly<Record<string, string>> = {
  'patchbay/plugin-api': new URL('../plugin-api/index.ts', import.meta.url).href,
  'patchbay/plugin-api/testing': new URL('../plugin-api/testing/index.ts', import.meta.url).href,
};

/**
 * Makes `patchbay/plugin-api` resolve, in this thread, to this gateway's own: self-reference
 * reaches neither a folder with a package.json of its own nor the user's plugin folder.
 */
export function provideApi(): void {
  registerHooks({
    resolve(specifier, context, next) {
      const url = API[specifier];
      return url === undefined ? next(specifier, context) : { url, shortCircuit: true };
    },
  });
}

export type FlowDefinition = SourceDefinition<unknown> | HandlerDefinition<unknown> | SinkDefinition<unknown>;

/** Imports the module and checks that its default export is what the manifest says. */
export async function loadPlugin(spec: InstanceSpec): Promise<FlowDefinition> {
  let exports: { default?: unknown };
  try {
    exports = (await import(spec.moduleUrl)) as { default?: unknown };
  } catch (error) {
    throw new PatchbayError(
      'PB_PLUGIN_IMPORT',
      `${spec.plugin} can't be loaded: ${error instanceof Error ? error.message : String(error)}`,
      'Mend the plugin; its last good version can be put back.',
      { cause: error },
    );
  }
  const definition = exports.default as Partial<FlowDefinition> | undefined;
  if (
    typeof definition !== 'object' ||
    definition === null ||
    typeof definition.create !== 'function' ||
    definition.kind !== spec.kind
  ) {
    throw new ConfigError(
      'PB_PLUGIN_SHAPE',
      '',
      `${spec.plugin}: the default export is not a ${spec.kind}'s definition`,
      `Write \`export default define${spec.kind[0]?.toUpperCase() ?? ''}${spec.kind.slice(1)}({ … })\`.`,
    );
  }
  if (definition.kind === 'sink' && spec.custody !== '' && definition.custody !== spec.custody) {
    throw new ConfigError(
      'PB_PLUGIN_SHAPE',
      '',
      `${spec.plugin}: custody is ${spec.custody} in plugin.json but ${String(definition.custody)} in the code`,
      'Make both the same.',
    );
  }
  return definition as FlowDefinition;
}
