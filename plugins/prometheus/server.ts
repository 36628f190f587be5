import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setImmediate } from 'node:timers/promises';
import { constants, createGzip } from 'node:zlib';
import type { Writable } from 'node:stream';
import { listenError } from 'patchbay/plugin-api';
import { acceptsGzip, negotiateFormat } from './negotiate.ts';

export interface Exposition {
  /** The pieces of one scrape. */
  pieces(openMetrics: boolean): Iterable<string>;
  /** Told when a scrape has ended, with its time in seconds; `complete` is false when the scraper went away. */
  ended(seconds: number, complete: boolean): void;
}

/** Of one turn: then others of this thread get theirs. */
const SLICE_MS = 4;
/** A scraper that takes nothing for so long is cut off. */
const STALL_MS = 30_000;
const MAX_SCRAPES = 16;

/** Serves `/metrics`. */
export class ScrapeServer {
  private readonly exposition: Exposition;
  private readonly server: Server;
  private scrapes = 0;

  constructor(exposition: Exposition) {
    this.exposition = exposition;
    this.server = createServer(
      { maxHeaderSize: 16_384, headersTimeout: 10_000, requestTimeout: 20_000, keepAliveTimeout: 120_000 },
      (request, response) => {
        this.answer(request, response).catch(() => response.destroy());
      },
    );
    this.server.maxConnections = 256;
  }

  /** Resolves to the port. Throws a ConfigError when host or port cannot be had. */
  async listen(host: string, port: number): Promise<number> {
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    this.server.once('error', reject);
    this.server.listen(port, host, resolve);
    try {
      await promise;
    } catch (error) {
      throw listenError(error, host, port, { host: 'host', port: 'port' });
    } finally {
      this.server.off('error', reject);
    }
    return (this.server.address() as AddressInfo).port;
  }

  /** Told of a fault of the listener itself, once it listens. */
  onFault(listener: (error: Error) => void): void {
    this.server.on('error', listener);
  }

  /** Frees the port; scrapes under way are cut off. */
  async close(): Promise<void> {
    if (!this.server.listening) return;
    const closed = new Promise((resolve) => this.server.close(resolve));
    this.server.closeAllConnections();
    await closed;
  }

  private async answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const path = (request.url ?? '/').split('?', 1)[0];
    response.setHeader('X-Content-Type-Options', 'nosniff');
    if (path !== '/metrics' && path !== '/') return plain(response, 404, 'Not here: see /metrics.\n');
    if (request.method !== 'GET' && request.method !== 'HEAD') {
      response.setHeader('Allow', 'GET, HEAD');
      return plain(response, 405, 'Only GET and HEAD.\n');
    }
    if (path === '/') {
      response.writeHead(200, {
        'Content-Type': 'text/html; charset=utf-8',
        'Content-Security-Policy': "default-src 'none'",
      });
      response.end(
        '<!doctype html><title>Patchbay</title><p>Metrics of this gateway\'s flow: <a href="/metrics">/metrics</a></p>\n',
      );
      return;
    }
    if (this.scrapes >= MAX_SCRAPES) {
      response.setHeader('Retry-After', '1');
      return plain(response, 503, 'Too many scrapes at once.\n');
    }
    this.scrapes++;
    try {
      await this.scrape(request, response);
    } finally {
      this.scrapes--;
    }
  }

  private async scrape(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const start = performance.now();
    const format = negotiateFormat(request.headers.accept);
    const gzip = acceptsGzip(request.headers['accept-encoding']);
    response.setHeader('Vary', 'Accept, Accept-Encoding');
    response.writeHead(200, { 'Content-Type': format.contentType, ...(gzip ? { 'Content-Encoding': 'gzip' } : {}) });
    if (request.method === 'HEAD') {
      response.end();
      return;
    }
    let out: Writable = response;
    if (gzip) {
      // Level 1: half the time of the default for a tenth more bytes.
      const zipped = createGzip({ level: constants.Z_BEST_SPEED, chunkSize: 65_536 });
      zipped.pipe(response);
      response.once('close', () => zipped.destroy());
      out = zipped;
    }
    let complete = false;
    try {
      complete = await write(this.exposition.pieces(format.openMetrics), out, response);
    } finally {
      this.exposition.ended((performance.now() - start) / 1000, complete);
    }
  }
}

function plain(response: ServerResponse, status: number, text: string): void {
  response.writeHead(status, { 'Content-Type': 'text/plain; charset=utf-8' });
  response.end(text);
}

/** Writes as the reader takes it, in slices of the event loop. False: the reader went away. */
async function write(pieces: Iterable<string>, out: Writable, response: ServerResponse): Promise<boolean> {
  let sliceEnd = performance.now() + SLICE_MS;
  for (const piece of pieces) {
    if (response.destroyed) return false;
    if (!out.write(piece) && !(await drained(out, response))) return false;
    if (performance.now() >= sliceEnd) {
      await setImmediate();
      sliceEnd = performance.now() + SLICE_MS;
    }
  }
  out.end();
  return true;
}

function drained(out: Writable, response: ServerResponse): Promise<boolean> {
  return new Promise((resolve) => {
    const done = (ready: boolean) => (): void => {
      clearTimeout(timer);
      out.off('drain', onDrain);
      response.off('close', onClose);
      resolve(ready);
    };
    const onDrain = done(true);
    const onClose = done(false);
    const timer = setTimeout(() => response.destroy(), STALL_MS);
    out.once('drain', onDrain);
    response.once('close', onClose);
    if (response.destroyed) onClose();
  });
}
