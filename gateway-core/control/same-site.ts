/** Keeps foreign web pages out: what they cannot forge is Host, Origin and Sec-Fetch-Site. */
import type { IncomingMessage } from 'node:http';
import { isIP } from 'node:net';
import { CodedError } from '../engine/error.ts';

const LOOPBACK_NAMES: ReadonlySet<string> = new Set(['localhost', '127.0.0.1', '[::1]']);

export interface SiteRules {
  /** As configured: a name or address. */
  readonly host: string;
  readonly port: number;
}

/**
 * Throws PB_FOREIGN_HOST unless the Host header names us: a loopback name, the configured host, or
 * the very address the request came in on, each with our port. A page that had its own name rebound
 * to our address (DNS rebinding) still sends its own name.
 */
export function checkHost(request: IncomingMessage, rules: SiteRules): void {
  const header = request.headers.host ?? '';
  const { name, port } = split(header);
  const known =
    LOOPBACK_NAMES.has(name) ||
    name === bracketed(rules.host.toLowerCase()) ||
    name === bracketed(localAddress(request));
  if (!known || port !== rules.port)
    throw new CodedError('PB_FOREIGN_HOST', { host: header.slice(0, 200) || 'no host' });
}

/**
 * Throws PB_FOREIGN_ORIGIN for a request made by a page that is not ours. An Origin must be our own
 * address exactly as the Host header has it; `Sec-Fetch-Site` must be `same-origin`, or `none` (typed
 * in, or opened from a terminal). What is no browser sends neither.
 */
export function checkOrigin(request: IncomingMessage): void {
  const { origin, host } = request.headers;
  const site = request.headers['sec-fetch-site'];
  if (origin !== undefined && origin !== `http://${host ?? ''}`)
    throw new CodedError('PB_FOREIGN_ORIGIN', { origin: origin.slice(0, 200) });
  if (site !== undefined && site !== 'same-origin' && site !== 'none') {
    throw new CodedError('PB_FOREIGN_ORIGIN', { origin: `another site (${String(site).slice(0, 40)})` });
  }
}

/**
 * True for a link to the panel that was followed on another site, in a chat say. It gets a page and
 * nothing else: no cookie comes along (SameSite=Strict), and no other site can look into it.
 */
export function isNavigation(request: IncomingMessage): boolean {
  return (
    (request.method === 'GET' || request.method === 'HEAD') &&
    request.headers['sec-fetch-mode'] === 'navigate' &&
    request.headers['sec-fetch-dest'] === 'document' &&
    request.headers.origin === undefined
  );
}

function split(header: string): { readonly name: string; readonly port: number } {
  const match = /^(\[[\da-f:.]+\]|[^:[\]/?#@\s]+)(?::(\d{1,5}))?$/i.exec(header);
  return { name: (match?.[1] ?? '').toLowerCase(), port: Number(match?.[2] ?? 80) };
}

function localAddress(request: IncomingMessage): string {
  const address = request.socket.localAddress ?? '';
  // An IPv4 client of a dual-stack socket.
  return address.startsWith('::ffff:') ? address.slice('::ffff:'.length) : address;
}

/** As a URL has it. */
export function bracketed(host: string): string {
  return isIP(host) === 6 ? `[${host}]` : host;
}
