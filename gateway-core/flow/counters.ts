/** Counts of one instance in one thread, since the thread began. */
export interface StepCounters {
  received: number;
  emitted: number;
  filtered: number;
  refused: number;
  /** Milliseconds since the epoch; 0: nothing yet. */
  lastMessage: number;
}

/** Counts of one pipeline in one thread: each root message once (design §7, ledger). */
export interface PipelineCounters {
  received: number;
  delivered: number;
  filtered: number;
  deadLettered: number;
  dropped: number;
  /** In the hands of spools: where they are now is the spools' to say. */
  handed: number;
  returned: number;
  /** Kept apart from the others, so that the sum can fail. */
  inFlight: number;
}

export function stepCounters(): StepCounters {
  return { received: 0, emitted: 0, filtered: 0, refused: 0, lastMessage: 0 };
}

export function pipelineCounters(): PipelineCounters {
  return { received: 0, delivered: 0, filtered: 0, deadLettered: 0, dropped: 0, handed: 0, returned: 0, inFlight: 0 };
}
