import type { ErrorEntry } from './index.ts';

export const flowErrors = {
  PB_SETTLE_DEADLINE: {
    template: 'No outcome within {seconds} s',
    cause: 'A sink could not take the message in time.',
    remedy: 'See what the sink says; the message was given back upstream.',
  },
} as const satisfies Record<string, ErrorEntry>;
