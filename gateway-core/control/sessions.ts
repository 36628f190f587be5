import { createHash, randomBytes } from 'node:crypto';
import { mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import type { Access } from '../protocol/frames.ts';

/** Milliseconds a one-time code is good for. */
export const CODE_MS = 60_000;
/** Milliseconds a session lives on after its last use. */
export const SESSION_MS = 24 * 60 * 60 * 1000;
/** Unused codes and sessions kept; the oldest go first. */
const MAX_CODES = 16;
const MAX_SESSIONS = 32;

interface Grant {
  readonly access: Access;
  expires: number;
}

export interface SessionsOptions {
  /** Keeps sessions (their hashes only, 0600) over a restart of the gateway, so that open panels come back by themselves. */
  readonly file?: string;
  readonly now?: () => number;
}

/**
 * One-time codes and the browser sessions they are traded for. Both are 256 random bits and only
 * their hashes are kept: a read of our memory or file lets nobody in, and a lookup by hash leaks
 * nothing by its time.
 */
export class Sessions {
  private readonly codes = new Map<string, Grant>();
  private readonly sessions = new Map<string, Grant>();
  private readonly file: string | undefined;
  private readonly now: () => number;

  constructor(options: SessionsOptions = {}) {
    this.file = options.file;
    this.now = options.now ?? Date.now;
    this.load();
  }

  /** A fresh code, good once and for {@link CODE_MS}. */
  issueCode(access: Access): string {
    const code = secret();
    this.codes.set(hash(code), { access, expires: this.now() + CODE_MS });
    bound(this.codes, MAX_CODES);
    return code;
  }

  /** Trades a code for a session; undefined when the code is unknown, used or expired. */
  redeem(code: string): { readonly session: string; readonly access: Access } | undefined {
    const key = hash(code);
    const grant = this.codes.get(key);
    this.codes.delete(key);
    if (grant === undefined || grant.expires <= this.now()) return undefined;
    const session = secret();
    this.sessions.set(hash(session), { access: grant.access, expires: this.now() + SESSION_MS });
    bound(this.sessions, MAX_SESSIONS);
    this.save();
    return { session, access: grant.access };
  }

  /** What a session may do; using it prolongs it. Undefined when unknown or expired. */
  access(session: string): Access | undefined {
    const key = hash(session);
    const grant = this.sessions.get(key);
    if (grant === undefined) return undefined;
    const now = this.now();
    if (grant.expires <= now) {
      this.sessions.delete(key);
      return undefined;
    }
    // The file follows by the hour, not at every request.
    const prolongs = now + SESSION_MS - grant.expires > 60 * 60 * 1000;
    grant.expires = now + SESSION_MS;
    // Re-inserted, so that the one unused for longest is the first to go.
    this.sessions.delete(key);
    this.sessions.set(key, grant);
    if (prolongs) this.save();
    return grant.access;
  }

  private load(): void {
    if (this.file === undefined) return;
    let kept: unknown;
    try {
      kept = JSON.parse(readFileSync(this.file, 'utf8'));
    } catch {
      // None yet, or damaged: everybody signs in anew.
      return;
    }
    if (!Array.isArray(kept)) return;
    for (const entry of kept as readonly unknown[]) {
      if (!Array.isArray(entry)) continue;
      const [key, access, expires] = entry as readonly unknown[];
      if (
        typeof key === 'string' &&
        (access === 'full' || access === 'read') &&
        typeof expires === 'number' &&
        expires > this.now()
      ) {
        this.sessions.set(key, { access, expires });
      }
    }
    bound(this.sessions, MAX_SESSIONS);
  }

  private save(): void {
    if (this.file === undefined) return;
    const rows = [...this.sessions].map(([key, grant]) => [key, grant.access, grant.expires]);
    mkdirSync(dirname(this.file), { recursive: true, mode: 0o700 });
    const next = `${this.file}.new`;
    writeFileSync(next, JSON.stringify(rows), { mode: 0o600 });
    renameSync(next, this.file);
  }
}

function secret(): string {
  return randomBytes(32).toString('base64url');
}

function hash(value: string): string {
  return createHash('sha256').update(value).digest('base64url');
}

function bound(grants: Map<string, Grant>, limit: number): void {
  for (const key of grants.keys()) {
    if (grants.size <= limit) return;
    grants.delete(key);
  }
}
