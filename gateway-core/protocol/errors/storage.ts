import type { ErrorEntry } from './index.ts';

/** Stores, data folder, secrets, log files and the event log. */
export const storageErrors = {
  PB_STORE_CORRUPT: {
    template: '{file} was damaged and has been set aside as {aside}: {reason}',
    cause: 'The disk or a crash damaged the file.',
    remedy: 'The gateway began a new one. Restore the old one from a backup if you need it.',
  },
  PB_STORE_NEWER: {
    template: '{file} was written by a newer Patchbay (store version {found}, this one knows up to {known})',
    cause: 'The data folder was last used by a newer version of Patchbay.',
    remedy: 'Start that newer version, or start this one with another data folder (--data).',
  },
  PB_STORE_MIGRATION: {
    template: '{file} could not be brought from store version {from} to {to}: {reason}',
    cause: 'The step that updates the file failed; the file is as it was before.',
    remedy: 'Start the former version of Patchbay again, and report this with the log.',
  },
  PB_STORE_FULL: {
    template: '{file} cannot grow: the disk is full',
    cause: 'The disk, or the quota of the user, has no room left.',
    remedy: 'Free some space on the disk of the data folder. The gateway goes on by itself, no restart is needed.',
  },
  PB_STORE_READONLY: {
    template: '{file} cannot be written: {reason}',
    cause: 'The file, its folder or its disk is read-only for the user the gateway runs as.',
    remedy:
      "Give that user write access to the data folder, or remount the disk writable (a damaged disk is often remounted read-only: see the system's log).",
  },
  PB_STORE_IO: {
    template: '{file} cannot be read or written: {reason}',
    cause: 'The operating system reported an error on the file, or another program holds it.',
    remedy: "See the system's log for disk errors, and close programs (backup, database browser) that hold the file.",
  },
  PB_STORE_LOST: {
    template: 'The storage thread ended before it answered',
    cause: 'The storage thread crashed or was ended. What it had committed is on disk; this request may or may not be.',
    remedy: 'Nothing to do: the thread is started again and the request may be repeated. If it recurs, see the log.',
  },
  PB_STORE_THREAD: {
    template: 'The storage thread ended: {reason}. It is started again in {seconds} s (restart {restarts})',
    cause: 'A fault in the storage thread, or the machine is out of memory.',
    remedy: 'If it recurs, see the log of that time and the free memory, and report it.',
  },
  PB_STORE_BUSY: {
    template: 'The storage has {requests} requests waiting and takes no more for now',
    cause: 'The disk is slower than what is to be stored.',
    remedy: 'Wait, and repeat the request. If it lasts, look at the load of the disk that holds the data folder.',
  },
  PB_STORE_CLOSED: {
    template: 'The storage is closed',
    cause: 'The gateway is stopping.',
    remedy: 'Repeat the request when the gateway runs again.',
  },
  PB_STATE_NOT_JSON: {
    template: 'The value to store is not JSON: {place} is {found}',
    cause:
      'State, cache and settings keep JSON only: null, booleans, finite numbers, strings, arrays and plain objects.',
    remedy: 'Turn the value into plain JSON first; a date as an ISO text, a map as an object.',
  },
  PB_STATE_TOO_LARGE: {
    template: 'The value to store has {bytes} characters, at most {limit} are taken',
    cause: 'One stored value is bounded so that it cannot hold up everything else.',
    remedy: 'Split the value over several keys.',
  },
  PB_DEADLETTER_TOO_LARGE: {
    template: 'The refused message has {bytes} bytes, the dead letters hold {limit} in all',
    cause: 'The message alone is larger than the room for all dead letters.',
    remedy: 'The message was not stored and is rejected upstream. Lower the size limit of its source.',
  },
  PB_DEADLETTERS_EVICTED: {
    template: '{count} of the oldest dead letters were deleted to keep within the bounds',
    cause: 'More messages were refused than the dead letters may hold, by count, size or age.',
    remedy: 'Find out from the newest ones why messages are refused, then retry or discard them.',
  },
  PB_EVENTS_DROPPED: {
    template: '{count} events were lost: they came faster than they could be stored',
    cause: 'The storage was slow or away while many things happened at once.',
    remedy: 'See the log of that time, it has them too.',
  },
  PB_DATA_LOCKED: {
    template: 'Another gateway uses {path}: process {pid}, control address {control}',
    cause: 'Only one gateway may use a data folder at a time.',
    remedy: 'Use the running one, stop it first, or start this one with another folder (--data).',
  },
  PB_DATA_NOT_FOLDER: {
    template: 'The data folder {path} is not a folder',
    cause: 'A file lies where the data folder, or a folder above or in it, should be.',
    remedy: 'Move that file away, or name another folder with --data or PATCHBAY_DATA.',
  },
  PB_DATA_UNWRITABLE: {
    template: 'The data folder {path} cannot be used: {reason}',
    cause: 'The folder cannot be made, read or written by the user the gateway runs as.',
    remedy: 'Give that user the rights to it, or name another folder with --data or PATCHBAY_DATA.',
  },
  PB_DATA_FULL: {
    template: 'There is no room on the disk of the data folder {path}',
    cause: 'The disk, or the quota of the user, is full.',
    remedy: 'Free some space on that disk, or name a folder on another one with --data.',
  },
  PB_TOKEN_PERMISSIONS: {
    template: '{file} was open to other users of this machine (mode {mode}); it is now closed to them (0600)',
    cause: 'The file was copied or restored without its permissions.',
    remedy: 'If others could have read it, delete it and start the gateway again: a new one is made.',
  },
  PB_SECRETS_UNREADABLE: {
    template: 'The secrets in {file} cannot be read: {reason}',
    cause: 'The key is not the one they were stored with, or the file was changed or damaged.',
    remedy:
      'Provide the former key (PATCHBAY_SECRET_KEY, the systemd credential patchbay-secret-key, or the file secret-key), restore the file from a backup, or move it away and set the secrets again.',
  },
  PB_SECRETS_UNWRITABLE: {
    template: 'The secrets in {file} cannot be stored: {reason}',
    cause: 'The data folder cannot be written, or the disk is full. What was stored before is unchanged.',
    remedy: 'Free some space or give the user of the gateway write access to the data folder, then repeat.',
  },
  PB_SECRET_INVALID: {
    template: 'The secret {name} cannot be stored: {reason}',
    cause: 'Names have 1 to 128 letters, digits, dots, dashes or underscores; values have 1 to 65 536 characters.',
    remedy: 'Use another name or value.',
  },
  PB_LOG_FILE: {
    template: 'The log file {file} cannot be written: {reason}',
    cause: 'The disk is full, or the folder of the logs is not writable.',
    remedy:
      'Free some space or give the user of the gateway write access. The log goes on elsewhere, and in the file when it can be written again.',
  },
} as const satisfies Record<string, ErrorEntry>;
