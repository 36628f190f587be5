import { toWireError } from '../engine/error.ts';
import type { Carrier } from '../protocol/carrier.ts';
import type { Access, WireError } from '../protocol/frames.ts';
import type { ContractHandlers } from '../protocol/handlers.ts';
import type { ServerLimits } from '../protocol/limits.ts';
import { serveConnection, type ServedConnection } from '../protocol/server.ts';
import { checkCall, checkStream } from './parameters.ts';

export interface ServeOptions {
  readonly access: Access;
  /** Empty (default): the client's own word. */
  readonly client?: string;
  readonly limits?: Partial<ServerLimits>;
  readonly onFault?: (fault: WireError) => void;
}

/** {@link serveConnection} as the engine uses it: with the contract's schemas and our coded errors. */
export function serve(carrier: Carrier, handlers: ContractHandlers, options: ServeOptions): ServedConnection {
  return serveConnection(
    carrier,
    handlers,
    { access: options.access, client: options.client ?? '' },
    {
      toWireError,
      checkCall,
      checkStream,
      ...(options.limits === undefined ? {} : { limits: options.limits }),
      ...(options.onFault === undefined ? {} : { onFault: options.onFault }),
    },
  );
}
