import type { WireError } from '../../gateway-core/protocol/frames.ts';
import { RemoteError, wireError } from '../../gateway-core/protocol/wire-error.ts';

/** Any thrown thing as something an `ErrorPanel` can show. */
export function asWireError(error: unknown): WireError {
  if (error instanceof RemoteError) return error.wire;
  return wireError('PB_INTERNAL', { message: error instanceof Error ? error.message : String(error) });
}
