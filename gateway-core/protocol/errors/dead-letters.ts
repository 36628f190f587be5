import type { ErrorEntry } from './index.ts';

/** Looking at dead letters, editing, retrying and discarding them. */
export const deadLetterErrors = {
  PB_LETTER_UNKNOWN: {
    template: 'There is no dead letter {id}',
    cause: 'It was retried, discarded, or left by the bounds of the store in the meantime.',
    remedy: 'List the letters anew.',
  },
  PB_LETTERS_NONE: {
    template: 'No dead letter is selected',
    cause: 'None fits the filter or has one of the ids: they were retried or discarded in the meantime.',
    remedy: 'List the letters anew, or choose a wider filter.',
  },
  PB_LETTER_DAMAGED: {
    template: 'The message of dead letter {id} cannot be read: {reason}',
    cause: 'The stored message is damaged, or was written in a form this version does not know.',
    remedy: 'It can neither be shown nor retried. Note its cause and id, then discard it.',
  },
  PB_LETTER_BUSY: {
    template: 'Dead letter {id} is being retried',
    cause: 'A retry has it in hand, and its outcome is not known yet.',
    remedy: 'Wait until the retry has ended, or cancel it.',
  },
  PB_LETTER_CHANGED: {
    template: 'Dead letter {id} was edited by someone else',
    cause: 'The edit began from an older version of the message.',
    remedy: 'Show it anew and repeat the edit.',
  },
  PB_LETTER_EDIT: {
    template: 'The edited message cannot be taken: {reason}',
    cause: 'The new text does not have the form that the message has.',
    remedy: 'Correct the text: JSON where the message is JSON, base64 where it is bytes.',
  },
  PB_LETTER_PLACE_GONE: {
    template: '{name} is not part of {pipeline} any more',
    cause: 'The handler or sink that refused the message was removed from the pipeline or switched off.',
    remedy: 'Put it back or switch it on, or retry the message from the start of the pipeline.',
  },
  PB_LETTER_NO_WAY: {
    template: 'The message cannot be put into {pipeline}: {reason}',
    cause: 'The pipeline it was refused in is gone, switched off, paused or does not run.',
    remedy: 'Bring the pipeline back or resume it, then retry; the letter was kept.',
  },
  PB_LETTER_REASON: {
    template: 'Say why the letters are discarded',
    cause: 'What is discarded is gone: the reason is kept with the event, for whoever misses the messages later.',
    remedy: 'Give a reason.',
  },
  PB_LETTERS_UNNAMED: {
    template: 'Which dead letters is not said',
    cause: 'A command that changes letters takes none by itself.',
    remedy: 'Give their ids, or a filter (--pipeline, --instance, --code, --since, --until, --text), or --all.',
  },
  PB_LETTERS_WHEN: {
    template: '{text} is no time',
    cause: 'A time is written as 2026-01-31T12:00 or, so long ago, as 90m, 12h or 7d.',
    remedy: 'Write it in one of these forms.',
  },
  PB_RETRY_LIMIT: {
    template: '{count} retries run already',
    cause: 'Each of them takes room in the pipelines from what comes in.',
    remedy: 'Wait until one has ended, or cancel one.',
  },
  PB_RETRY_UNKNOWN: {
    template: 'There is no retry {job} that runs',
    cause: 'It has ended, or the gateway was restarted since.',
    remedy: 'Nothing is to be done: letters without an outcome are still stored.',
  },
  PB_RETRY_STOPPED: {
    template: 'The retry stopped, since a whole batch came back: {cause} [{code}]',
    cause: 'A sink is away or too slow, or a pipeline was stopped: the rest would come back too.',
    remedy: 'See what the sink says, then retry; the letters were kept.',
  },
} as const satisfies Record<string, ErrorEntry>;
