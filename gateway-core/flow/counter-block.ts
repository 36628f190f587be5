/**
 * The counters of one thread in shared memory: the thread counts there as it goes, with plain
 * writes, and the engine can read the last number of a thread that has died. Of a thread that
 * runs, only its own reports are read: between two batches they agree with each other.
 */
import {
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
    return numbers === undefined ? stepCounters() : (view(numbers, STEP_ACCESSORS) as StepCounters);
  }

  /** Counters for a pipeline, from zero; to be asked for once per name. */
  pipeline(name: string): PipelineCounters {
    const numbers = this.entry('pipeline', name);
    return numbers === undefined ? pipelineCounters() : (view(numbers, PIPELINE_ACCESSORS) as PipelineCounters);
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
    if (KINDS[label[0] ?? 0] === 'instance')
      instances.set(name, { ...(view(numbers, STEP_ACCESSORS) as StepCounters) });
    else pipelines.set(name, { ...(view(numbers, PIPELINE_ACCESSORS) as PipelineCounters) });
  }
  return { instances, pipelines, complete: Atomics.load(head, OVERFLOW) === 0 };
}

function numbersAt(memory: SharedArrayBuffer, index: number): Float64Array {
  return new Float64Array(memory, NUMBERS_AT + index * NUMBERS * 8, NUMBERS);
}

const HERE = Symbol('numbers');
type Counted = { readonly [HERE]: Float64Array };

/** Accessors shared by all views: with closures of their own, counting costs a hundred nanoseconds. */
function accessors(fields: readonly string[]): PropertyDescriptorMap {
  const map: PropertyDescriptorMap = {};
  fields.forEach((field, at) => {
    map[field] = {
      enumerable: true,
      get(this: Counted) {
        return this[HERE][at];
      },
      set(this: Counted, value: number) {
        this[HERE][at] = value;
      },
    };
  });
  return map;
}

const STEP_ACCESSORS = accessors(STEP_FIELDS);
const PIPELINE_ACCESSORS = accessors(PIPELINE_FIELDS);

/** An object whose fields lie in `numbers`; a spread copies their values. */
function view(numbers: Float64Array, fields: PropertyDescriptorMap): unknown {
  return Object.defineProperties(Object.defineProperty({}, HERE, { value: numbers }), fields);
}
