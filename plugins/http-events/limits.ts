import { createHash, timingSafeEqual } from 'node:crypto';
import { Rejection } from './answer.ts';

/** Says who shows the token, in a time that tells nothing of it. Without a token everyone does. */
export function bearerCheck(token: string | undefined): (authorization: string | undefined) => boolean {
  if (token === undefined) return () => true;
  const digest = (text: string): Buffer => createHash('sha256').update(text).digest();
  const expected = digest(token);
  return (authorization) => {
    const shown = /^Bearer +(\S+) *$/i.exec(authorization ?? '')?.[1];
    return timingSafeEqual(digest(shown ?? ''), expected) && shown !== undefined;
  };
}

/** So many requests a second, with one second's worth in store. */
export class RateLimit {
  private readonly perSecond: number;
  private store: number;
  private last: number;

  /** `perSecond` 0: no limit. `now` in milliseconds, monotonic. */
  constructor(perSecond: number, now: number) {
    this.perSecond = perSecond;
    this.store = perSecond;
    this.last = now;
  }

  /** Throws a 429 when there is none left. */
  take(now: number): void {
    if (this.perSecond === 0) return;
    this.store = Math.min(this.perSecond, this.store + ((now - this.last) * this.perSecond) / 1000);
    this.last = now;
    if (this.store < 1) {
      throw new Rejection(429, 'PB_HTTP_EVENTS_RATE', `more than ${this.perSecond} requests a second`, 1);
    }
    this.store -= 1;
  }
}
