/** One named test of a plugin, independent of any test runner. */
export interface Check {
    /** What it is about: `plugin.json`, `source acme`. */
    readonly subject: string;
    /** Short and always the same: `back-pressure`. */
    readonly name: string;
    /** Why it can't run, and what to supply so that it can. Undefined: it can. */
    readonly notApplicable: string | undefined;
    /** Resolves when the plugin holds; rejects with a {@link ConformanceFailure} that says what it did instead. */
    run(): Promise<void>;
}
/** The plugin does not do what the interface asks. */
export declare class ConformanceFailure extends Error {
    readonly name = "ConformanceFailure";
}
export declare function fail(message: string, cause?: unknown): never;
/** `problems` that are too many to read are counted. */
export declare function failWith(problems: readonly string[]): void;
/** Any thrown thing in one line. */
export declare function textOf(error: unknown): string;
