import { createHash, timingSafeEqual } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import { CodedError } from '../engine/error.ts';
import type { Access } from '../protocol/frames.ts';
import type { Sessions } from './sessions.ts';

export interface AccessRules {
  /** The control token: full access. */
  readonly token: string;
  /** Tokens that may only read. */
  readonly readTokens: readonly string[];
  readonly sessions: Sessions;
}

/** What a request may do by its bearer token or session cookie; throws PB_BAD_TOKEN or PB_NO_SESSION. */
export function authenticate(request: IncomingMessage, cookieName: string, rules: AccessRules): Access {
  const header = request.headers.authorization;
  if (header !== undefined) {
    // A token that is sent must be right: falling back to a cookie would hide a wrong one.
    const token = /^Bearer ([\w~+/.=-]{1,512})$/i.exec(header)?.[1];
    const access = token === undefined ? undefined : tokenAccess(token, rules);
    if (access === undefined) throw new CodedError('PB_BAD_TOKEN');
    return access;
  }
  const session = cookie(request.headers.cookie, cookieName);
  const access = session === undefined ? undefined : rules.sessions.access(session);
  if (access === undefined) throw new CodedError('PB_NO_SESSION');
  return access;
}

function tokenAccess(token: string, rules: AccessRules): Access | undefined {
  // Every token is compared, each in constant time: how long it takes says nothing.
  let access: Access | undefined;
  for (const readToken of rules.readTokens) if (same(token, readToken)) access = 'read';
  if (same(token, rules.token)) access = 'full';
  return access;
}

function same(a: string, b: string): boolean {
  return b !== '' && timingSafeEqual(digest(a), digest(b));
}

function digest(value: string): Buffer {
  return createHash('sha256').update(value).digest();
}

/** Value of one cookie; undefined when it is absent. */
export function cookie(header: string | undefined, name: string): string | undefined {
  for (const part of (header ?? '').split(';')) {
    const at = part.indexOf('=');
    if (at > 0 && part.slice(0, at).trim() === name) return part.slice(at + 1).trim();
  }
  return undefined;
}

/** Cookies are shared by all ports of a host: the name tells gateways apart. */
export function cookieName(port: number): string {
  return `patchbay_${port}`;
}
