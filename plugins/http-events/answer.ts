import type { ServerResponse } from 'node:http';
import manifest from './plugin.json' with { type: 'json' };

/** A request that is not taken: what the sender is told. */
export class Rejection extends Error {
  readonly status: number;
  readonly code: string;
  /** Seconds, for 429 and 503. */
  readonly retryAfter: number | undefined;
  constructor(status: number, code: string, message: string, retryAfter?: number) {
    super(message);
    this.status = status;
    this.code = code;
    this.retryAfter = retryAfter;
  }
}

const remedies = new Map(manifest.errors.map(({ code, remedy }) => [code, remedy]));

export function rejectionBody({ code, message }: Rejection): string {
  return `${JSON.stringify({ code, message, remedy: remedies.get(code) ?? '' })}\n`;
}

/** Answers and, since what comes next cannot be trusted or is not wanted, may end the connection. */
export function reject(response: ServerResponse, rejection: Rejection, endConnection = false): void {
  if (response.headersSent || response.destroyed) return;
  const { status, retryAfter } = rejection;
  response.writeHead(status, {
    'Content-Type': 'application/json',
    ...(retryAfter === undefined ? {} : { 'Retry-After': String(retryAfter) }),
    ...(status === 401 ? { 'WWW-Authenticate': 'Bearer' } : {}),
    ...(status === 405 ? { Allow: 'POST' } : {}),
    ...(endConnection ? { Connection: 'close' } : {}),
  });
  response.end(rejectionBody(rejection));
}
