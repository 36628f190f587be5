import type { ErrorEntry } from './index.ts';

export const configErrors = {
  PB_CONFIG_CONFLICT: {
    template: 'The config changed meanwhile: version {running} runs, the change was made on {base}',
    cause: 'Someone else applied a change first.',
    remedy: 'Reload the running config and make the change again.',
  },
} as const satisfies Record<string, ErrorEntry>;
