import { ConfigError, PatchbayError } from '../plugin-api/errors.ts';
import { errorRegistry, fill, type ErrorCode } from '../protocol/errors/index.ts';
import type { WireError } from '../protocol/frames.ts';

/** An error of the registry, with its template filled in from `details`. */
export class CodedError extends PatchbayError {
  readonly place: string | undefined;
  readonly details: Readonly<Record<string, unknown>>;
  declare readonly code: ErrorCode;
  constructor(
    code: ErrorCode,
    details: Readonly<Record<string, unknown>> = {},
    options: { cause?: unknown; place?: string } = {},
  ) {
    const entry = errorRegistry[code];
    super(code, fill(entry.template, details), fill(entry.remedy, details), options);
    this.name = 'CodedError';
    this.place = options.place;
    this.details = details;
  }
}

/** What an instance ended in when it was to start or change: its own code and remedy, with its name in front. */
export class InstanceError extends PatchbayError {
  /** `scrape.config.port`: the instance, and the field of its config where one is named. */
  readonly place: string;
  constructor(name: string, cause: PatchbayError) {
    super(cause.code, `${name}: ${cause.message}`, cause.remedy, { cause });
    this.name = 'InstanceError';
    this.place = cause instanceof ConfigError && cause.path !== '' ? `${name}.config.${cause.path}` : name;
  }
}

/** Masks the secrets in what an error says, before it leaves the engine. Returns the same error. */
export function maskError(error: unknown, redact: (text: string) => string): unknown {
  if (!(error instanceof Error)) return typeof error === 'string' ? redact(error) : error;
  error.message = redact(error.message);
  if (error instanceof CodedError) {
    const mask = (_key: string, value: unknown): unknown => (typeof value === 'string' ? redact(value) : value);
    Object.assign(error, {
      remedy: redact(error.remedy),
      details: JSON.parse(JSON.stringify(error.details), mask) as unknown,
    });
  }
  return error;
}

/** Any thrown thing as it goes over the wire. Never with a stack. */
export function toWireError(error: unknown): WireError {
  if (error instanceof CodedError) {
    return {
      code: error.code,
      message: error.message,
      remedy: error.remedy,
      details: error.details,
      ...(error.place === undefined ? {} : { place: error.place }),
    };
  }
  if (error instanceof InstanceError)
    return { code: error.code, message: error.message, remedy: error.remedy, place: error.place };
  if (error instanceof PatchbayError) return { code: error.code, message: error.message, remedy: error.remedy };
  return {
    code: 'PB_INTERNAL',
    message: error instanceof Error ? error.message : String(error),
    remedy: errorRegistry.PB_INTERNAL.remedy,
  };
}
