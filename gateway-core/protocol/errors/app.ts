import type { ErrorEntry } from './index.ts';

/** The desktop app around the engine. */
export const appErrors = {
  PB_ENGINE_DOWN: {
    template: 'The engine is not running: {reason}',
    cause: 'Its process ended too often within a short time, could not start, or is being stopped.',
    remedy: 'Read the reason and the log in the data folder, put right what it names, then start the app again.',
  },
} as const satisfies Record<string, ErrorEntry>;
