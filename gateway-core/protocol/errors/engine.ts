import type { ErrorEntry } from './index.ts';

export const engineErrors = {
  PB_CONFIG_INVALID: {
    template: 'The config has {count} errors; the first: {first}',
    cause: 'Something in the config is wrong; nothing of it was applied.',
    remedy: 'Mend what is listed, each at its place, and apply again.',
  },
  PB_CONFIG_WRITE: {
    template: '{file} cannot be written: {reason}',
    cause: 'A changed config could not be put on the disk, so it was not applied either.',
    remedy: 'Give the gateway the right to write there, or free some space.',
  },
  PB_CONFIG_VERSION_UNKNOWN: {
    template: 'There is no config version {version}',
    cause: 'The history was asked for a version it does not have.',
    remedy: 'See `patchbay config history` for those it has.',
  },
  PB_SETUP_DONE: {
    template: 'This gateway has a config already',
    cause: 'The first run was answered before, perhaps in another window.',
    remedy: 'Change the running config instead.',
  },
  PB_INSTANCE_DOWN: {
    template: '{name} does not run: {reason}',
    cause: 'An instance could not be started, or lost what it was connected to.',
    remedy: 'See its reason; change its config or restart it.',
  },
  PB_NOT_RUNNING: {
    template: 'No gateway runs on {data}',
    cause: 'The command needs a running gateway and found none that holds this data folder.',
    remedy: 'Start one with `patchbay run`, or name the folder with --data.',
  },
  PB_NO_CONTROL: {
    template: 'The gateway (process {pid}) has no control address',
    cause: 'It is still starting, or was embedded without a control server.',
    remedy: 'Try again in a moment, or start it with a control address.',
  },
  PB_TOKEN_UNREADABLE: {
    template: 'The control token in {data} cannot be read',
    cause: 'The command runs as another user than the gateway, or the folder is a different one.',
    remedy: 'Run the command as the same user, or pass --token.',
  },
  PB_UNCLEAN_END: {
    template: 'The run before ended without being stopped; it was last alive at {lastAlive}',
    cause: 'The process was killed, crashed, or the machine lost power.',
    remedy:
      'Nothing is to be done: what was not acknowledged comes again, and what lies on disk is counted anew. If it was not you, see the log of that time.',
  },
  PB_MEMORY_HIGH: {
    template: '{what} uses {percent} % of the {limit} it may',
    cause: 'What runs there keeps more in memory than it should, or there is more traffic than memory.',
    remedy: 'See what runs there; restart an instance whose memory keeps growing, or give the gateway more.',
  },
  PB_DISK_LOW: {
    template: 'Only {free} are free on the disk of the data folder',
    cause: 'Stores, logs and buffers on disk, or something else on the same disk, have filled it.',
    remedy: 'Free some space before it is full: then nothing can be stored, and sources are held up.',
  },
  PB_SPOOL_HIGH: {
    template: 'The buffer of {name} is {percent} % full',
    cause: 'The sink has been away or too slow for a while.',
    remedy: 'See what the sink says; raise `buffer.max` if it needs longer than there is room for.',
  },
  PB_BAD_ADDRESS: {
    template: '`{address}` is not an address',
    cause: 'An address is HOST:PORT, [V6]:PORT or PORT.',
    remedy: 'Write it like 127.0.0.1:7080.',
  },
} as const satisfies Record<string, ErrorEntry>;
