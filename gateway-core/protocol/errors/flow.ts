import type { ErrorEntry } from './index.ts';

export const flowErrors = {
  PB_SETTLE_DEADLINE: {
    template: 'No outcome within {seconds} s',
    cause: 'A sink could not take the message in time, or its pipeline was paused for too long.',
    remedy: 'See what the sink says; the message was given back upstream and comes again.',
  },
  PB_SOURCE_UNCONNECTED: {
    template: '{name} feeds no pipeline',
    cause: 'A source emitted a message although no pipeline begins with it.',
    remedy: 'Name the source in the `from` of a pipeline.',
  },
  PB_PIPELINE_DRAINING: {
    template: '{name} is being drained',
    cause: 'A pipeline was told to finish what it has and take in nothing more.',
    remedy: 'Resume the pipeline; what was given back upstream comes again.',
  },
  PB_SINK_STOPPED: {
    template: '{name} was stopped',
    cause: 'A sink was removed, disabled or restarted while messages waited for it.',
    remedy: 'Nothing is to be done: the messages were given back upstream.',
  },
  PB_HANDLER_STOPPED: {
    template: '{name} was stopped',
    cause: 'A handler was removed or disabled while messages were with it.',
    remedy: 'Retry the messages from the dead letters once the handler is back.',
  },
  PB_EXPRESSION: {
    template: 'Not a condition: {message}',
    cause: 'A CEL expression has a fault, or reads a field that messages do not have.',
    remedy: 'Mend it at the place named; docs/config.md lists the fields and functions.',
  },
  PB_NOT_CONNECTED: {
    template: 'Not connected: {message}',
    cause: 'The peer of a source or sink is away or refuses connections.',
    remedy: 'Check address and credentials; the gateway goes on trying.',
  },
  PB_BACK_OFF: {
    template: 'Asked to wait: {message}',
    cause: 'The peer of a sink is overloaded and asked for a pause.',
    remedy: 'Nothing is to be done unless it lasts; then lower the rate or give the peer more room.',
  },
  PB_END_OF_INPUT: {
    template: 'End of input',
    cause: 'A source has read all there was.',
    remedy: 'Nothing is to be done; restart the instance to read again.',
  },
  PB_INSTANCE_UNKNOWN: {
    template: 'There is no instance or pipeline named {name}{hint}',
    cause: 'A command names something that is not in the running config.',
    remedy: 'See `patchbay status` for the names.',
  },
  PB_INSTANCE_NOT_HERE: {
    template: '{name} does not run in this worker',
    cause: 'An instance was to be changed that failed to start.',
    remedy: 'Restart the instance, or apply the config again.',
  },
  PB_INSTANCE_HANGS: {
    template: '{name} did not {what} within {seconds} s',
    cause: 'The plugin waits for something that does not come, or has a fault.',
    remedy: 'See what it connects to and its lines in the log; then restart the instance, or the gateway.',
  },
  PB_SILENCE: {
    template: '{name} has been silent for {seconds} s; a message is expected every {every} s',
    cause: 'A source with `expect` brought nothing in for longer than stated.',
    remedy: 'Look whether its upstream is alive and still sends here.',
  },
  PB_LEDGER: {
    template: 'The counts of {name} do not add up: {difference} messages are unaccounted for',
    cause: 'A fault of the gateway: a message was counted twice or not at all, in a pipeline or a step of it.',
    remedy: 'Report it with the output of `patchbay status --json`.',
  },
  PB_WORKER_CRASHED: {
    template: 'Worker {name} {reason}',
    cause: 'Code in the worker threw where nothing could catch it, or ended the thread.',
    remedy: 'It is started again by itself; look at the plugin named if it keeps happening.',
  },
  PB_WORKER_MEMORY: {
    template: 'Worker {name} {reason}',
    cause: 'A plugin used more memory than a worker may.',
    remedy: 'It is started again by itself; look at the plugin named if it keeps happening.',
  },
  PB_WORKER_STALLED: {
    template: 'Worker {name} {reason}',
    cause: 'A plugin kept its thread busy without end.',
    remedy: 'It was ended and started again; look at the plugin named.',
  },
  PB_WORKER_DOWN: {
    template: 'Worker {name} is down',
    cause: 'The worker died too often in a row and was given up.',
    remedy: 'See its last reason in the events, then restart an instance that runs there.',
  },
  PB_TAP_UNKNOWN: {
    template: 'The tap {tap} is closed',
    cause: 'A live view asked for rows of a tap that has ended.',
    remedy: 'Open the live view again.',
  },
  PB_ROW_GONE: {
    template: 'Row {seq} has left the ring',
    cause: 'The live view keeps a bounded number of bytes; older rows make room for newer ones.',
    remedy: 'Give the ring more room in the budgets, or narrow the filter.',
  },
} as const satisfies Record<string, ErrorEntry>;
