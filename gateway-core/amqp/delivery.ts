import type { AmqpDelivery, AmqpProperties } from '../plugin-api/amqp.ts';
import type { Batch } from './intake.ts';
import type { ReceivingLink } from './receiving-link.ts';
import { readApplicationProperties, readProperties, type Sections } from './sections.ts';

const NO_PROPERTIES: AmqpProperties = Object.freeze({});

/** One message taken in, from its last frame until it is settled. */
export class Delivery implements AmqpDelivery {
  readonly link: ReceivingLink;
  /** The session's number for it. */
  readonly id: number;
  readonly address: string;
  readonly body: Uint8Array | string | readonly unknown[] | undefined;
  readonly unsupported: string;
  readonly presettled: boolean;
  readonly hasProperties: boolean;
  /** What it counts for against the bytes held. */
  readonly bytes: number;
  settled = false;
  batch: Batch | undefined = undefined;
  private readonly block: Buffer | undefined;
  private readonly propertiesAt: number;
  private readonly applicationPropertiesAt: number;

  constructor(
    link: ReceivingLink,
    id: number,
    address: string,
    presettled: boolean,
    bytes: number,
    block: Buffer,
    sections: Sections,
  ) {
    this.link = link;
    this.id = id;
    this.address = address;
    this.body = sections.body;
    this.unsupported = sections.unsupported;
    this.presettled = presettled;
    this.hasProperties = sections.more || sections.applicationPropertiesAt > 0;
    this.bytes = bytes;
    this.block = this.hasProperties ? block : undefined;
    this.propertiesAt = sections.propertiesAt;
    this.applicationPropertiesAt = sections.applicationPropertiesAt;
  }

  get properties(): AmqpProperties {
    if (this.block === undefined || this.propertiesAt === 0) return NO_PROPERTIES;
    try {
      return readProperties(this.link.types, this.block, this.propertiesAt);
    } catch {
      // Malformed inside, while body and address could be read: then there is nothing more to say of it.
      return NO_PROPERTIES;
    }
  }

  get applicationProperties(): Readonly<Record<string, unknown>> | undefined {
    if (this.block === undefined || this.applicationPropertiesAt === 0) return undefined;
    try {
      return readApplicationProperties(this.link.types, this.block, this.applicationPropertiesAt);
    } catch {
      return undefined;
    }
  }
}
