/** The ledger of all pipelines together (design §7). */
import type { PipelineStatus } from '../../gateway-core/protocol/model.ts';

export interface LedgerSum {
  readonly received: number;
  readonly delivered: number;
  readonly filtered: number;
  readonly deadLettered: number;
  readonly dropped: number;
  readonly spooled: number;
  readonly inFlight: number;
  readonly returned: number;
  /** Of `received`: taken over from the spools at the start. */
  readonly carried: number;
  /** Every pipeline's own sum holds, and so does the total. */
  readonly addsUp: boolean;
}

export function sumLedger(pipelines: readonly PipelineStatus[]): LedgerSum {
  const sum = {
    received: 0,
    delivered: 0,
    filtered: 0,
    deadLettered: 0,
    dropped: 0,
    spooled: 0,
    inFlight: 0,
    returned: 0,
    carried: 0,
  };
  const keys = Object.keys(sum) as (keyof typeof sum)[];
  for (const pipeline of pipelines) for (const key of keys) sum[key] += pipeline[key];
  const { received, carried: _, ...rest } = sum;
  const accounted = Object.values(rest).reduce((total, n) => total + n, 0);
  return { ...sum, addsUp: accounted === received && pipelines.every((pipeline) => pipeline.addsUp) };
}
