/**
 * Every call and stream of the control protocol, by name. Client and engine are both typed
 * from here; the engine checks parameters at run time against `control/parameters.ts`.
 */
import type {
  ExportItem,
  LetterChange,
  LetterDetail,
  LetterFilter,
  LetterRow,
  LetterSelection,
  LetterState,
  LetterSummary,
  RetryTo,
} from './dead-letters.ts';
import type {
  CatalogueEntry,
  ConfigEdit,
  ConfigVersion,
  GatewayConfig,
  GatewayEvent,
  LiveBudget,
  LiveCounts,
  LiveMessage,
  LiveRow,
  LogLine,
  Plan,
  PluginDetail,
  PluginKind,
  Problem,
  SpoolChoice,
  SpoolSummary,
  StatusReport,
  Topology,
} from './model.ts';

/** The running config. `yaml` has no secret in it: they stay references. */
export interface ConfigDocument {
  readonly yaml: string;
  readonly config: GatewayConfig;
  readonly version: number;
  /** Where it is kept; empty when it came from standard input or an object. */
  readonly file: string;
}

export interface Applied {
  readonly version: number;
  readonly plan: Plan;
}

export interface Calls {
  'status.get': { params: Record<string, never>; result: StatusReport };
  'topology.get': { params: Record<string, never>; result: Topology };

  'config.get': { params: Record<string, never>; result: ConfigDocument };
  'config.validate': { params: { yaml: string }; result: { problems: readonly Problem[] } };
  'config.plan': { params: { yaml: string }; result: { problems: readonly Problem[]; plan: Plan } };
  /**
   * Refused with PB_CONFIG_CONFLICT when `baseVersion` is no longer the running one, and with
   * PB_SPOOL_DECISION when sinks would go whose spools hold messages and `spools` does not say
   * what is to become of them.
   */
  'config.apply': {
    params: { yaml: string; baseVersion?: number; comment?: string; spools?: Readonly<Record<string, SpoolChoice>> };
    result: Applied;
  };
  /** Dry run of edits: the new text, what is wrong with it, what it would do. */
  'config.preview': {
    params: { edits: readonly ConfigEdit[] };
    result: { yaml: string; problems: readonly Problem[]; plan: Plan };
  };
  'config.edit': {
    params: {
      edits: readonly ConfigEdit[];
      baseVersion?: number;
      comment?: string;
      spools?: Readonly<Record<string, SpoolChoice>>;
    };
    result: Applied;
  };
  'config.history': { params: { limit?: number }; result: { versions: readonly ConfigVersion[] } };
  'config.version': { params: { version: number }; result: ConfigVersion & { yaml: string } };
  'config.rollback': {
    params: { version: number; spools?: Readonly<Record<string, SpoolChoice>> };
    result: Applied;
  };

  /** First run: writes and applies a ready config. */
  'setup.demo': { params: Record<string, never>; result: Applied };
  'setup.empty': { params: Record<string, never>; result: Applied };
  'setup.import': { params: { yaml: string }; result: Applied };

  'plugins.list': { params: Record<string, never>; result: { plugins: readonly CatalogueEntry[] } };
  'plugins.get': { params: { name: string; version?: string }; result: PluginDetail };
  /** Checks one instance's config as it is typed: schema, references, ports. */
  'plugins.check': {
    params: { kind: PluginKind; plugin: string; instance: string; config: unknown };
    result: { problems: readonly Problem[] };
  };

  /** Pauses a pipeline, a sink (what comes waits before it), or every pipeline of another instance. */
  'flow.pause': { params: { name: string }; result: Record<string, never> };
  'flow.resume': { params: { name: string }; result: Record<string, never> };
  /** Pauses the pipelines and resolves when nothing is in flight any more; of a sink, when nothing waits for it either. */
  'flow.drain': { params: { name: string }; result: Record<string, never> };
  /** Drops what waits to begin in a pipeline, or before a sink, in memory and on disk. Counted as dropped. */
  'flow.purge': { params: { name: string }; result: { messages: number } };
  'spools.list': { params: Record<string, never>; result: { spools: readonly SpoolSummary[] } };
  /** Deletes a spool whose sink is not in the config. */
  'spools.discard': { params: { name: string }; result: { messages: number } };
  'instance.restart': { params: { name: string }; result: Record<string, never> };

  /** Checks a filter as it is typed. `at` is the offset of the fault in the expression. */
  'filter.check': { params: { expression: string }; result: { ok: true } | { ok: false; message: string; at: number } };
  'live.message': { params: { tap: string; seq: number }; result: LiveMessage };
  /** Rows still in the ring, oldest first, with `seq` below `before`. */
  'live.page': {
    params: { tap: string; before: number; limit: number };
    result: { rows: readonly LiveRow[]; oldest: number; newest: number };
  };

  /** A new one-time link to the panel in the browser, good for 60 seconds. Full access only. */
  'control.link': { params: Record<string, never>; result: { link: string } };

  /** Newest first; `before`: only ids below it, for the next page. */
  'deadletters.list': {
    params: { filter?: LetterFilter; before?: number; limit?: number };
    result: { letters: readonly LetterRow[] };
  };
  'deadletters.summary': { params: { filter?: LetterFilter }; result: LetterSummary };
  'deadletters.show': { params: { id: number }; result: LetterDetail };
  /** Refused with PB_LETTER_CHANGED when the letter is no longer at that revision. The original is kept. */
  'deadletters.edit': {
    params: { id: number; revision: number; change: LetterChange };
    result: { revision: number };
  };
  /** Begins a retry and answers at once: how it goes is in the stream `deadletters`. `perSecond`: letters, at most. */
  'deadletters.retry': {
    params: { selection: LetterSelection; to: RetryTo; perSecond?: number };
    result: { job: string; total: number };
  };
  /** Ends a retry after the batch that is under way. */
  'deadletters.cancel': { params: { job: string }; result: Record<string, never> };
  'deadletters.discard': {
    params: { selection: LetterSelection; reason: string };
    result: { discarded: number };
  };

  'events.list': {
    params: { limit?: number; before?: number; severity?: string; source?: string };
    result: { events: readonly GatewayEvent[] };
  };
}

export type LiveItem =
  /** First item. The tap's name is for `live.message` and `live.page`. */
  | { readonly kind: 'open'; readonly tap: string; readonly budget: LiveBudget }
  /** At most one per 100 ms. `skipped`: rows in the ring that were not sent for lack of credit. */
  | { readonly kind: 'rows'; readonly rows: readonly LiveRow[]; readonly counts: LiveCounts; readonly skipped: number }
  /** With `full: true`: whole messages instead of rows. */
  | { readonly kind: 'messages'; readonly messages: readonly LiveMessage[]; readonly counts: LiveCounts }
  /** The instance went away or came back; the tap stays and goes on when it is back. */
  | { readonly kind: 'state'; readonly attached: boolean; readonly reason: string };

export interface Streams {
  /** The whole report, at once and then every second; a slow client gets the newest only. */
  status: { params: Record<string, never>; item: StatusReport };
  /** At once and whenever it changed. */
  topology: { params: Record<string, never>; item: Topology };
  live: {
    params: {
      instance: string;
      /** CEL over the message (design §6). */
      where?: string;
      /** Plain text, anywhere in the message, case-insensitive. */
      text?: string;
      budget?: Partial<LiveBudget>;
      full?: boolean;
    };
    item: LiveItem;
  };
  /** New events. */
  events: { params: Record<string, never>; item: GatewayEvent };
  logs: { params: { instance?: string }; item: LogLine };
  /** How many dead letters there are and what is being retried: at once, and whenever it changed. */
  deadletters: { params: Record<string, never>; item: LetterState };
  /** The selected letters, oldest first; ends after the last one. */
  'deadletters.export': { params: { selection: LetterSelection }; item: ExportItem };
  /** Says that `plugins.list` or `config.get` would answer anew. */
  changes: { params: Record<string, never>; item: { readonly what: 'plugins' | 'config' } };
}

export type CallName = keyof Calls;
export type StreamName = keyof Streams;

/** Calls that change something or give access: refused with PB_READ_ONLY for a read-only token. */
export const CHANGING_CALLS: ReadonlySet<CallName> = new Set<CallName>([
  'config.apply',
  'config.edit',
  'config.rollback',
  'setup.demo',
  'setup.empty',
  'setup.import',
  'flow.pause',
  'flow.resume',
  'flow.drain',
  'flow.purge',
  'spools.discard',
  'instance.restart',
  'deadletters.edit',
  'deadletters.retry',
  'deadletters.cancel',
  'deadletters.discard',
  'control.link',
]);
