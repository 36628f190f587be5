import { Refused, type AmqpDelivery, type Message, type MessageInit } from 'patchbay/plugin-api';

type Make = (init: MessageInit) => Message;
type Attributes = Readonly<Record<string, unknown>>;

/** What is emitted for a batch of deliveries. */
export interface Emitted {
  readonly entries: readonly (Message | Refused)[];
  /** For each entry the index of its delivery; undefined: entry i is delivery i. */
  readonly owners: readonly number[] | undefined;
}

/** Addresses are few; should they not be, a new cache is cheaper than a leak. */
const MAX_CACHED = 1_000;

/** Turns deliveries into messages, with as little as possible made per message. */
export class ToMessages {
  private readonly make: Make;
  private readonly attributesOf = new Map<string, Attributes>();

  constructor(make: Make) {
    this.make = make;
  }

  convert(deliveries: readonly AmqpDelivery[]): Emitted {
    const entries: (Message | Refused)[] = [];
    let owners: number[] | undefined;
    for (let i = 0; i < deliveries.length; i++) {
      const delivery = deliveries[i] as AmqpDelivery;
      const { body } = delivery;
      if (delivery.unsupported === '' && !isList(body)) {
        entries.push(this.make(this.describe(delivery, body)));
      } else {
        owners ??= Array.from(entries, (_, index) => index);
        this.convertOther(delivery, entries);
      }
      if (owners !== undefined) while (owners.length < entries.length) owners.push(i);
    }
    return { entries, owners };
  }

  private convertOther(delivery: AmqpDelivery, entries: (Message | Refused)[]): void {
    const { body, unsupported } = delivery;
    if (unsupported !== '' || !isList(body)) {
      entries.push(this.refuse(delivery, unsupported));
      return;
    }
    if (body.length === 0) entries.push(this.refuse(delivery, 'an empty list'));
    for (let i = 0; i < body.length; i++) {
      const element: unknown = body[i];
      const init = this.describe(delivery, element);
      // One id for several messages would make them one: each has its place in the list.
      const own = init.id === undefined ? init : { ...init, id: `${init.id}#${i}` };
      entries.push(isData(element) ? this.make(own) : this.refuse(delivery, `element ${i} of its list is no data`));
    }
  }

  private refuse(delivery: AmqpDelivery, what: string): Refused {
    const cause = `The body of the AMQP message cannot be taken: ${what}`;
    return new Refused('PB_AMQP1_BODY', cause, this.make(this.describe(delivery, '')));
  }

  private describe(delivery: AmqpDelivery, data: unknown): MessageInit {
    if (!delivery.hasProperties) return { data, attributes: this.addressOnly(delivery.address) };
    const { messageId, subject, contentType, contentEncoding, correlationId, replyTo, groupId, creationTime, to } =
      delivery.properties;
    const application = delivery.applicationProperties;
    return {
      data,
      id: messageId,
      subject,
      time: creationTime,
      partitionkey: groupId,
      attributes: {
        address: delivery.address,
        ...(messageId === undefined ? {} : { 'message-id': messageId }),
        ...(to === undefined ? {} : { to }),
        ...(subject === undefined ? {} : { subject }),
        ...(contentType === undefined ? {} : { 'content-type': contentType, datacontenttype: contentType }),
        ...(contentEncoding === undefined ? {} : { 'content-encoding': contentEncoding }),
        ...(correlationId === undefined ? {} : { 'correlation-id': correlationId }),
        ...(replyTo === undefined ? {} : { 'reply-to': replyTo }),
        ...(groupId === undefined ? {} : { 'group-id': groupId }),
        ...(application === undefined ? {} : { application: plain(application) }),
      },
    };
  }

  private addressOnly(address: string): Attributes {
    let attributes = this.attributesOf.get(address);
    if (attributes === undefined) {
      if (this.attributesOf.size >= MAX_CACHED) this.attributesOf.clear();
      attributes = Object.freeze({ address });
      this.attributesOf.set(address, attributes);
    }
    return attributes;
  }
}

function isList(body: AmqpDelivery['body']): body is readonly unknown[] {
  return Array.isArray(body);
}

/** Bytes, text, or a value that JSON has too. */
function isData(value: unknown): boolean {
  if (value === null || value === undefined) return false;
  if (typeof value !== 'object') return typeof value !== 'function';
  if (value instanceof Uint8Array || Array.isArray(value)) return true;
  return Object.getPrototypeOf(value) === Object.prototype;
}

/** Application properties may hold any AMQP simple type; those JSON lacks go as text. */
function plain(properties: Readonly<Record<string, unknown>>): Record<string, unknown> {
  const out: Record<string, unknown> = {};
  for (const [name, value] of Object.entries(properties)) {
    if (name === '__proto__') continue;
    if (value instanceof Date) out[name] = Number.isNaN(value.getTime()) ? null : value.toISOString();
    else if (value instanceof Uint8Array) out[name] = Buffer.from(value).toString('hex');
    else out[name] = value !== null && typeof value === 'object' ? String(value) : value;
  }
  return out;
}
