/** What a spool has to say to an operator. */
import { formatSize } from '../config/quantity.ts';
import { errorRegistry, fill, type ErrorCode } from '../protocol/errors/index.ts';
import type { NeedsYou } from '../protocol/model.ts';
import type { OrphanSpool, SpoolState } from '../storage/spool-wire.ts';

/** The one thing that keeps it from taking more; nothing while there is room. */
export function spoolNeeds(name: string, spool: SpoolState | undefined): NeedsYou[] {
  if (spool === undefined) return [];
  const { failing, lowDisk, fullSince, maxBytes } = spool;
  const since = fullSince === 0 ? Date.now() : fullSince;
  if (failing !== '') return [need('PB_SPOOL_FAILING', { name, reason: failing }, name, since)];
  if (lowDisk !== undefined) return [need('PB_SPOOL_LOW_DISK', { name, ...lowDisk }, name, since)];
  return fullSince === 0 ? [] : [need('PB_SPOOL_FULL', { name, size: formatSize(maxBytes) }, name, since)];
}

export function orphanNeed({ sink, messages, oldest }: OrphanSpool): NeedsYou {
  const details = { name: sink, messages: messages < 0 ? 'An unknown number of' : messages };
  return need('PB_SPOOL_ORPHAN', details, sink, oldest === 0 ? Date.now() : oldest);
}

function need(code: ErrorCode, details: Readonly<Record<string, unknown>>, subject: string, since: number): NeedsYou {
  const { template, remedy } = errorRegistry[code];
  return { code, message: fill(template, details), remedy: fill(remedy, details), subject, since };
}
