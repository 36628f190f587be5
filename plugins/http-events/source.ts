import {
  createServer,
  type IncomingHttpHeaders,
  type IncomingMessage,
  type Server,
  type ServerResponse,
} from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Duplex } from 'node:stream';
import {
  defineSource,
  listenError,
  type Context,
  type Emit,
  type Message,
  type Severity,
  type Source,
} from 'patchbay/plugin-api';
import { reject, Rejection, rejectionBody } from './answer.ts';
import { discardBody, readBody, tooLarge } from './body.ts';
import { Intake } from './intake.ts';
import { bearerCheck, RateLimit } from './limits.ts';
import { modeOf, parseEvents, type IncomingEvent } from './parse.ts';
import { SourceRegistry, type RegisteredSource } from './registry.ts';

export interface HttpEventsConfig {
  readonly host: string;
  readonly port: number;
  readonly token?: string;
  readonly strictSources: boolean;
  readonly sources: Readonly<Record<string, RegisteredSource>>;
  /** KiB. */
  readonly maxSize: number;
  readonly maxEvents: number;
  readonly rateLimit: number;
  readonly maxInFlight: number;
  readonly outcomeTimeout: number;
  readonly requestTimeout: number;
}

const KIB = 1024;
const CLOSE_MS = 1000;
const SEVERITIES: readonly string[] = ['debug', 'info', 'warning', 'critical'] satisfies Severity[];
/** Not for the eyes of conditions, taps and sinks, or of no use to them. */
const HIDDEN_HEADERS = new Set([
  'authorization',
  'proxy-authorization',
  'cookie',
  'connection',
  'content-length',
  'transfer-encoding',
  'expect',
]);

class HttpEvents implements Source<HttpEventsConfig> {
  private readonly context: Context<HttpEventsConfig>;
  private readonly config: HttpEventsConfig;
  private readonly registry: SourceRegistry;
  private readonly isAllowed: (authorization: string | undefined) => boolean;
  private readonly rate: RateLimit;
  private readonly server: Server;
  private intake: Intake | undefined;
  private inFlight = 0;
  private stopping = false;

  constructor(context: Context<HttpEventsConfig>) {
    this.context = context;
    this.config = context.config;
    this.registry = new SourceRegistry(this.config.sources, this.config.strictSources);
    this.isAllowed = bearerCheck(this.config.token);
    this.rate = new RateLimit(this.config.rateLimit, performance.now());
    const { requestTimeout } = this.config;
    this.server = createServer({
      maxHeaderSize: 16 * KIB,
      headersTimeout: requestTimeout,
      requestTimeout,
      connectionsCheckingInterval: Math.min(1000, requestTimeout),
      keepAliveTimeout: 30_000,
    });
    this.server.maxConnections = 1024;
    const onRequest = (sendContinue: boolean) => (request: IncomingMessage, response: ServerResponse) => {
      this.answer(request, response, sendContinue).catch((error: unknown) => this.unexpected(response, error));
    };
    this.server.on('request', onRequest(false));
    this.server.on('checkContinue', onRequest(true));
    this.server.on('clientError', answerClientError);
  }

  async start(emit: Emit): Promise<void> {
    this.intake = new Intake(emit);
    const { host } = this.config;
    const { promise, resolve, reject: fail } = Promise.withResolvers<void>();
    this.server.once('error', fail);
    this.server.listen(this.config.port, host, resolve);
    try {
      await promise;
    } catch (error) {
      throw listenError(error, host, this.config.port, { host: 'host', port: 'port' });
    }
    this.server.off('error', fail);
    this.server.on('error', (error) => this.context.fail(error));
    const { port } = this.server.address() as AddressInfo;
    const url = `http://${host.includes(':') ? `[${host}]` : host}:${port}/events`;
    this.context.log.info(`taking events at ${url}`, { port });
    this.context.health({ state: 'running', reason: `taking events at ${url}` });
  }

  stop(): void {
    this.stopping = true;
    this.intake?.stop();
    if (this.server.listening) this.server.close();
  }

  async close(): Promise<void> {
    this.stop();
    this.intake?.giveUp();
    if (this.inFlight > 0) await this.answered();
    this.server.closeAllConnections();
  }

  /** Waits until the answers are out, but not for a client that does not read. */
  private answered(): Promise<void> {
    return new Promise((resolve) => {
      const check = setInterval(() => this.inFlight === 0 && done(), 5);
      const limit = setTimeout(() => done(), CLOSE_MS);
      const done = (): void => {
        clearInterval(check);
        clearTimeout(limit);
        resolve();
      };
    });
  }

  private async answer(request: IncomingMessage, response: ServerResponse, sendContinue: boolean): Promise<void> {
    this.inFlight++;
    response.once('close', () => this.inFlight--);
    response.setHeader('X-Content-Type-Options', 'nosniff');
    let bodyTaken = false;
    try {
      const mode = this.admit(request);
      if (sendContinue) response.writeContinue();
      bodyTaken = true;
      const body = await readBody(request, this.config.maxSize * KIB);
      const events = parseEvents(mode, request.headers, body, this.config.maxEvents);
      const batch = events.map((event) => this.message(event, request));
      // An empty batch is a valid request with nothing in it.
      if (batch.length > 0) await this.intake!.take(batch, this.config.outcomeTimeout);
      this.context.metrics.count('http_events_taken_total', batch.length);
      response.writeHead(202, { 'Content-Length': '0', ...(this.stopping ? { Connection: 'close' } : {}) });
      response.end();
    } catch (error) {
      if (!(error instanceof Rejection)) throw error;
      this.context.metrics.count('http_events_turned_away_total');
      // A sender that is still busy sending would not read the answer.
      const inStep = bodyTaken ? request.complete : !sendContinue && (await discardBody(request));
      reject(response, error, !inStep || this.stopping);
    }
  }

  /** All that can be said before the body is read. */
  private admit(request: IncomingMessage): ReturnType<typeof modeOf> {
    const { headers } = request;
    if ((request.url ?? '').split('?', 1)[0] !== '/events') {
      throw new Rejection(404, 'PB_HTTP_EVENTS_NOT_FOUND', 'nothing is here: events go to /events');
    }
    if (request.method !== 'POST') throw new Rejection(405, 'PB_HTTP_EVENTS_METHOD', 'events are sent with POST');
    if (!this.isAllowed(headers.authorization)) {
      throw new Rejection(
        401,
        'PB_HTTP_EVENTS_TOKEN',
        headers.authorization === undefined ? 'no token' : 'not the right token',
      );
    }
    if (this.stopping) throw new Rejection(503, 'PB_HTTP_EVENTS_BUSY', 'the gateway is stopping', 5);
    if (this.inFlight > this.config.maxInFlight) {
      throw new Rejection(429, 'PB_HTTP_EVENTS_RATE', `more than ${this.config.maxInFlight} requests at once`, 1);
    }
    this.rate.take(performance.now());
    const mode = modeOf(headers);
    const limit = this.config.maxSize * KIB;
    // Only told to wait does the sender read the answer before it has sent everything.
    if (headers.expect !== undefined && Number(headers['content-length']) > limit) throw tooLarge(limit);
    return mode;
  }

  private message(event: IncomingEvent, request: IncomingMessage): Message {
    const type = this.registry.check(event);
    const { severity, partitionkey } = event.extensions;
    return this.context.message({
      id: event.id,
      source: event.source,
      type,
      subject: event.subject,
      time: event.time,
      severity: typeof severity === 'string' && SEVERITIES.includes(severity) ? (severity as Severity) : undefined,
      partitionkey: typeof partitionkey === 'string' ? partitionkey : undefined,
      attributes: attributesOf(event, request),
      // A text that is JSON's stays in quotes: as bare text it could be taken for JSON itself.
      data:
        event.isJson && typeof event.data === 'string'
          ? new Uint8Array(Buffer.from(JSON.stringify(event.data)))
          : event.data,
    });
  }

  private unexpected(response: ServerResponse, error: unknown): void {
    if (!response.destroyed && !response.headersSent) {
      this.context.log.error('a request failed', { error: error instanceof Error ? error.message : String(error) });
    }
    response.destroy();
  }
}

/** What the transport knows: the headers by name, the event's own extensions, the sender's address. */
function attributesOf(event: IncomingEvent, request: IncomingMessage): Record<string, unknown> {
  const { datacontenttype, dataschema, extensions } = event;
  return {
    ...visibleHeaders(request.headers),
    ...(datacontenttype === undefined ? {} : { datacontenttype }),
    ...(dataschema === undefined ? {} : { dataschema }),
    extensions,
    remoteAddress: request.socket.remoteAddress ?? '',
  };
}

function visibleHeaders(headers: IncomingHttpHeaders): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(headers).filter(([name]) => !HIDDEN_HEADERS.has(name) && !name.startsWith('ce-')),
  );
}

/** What is no request gets an answer too, as far as the socket takes one. */
function answerClientError(error: Error & { readonly code?: string }, socket: Duplex): void {
  if (!socket.writable || error.code === 'ECONNRESET') {
    socket.destroy();
    return;
  }
  const [status, rejection] =
    error.code === 'ERR_HTTP_REQUEST_TIMEOUT'
      ? ['408 Request Timeout', new Rejection(408, 'PB_HTTP_EVENTS_TIMEOUT', 'the request did not arrive in time')]
      : error.code === 'HPE_HEADER_OVERFLOW'
        ? [
            '431 Request Header Fields Too Large',
            new Rejection(431, 'PB_HTTP_EVENTS_REQUEST', 'the headers are too large'),
          ]
        : ['400 Bad Request', new Rejection(400, 'PB_HTTP_EVENTS_REQUEST', 'not an HTTP request')];
  const body = rejectionBody(rejection as Rejection);
  socket.end(
    `HTTP/1.1 ${status as string}\r\nConnection: close\r\nContent-Type: application/json\r\nContent-Length: ${Buffer.byteLength(body)}\r\n\r\n${body}`,
  );
}

export default defineSource<HttpEventsConfig>({ create: (context) => new HttpEvents(context) });
