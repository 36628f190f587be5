import type { ErrorEntry } from './index.ts';

export const pluginErrors = {
  PB_PLUGIN_THREW: {
    template: '{plugin} threw: {message}',
    cause: 'The plugin has a fault or met input it does not expect.',
    remedy: 'See the message in the dead letters, and report it to the maker of the plugin.',
  },
} as const satisfies Record<string, ErrorEntry>;
