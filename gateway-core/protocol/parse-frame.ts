import type { ClientFrame, EngineFrame } from './frames.ts';

/** Why a text is no frame; `id` when it names a call that is waiting for an answer. */
export interface FrameFault {
  readonly fault: string;
  readonly id?: number;
}

type Fields = Readonly<Record<string, unknown>>;

function isFields(value: unknown): value is Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function isId(value: unknown): value is number {
  return Number.isSafeInteger(value) && (value as number) >= 0;
}

/** Depth of nesting of a JSON text, counted without parsing it: strings are skipped. */
function tooDeep(text: string, limit: number): boolean {
  let depth = 0;
  let quoted = false;
  for (let i = 0; i < text.length; i++) {
    const c = text.charCodeAt(i);
    if (quoted) {
      if (c === 0x5c) i++;
      else if (c === 0x22) quoted = false;
    } else if (c === 0x22) quoted = true;
    else if (c === 0x5b || c === 0x7b) {
      if (++depth > limit) return true;
    } else if (c === 0x5d || c === 0x7d) depth--;
  }
  return false;
}

function parse(text: string): Fields | FrameFault {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return { fault: text === '' ? 'no text' : 'not JSON' };
  }
  return isFields(value) ? value : { fault: 'not a JSON object' };
}

/** Reads a client's frame. Never throws, whatever the text. */
export function parseClientFrame(text: string, maxDepth: number): ClientFrame | FrameFault {
  if (tooDeep(text, maxDepth)) return { fault: `nested deeper than ${maxDepth}` };
  const frame = parse(text);
  if ('fault' in frame && !('t' in frame)) return { fault: String(frame['fault']) };
  const { t, id } = frame as Fields;
  if (t === 'hello') {
    const { versions, client } = frame as Fields;
    if (!Array.isArray(versions) || versions.length > 100 || !versions.every(isId))
      return { fault: 'hello without versions' };
    if (typeof client !== 'string' || client.length > 100) return { fault: 'hello without a client name' };
    return { t, versions, client };
  }
  if (typeof t !== 'string') return { fault: 'no frame type' };
  if (!isId(id)) return { fault: `${t.slice(0, 20)} without an id` };
  const { method, stream, params, credit } = frame as Fields;
  switch (t) {
    case 'call':
      if (typeof method !== 'string') return { fault: 'call without a method', id };
      return { t, id, method, params };
    case 'subscribe':
      if (typeof stream !== 'string') return { fault: 'subscribe without a stream', id };
      if (typeof credit !== 'number') return { fault: 'subscribe without credit', id };
      return { t, id, stream, params, credit };
    case 'credit':
      if (typeof credit !== 'number') return { fault: 'credit without a number' };
      return { t, id, credit };
    case 'cancel':
    case 'unsubscribe':
      return { t, id };
    default:
      return { fault: `unknown frame type ${t.slice(0, 20)}` };
  }
}

/** Reads an engine's frame: only its form is checked, its values are the engine's word. */
export function parseEngineFrame(text: string): EngineFrame | FrameFault {
  const frame = parse(text);
  if ('fault' in frame && !('t' in frame)) return { fault: String(frame['fault']) };
  const fields = frame as Fields;
  const { t, id } = fields;
  switch (t) {
    case 'welcome':
      if (typeof fields['version'] === 'number' && typeof fields['epoch'] === 'string')
        return fields as unknown as EngineFrame;
      return { fault: 'welcome without a version or an epoch' };
    case 'result':
    case 'item':
    case 'end':
      return isId(id) ? (fields as unknown as EngineFrame) : { fault: `${t} without an id` };
    case 'error': {
      const { error } = fields;
      if (!isFields(error) || typeof error['code'] !== 'string' || typeof error['message'] !== 'string')
        return { fault: 'error without a code' };
      return id === undefined || isId(id) ? (fields as unknown as EngineFrame) : { fault: 'error with a wrong id' };
    }
    default:
      return { fault: 'unknown frame type' };
  }
}
