import type { PeerConnection } from './peer-connection.ts';
import type { RheaDisposition, RheaFrame, RheaIncoming, RheaReceiver, RheaSession, RheaTransfer } from './rhea.ts';

/** Transfer frames a peer may send ahead on one session. Credit bounds the messages; this only must not be what slows them. */
export const SESSION_WINDOW = 16_384;

const NOTHING = Buffer.alloc(0);

/** In the place of rhea's own bookkeeping of incoming transfers; see Intake. */
export class SessionIntake implements RheaIncoming {
  readonly window = SESSION_WINDOW;
  next_transfer_id = 0;
  private left = SESSION_WINDOW;
  private readonly peer: PeerConnection;

  constructor(peer: PeerConnection) {
    this.peer = peer;
  }

  get max_transfer_id(): number {
    return this.next_transfer_id + this.left;
  }

  /** rhea sets it when it has told the peer our window anew. */
  set max_transfer_id(_value: number) {
    this.left = SESSION_WINDOW;
  }

  on_begin(fields: { readonly next_outgoing_id: number }): void {
    this.next_transfer_id = fields.next_outgoing_id;
  }

  on_flow(fields: { readonly next_outgoing_id: number }): void {
    this.next_transfer_id = fields.next_outgoing_id;
  }

  /** Every delivery is settled by us first: there is nothing to learn from the sender's own settling. */
  on_disposition(_fields: RheaDisposition): void {}

  /** The transfers that the quick way in wire.ts leaves to rhea's decoder. */
  on_transfer(frame: RheaFrame<RheaTransfer>, receiver: RheaReceiver): void {
    const { performative, payload = NOTHING } = frame;
    this.count(receiver.session);
    this.peer
      .linkOf(receiver)
      .transfer(
        performative.delivery_id ?? undefined,
        performative.message_format ?? 0,
        performative.settled === true,
        performative.more === true,
        performative.aborted === true,
        payload,
        0,
        payload.length,
      );
  }

  /** One transfer frame has come in. */
  count(session: RheaSession): void {
    this.next_transfer_id = (this.next_transfer_id + 1) >>> 0;
    if (--this.left < SESSION_WINDOW / 2) session.connection._register();
  }

  process(session: RheaSession): void {
    if (this.left < SESSION_WINDOW / 2) session._write_flow();
  }
}
