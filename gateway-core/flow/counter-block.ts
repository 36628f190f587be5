/**
 * The counters of one thread in shared memory: the thread counts there as it goes, with plain
 * writes, and the engine can read the last number of a thread that has died. Of a thread that
 * runs, only its own reports are read: between two batches they agree with each other.
 */
import {
  copyPipeline,
  copyStep,
  PIPELINE_FIELDS,
  pipelineCounters,
  STEP_FIELDS,
  stepCounters,
  type PipelineCounters,
  type StepCounters,
} from './counters.ts';

const HEAD_BYTES = 64;
const ENTRIES = 2048;
const NAME_BYTES = 256;
const NUMBERS = 16;
const NUMBERS_AT = HEAD_BYTES + ENTRIES * NAME_BYTES;
const SIZE = NUMBERS_AT + ENTRIES * NUMBERS * 8;

/** In the head: how many entries there are. */
const COUNT = 0;
/** In the head: 1 when something is counted that found no room. */
const OVERFLOW = 1;

const KINDS = ['instance', 'pipeline'] as const;
type Kind = (typeof KINDS)[number];

/** Memory for one life of a thread. Pages that nothing is counted in take no room. */
export function counterMemory(): SharedArrayBuffer {
  return new SharedArrayBuffer(SIZE);
}

/** The thread's end. */
export class CounterBlock {
  private readonly memory: SharedArrayBuffer;
  private readonly head: Int32Array;

  constructor(memory: SharedArrayBuffer) {
    this.memory = memory;
    this.head = new Int32Array(memory, 0, HEAD_BYTES / 4);
  }

  /** Counters for an instance, from zero; to be asked for once per name. */
  step(name: string): StepCounters {
    const numbers = this.entry('instance', name);
    return numbers === undefined ? stepCounters() : new StepView(numbers);
  }

  /** Counters for a pipeline, from zero; to be asked for once per name. */
  pipeline(name: string): PipelineCounters {
    const numbers = this.entry('pipeline', name);
    return numbers === undefined ? pipelineCounters() : new PipelineView(numbers);
  }

  private entry(kind: Kind, name: string): Float64Array | undefined {
    const index = Atomics.load(this.head, COUNT);
    const bytes = new TextEncoder().encode(name);
    if (index >= ENTRIES || bytes.length > NAME_BYTES - 2) {
      Atomics.store(this.head, OVERFLOW, 1);
      return undefined;
    }
    const label = new Uint8Array(this.memory, HEAD_BYTES + index * NAME_BYTES, NAME_BYTES);
    label[0] = KINDS.indexOf(kind);
    label[1] = bytes.length;
    label.set(bytes, 2);
    const numbers = numbersAt(this.memory, index);
    // Only now may it be read.
    Atomics.store(this.head, COUNT, index + 1);
    return numbers;
  }
}

export interface BlockCounts {
  readonly instances: ReadonlyMap<string, StepCounters>;
  readonly pipelines: ReadonlyMap<string, PipelineCounters>;
  /** False when something was counted elsewhere, for want of room. */
  readonly complete: boolean;
}

/** What a thread that has ended had counted. */
export function readCounters(memory: SharedArrayBuffer): BlockCounts {
  const head = new Int32Array(memory, 0, HEAD_BYTES / 4);
  const instances = new Map<string, StepCounters>();
  const pipelines = new Map<string, PipelineCounters>();
  // Plugins share the thread's memory: nothing is taken for granted about what is there.
  const count = Math.min(ENTRIES, Math.max(0, Atomics.load(head, COUNT)));
  for (let index = 0; index < count; index++) {
    const label = new Uint8Array(memory, HEAD_BYTES + index * NAME_BYTES, NAME_BYTES);
    const name = new TextDecoder().decode(label.slice(2, 2 + (label[1] ?? 0)));
    const numbers = numbersAt(memory, index);
    if (KINDS[label[0] ?? 0] === 'instance') instances.set(name, copyStep(new StepView(numbers)));
    else pipelines.set(name, copyPipeline(new PipelineView(numbers)));
  }
  return { instances, pipelines, complete: Atomics.load(head, OVERFLOW) === 0 };
}

function numbersAt(memory: SharedArrayBuffer, index: number): Float64Array {
  return new Float64Array(memory, NUMBERS_AT + index * NUMBERS * 8, NUMBERS);
}

/**
 * A class whose fields lie in an array. Accessors on the prototype: on the objects themselves
 * they cost half a microsecond a batch. Hence a spread copies nothing; `copyStep` does.
 */
function viewOf(fields: readonly string[]): new (numbers: Float64Array) => unknown {
  class View {
    readonly numbers: Float64Array;
    constructor(numbers: Float64Array) {
      this.numbers = numbers;
    }
  }
  fields.forEach((field, at) => {
    Object.defineProperty(View.prototype, field, {
      get(this: View) {
        return this.numbers[at];
      },
      set(this: View, value: number) {
        this.numbers[at] = value;
      },
    });
  });
  return View;
}

const StepView = viewOf(STEP_FIELDS) as new (numbers: Float64Array) => StepCounters;
const PipelineView = viewOf(PIPELINE_FIELDS) as new (numbers: Float64Array) => PipelineCounters;
