/**
 * Typed errors: what a plugin throws says what the host should do. Anything else
 * thrown counts as a fault of the plugin: per message it is refused with
 * `PB_PLUGIN_THREW`, at start the instance is restarted with back-off.
 */
/** Base of all coded errors: `code` (`PB_…` for ours, a prefix of their own for others), what happened, what to do. */
export declare class PatchbayError extends Error {
    readonly code: string;
    readonly remedy: string;
    constructor(code: string, message: string, remedy?: string, options?: {
        cause?: unknown;
    });
}
/** The peer is away. The host reopens the instance with capped exponential back-off and jitter. */
export declare class NotConnectedError extends PatchbayError {
    constructor(message: string, options?: {
        cause?: unknown;
        code?: string;
        remedy?: string;
    });
}
/** The peer asks for a pause of `afterMs` milliseconds. */
export declare class BackOffError extends PatchbayError {
    readonly afterMs: number;
    constructor(message: string, afterMs: number, options?: {
        cause?: unknown;
        code?: string;
    });
}
/** This message can never be taken; trying again will not help. It becomes a dead letter. */
export declare class RefuseError extends PatchbayError {
    constructor(code: string, message: string, options?: {
        cause?: unknown;
        remedy?: string;
    });
}
/** A source has come to the end of its input: it is stopped and not restarted. */
export declare class EndOfInputError extends PatchbayError {
    constructor(message?: string);
}
/** The configuration is valid by its schema but cannot work (port taken, file unreadable): not retried until it changes. */
export declare class ConfigError extends PatchbayError {
    /** Path of the offending field inside the instance's config, as in `listen.port`. */
    readonly path: string;
    constructor(code: string, path: string, message: string, remedy?: string, options?: {
        cause?: unknown;
    });
}
