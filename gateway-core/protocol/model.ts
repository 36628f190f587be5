/** What engine and clients tell each other about: the shapes of config, state and live rows. */
import type {
  CloudEvent,
  Contribution,
  Custody,
  Manifest,
  MessageKind,
  PluginKind,
  Severity,
} from '../plugin-api/index.ts';

export type { Contribution, Custody, Manifest, MessageKind, PluginKind, Severity };

// ── Config ──────────────────────────────────────────────────────────────────

export type Section = 'sources' | 'handlers' | 'sinks' | 'executors';

export interface InstanceConfig {
  readonly plugin: string;
  readonly enabled?: boolean;
  readonly config?: Readonly<Record<string, unknown>>;
  /** Sources only. */
  readonly expect?: { readonly every: string };
  /** Sinks only. */
  readonly buffer?: {
    readonly kind: 'memory' | 'disk';
    readonly max?: string;
    readonly whenFull?: 'block' | 'dropNewest' | 'dropOldest';
  };
}

export interface PipelineConfig {
  readonly from: readonly string[];
  readonly where?: string;
  readonly through?: readonly string[];
  readonly to: readonly string[];
  readonly delivery?: 'at-least-once' | 'at-most-once';
  readonly enabled?: boolean;
  readonly workers?: number;
}

/** startup.yaml as plain data (design §4). */
export interface GatewayConfig {
  readonly version: 1;
  readonly sources?: Readonly<Record<string, InstanceConfig>>;
  readonly handlers?: Readonly<Record<string, InstanceConfig>>;
  readonly sinks?: Readonly<Record<string, InstanceConfig>>;
  readonly pipelines?: Readonly<Record<string, PipelineConfig>>;
  readonly executors?: Readonly<Record<string, InstanceConfig>>;
  readonly events?: readonly {
    readonly to: string;
    readonly severity?: Severity;
    readonly sources?: readonly string[];
  }[];
  readonly runbooks?: Readonly<Record<string, unknown>>;
  readonly settings?: {
    readonly project?: string;
    readonly control?: { readonly host?: string; readonly port?: number };
    readonly log?: { readonly level?: 'debug' | 'info' | 'warn' | 'error' };
    readonly deadLetters?: { readonly count?: number; readonly bytes?: string; readonly age?: string };
  };
}

/** One thing wrong with a config: all of them are reported at once. */
export interface Problem {
  readonly severity: 'error' | 'warning';
  readonly code: string;
  readonly message: string;
  readonly remedy: string;
  /** Path in the config, as in `['sinks', 'scrape', 'config', 'port']`. */
  readonly path: readonly (string | number)[];
  /** 1-based place in the YAML text, where there is one. */
  readonly line?: number;
  readonly column?: number;
}

/** One change of the YAML text that keeps its comments and order. `value: undefined` with `op: 'delete'`. */
export type ConfigEdit =
  | { readonly op: 'set'; readonly path: readonly (string | number)[]; readonly value: unknown }
  | { readonly op: 'delete'; readonly path: readonly (string | number)[] };

export type PlanAct = 'start' | 'stop' | 'restart' | 'reconfigure' | 'keep';

export interface PlanStep {
  readonly act: PlanAct;
  readonly subject: 'instance' | 'pipeline';
  readonly name: string;
  /** Why, in a few words: `config changed: rate`. */
  readonly reason: string;
  /** What stops flowing meanwhile; empty when nothing does. */
  readonly gap: string;
}

export interface Plan {
  readonly steps: readonly PlanStep[];
  /** Sinks that would go although their spools hold messages, with how many: a {@link SpoolChoice} is needed for each. */
  readonly undelivered?: Readonly<Record<string, number>>;
}

/** What becomes of a spool whose sink goes: deliver first, leave on disk for a sink of that name, or delete. */
export type SpoolChoice = 'drain' | 'keep' | 'discard';

/** One spool on disk. */
export interface SpoolSummary {
  readonly sink: string;
  /** Its sink is not in the config. */
  readonly orphan: boolean;
  /** -1: it can't be read. */
  readonly messages: number;
  readonly bytes: number;
  readonly limitBytes: number;
  /** When the oldest message was stored, ms since the epoch; 0: empty. */
  readonly oldest: number;
}

export interface ConfigVersion {
  readonly version: number;
  readonly time: number;
  /** `panel`, `cli`, `file`, `start`, `rollback`. */
  readonly origin: string;
  readonly comment: string;
}

// ── State ───────────────────────────────────────────────────────────────────

export type GatewayState = 'starting' | 'running' | 'degraded' | 'draining' | 'stopped';

export type InstanceState =
  'disabled' | 'starting' | 'running' | 'degraded' | 'retrying' | 'paused' | 'failed' | 'stopped';

export interface InstanceStatus {
  readonly kind: PluginKind;
  readonly plugin: string;
  readonly version: string;
  readonly state: InstanceState;
  readonly reason: string;
  readonly restarts: number;
  readonly ratePerSecond: number;
  /** Where it runs: `worker-1`, `plugin:acme-queue`. */
  readonly placement: string;
  /** Messages in and out since the epoch. */
  readonly received: number;
  readonly emitted: number;
  readonly refused: number;
  readonly filtered: number;
  /** Milliseconds since the epoch of its last message; 0: none yet. */
  readonly lastMessage: number;
}

export interface PipelineStatus {
  readonly state: 'running' | 'paused' | 'disabled' | 'blocked' | 'stopped';
  readonly received: number;
  readonly delivered: number;
  readonly filtered: number;
  readonly deadLettered: number;
  readonly dropped: number;
  readonly spooled: number;
  readonly inFlight: number;
  /** Given back upstream (released, 503): upstream still has them. */
  readonly returned: number;
  readonly ratePerSecond: number;
  /** Of `received`: taken over from the spools when the epoch began. */
  readonly carried: number;
  /** Sinks without room that hold it up. */
  readonly blockedBy: readonly string[];
  /** received = delivered + filtered + deadLettered + dropped + spooled + inFlight + returned. */
  readonly addsUp: boolean;
}

export interface SinkStatus {
  readonly custody: Custody;
  /** Messages on disk before it; 0 without a spool. */
  readonly spooled: number;
  readonly oldestSeconds: number;
  readonly state: InstanceState;
  /** Messages waiting in memory, and the bound. */
  readonly queued: number;
  readonly queueLimit: number;
  readonly buffer: 'memory' | 'disk';
  /** Bytes on disk before it, and the bound; 0 without a spool. */
  readonly spooledBytes: number;
  readonly spoolLimitBytes: number;
  readonly whenFull: 'block' | 'dropNewest' | 'dropOldest';
  /** Its buffer is full, since then (ms since the epoch); 0: there is room. */
  readonly fullSince: number;
  readonly paused: boolean;
  /** `open`: the peer is left alone until the next probe; `probing`: one write decides. */
  readonly circuit: 'closed' | 'open' | 'probing';
  /** Messages done, refused (dead letters), tried again and dropped, since the epoch. */
  readonly delivered: number;
  readonly refused: number;
  readonly retried: number;
  readonly dropped: number;
}

/** `status --json`; the named fields of design §9 and more. */
export interface StatusReport {
  readonly state: GatewayState;
  readonly version: string;
  readonly time: number;
  readonly uptimeSeconds: number;
  readonly project: string;
  readonly pid: number;
  /** A new value after every start: counts begin anew. */
  readonly epoch: string;
  readonly configVersion: number;
  /** False until first run has been answered: no config yet. */
  readonly configured: boolean;
  readonly inPerSecond: number;
  readonly outPerSecond: number;
  readonly pipelines: Readonly<Record<string, PipelineStatus>>;
  readonly instances: Readonly<Record<string, InstanceStatus>>;
  readonly sinks: Readonly<Record<string, SinkStatus>>;
  readonly needsYou: readonly NeedsYou[];
}

/** Something an operator should look at. */
export interface NeedsYou {
  readonly code: string;
  readonly message: string;
  readonly remedy: string;
  readonly subject: string;
  readonly since: number;
}

export interface TopologyNode {
  readonly name: string;
  readonly kind: PluginKind;
  readonly plugin: string;
  readonly title: string;
  readonly icon: string;
  readonly enabled: boolean;
}

export interface TopologyEdge {
  readonly from: string;
  readonly to: string;
  readonly pipeline: string;
  readonly where: string;
}

export interface Topology {
  readonly nodes: readonly TopologyNode[];
  readonly edges: readonly TopologyEdge[];
}

// ── Plugins ─────────────────────────────────────────────────────────────────

export interface CatalogueEntry {
  readonly name: string;
  readonly version: string;
  readonly manifest: Manifest;
  /** `built-in`, or the folder it was found in. */
  readonly origin: 'built-in' | 'user' | 'development';
  readonly folder: string;
  /** Other versions that are present too, highest first. */
  readonly versions: readonly string[];
  /** Contributions with their config schemas inlined. */
  readonly contributions: readonly Contribution[];
  /** Instances that use it. */
  readonly instances: readonly string[];
  /** Why it cannot be used; absent when it can. */
  readonly problem?: { readonly code: string; readonly message: string; readonly remedy: string };
}

export interface PluginDetail extends CatalogueEntry {
  /** Markdown; empty when there is none. */
  readonly readme: string;
  readonly enforced: readonly { readonly permission: string; readonly declared: string; readonly enforced: string }[];
}

// ── Live ────────────────────────────────────────────────────────────────────

export type Verdict = 'unchanged' | 'modified' | 'filtered' | 'split' | 'refused';

/** A row of the live view: at most 1 KiB. The whole message comes by `live.message`. */
export interface LiveRow {
  /** Counts the tap's rows from 1; gaps never occur in the ring. */
  readonly seq: number;
  /** When it passed, ms since the epoch with fractions. */
  readonly time: number;
  readonly instance: string;
  /** Source instance that brought it in. */
  readonly origin: string;
  readonly pipeline: string;
  readonly id: string;
  readonly kind: MessageKind;
  readonly type: string;
  /** First words of the payload, readable, ≤ 400 characters. */
  readonly summary: string;
  /** At a handler, what came out, likewise. */
  readonly after: string;
  /** Bytes of the payload as it came in. */
  readonly bytes: number;
  /** At a handler. */
  readonly verdict?: Verdict;
  readonly parts?: number;
  /** Filter reason, or code and cause of a refusal. */
  readonly reason?: string;
  readonly code?: string;
  /** Time spent in the step's batch divided by its messages, microseconds. */
  readonly micros?: number;
}

/** CloudEvents 1.0 structured mode, with our extensions (design §6). */
export type CloudEventJson = CloudEvent;

export interface LiveMessage {
  readonly row: LiveRow;
  readonly before: CloudEventJson;
  /** Outputs of a handler; empty when filtered or refused, absent at a source or sink. */
  readonly after?: readonly CloudEventJson[];
  /** What the transport knew: not part of the CloudEvent. */
  readonly attributes: Readonly<Record<string, unknown>>;
}

export interface LiveBudget {
  /** Default 200. */
  readonly rowsPerSecond: number;
  /** Default 1 MiB. */
  readonly bytesPerSecond: number;
  /** Default 16 MiB. */
  readonly ringBytes: number;
}

export interface LiveCounts {
  /** Messages that passed the tapped point since the tap opened: exact. */
  readonly seen: number;
  /** Of those, what the filter let through: exact. */
  readonly matched: number;
  /** Of those, what went into the ring; the rest was sampled away. */
  readonly sampled: number;
  /** In the last second. */
  readonly seenPerSecond: number;
  readonly matchedPerSecond: number;
  readonly sampledPerSecond: number;
  /** Rows that left the ring at its old end. */
  readonly evicted: number;
  /** Filter evaluations that failed (a missing field); such messages do not match. */
  readonly filterErrors: number;
  /** Seen while the filter's share of CPU was used up, hence not compared: they may have matched. */
  readonly unevaluated: number;
}

export interface GatewayEvent {
  readonly id: number;
  readonly time: number;
  readonly severity: Severity;
  /** `config`, `plugin`, `flow`, `storage`, `control`, `engine`. */
  readonly source: string;
  readonly type: string;
  readonly version: 1;
  readonly project: string;
  readonly subject: string;
  readonly message: string;
  readonly code: string;
  readonly remedy: string;
  readonly details: Readonly<Record<string, unknown>>;
}

export interface LogLine {
  readonly time: number;
  readonly level: 'debug' | 'info' | 'warn' | 'error';
  readonly instance: string;
  readonly message: string;
  readonly fields: Readonly<Record<string, unknown>>;
}
