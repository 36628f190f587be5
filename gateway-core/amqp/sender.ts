import { CodedError } from '../engine/error.ts';
import type { AmqpOutgoing, AmqpSendException, AmqpSender, AmqpSenderOptions } from '../plugin-api/amqp.ts';
import type { PeerConnection } from './peer-connection.ts';
import type { RheaDelivery, RheaMessages, RheaSender } from './rhea.ts';

/** One call of `send`. */
interface SentBatch {
  readonly messages: readonly AmqpOutgoing[];
  readonly exceptions: AmqpSendException[];
  left: number;
  /** The next one to give to the link. */
  next: number;
  readonly resolve: (exceptions: readonly AmqpSendException[]) => void;
  readonly timer: NodeJS.Timeout;
}

interface InFlight {
  readonly batch: SentBatch;
  readonly index: number;
}

/** A sending link, over all the connections it lives through. */
export class Sender implements AmqpSender {
  readonly address: string | undefined;
  readonly durable: boolean;
  private readonly url: string;
  private readonly timeoutMs: number;
  private peer: PeerConnection | undefined;
  private link: RheaSender | undefined;
  private readonly waiting: SentBatch[] = [];
  private readonly inFlight = new Map<RheaDelivery, InFlight>();

  constructor(url: string, options: AmqpSenderOptions) {
    this.url = url;
    this.address = options.address;
    this.durable = options.durable ?? false;
    this.timeoutMs = options.timeoutMs ?? 30_000;
  }

  get ready(): boolean {
    return this.link !== undefined;
  }

  /** The link is open on a new connection. */
  attached(peer: PeerConnection, link: RheaSender): void {
    this.peer = peer;
    this.link = link;
    const mine = (context: { delivery: RheaDelivery }): InFlight | undefined => {
      const entry = this.inFlight.get(context.delivery);
      this.inFlight.delete(context.delivery);
      return entry;
    };
    const notTaken = (outcome: string) => (context: { delivery: RheaDelivery }) => {
      this.settled(mine(context), () => new CodedError('PB_AMQP_NOT_TAKEN', { url: this.url, outcome }));
    };
    link.on('accepted', (context: { delivery: RheaDelivery }) => this.settled(mine(context)));
    link.on('released', notTaken('released'));
    link.on('modified', (context: { delivery: RheaDelivery }) => {
      const undeliverable = context.delivery.remote_state?.undeliverable_here === true;
      notTaken(undeliverable ? 'modified, undeliverable here' : 'modified')(context);
    });
    link.on('rejected', (context: { delivery: RheaDelivery }) => {
      const { condition = 'without a condition', description = '' } = context.delivery.remote_state?.error ?? {};
      this.settled(mine(context), () => new CodedError('PB_AMQP_REJECTED', { url: this.url, condition, description }));
    });
    link.on('settled', notTaken('settled without an outcome'));
    link.on('sendable', () => this.pump());
    this.pump();
  }

  /** The connection is gone: nobody knows what became of that which was in flight. */
  lost(why: string): void {
    this.peer = undefined;
    this.link = undefined;
    const error = new CodedError('PB_AMQP_CONNECTION_LOST', { url: this.url, why });
    const inFlight = [...this.inFlight.values()];
    this.inFlight.clear();
    for (const entry of inFlight) this.settled(entry, () => error);
    for (const batch of this.waiting.splice(0)) {
      while (batch.next < batch.messages.length) this.settled({ batch, index: batch.next++ }, () => error);
    }
  }

  send(messages: readonly AmqpOutgoing[]): Promise<readonly AmqpSendException[]> {
    if (messages.length === 0) return Promise.resolve([]);
    return new Promise((resolve) => {
      const batch: SentBatch = {
        messages,
        exceptions: [],
        left: messages.length,
        next: 0,
        resolve,
        timer: setTimeout(() => this.timedOut(batch), this.timeoutMs),
      };
      this.waiting.push(batch);
      if (this.link === undefined) this.lost('not connected');
      else this.pump();
    });
  }

  /** Gives the link as much as the peer has credit for; the rest waits here, where it can still be taken back. */
  private pump(): void {
    const { link, peer } = this;
    if (link === undefined || peer === undefined) return;
    const { outgoing } = link.session;
    let room = Math.min(
      link.credit - (outgoing.next_delivery_id - outgoing.next_pending_delivery),
      outgoing.available(),
    );
    while (room > 0) {
      const batch = this.waiting[0];
      if (batch === undefined) return;
      const index = batch.next++;
      if (batch.next >= batch.messages.length) this.waiting.shift();
      const message = batch.messages[index];
      if (message === undefined) continue;
      const payload = this.encode(peer.rhea.message, message);
      const limit = link.max_message_size ?? 0;
      if (payload instanceof CodedError) {
        this.settled({ batch, index }, () => payload);
      } else if (limit > 0 && payload.length > limit) {
        const description = `${payload.length} bytes, the limit there is ${limit}`;
        const details = { url: this.url, condition: 'amqp:link:message-size-exceeded', description };
        this.settled({ batch, index }, () => new CodedError('PB_AMQP_REJECTED', details));
      } else {
        this.inFlight.set(link.send(payload, undefined, 0), { batch, index });
        room--;
      }
    }
  }

  private encode(encoder: RheaMessages, message: AmqpOutgoing): Buffer | CodedError {
    const { body, properties: p = {} } = message;
    const bytes = typeof body === 'string' ? undefined : Buffer.from(body.buffer, body.byteOffset, body.byteLength);
    try {
      return encoder.encode({
        durable: message.durable ?? false,
        message_id: p.messageId,
        to: p.to,
        subject: p.subject,
        reply_to: p.replyTo,
        correlation_id: p.correlationId,
        content_type: p.contentType,
        content_encoding: p.contentEncoding,
        creation_time: p.creationTime,
        group_id: p.groupId,
        application_properties: message.applicationProperties,
        body: message.bodyAs === 'value' ? (bytes ?? body) : encoder.data_section(bytes ?? Buffer.from(body as string)),
      });
    } catch (error) {
      const description = error instanceof Error ? error.message : String(error);
      return new CodedError('PB_AMQP_REJECTED', { url: this.url, condition: 'amqp:encode-error', description });
    }
  }

  private settled(entry: InFlight | undefined, error?: () => CodedError): void {
    if (entry === undefined) return;
    const { batch, index } = entry;
    if (error !== undefined) {
      const { code, message: cause } = error();
      batch.exceptions.push({ index, kind: code === 'PB_AMQP_REJECTED' ? 'rejected' : 'retry', code, cause });
    }
    if (--batch.left === 0) {
      clearTimeout(batch.timer);
      batch.resolve(batch.exceptions);
    }
    if (this.waiting.length > 0) this.pump();
  }

  private timedOut(batch: SentBatch): void {
    const error = new CodedError('PB_AMQP_SEND_TIMEOUT', { url: this.url, seconds: this.timeoutMs / 1000 });
    const at = this.waiting.indexOf(batch);
    if (at >= 0) this.waiting.splice(at, 1);
    let sent = false;
    for (const [delivery, entry] of this.inFlight) {
      if (entry.batch !== batch) continue;
      sent = true;
      this.inFlight.delete(delivery);
      this.settled(entry, () => error);
    }
    while (batch.next < batch.messages.length) this.settled({ batch, index: batch.next++ }, () => error);
    // A peer that took messages and says nothing of them is not to be trusted with more on this connection.
    if (sent) this.peer?.fail(error);
  }
}
