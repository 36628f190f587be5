/** Where host and port stand in the instance's config, as in `listen.port`. */
export interface ListenPaths {
    readonly host: string;
    readonly port: string;
}
/**
 * What a failed `listen` means to the one who wrote the config: a ConfigError at the field to
 * change, or the error itself where no change of the config would help.
 * Codes: `PB_PORT_IN_USE`, `PB_LISTEN_ADDRESS` (not an address of this machine, or not allowed).
 */
export declare function listenError(error: unknown, host: string, port: number, paths: ListenPaths): unknown;
