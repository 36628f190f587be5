/** Which stage keeps a pipeline from being faster: a verdict from what was measured in the last second. */
import type { Bottleneck } from '../protocol/model.ts';

export interface StageFigures {
  readonly name: string;
  /** Thread; empty when it does not run. */
  readonly thread: string;
  /** Shares of the last second, 0 to 1. */
  readonly busy: number;
  readonly waiting: number;
}

export interface SinkFigures extends StageFigures {
  /** Of its buffer, 0 to 1. */
  readonly fill: number;
  /** Its peer is not there. */
  readonly away: boolean;
}

/** A thread, and what all that runs there takes of it: of other pipelines too, since they share its time. */
export interface ThreadLoad {
  /** Share of the last second, 0 to 1. */
  readonly busy: number;
  /** Of a source its own part: without what its pipelines do in its `emit`. */
  readonly stages: readonly { readonly name: string; readonly kind: Bottleneck['kind']; readonly busy: number }[];
}

export interface PipelineFigures {
  readonly sources: readonly StageFigures[];
  readonly handlers: readonly StageFigures[];
  readonly sinks: readonly SinkFigures[];
  readonly threads: ReadonlyMap<string, ThreadLoad>;
}

/** A source that waits for room this much of its time is held up. */
const HELD_UP = 0.3;
const FULL = 0.8;
const BUSY = 0.9;
/** A thread can be busy with something else, as when it loads a plugin: nobody that takes less is to blame. */
const NOTABLE = 0.05;

/**
 * The stage that holds the pipeline up; null when nothing waits. From the far end on: a sink
 * without room holds up everything before it, so it is named and not those who wait for it.
 */
export function bottleneckOf({ sources, handlers, sinks, threads }: PipelineFigures): Bottleneck | null {
  const heldUp = sources.some(({ waiting }) => waiting >= HELD_UP);

  const full = busiest(sinks.filter(({ fill }) => fill >= FULL));
  const away = busiest(sinks.filter((sink) => sink.away && (heldUp || sink.fill >= FULL)));
  if (away !== undefined && (full === undefined || full.away)) {
    return { stage: away.name, kind: 'sink', why: 'away', reason: `waits for sink ${away.name}, which is away` };
  }
  if (full !== undefined) {
    return {
      stage: full.name,
      kind: 'sink',
      why: 'full',
      reason: `sink ${full.name}: busy ${percent(full.busy)}, queue ${full.fill >= 1 ? 'full' : `${percent(full.fill)} full`}`,
    };
  }

  const stages = [
    ...handlers.map((stage) => ({ ...stage, kind: 'handler' as const })),
    ...sinks.map((stage) => ({ ...stage, kind: 'sink' as const })),
  ];
  const crowded = crowdedThread([...sources, ...stages], threads);
  const most = busiest(crowded?.stages ?? []);
  if (crowded !== undefined && most !== undefined && most.busy >= NOTABLE) {
    return {
      stage: most.name,
      kind: most.kind,
      why: 'thread',
      reason: `${most.kind} ${most.name}: takes ${percent(most.busy)} of ${crowded.name}, which is busy ${percent(crowded.busy)}`,
    };
  }
  const worst = busiest(stages);
  if (worst !== undefined && (worst.busy >= BUSY || heldUp)) {
    return {
      stage: worst.name,
      kind: worst.kind,
      why: 'busy',
      reason: `${worst.kind} ${worst.name}: busy ${percent(worst.busy)}${worst.thread === '' ? '' : ` in ${worst.thread}`}`,
    };
  }
  return null;
}

/** The busiest thread without time to spare that any of the stages runs in. */
function crowdedThread(
  stages: readonly StageFigures[],
  threads: PipelineFigures['threads'],
): (ThreadLoad & { readonly name: string }) | undefined {
  const loads = [...new Set(stages.map(({ thread }) => thread))].flatMap((name) => {
    const load = threads.get(name);
    return load === undefined || load.busy < BUSY ? [] : [{ ...load, name }];
  });
  return busiest(loads);
}

function busiest<Stage extends { readonly busy: number }>(stages: readonly Stage[]): Stage | undefined {
  return stages.reduce<Stage | undefined>(
    (most, stage) => (most === undefined || stage.busy > most.busy ? stage : most),
    undefined,
  );
}

function percent(share: number): string {
  return `${Math.round(share * 100)} %`;
}
