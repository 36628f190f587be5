import { STATUS_CODES } from 'node:http';
import type { Duplex } from 'node:stream';
import { CodedError, toWireError } from '../engine/error.ts';
import type { ErrorCode } from '../protocol/errors/index.ts';

const STATUS: Partial<Record<ErrorCode, number>> = {
  PB_BAD_REQUEST: 400,
  PB_NO_SESSION: 401,
  PB_BAD_TOKEN: 401,
  PB_BAD_CODE: 401,
  PB_FOREIGN_HOST: 403,
  PB_FOREIGN_ORIGIN: 403,
  PB_NOT_FOUND: 404,
  PB_REQUEST_TIMEOUT: 408,
  PB_REQUEST_TOO_LARGE: 413,
  PB_TOO_MANY_CLIENTS: 503,
};

/** On every answer, whatever it is; pages set their own policy over the one here. */
export const SECURITY_HEADERS: Readonly<Record<string, string>> = {
  'cache-control': 'no-store',
  'content-security-policy': "default-src 'none'; frame-ancestors 'none'",
  'cross-origin-opener-policy': 'same-origin',
  'cross-origin-resource-policy': 'same-origin',
  'referrer-policy': 'no-referrer',
  'x-content-type-options': 'nosniff',
  'x-frame-options': 'DENY',
};

export interface HttpError {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

/** Any error as an HTTP answer: `{ "error": { code, message, remedy } }`. `status` where the code alone does not say it. */
export function httpError(error: unknown, status?: number): HttpError {
  const code = error instanceof CodedError ? STATUS[error.code] : undefined;
  return {
    status: status ?? code ?? 500,
    headers: {
      'content-type': 'application/json; charset=utf-8',
      ...(code === 401 ? { 'www-authenticate': 'Bearer realm="patchbay"' } : {}),
    },
    body: JSON.stringify({ error: toWireError(error) }),
  };
}

/** Answers on a bare socket, where there is no response object (upgrades, broken requests), and closes it. */
export function refuseSocket(socket: Duplex, error: unknown, status?: number): void {
  const answer = httpError(error, status);
  const headers = {
    ...SECURITY_HEADERS,
    ...answer.headers,
    'content-length': String(Buffer.byteLength(answer.body)),
    connection: 'close',
  };
  const head = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`);
  socket.on('error', () => undefined);
  // Cut once the answer is out, whether or not the other side ever closes its half.
  socket.end(
    `HTTP/1.1 ${answer.status} ${STATUS_CODES[answer.status] ?? ''}\r\n${head.join('')}\r\n${answer.body}`,
    () => socket.destroy(),
  );
}
