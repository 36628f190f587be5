import { ConfigError } from './errors.ts';

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
export function listenError(error: unknown, host: string, port: number, paths: ListenPaths): unknown {
  const code = typeof error === 'object' && error !== null && 'code' in error ? error.code : undefined;
  const cause = { cause: error };
  switch (code) {
    case 'EADDRINUSE':
      return new ConfigError(
        'PB_PORT_IN_USE',
        paths.port,
        `port ${port} on ${host} is taken by another program`,
        'Stop the other program or choose another port.',
        cause,
      );
    case 'EACCES':
      return new ConfigError(
        'PB_LISTEN_ADDRESS',
        paths.port,
        `port ${port} may not be opened by this user`,
        'Choose a port above 1023.',
        cause,
      );
    case 'EADDRNOTAVAIL':
    case 'ENOTFOUND':
    case 'EAI_AGAIN':
      return new ConfigError(
        'PB_LISTEN_ADDRESS',
        paths.host,
        `${host} is not an address of this machine`,
        'Use 127.0.0.1 for this machine only, 0.0.0.0 for all of its addresses.',
        cause,
      );
    default:
      return error;
  }
}
