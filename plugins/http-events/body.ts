import type { IncomingMessage } from 'node:http';
import { Rejection } from './answer.ts';

/** How much of what is too large is read and thrown away, so that its sender gets to read the answer. */
const DISCARD_BYTES = 16 * 2 ** 20;

/** The whole body, in memory of its own. Throws a 413 beyond `limit` bytes; rejects when the sender goes away. */
export function readBody(request: IncomingMessage, limit: number): Promise<Uint8Array> {
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    let size = 0;
    request.on('data', (chunk: Buffer) => {
      size += chunk.length;
      if (size <= limit) {
        chunks.push(chunk);
      } else {
        chunks.length = 0;
        if (size > limit + DISCARD_BYTES) reject(tooLarge(limit));
      }
    });
    request.on('end', () => {
      if (size > limit) reject(tooLarge(limit));
      else resolve(joined(chunks, size));
    });
    request.on('error', reject);
    request.on('close', () => reject(new Error('the sender went away')));
  });
}

/** Reads what is still to come and throws it away. False: that was too much, or the sender went away. */
export function discardBody(request: IncomingMessage): Promise<boolean> {
  return new Promise((resolve) => {
    let size = 0;
    request.on('data', (chunk: Buffer) => {
      size += chunk.length;
      if (size > DISCARD_BYTES) resolve(false);
    });
    request.on('end', () => resolve(true));
    request.on('close', () => resolve(false));
    request.on('error', () => resolve(false));
  });
}

export function tooLarge(limit: number): Rejection {
  return new Rejection(413, 'PB_HTTP_EVENTS_TOO_LARGE', `the body is larger than ${limit} bytes`);
}

/** Not of Node's pool: that memory cannot be handed on. */
function joined(chunks: readonly Buffer[], size: number): Uint8Array {
  const bytes = new Uint8Array(size);
  let at = 0;
  for (const chunk of chunks) {
    bytes.set(chunk, at);
    at += chunk.length;
  }
  return bytes;
}
