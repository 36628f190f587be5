import { CodedError } from '../engine/error.ts';
import { Delivery } from './delivery.ts';
import type { Intake } from './intake.ts';
import type { PeerConnection } from './peer-connection.ts';
import type { RheaReceiver, RheaTypes } from './rhea.ts';
import { readSections } from './sections.ts';

/** What a fragment counts for at least: an array slot and a view. */
const FRAGMENT_COST = 128;

/**
 * To an endpoint `/collectd/telemetry` and `collectd/telemetry` are one address: collectd puts the slash before what
 * is configured, and Qpid's routers, which it was made for, take it away.
 */
export function withoutSlash(address: string): string {
  return address.startsWith('/') ? address.slice(1) : address;
}

/** One link on which messages come in: joins frames into messages, keeps its credit. */
export class ReceivingLink {
  readonly rhea: RheaReceiver;
  readonly peer: PeerConnection;
  readonly types: RheaTypes;
  /** False once the link or its connection is gone: nothing can be settled on it any more. */
  alive = true;
  /** Handed on or waiting to be, not settled. */
  unsettled = 0;
  private readonly intake: Intake;
  /** The link's own address; undefined for an anonymous terminus. */
  private readonly address: string | undefined;
  private parts: Buffer[] | undefined;
  private partsCost = 0;
  private id = 0;
  private presettled = false;
  private format = 0;
  /** The last `to`: nearly always the next one's too. */
  private lastTo: Buffer = Buffer.alloc(0);
  private lastAddress = '';

  constructor(intake: Intake, peer: PeerConnection, rhea: RheaReceiver, address: string | undefined) {
    this.intake = intake;
    this.peer = peer;
    this.types = peer.types;
    this.rhea = rhea;
    this.address = address;
    rhea.on_flow = ({ performative }): void => {
      // The answer to our drain; rhea's own reader of it writes to the console about brokers that answer twice.
      if (performative.drain !== true) return;
      rhea.credit = performative.link_credit ?? 0;
      rhea.delivery_count = performative.delivery_count ?? rhea.delivery_count;
      intake.drained();
    };
  }

  /** One transfer frame whose payload is `block[start..end)`. Throws a CodedError for what ends the connection. */
  transfer(
    id: number | undefined,
    format: number,
    settled: boolean,
    more: boolean,
    aborted: boolean,
    block: Buffer,
    start: number,
    end: number,
  ): void {
    if (this.parts === undefined) {
      if (id === undefined) {
        throw new CodedError('PB_AMQP_BAD_FRAME', { peer: this.peer.name, what: 'a transfer without a delivery-id' });
      }
      if (this.rhea.credit <= 0 && this.peer.heedsCredit) {
        throw new CodedError('PB_AMQP_CREDIT_IGNORED', { peer: this.peer.name });
      }
      if (!more && !aborted) {
        this.complete(id, format, settled, block, start, end, end - start);
        return;
      }
      this.id = id;
      this.format = format;
      this.presettled = false;
      this.parts = [];
      this.partsCost = 0;
    }
    if (settled) this.presettled = true;
    if (aborted) {
      this.dropParts();
      this.countTransfer();
      return;
    }
    const cost = Math.max(end - start, FRAGMENT_COST);
    this.partsCost += cost;
    this.peer.incomplete += cost;
    const { maxMessageSize } = this.peer.limits;
    if (this.partsCost > maxMessageSize || this.peer.incomplete > maxMessageSize * 2) {
      throw new CodedError('PB_AMQP_MESSAGE_TOO_LARGE', { peer: this.peer.name, limit: maxMessageSize });
    }
    this.parts.push(block.subarray(start, end));
    if (more) return;
    const whole = Buffer.concat(this.parts);
    this.dropParts();
    this.complete(this.id, this.format, this.presettled, whole, 0, whole.length, whole.length);
  }

  /** The peer has sent far more than it had credit for. */
  get overrun(): boolean {
    return this.unsettled > this.intake.window * 2;
  }

  /** Gives as much new credit as there is room for, once it is worth a frame. */
  topUp(): void {
    const { credit } = this.rhea;
    const { window } = this.intake;
    const wanted = window - this.unsettled;
    if (!this.alive || this.intake.draining || wanted <= 0) return;
    if (wanted > credit && wanted - credit >= window >>> 2) this.rhea.flow(wanted - credit);
  }

  /** The link is closed. */
  gone(): void {
    this.alive = false;
    this.dropParts();
  }

  private dropParts(): void {
    this.peer.incomplete -= this.partsCost;
    this.partsCost = 0;
    this.parts = undefined;
  }

  private countTransfer(): void {
    this.rhea.credit--;
    // Serial numbers of 32 bits; rhea lets them grow until it can't write them.
    this.rhea.delivery_count = (this.rhea.delivery_count + 1) >>> 0;
  }

  private complete(
    id: number,
    format: number,
    presettled: boolean,
    block: Buffer,
    start: number,
    end: number,
    bytes: number,
  ): void {
    this.countTransfer();
    const sections = readSections(this.types, block, start, end);
    if (format !== 0) {
      sections.body = undefined;
      sections.unsupported = `message format ${format}`;
    }
    const address = this.address ?? this.addressOf(block, sections.toStart, sections.toEnd);
    this.intake.take(new Delivery(this, id, address, presettled, bytes, block, sections));
  }

  private addressOf(block: Buffer, start: number, end: number): string {
    if (end === 0) return '';
    if (end - start !== this.lastTo.length || block.compare(this.lastTo, 0, this.lastTo.length, start, end) !== 0) {
      this.lastTo = Buffer.from(block.subarray(start, end));
      this.lastAddress = withoutSlash(this.lastTo.toString('utf8'));
    }
    return this.lastAddress;
  }
}
