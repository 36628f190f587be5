import type { ErrorEntry } from './index.ts';

/** The write-ahead buffers on disk. */
export const spoolErrors = {
  PB_SPOOL_FULL: {
    template: 'The spool of {name} is full ({bytes} bytes)',
    cause: 'More comes in than the sink takes, or its peer is away, and the bound of `buffer.max` is reached.',
    remedy:
      'Bring the peer back, or raise `buffer.max`. Until then its pipelines wait (`block`), or messages are dropped and counted, as `buffer.whenFull` says.',
  },
  PB_SPOOL_LOW_DISK: {
    template: 'The disk is nearly full ({free} free): the spool of {name} takes nothing more, {keep} are kept free',
    cause: 'A full disk would keep the gateway from recording what has been delivered.',
    remedy: 'Free some space on the disk of the data folder. The gateway goes on by itself, no restart is needed.',
  },
  PB_SPOOL_FAILING: {
    template: 'The spool of {name} cannot be used: {reason}',
    cause: 'Its file cannot be opened or written. Nothing is acknowledged meanwhile: upstream keeps its messages.',
    remedy:
      'See the reason: free disk space, give write access, or end the program that holds the file. It is tried again by itself.',
  },
  PB_SPOOL_UNKNOWN: {
    template: 'There is no spool of {name}',
    cause: 'The sink is not in the running config, or it buffers in memory.',
    remedy: 'See `status` for the sinks and their buffers; set `buffer.kind: disk` to have one.',
  },
  PB_SPOOL_DAMAGED: {
    template: '{messages} messages in the spool of {name} were damaged on disk and cannot be delivered',
    cause: 'The bytes read are not the bytes written: a fault of the disk, or the file was changed.',
    remedy:
      'They are counted as dropped and kept in the table `damaged` of {file}. Check the disk; ask upstream for the messages of that time.',
  },
  PB_SPOOL_SALVAGED: {
    template: 'The spool of {name} was damaged: {saved} messages were saved into a new file, {lost} lost',
    cause: 'A fault of the disk or a crash of the machine damaged the file, or it was changed.',
    remedy: 'The damaged file is kept as {file}. Check the disk; ask upstream for the messages of that time.',
  },
  PB_SPOOL_LOG_DAMAGED: {
    template: 'The write-ahead log of the spool of {name} was damaged: {commits} commits in it cannot be read',
    cause:
      'A power cut or a fault of the disk damaged the log, or it was changed. What is before the damage was taken over.',
    remedy:
      'The log is kept as {file}. Check the disk; ask upstream for the messages of the last minutes before the gateway ended.',
  },
  PB_SPOOL_GONE: {
    template:
      'The spool file of {name} was deleted or replaced while it was in use; its {rows} batches were written anew',
    cause: 'Some program or person removed {file}.',
    remedy: 'Nothing was lost. Leave the files in `<data>/spool` alone; to empty one, use `purge`.',
  },
  PB_SPOOL_DROPPED: {
    template: '{count} messages were dropped from the spool of {name}',
    cause: 'It was full and `buffer.whenFull` drops, or damaged messages could not be delivered.',
    remedy: 'Bring the sink back or raise `buffer.max`; use `whenFull: block` where nothing may be lost.',
  },
  PB_SPOOL_ORPHAN: {
    template: '{messages} messages lie in the spool of {name}, a sink that is not in the config',
    cause: 'The sink was removed or renamed, and its spool was kept.',
    remedy: 'Add a sink of that name to deliver them, or discard them with `patchbay spools discard {name}`.',
  },
  PB_SPOOL_DECISION: {
    template: 'Removing {names} would leave {messages} messages undelivered: say what is to become of them',
    cause: 'The change removes or renames a sink whose spool is not empty.',
    remedy: 'Choose `drain` (deliver them first), `keep` (leave them on disk for a sink of that name) or `discard`.',
  },
  PB_SPOOL_NOT_DRAINED: {
    template: '{name} still holds {messages} messages after {seconds} s; nothing was changed',
    cause: 'The sink was to be drained before it is removed, but it does not take its messages.',
    remedy: 'Bring its peer back and try again, or choose `keep` or `discard`.',
  },
} as const satisfies Record<string, ErrorEntry>;
