import { WebSocket } from 'ws';
import type { Carrier } from '../protocol/carrier.ts';
import type { WireError } from '../protocol/frames.ts';
import { RemoteError, wireError } from '../protocol/wire-error.ts';
import { wsCarrier } from './ws-carrier.ts';

export interface ControlAddress {
  readonly host: string;
  readonly port: number;
  /** Of `<data>/control-token`. */
  readonly token: string;
}

/** Longest answer taken from an engine, bytes. */
const MAX_PAYLOAD = 64 * 1024 * 1024;

/** Longest refusal read, bytes. */
const MAX_REFUSAL = 16 * 1024;

/**
 * The `connect` of a client with a bearer token (command line, tests). Rejects with the gateway's own
 * coded error when it refuses (PB_BAD_TOKEN, …), with PB_DISCONNECTED when nothing answers there.
 */
export function connectWebSocket({ host, port, token }: ControlAddress): () => Promise<Carrier> {
  const authority = `${host.includes(':') ? `[${host}]` : host}:${port}`;
  return () =>
    new Promise((resolve, reject) => {
      const socket = new WebSocket(`ws://${authority}/ws`, {
        headers: { authorization: `Bearer ${token}` },
        perMessageDeflate: false,
        maxPayload: MAX_PAYLOAD,
        handshakeTimeout: 10_000,
      });
      socket.once('open', () => {
        socket.removeAllListeners();
        resolve(wsCarrier(socket));
      });
      socket.once('error', (error) =>
        reject(new RemoteError(wireError('PB_DISCONNECTED', { why: `: ${error.message}` }))),
      );
      socket.once('unexpected-response', (request, response) => {
        let body = '';
        response.setEncoding('utf8');
        response.on('data', (chunk: string) => {
          if (body.length < MAX_REFUSAL) body += chunk;
        });
        response.on('error', () => undefined);
        response.on('close', () => {
          request.destroy();
          reject(new RemoteError(refusal(body, response.statusCode ?? 0)));
        });
      });
    });
}

function refusal(body: string, status: number): WireError {
  try {
    const { error } = JSON.parse(body) as { error?: Partial<WireError> };
    if (typeof error?.code === 'string' && typeof error.message === 'string') {
      return { code: error.code, message: error.message, remedy: error.remedy ?? '' };
    }
  } catch {
    // Not ours: something else listens there.
  }
  return wireError('PB_DISCONNECTED', { why: `: the server there answered ${status} and is no gateway` });
}
