import type { IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import { WebSocketServer } from 'ws';
import { CodedError } from '../engine/error.ts';
import type { Access, WireError } from '../protocol/frames.ts';
import type { ContractHandlers } from '../protocol/handlers.ts';
import { DEFAULT_LIMITS, type ServerLimits } from '../protocol/limits.ts';
import { refuseSocket } from './http-error.ts';
import { serve } from './serve.ts';
import { wsCarrier } from './ws-carrier.ts';

export interface WebSocketsOptions {
  readonly handlers: ContractHandlers;
  /** Checks the upgrade and says what it may do; throws a coded error to refuse it. */
  readonly admit: (request: IncomingMessage) => Access;
  readonly onFault: (fault: WireError) => void;
  readonly limits?: Partial<ServerLimits>;
  /** Connections at once. */
  readonly clients: number;
  /** Milliseconds between pings; one that was not answered until the next is cut. */
  readonly ping: number;
}

export interface WebSockets {
  /** For the HTTP server's `upgrade` event. */
  upgrade(request: IncomingMessage, socket: Duplex, head: Buffer): void;
  /** Tells every client that the gateway stops, and closes. */
  close(): Promise<void>;
}

/** The protocol at `/ws`. Uncompressed: a small compressed frame could be an endless one. */
export function webSockets(options: WebSocketsOptions): WebSockets {
  const limits = { ...DEFAULT_LIMITS, ...options.limits };
  const server = new WebSocketServer({
    noServer: true,
    perMessageDeflate: false,
    // In bytes, of which a character may take four; beyond it the socket is closed before it is read.
    maxPayload: limits.frame * 4,
    clientTracking: true,
  });
  const served = new Set<{ close(): void; readonly closed: Promise<void> }>();
  const unanswered = new WeakSet<object>();

  server.on('wsClientError', (_error, socket, request) => {
    refuseSocket(socket, new CodedError('PB_BAD_REQUEST', { message: `no WebSocket at ${brief(request.url)}` }));
  });

  // A peer that is gone without a word (sleep, a pulled cable) is noticed by its silence.
  const pinging = setInterval(() => {
    for (const socket of server.clients) {
      if (unanswered.has(socket)) {
        socket.terminate();
        continue;
      }
      unanswered.add(socket);
      socket.ping();
    }
  }, options.ping);
  pinging.unref();

  return {
    upgrade(request, socket, head) {
      let access: Access;
      try {
        access = options.admit(request);
        if (request.url?.split('?', 1)[0] !== '/ws') throw new CodedError('PB_NOT_FOUND', { path: brief(request.url) });
        if (server.clients.size >= options.clients)
          throw new CodedError('PB_TOO_MANY_CLIENTS', { limit: options.clients });
      } catch (error) {
        refuseSocket(socket, error);
        return;
      }
      server.handleUpgrade(request, socket, head, (open) => {
        open.on('pong', () => unanswered.delete(open));
        const connection = serve(wsCarrier(open), options.handlers, {
          access,
          onFault: options.onFault,
          ...(options.limits === undefined ? {} : { limits: options.limits }),
        });
        served.add(connection);
        void connection.closed.then(() => served.delete(connection));
      });
    },
    async close() {
      clearInterval(pinging);
      const open = [...served];
      const sockets = [...server.clients].map(
        (socket) =>
          new Promise<void>((resolve) =>
            socket.readyState === socket.CLOSED ? resolve() : socket.once('close', () => resolve()),
          ),
      );
      for (const connection of open) connection.close();
      await Promise.all([...open.map((connection) => connection.closed), ...sockets]);
      await new Promise<void>((resolve) => server.close(() => resolve()));
    },
  };
}

function brief(url: string | undefined): string {
  return (url ?? '').split('?', 1)[0]?.slice(0, 100) ?? '';
}
