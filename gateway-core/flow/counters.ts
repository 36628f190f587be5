/** Counts of one instance in one thread, since the thread began: received + created = emitted + filtered + refused + returned + held. */
export interface StepCounters {
  received: number;
  /** Parts beyond the first of messages it split. */
  created: number;
  emitted: number;
  filtered: number;
  refused: number;
  /** Given back upstream. */
  returned: number;
  /** In the step now. Kept apart from the others, so that the sum can fail. */
  held: number;
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

export const STEP_FIELDS = [
  'received',
  'created',
  'emitted',
  'filtered',
  'refused',
  'returned',
  'held',
  'lastMessage',
] as const satisfies readonly (keyof StepCounters)[];

export const PIPELINE_FIELDS = [
  'received',
  'delivered',
  'filtered',
  'deadLettered',
  'dropped',
  'handed',
  'returned',
  'inFlight',
] as const satisfies readonly (keyof PipelineCounters)[];

export function stepCounters(): StepCounters {
  return { received: 0, created: 0, emitted: 0, filtered: 0, refused: 0, returned: 0, held: 0, lastMessage: 0 };
}

export function pipelineCounters(): PipelineCounters {
  return { received: 0, delivered: 0, filtered: 0, deadLettered: 0, dropped: 0, handed: 0, returned: 0, inFlight: 0 };
}

/** The counts of this moment as plain data. */
export function copyStep(c: Readonly<StepCounters>): StepCounters {
  const copy = stepCounters();
  for (const field of STEP_FIELDS) copy[field] = c[field];
  return copy;
}

/** The counts of this moment as plain data. */
export function copyPipeline(c: Readonly<PipelineCounters>): PipelineCounters {
  const copy = pipelineCounters();
  for (const field of PIPELINE_FIELDS) copy[field] = c[field];
  return copy;
}

/** Messages of a step that are nowhere (below zero: counted twice); 0 when its counts add up. */
export function stepDifference(c: Readonly<StepCounters>): number {
  const difference = c.received + c.created - c.emitted - c.filtered - c.refused - c.returned - c.held;
  // More let go than were ever held: two faults that cancel out in the sum.
  return difference === 0 && c.held < 0 ? c.held : difference;
}

/** The counts of a step whose thread has died: what it held is given back upstream. */
export function endedStep(c: Readonly<StepCounters>): StepCounters {
  const rest = stepDifference({ ...copyStep(c), held: 0 });
  return { ...copyStep(c), held: 0, returned: c.returned + rest };
}

/** The counts of a pipeline whose thread has died: what had no outcome is given back upstream. */
export function endedPipeline(c: Readonly<PipelineCounters>): PipelineCounters {
  const settled = c.delivered + c.filtered + c.deadLettered + c.dropped + c.handed + c.returned;
  return { ...copyPipeline(c), inFlight: 0, returned: c.returned + (c.received - settled) };
}
