import type { ResolvedPlugin } from '../catalog/resolved-plugin.ts';
import type { LetterBounds } from '../protocol/dead-letters.ts';
import type { GatewayConfig, PluginKind } from '../protocol/model.ts';

/** One instance, ready to start: schema-checked, defaults filled in, references resolved. */
export interface ResolvedInstance {
  readonly name: string;
  readonly kind: PluginKind;
  readonly plugin: ResolvedPlugin;
  readonly enabled: boolean;
  /** Why it can't run although the config wants it to: its plugin is gone. It counts as not enabled then. */
  readonly unavailable?: string;
  /** With secrets in it: never logged, never sent to a client. */
  readonly config: Readonly<Record<string, unknown>>;
  /** As written, references unresolved, defaults not filled in. */
  readonly written: Readonly<Record<string, unknown>>;
  /** Values that came from `${secret:…}` or a `writeOnly` field: masked wherever text leaves. */
  readonly secrets: readonly string[];
  /** Sources: silence longer than this is an event; 0: not watched. */
  readonly expectEveryMs: number;
  /** Sinks; `maxBytes` bounds what waits before the sink. */
  readonly buffer: {
    readonly kind: 'memory' | 'disk';
    readonly maxBytes: number;
    readonly whenFull: 'block' | 'dropNewest' | 'dropOldest';
  };
}

export interface ResolvedPipeline {
  readonly name: string;
  readonly from: readonly string[];
  /** CEL; empty: every message. */
  readonly where: string;
  readonly through: readonly string[];
  readonly to: readonly string[];
  readonly delivery: 'at-least-once' | 'at-most-once';
  readonly enabled: boolean;
}

export interface ResolvedConfig {
  readonly written: GatewayConfig;
  readonly instances: ReadonlyMap<string, ResolvedInstance>;
  readonly pipelines: ReadonlyMap<string, ResolvedPipeline>;
  readonly project: string;
  readonly control: { readonly host: string; readonly port: number };
  /** What the dead letters may grow to; the oldest go first. */
  readonly deadLetters: LetterBounds;
  readonly logLevel: 'debug' | 'info' | 'warn' | 'error';
}
