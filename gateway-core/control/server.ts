/**
 * The control address: panel, protocol, health and metrics over HTTP. Every request passes, in
 * this order: the limits of the HTTP server, Host, Origin and Sec-Fetch-Site, then token or session.
 */
import { readFile } from 'node:fs/promises';
import { createServer, type IncomingMessage } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import { join } from 'node:path';
import Fastify, { type FastifyInstance, type FastifyReply, type FastifyRequest } from 'fastify';
import { CodedError } from '../engine/error.ts';
import type { Logger } from '../plugin-api/context.ts';
import type { Access } from '../protocol/frames.ts';
import type { ContractHandlers } from '../protocol/handlers.ts';
import type { ServerLimits } from '../protocol/limits.ts';
import { authenticate, cookieName, type AccessRules } from './access.ts';
import { DOOR, NOT_BUILT, withNonce } from './html.ts';
import { httpError, refuseSocket, SECURITY_HEADERS } from './http-error.ts';
import { panelFile } from './panel-files.ts';
import { bracketed, checkHost, checkOrigin, isNavigation } from './same-site.ts';
import { Sessions } from './sessions.ts';
import { webSockets } from './web-sockets.ts';

/** Answer of `/healthz`: 200 as long as the engine can answer at all. Open to everybody: nothing secret in it. */
export interface HealthReport {
  readonly state: string;
}

/** Answer of `/readyz`: 200 when ready, else 503. Open likewise. */
export interface ReadyReport {
  readonly ready: boolean;
  readonly state: string;
}

export interface HttpLimits {
  /** Bytes of all headers of one request. */
  readonly headers: number;
  /** Bytes of a body. */
  readonly body: number;
  /** Milliseconds for the headers, and for the whole request. */
  readonly headersTimeout: number;
  readonly requestTimeout: number;
  /** Milliseconds between looks for requests that take too long. */
  readonly checkInterval: number;
  /** TCP connections at once; further ones are closed at once. */
  readonly connections: number;
  /** Protocol connections at once. */
  readonly clients: number;
}

export const DEFAULT_HTTP_LIMITS: HttpLimits = {
  headers: 16 * 1024,
  body: 16 * 1024,
  headersTimeout: 10_000,
  requestTimeout: 20_000,
  checkInterval: 1000,
  connections: 256,
  clients: 64,
};

const PING_MS = 15_000;

export interface ControlServerOptions {
  readonly host: string;
  /** 0: any free one. */
  readonly port: number;
  /** Full access; not empty. */
  readonly token: string;
  readonly readTokens?: readonly string[];
  readonly handlers: ContractHandlers;
  /** `dist/renderer`; absent with `--no-panel`. */
  readonly panelFolder?: string;
  /** Keeps browser sessions over a restart; absent: they end with the gateway. */
  readonly sessionFile?: string;
  readonly metrics: () => Promise<string>;
  readonly health: () => HealthReport;
  readonly ready: () => ReadyReport;
  readonly log: Logger;
  readonly httpLimits?: Partial<HttpLimits>;
  readonly protocolLimits?: Partial<ServerLimits>;
  /** For tests of expiry. */
  readonly now?: () => number;
}

export interface ControlServer {
  /** The address it listens on, and the port it got. */
  readonly address: string;
  readonly port: number;
  /** A link that lets one browser in, once, within 60 seconds. The code is in the fragment: no server log sees it. */
  oneTimeLink(access?: Access): string;
  /** Tells clients PB_GATEWAY_STOPPING, then closes everything. */
  close(): Promise<void>;
}

/** Starts listening. Rejects with PB_PORT_IN_USE or PB_CONTROL_ADDRESS, place `settings.control.…`. */
export async function startControlServer(options: ControlServerOptions): Promise<ControlServer> {
  const limits = { ...DEFAULT_HTTP_LIMITS, ...options.httpLimits };
  const now = options.now ?? Date.now;
  const sessions = new Sessions({ now, ...(options.sessionFile === undefined ? {} : { file: options.sessionFile }) });
  const rules: AccessRules = { token: options.token, readTokens: options.readTokens ?? [], sessions };
  const site = { host: options.host, port: options.port };
  const access = (request: IncomingMessage): Access => authenticate(request, cookieName(site.port), rules);

  const app = fastify(limits);
  const sockets = webSockets({
    handlers: options.handlers,
    clients: limits.clients,
    ping: PING_MS,
    onFault: (fault) =>
      options.log.warn('A client of the control protocol did wrong', { code: fault.code, message: fault.message }),
    ...(options.protocolLimits === undefined ? {} : { limits: options.protocolLimits }),
    admit(request) {
      checkHost(request, site);
      checkOrigin(request);
      // A browser always says where a WebSocket comes from; a cookie without that word is no browser's.
      if (request.headers.authorization === undefined && request.headers.origin === undefined) {
        throw new CodedError('PB_FOREIGN_ORIGIN', { origin: 'no origin' });
      }
      return access(request);
    },
  });
  app.server.on('upgrade', (request: IncomingMessage, socket: Socket, head: Buffer) =>
    sockets.upgrade(request, socket, head),
  );
  app.server.maxConnections = limits.connections;

  app.addHook('onRequest', async (request, reply) => {
    reply.headers(SECURITY_HEADERS);
    checkHost(request.raw, site);
    if (!isNavigation(request.raw)) checkOrigin(request.raw);
  });
  answerErrors(app, options.log, limits);

  app.get('/healthz', (_request, reply) => reply.send(options.health()));
  app.get('/readyz', (_request, reply) => {
    const report = options.ready();
    return reply.code(report.ready ? 200 : 503).send(report);
  });
  app.get('/metrics', async (request, reply) => {
    access(request.raw);
    return reply.type('text/plain; version=0.0.4; charset=utf-8').send(await options.metrics());
  });
  app.get('/session', (request, reply) => reply.send({ access: access(request.raw) }));
  app.post<{ Body: { code: string } }>('/session', (request, reply) => {
    const { body } = request as { body: unknown };
    const code = typeof body === 'object' && body !== null && 'code' in body ? body.code : undefined;
    if (typeof code !== 'string' || code.length > 200)
      throw new CodedError('PB_BAD_REQUEST', { message: 'the body is not {"code": "…"}' });
    const redeemed = sessions.redeem(code);
    if (redeemed === undefined) throw new CodedError('PB_BAD_CODE');
    reply.header('set-cookie', `${cookieName(site.port)}=${redeemed.session}; Path=/; HttpOnly; SameSite=Strict`);
    return reply.send({ access: redeemed.access });
  });
  if (options.panelFolder !== undefined) servePanel(app, options.panelFolder, (request) => access(request.raw));

  await listen(app, options.host, options.port);
  const bound = app.server.address() as AddressInfo;
  site.port = bound.port;

  const linkHost = options.host === '0.0.0.0' ? '127.0.0.1' : options.host === '::' ? '[::1]' : bracketed(options.host);
  return {
    address: bound.address,
    port: bound.port,
    oneTimeLink: (granted = 'full') => `http://${linkHost}:${bound.port}/#code=${sessions.issueCode(granted)}`,
    async close() {
      await sockets.close();
      await app.close();
    },
  };
}

function fastify(limits: HttpLimits): FastifyInstance {
  const app = Fastify({
    bodyLimit: limits.body,
    forceCloseConnections: true,
    clientErrorHandler: (error, socket) => refuseClient(error, socket as Socket, limits),
    return503OnClosing: true,
    exposeHeadRoutes: true,
    routerOptions: { maxParamLength: 200 },
    serverFactory: (handler) =>
      createServer(
        {
          maxHeaderSize: limits.headers,
          headersTimeout: limits.headersTimeout,
          requestTimeout: limits.requestTimeout,
          connectionsCheckingInterval: limits.checkInterval,
          keepAliveTimeout: 5000,
          requireHostHeader: true,
        },
        handler,
      ),
  });
  // JSON alone: the types a foreign form can send without asking first are not understood at all.
  app.removeContentTypeParser('text/plain');
  return app;
}

function answerErrors(app: FastifyInstance, log: Logger, limits: HttpLimits): void {
  app.setNotFoundHandler((request) => {
    throw new CodedError('PB_NOT_FOUND', { path: request.url.split('?', 1)[0]?.slice(0, 100) });
  });
  app.setErrorHandler((error: Error & { statusCode?: number; code?: string }, request, reply) => {
    let known: unknown = error;
    let status: number | undefined;
    if (!(error instanceof CodedError) && error.statusCode !== undefined && error.statusCode < 500) {
      status = error.statusCode;
      known =
        status === 413
          ? new CodedError('PB_REQUEST_TOO_LARGE', { limit: limits.body })
          : new CodedError('PB_BAD_REQUEST', { message: error.message });
    }
    const answer = httpError(known, status);
    if (answer.status >= 500)
      log.error('The control server failed to answer', { path: request.url.split('?', 1)[0], error: error.message });
    return reply.code(answer.status).headers(answer.headers).send(answer.body);
  });
}

/** For what never became a request: too slow, too large, or not HTTP at all. */
function refuseClient(error: Error & { code?: string }, socket: Socket, limits: HttpLimits): void {
  if (!socket.writable) {
    socket.destroy();
    return;
  }
  if (error.code === 'ERR_HTTP_REQUEST_TIMEOUT') refuseSocket(socket, new CodedError('PB_REQUEST_TIMEOUT'));
  else if (error.code === 'HPE_HEADER_OVERFLOW') {
    refuseSocket(socket, new CodedError('PB_REQUEST_TOO_LARGE', { limit: limits.headers }), 431);
  } else refuseSocket(socket, new CodedError('PB_BAD_REQUEST', { message: 'not HTTP' }));
}

/** The panel's files to those with a session; the door page to everyone else who comes for a page. */
function servePanel(app: FastifyInstance, folder: string, access: (request: FastifyRequest) => Access): void {
  app.get('/*', async (request, reply) => {
    const path = request.url.split('?', 1)[0] ?? '/';
    const isPage = /^(\/[\w-][^/.]*)*\/?$/.test(path);
    if (isPage) {
      try {
        access(request);
      } catch {
        return html(reply, DOOR);
      }
      let index: string;
      try {
        index = await readFile(join(folder, 'index.html'), 'utf8');
      } catch {
        return html(reply, NOT_BUILT);
      }
      return html(reply, index);
    }
    access(request);
    const file = path === '/index.html' ? undefined : await panelFile(folder, path);
    if (file === undefined) throw new CodedError('PB_NOT_FOUND', { path: path.slice(0, 100) });
    reply.headers({ 'content-type': file.type, 'cache-control': file.caching, etag: file.etag });
    if (request.headers['if-none-match'] === file.etag) return reply.code(304).send();
    return reply.send(file.body);
  });
}

function html(reply: FastifyReply, page: string): FastifyReply {
  const { body, policy } = withNonce(page);
  return reply.headers({ 'content-type': 'text/html; charset=utf-8', 'content-security-policy': policy }).send(body);
}

async function listen(app: FastifyInstance, host: string, port: number): Promise<void> {
  try {
    await app.listen({ host, port });
  } catch (error) {
    await app.close();
    const { code, message } = error as NodeJS.ErrnoException;
    if (code === 'EADDRINUSE')
      throw new CodedError('PB_PORT_IN_USE', { host, port }, { cause: error, place: 'settings.control.port' });
    throw new CodedError(
      'PB_CONTROL_ADDRESS',
      { host, port, message },
      { cause: error, place: 'settings.control.host' },
    );
  }
}
