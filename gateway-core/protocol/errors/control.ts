import type { ErrorEntry } from './index.ts';

export const controlErrors = {
  PB_READ_ONLY: {
    template: '{method} changes something and this access is read-only',
    cause: 'The token used may only read.',
    remedy: 'Use the control token instead of a read-only one.',
  },
  PB_INTERNAL: {
    template: 'Unexpected: {message}',
    cause: 'A fault of the gateway itself.',
    remedy: 'Report it with the log of that time.',
  },
} as const satisfies Record<string, ErrorEntry>;
