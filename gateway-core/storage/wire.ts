import type { MessagePort } from 'node:worker_threads';
import type { ErrorCode } from '../protocol/errors/index.ts';
import type { EventReport } from '../events/report.ts';
import type { StorageFigures, StorageLimits } from './storage.ts';

/** One request; those of one turn travel as one array. Ids are the client's. */
export type Request = readonly [id: number, op: string, args: readonly unknown[]];

/** Answers, also several at once. The second form is an error of the registry. */
export type Reply =
  | readonly [id: number, value: unknown]
  | readonly [id: number, value: undefined, code: ErrorCode, details: Readonly<Record<string, unknown>>];

/** What a port may ask: `worker` is {@link WorkerStorage} only. */
export type PortAccess = 'all' | 'worker';

/** Engine to storage thread. */
export type ThreadCommand =
  { readonly kind: 'port'; readonly port: MessagePort; readonly access: PortAccess } | { readonly kind: 'close' };

/** Storage thread to engine. After `failed` and `closed` the thread ends. */
export type ThreadReport =
  | { readonly kind: 'ready' }
  | { readonly kind: 'failed'; readonly code: ErrorCode; readonly details: Readonly<Record<string, unknown>> }
  | { readonly kind: 'event'; readonly event: EventReport }
  | { readonly kind: 'figures'; readonly figures: StorageFigures }
  | { readonly kind: 'closed' };

export interface ThreadData {
  readonly folder: string;
  readonly limits: StorageLimits;
}

/** Sent to a worker's end of `Storage.port()`: the way to the storage thread that runs now. */
export interface FreshPort {
  readonly port: MessagePort;
}
