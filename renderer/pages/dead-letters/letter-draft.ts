/** A message as its editor holds it: everything is text. */
import type { LetterChange, LetterMessage } from '../../../gateway-core/protocol/dead-letters.ts';
import { texts } from '../../app/texts.ts';

export interface LetterDraft {
  readonly payload: string;
  readonly type: string;
  readonly subject: string;
  readonly partitionkey: string;
  readonly attributes: string;
}

export function draftOf({ payload, type, subject, partitionkey, attributes }: LetterMessage): LetterDraft {
  return {
    payload: 'text' in payload ? payload.text : 'base64' in payload ? payload.base64 : '',
    type,
    subject,
    partitionkey,
    attributes: JSON.stringify(attributes, null, 2),
  };
}

/** What differs from the message; undefined when nothing does. */
export function changeOf(draft: LetterDraft, message: LetterMessage): LetterChange | undefined {
  const was = draftOf(message);
  const attributes = draft.attributes === was.attributes ? undefined : objectOf(draft.attributes);
  const change: LetterChange = {
    ...(draft.payload === was.payload
      ? {}
      : { payload: message.payload.form === 'bytes' ? { base64: draft.payload } : { text: draft.payload } }),
    ...(draft.type === was.type ? {} : { type: draft.type }),
    ...(draft.subject === was.subject ? {} : { subject: draft.subject }),
    ...(draft.partitionkey === was.partitionkey ? {} : { partitionkey: draft.partitionkey }),
    ...(attributes === undefined ? {} : { attributes }),
  };
  return Object.keys(change).length === 0 ? undefined : change;
}

/** What can be said before the engine is asked. */
export function faultsOf(
  draft: LetterDraft,
  message: LetterMessage,
): { readonly payload: string | undefined; readonly attributes: string | undefined } {
  const t = texts.deadLetters.editor;
  const isJson = message.payload.form === 'json' || message.payload.form === 'metric';
  return {
    payload: isJson && parse(draft.payload) === undefined ? t.jsonFault : undefined,
    attributes: objectOf(draft.attributes) === undefined ? t.attributesFault : undefined,
  };
}

function parse(text: string): { readonly value: unknown } | undefined {
  try {
    return { value: JSON.parse(text) as unknown };
  } catch {
    return undefined;
  }
}

function objectOf(text: string): Readonly<Record<string, unknown>> | undefined {
  const value = parse(text)?.value;
  return typeof value === 'object' && value !== null && !Array.isArray(value)
    ? (value as Record<string, unknown>)
    : undefined;
}
