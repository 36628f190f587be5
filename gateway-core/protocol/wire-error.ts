import { PatchbayError } from '../plugin-api/errors.ts';
import { errorRegistry, fill, type ErrorCode } from './errors/index.ts';
import type { WireError } from './frames.ts';

/** An error of the registry as it goes over the wire. */
export function wireError(code: ErrorCode, details: Readonly<Record<string, unknown>> = {}, place?: string): WireError {
  const entry = errorRegistry[code];
  return {
    code,
    message: fill(entry.template, details),
    remedy: fill(entry.remedy, details),
    details,
    ...(place === undefined ? {} : { place }),
  };
}

/** A coded error that came over the wire, or that the client itself raised (`PB_DISCONNECTED`, `PB_CANCELLED`). */
export class RemoteError extends PatchbayError {
  readonly place: string | undefined;
  readonly details: unknown;
  constructor(error: WireError) {
    super(error.code, error.message, error.remedy);
    this.name = 'RemoteError';
    this.place = error.place;
    this.details = error.details;
  }

  get wire(): WireError {
    return {
      code: this.code,
      message: this.message,
      remedy: this.remedy,
      ...(this.place === undefined ? {} : { place: this.place }),
      ...(this.details === undefined ? {} : { details: this.details }),
    };
  }
}
