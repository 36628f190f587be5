import type { ErrorEntry } from './index.ts';

export const storageErrors = {
  PB_STORE_CORRUPT: {
    template: '{file} was damaged and has been set aside as {aside}',
    cause: 'The disk or a crash damaged the file.',
    remedy: 'The gateway began a new one. Restore the old one from a backup if you need it.',
  },
} as const satisfies Record<string, ErrorEntry>;
