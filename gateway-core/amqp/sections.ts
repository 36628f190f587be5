import type { AmqpProperties } from '../plugin-api/amqp.ts';
import type { RheaTypes } from './rhea.ts';

/** Section codes (AMQP 1.0, section 3.2). */
const PROPERTIES = 0x73;
const APPLICATION_PROPERTIES = 0x74;
const DATA = 0x75;
const SEQUENCE = 0x76;
const VALUE = 0x77;

/** What one message holds, as far as it is looked at when it comes in. */
export interface Sections {
  body: Uint8Array | string | readonly unknown[] | undefined;
  unsupported: string;
  /** Where `to` lies in the block; 0, 0 when there is none. */
  toStart: number;
  toEnd: number;
  /** Where the sections' values begin in the block; 0 when absent. */
  propertiesAt: number;
  applicationPropertiesAt: number;
  /** The properties have more in them than `to`. */
  more: boolean;
}

/** Where the value at `at` ends, by its type code (AMQP 1.0, section 1.2). Past the end of the block for a broken one. */
function endOf(block: Buffer, at: number): number {
  const code = block[at] ?? 0x40;
  switch (code >>> 4) {
    case 0x4:
      return at + 1;
    case 0x5:
      return at + 2;
    case 0x6:
      return at + 3;
    case 0x7:
      return at + 5;
    case 0x8:
      return at + 9;
    case 0x9:
      return at + 17;
    case 0xa:
    case 0xc:
    case 0xe:
      return at + 2 + block.readUInt8(at + 1);
    case 0xb:
    case 0xd:
    case 0xf:
      return at + 5 + block.readUInt32BE(at + 1);
    default:
      throw new RangeError(`unknown type code 0x${code.toString(16)}`);
  }
}

const SYMBOLS: Readonly<Record<string, number>> = {
  'amqp:header:list': 0x70,
  'amqp:delivery-annotations:map': 0x71,
  'amqp:message-annotations:map': 0x72,
  'amqp:properties:list': PROPERTIES,
  'amqp:application-properties:map': APPLICATION_PROPERTIES,
  'amqp:data:binary': DATA,
  'amqp:amqp-sequence:list': SEQUENCE,
  'amqp:value:*': VALUE,
  'amqp:footer:map': 0x78,
};

function typeName(code: number): string {
  if (code === 0x40) return 'null';
  if (code === 0x41 || code === 0x42 || code === 0x56) return 'boolean';
  if (code === 0xc1 || code === 0xd1) return 'map';
  if (code === 0xe0 || code === 0xf0) return 'array';
  if (code === 0x00) return 'described type';
  if (code === 0x98) return 'uuid';
  if (code === 0x83) return 'timestamp';
  return 'number';
}

/**
 * Reads the message at `block[start..end)`. Never throws: what can't be read is `unsupported`
 * with the reason. By hand rather than by rhea's decoder, which makes an object for every value
 * of every section: this is most of what a message costs.
 */
export function readSections(types: RheaTypes, block: Buffer, start: number, end: number): Sections {
  const found: Sections = {
    body: undefined,
    unsupported: '',
    toStart: 0,
    toEnd: 0,
    propertiesAt: 0,
    applicationPropertiesAt: 0,
    more: false,
  };
  try {
    read(types, block, start, end, found);
    if (found.body === undefined && found.unsupported === '') found.unsupported = 'no body';
  } catch (error) {
    found.body = undefined;
    found.unsupported = `malformed: ${error instanceof Error ? error.message : String(error)}`;
  }
  return found;
}

function read(types: RheaTypes, block: Buffer, start: number, end: number, found: Sections): void {
  let at = start;
  let parts: Uint8Array[] | undefined;
  while (at < end) {
    if (block[at] !== 0) throw new RangeError('a section without a descriptor');
    let section: number;
    if (block[at + 1] === 0x53) {
      section = block[at + 2] ?? 0;
      at += 3;
    } else {
      const value = endOf(block, at + 1);
      const code = block[at + 1];
      if (code === 0x80) section = block.readUInt32BE(at + 2) === 0 ? block.readUInt32BE(at + 6) : 0;
      else if (code === 0xa3) section = SYMBOLS[block.toString('latin1', at + 3, value)] ?? 0;
      else section = 0;
      at = value;
    }
    const after = endOf(block, at);
    if (after > end) throw new RangeError('a section that goes on beyond the message');
    switch (section) {
      case VALUE:
        readValue(types, block, at, after, found);
        break;
      case DATA: {
        const code = block[at];
        if (code !== 0xa0 && code !== 0xb0) throw new RangeError('a data section that is not binary');
        const bytes = block.subarray(at + (code === 0xa0 ? 2 : 5), after);
        if (found.body === undefined) found.body = bytes;
        else if (parts === undefined) parts = [found.body as Uint8Array, bytes];
        else parts.push(bytes);
        break;
      }
      case SEQUENCE: {
        const list = readList(types, block, at, after);
        found.body = found.body === undefined ? list : [...(found.body as readonly unknown[]), ...list];
        break;
      }
      case PROPERTIES:
        found.propertiesAt = at;
        readTo(block, at, after, found);
        break;
      case APPLICATION_PROPERTIES:
        found.applicationPropertiesAt = at;
        break;
      default:
      // Header, annotations, footer, and sections of a later version: not ours.
    }
    at = after;
  }
  if (parts !== undefined) found.body = Buffer.concat(parts);
}

function readValue(types: RheaTypes, block: Buffer, at: number, after: number, found: Sections): void {
  const code = block[at] ?? 0;
  switch (code) {
    case 0xa0:
      found.body = block.subarray(at + 2, after);
      break;
    case 0xb0:
      found.body = block.subarray(at + 5, after);
      break;
    case 0xa1:
    case 0xa3:
      found.body = block.toString('utf8', at + 2, after);
      break;
    case 0xb1:
    case 0xb3:
      found.body = block.toString('utf8', at + 5, after);
      break;
    case 0x45:
    case 0xc0:
    case 0xd0:
      found.body = readList(types, block, at, after);
      break;
    default:
      found.unsupported = `amqp-value of ${typeName(code)}`;
  }
}

function readList(types: RheaTypes, block: Buffer, at: number, after: number): readonly unknown[] {
  const value = types.unwrap(new types.Reader(block.subarray(at, after)).read());
  if (!Array.isArray(value)) throw new RangeError('a sequence that is not a list');
  return value;
}

/** Finds the third element, `to`, and whether any other is there. */
function readTo(block: Buffer, at: number, after: number, found: Sections): void {
  const code = block[at];
  if (code === 0x45) return;
  let item: number;
  let count: number;
  if (code === 0xc0) {
    count = block.readUInt8(at + 2);
    item = at + 3;
  } else if (code === 0xd0) {
    count = block.readUInt32BE(at + 5);
    item = at + 9;
  } else {
    throw new RangeError('properties that are not a list');
  }
  for (let i = 0; i < count && item < after; i++) {
    const type = block[item];
    const next = endOf(block, item);
    if (type !== 0x40) {
      if (i !== 2) {
        found.more = true;
      } else if (type === 0xa1 || type === 0xb1) {
        found.toStart = item + (type === 0xa1 ? 2 : 5);
        found.toEnd = next;
      }
    }
    item = next;
  }
}

/** Message ids as text: uuid in its usual form, binary as hex, numbers in decimal. */
function idText(types: RheaTypes, value: unknown, typecode: number): string {
  if (typeof value === 'string') return value;
  if (value instanceof Uint8Array) {
    const hex = Buffer.from(value).toString('hex');
    if (typecode === 0x98) return hex.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5');
    return typecode === 0x80 ? BigInt(`0x${hex}`).toString() : hex;
  }
  return String(types.unwrap(value as never));
}

/** The properties section whose value begins at `at`. Throws RangeError or TypeError when it is malformed. */
export function readProperties(types: RheaTypes, block: Buffer, at: number): AmqpProperties {
  const list = new types.Reader(block.subarray(at)).read().value;
  if (!Array.isArray(list)) return {};
  const out: Record<string, string | number> = {};
  const items = list as { type: { typecode: number }; value: unknown }[];
  NAMES.forEach((name, i) => {
    const item = items[i];
    if (name === '' || item === undefined || item.value === null || item.value === undefined) return;
    if (name === 'messageId' || name === 'correlationId') out[name] = idText(types, item.value, item.type.typecode);
    else if (name === 'creationTime') {
      if (item.value instanceof Date && !Number.isNaN(item.value.getTime())) out[name] = item.value.getTime();
    } else if (typeof item.value === 'string') out[name] = item.value;
  });
  return out;
}

/** By their place in the list; empty: not ours to tell. */
const NAMES = [
  'messageId',
  '',
  'to',
  'subject',
  'replyTo',
  'correlationId',
  'contentType',
  'contentEncoding',
  '',
  'creationTime',
  'groupId',
] as const;

/** The application properties whose value begins at `at`. Throws RangeError or TypeError when they are malformed. */
export function readApplicationProperties(types: RheaTypes, block: Buffer, at: number): Record<string, unknown> {
  const typed = new types.Reader(block.subarray(at)).read();
  if (!Array.isArray(typed.value)) return {};
  return types.unwrap_map_simple(typed);
}
