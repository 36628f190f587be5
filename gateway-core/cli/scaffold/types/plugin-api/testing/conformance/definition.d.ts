/**
 * What a plugin's own `conformance.ts` (or `.js`) tells the conformance tests: a config that works, and the far
 * side of the plugin: who sends to a source, what has arrived behind a sink. Without it the checks that need
 * such things are reported as not applicable, with what to supply.
 */
import type { Message, MessageInit } from '../../message.js';
import type { FakeContext } from '../context.js';
/** Means of one check. All of it is taken down when the check ends, whatever its result. */
export interface Scratch {
    /** An empty folder. */
    readonly folder: string;
    /** A TCP port of 127.0.0.1 that nobody listens on. */
    readonly freePort: () => Promise<number>;
    /** Called at the end of the check, the last one first. */
    readonly defer: (end: () => unknown) => void;
}
/** A config that its schema lets pass and that cannot work: a file that isn't there, a contradiction. */
export interface BadConfig {
    readonly config: unknown;
    /** Path of the field that the ConfigError must name, as in `listen.port`. */
    readonly path: string;
}
/** A peer over the network. Both resolve when it is done. */
export interface Peer {
    /** Goes away: closes its port and all connections. */
    down(): unknown;
    /** Comes back at the same address. */
    up(): unknown;
}
/** What the tests know of an instance of any kind. Made anew for each check, before the instance. */
export interface Rig {
    /** Works. Defaults of the schema are filled in. */
    readonly config: unknown;
    /** Another config that works, for `reconfigure`. */
    readonly other?: unknown;
}
export interface HandlerRig extends Rig {
    /** Messages it is made for: none of them may be refused. */
    readonly samples?: readonly MessageInit[];
    /** False: the same messages may get other results at another time (by chance, by the clock). Default true. */
    readonly repeatable?: boolean;
}
export interface SinkRig extends Rig {
    /** Makes a message that the sink takes and that {@link received} tells by `body`. Default `{ data: body }`. */
    message?(body: string): MessageInit;
    /** The bodies that are at the far end now, in their order there. `host`: where the far end is the host itself. */
    received?(host: Pick<FakeContext<unknown>, 'logs' | 'counts' | 'gauges'>): readonly string[] | Promise<readonly string[]>;
    readonly peer?: Peer;
}
/** What upstream was told of one message: taken, can never be taken, or back to you. */
export type Verdict = 'accepted' | 'rejected' | 'returned';
export interface SourceRig extends Rig {
    /** It emits without anyone sending. */
    readonly emitsAlone?: boolean;
    /**
     * Lets upstream send these, one message each, in order. Resolves when they are sent, or answered where upstream
     * waits for the answer: the tests don't wait for it.
     */
    send?(bodies: readonly string[]): unknown;
    /** What of `send` a message is. Default: its data as text. */
    bodyOf?(message: Message): string;
    /** How many batches may wait for room at once, where several peers send on their own. Default 1. */
    readonly parallel?: number;
    /** What upstream was told so far, by body. */
    verdicts?(): ReadonlyMap<string, Verdict>;
    /** Lets upstream send what is damaged. The source must go on. */
    sendDamaged?(): unknown;
    readonly peer?: Peer;
}
export interface Trial<R extends Rig> {
    setup(scratch: Scratch): R | Promise<R>;
    /** By name. */
    readonly badConfigs?: Readonly<Record<string, (scratch: Scratch) => BadConfig | Promise<BadConfig>>>;
}
/**
 * Trials by the names of the plugin's contributions. Several of one, for a source that can listen or connect, are
 * told apart behind a colon: `'acme: listening'`, `'acme: connecting'`.
 */
export interface Conformance {
    readonly sources?: Readonly<Record<string, Trial<SourceRig>>>;
    readonly handlers?: Readonly<Record<string, Trial<HandlerRig>>>;
    readonly sinks?: Readonly<Record<string, Trial<SinkRig>>>;
}
/** `export default defineConformance({ handlers: { 'acme-decode': { setup: () => ({ config: {} }) } } })` */
export declare function defineConformance(conformance: Conformance): Conformance;
