/** Conformance tests: what every plugin of a kind has to do, whatever it is for. */
import type { Check } from './check.js';
export interface ConformanceOptions {
    /** What a plugin has to do must be done within so many milliseconds; default 5 000. */
    readonly patienceMs?: number;
    /** How many milliseconds are watched that something does not happen; default 150. */
    readonly quietMs?: number;
}
/**
 * The checks of the plugin in `folder`: it needs a `plugin.json`, and a `conformance.ts` (or `.js`) for what only
 * its author can supply. Loads its code into this thread. What the plugin does wrong is told by the checks, not by
 * rejecting.
 */
export declare function conformanceChecks(folder: string, options?: ConformanceOptions): Promise<readonly Check[]>;
/** `describe` and `it` of vitest, of node:test, or of anything that takes a name and a function. */
export interface TestRunner {
    readonly describe: (name: string, define: () => void) => unknown;
    readonly it: ((name: string, run: () => Promise<void>) => unknown) & {
        readonly skip?: (name: string, run: () => Promise<void>) => unknown;
    };
}
/**
 * Makes each check a test of the runner. Await it at the top of a test file:
 * `await describeConformance(import.meta.dirname, { describe, it })`.
 * Checks that can't run are skipped, with what to supply in their name.
 */
export declare function describeConformance(folder: string, { describe, it }: TestRunner, options?: ConformanceOptions): Promise<void>;
