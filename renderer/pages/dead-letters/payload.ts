/** A payload in the forms it can be looked at. */
import type { LetterPayload } from '../../../gateway-core/protocol/dead-letters.ts';

export type PayloadForm = 'formatted' | 'text' | 'hex';

/** The parsed value of a text that is JSON. */
export function jsonOf(payload: LetterPayload): { readonly value: unknown } | undefined {
  if (!('text' in payload)) return undefined;
  try {
    return { value: JSON.parse(payload.text) as unknown };
  } catch {
    return undefined;
  }
}

/** The forms that make sense, the best first. */
export function formsOf(payload: LetterPayload): readonly PayloadForm[] {
  if (payload.form === 'none' || payload.form === 'large') return [];
  if (payload.form === 'bytes') return ['hex'];
  return jsonOf(payload) === undefined ? ['text', 'hex'] : ['formatted', 'text', 'hex'];
}

export function bytesOf(payload: LetterPayload): Uint8Array {
  if ('text' in payload) return new TextEncoder().encode(payload.text);
  if (!('base64' in payload)) return new Uint8Array();
  return Uint8Array.from(atob(payload.base64), (char) => char.charCodeAt(0));
}

const PER_LINE = 16;

/** Offset, sixteen bytes, and what of them is printable ASCII; at most `limit` bytes. */
export function hexDump(data: Uint8Array, limit: number): string {
  const lines: string[] = [];
  for (let at = 0; at < Math.min(data.length, limit); at += PER_LINE) {
    const row = [...data.subarray(at, Math.min(at + PER_LINE, limit))];
    const hex = row.map((byte) => byte.toString(16).padStart(2, '0')).join(' ');
    const text = row.map((byte) => (byte > 31 && byte < 127 ? String.fromCharCode(byte) : '·')).join('');
    lines.push(`${at.toString(16).padStart(6, '0')}  ${hex.padEnd(PER_LINE * 3 - 1)}  ${text}`);
  }
  return lines.join('\n');
}
