import type { ResolvedConfig } from '../config/resolved.ts';
import type { Entry } from '../flow/pipeline-run.ts';
import type { RetryTo } from '../protocol/dead-letters.ts';
import type { StoredLetter } from '../storage/storage.ts';
import { CodedError } from './error.ts';

/** What of the running gateway decides whether a letter can go back. */
export interface Ways {
  readonly config: ResolvedConfig | null;
  /** Why a pipeline does not run; undefined when it does. */
  idleReason(pipeline: string): string | undefined;
  isPaused(pipeline: string): boolean;
}

type Refused = Pick<StoredLetter, 'pipeline' | 'instance' | 'place'>;

/** Where a letter enters its pipeline. Throws PB_LETTER_NO_WAY or PB_LETTER_PLACE_GONE. */
export function entryOf(letter: Refused, to: RetryTo, ways: Ways): Entry {
  const { pipeline: name, instance } = letter;
  const noWay = (reason: string): CodedError => new CodedError('PB_LETTER_NO_WAY', { pipeline: name, reason });
  const pipeline = ways.config?.pipelines.get(name);
  if (pipeline === undefined) throw noWay('it is not in the config any more');
  if (!pipeline.enabled) throw noWay('it is disabled');
  if (ways.isPaused(name)) throw noWay('it is paused');
  const idle = ways.idleReason(name);
  if (idle !== undefined) throw noWay(idle);
  // What its source refused was never in a step: the beginning is its place.
  const fromSource = letter.place === 'source' || (letter.place === '' && pipeline.from.includes(instance));
  if (to === 'start' || fromSource) return { at: 'start' };
  if (pipeline.through.includes(instance)) return { at: 'step', name: instance };
  if (!pipeline.to.includes(instance)) throw new CodedError('PB_LETTER_PLACE_GONE', { name: instance, pipeline: name });
  if (ways.config?.instances.get(instance)?.enabled !== true) throw noWay(`the sink ${instance} is disabled`);
  return { at: 'target', name: instance };
}
