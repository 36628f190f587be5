import type { Custody } from './sink.js';
export type PluginKind = 'source' | 'handler' | 'sink' | 'executor' | 'action' | 'driver';
/** `raw`, `metric:collectd/1`, … ; `*` takes or makes anything; `same` (handlers only): what came in. */
export type EdgeType = string;
/** JSON Schema 2020-12, as far as the form renderer draws it (docs/plugin-guide: "Config schema"). */
export type JsonSchema = {
    readonly [keyword: string]: unknown;
};
export interface Contribution {
    readonly kind: PluginKind;
    readonly name: string;
    /** Module whose default export is the definition, relative to plugin.json. */
    readonly main: string;
    readonly title?: string;
    readonly description?: string;
    readonly produces?: readonly EdgeType[];
    readonly accepts?: readonly EdgeType[];
    /** Handlers: it remembers, so one instance serves all pipelines; a must for `settled`. */
    readonly stateful?: boolean;
    /** Sinks: what "done" means; must equal the definition's. */
    readonly custody?: Custody;
    /** Sinks: how many `write` calls at once; default 1. */
    readonly concurrency?: number;
    /** Sources: several copies may compete for the same upstream. */
    readonly competing?: boolean;
    /** Sources: upstream delivers again what was not accepted. */
    readonly redelivers?: boolean;
    /** Inline schema, or `{ "$ref": "./file.schema.json" }`; absent: takes no config. */
    readonly config?: JsonSchema;
}
/** Codes a plugin refuses messages or configs with. Docs and panel show them. */
export interface ErrorDeclaration {
    readonly code: string;
    readonly cause: string;
    readonly remedy: string;
}
/** `plugin.json`. */
export interface Manifest {
    readonly manifestVersion: 1;
    readonly name: string;
    readonly version: string;
    readonly apiVersion: '1';
    readonly title: string;
    readonly description: string;
    readonly license: string;
    readonly stability: 'experimental' | 'beta' | 'stable' | 'deprecated';
    readonly author?: string;
    readonly homepage?: string;
    /** Name of an icon of the panel's set, or an SVG file beside plugin.json. */
    readonly icon?: string;
    readonly contributes: readonly Contribution[];
    readonly errors?: readonly ErrorDeclaration[];
    readonly permissions?: {
        readonly network?: readonly ('connect' | 'listen')[];
        readonly env?: readonly string[];
        readonly files?: readonly string[];
    };
}
