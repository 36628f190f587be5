import type { AmqpDelivery, AmqpIntake, AmqpOutcome, AmqpReceiveOptions } from '../plugin-api/amqp.ts';
import type { Delivery } from './delivery.ts';
import { encodeState, writeDisposition } from './disposition.ts';
import type { PeerConnection } from './peer-connection.ts';
import type { ReceivingLink } from './receiving-link.ts';
import type { Typed } from './rhea.ts';

/** Deliveries handed over together, and how many of them are not settled yet. */
export interface Batch {
  readonly deliveries: readonly Delivery[];
  left: number;
}

/** Links share this many times the credit of one, so that a thousand clients cost no thousand windows. */
const SHARED_WINDOWS = 16;
const SMALLEST_WINDOW = 16;
/** How long drain waits for peers to hand back their credit: not all of them ever do. */
const DRAIN_MS = 250;

const RELEASED: AmqpOutcome = { kind: 'released' };

/**
 * All that comes in for one consumer, over any number of links and connections: batches by I/O
 * turn, hands them over one after another, settles by ranges, gives credit as it is settled.
 *
 * It stands in the place of rhea's own bookkeeping, which (3.0.5) writes one outcome over two
 * deliveries when a range begins with a single one of another outcome, so that a released message
 * may be reported accepted; which ends each link after 2^32 messages; loops over any range a peer
 * names; and makes five closures per message.
 */
export class Intake implements AmqpIntake {
  draining = false;
  unsettled = 0;
  private readonly options: AmqpReceiveOptions;
  private readonly credit: number;
  private readonly maxBatch: number;
  private readonly maxHeldBytes: number;
  private readonly links = new Set<ReceivingLink>();
  private readonly open = new Set<Batch>();
  private queue: Delivery[] = [];
  private queueHasGone = false;
  private busy = false;
  private scheduled = false;
  private closed = false;
  private heldBytes = 0;
  private readonly paused = new Set<PeerConnection>();
  private idle: (() => void) | undefined;

  constructor(options: AmqpReceiveOptions, maxHeldBytes: number) {
    this.options = options;
    this.credit = options.credit ?? 4_096;
    this.maxBatch = options.maxBatch ?? 512;
    this.maxHeldBytes = maxHeldBytes;
  }

  /** Credit of one link. */
  get window(): number {
    const share = Math.floor((this.credit * SHARED_WINDOWS) / Math.max(1, this.links.size));
    return Math.min(this.credit, Math.max(SMALLEST_WINDOW, share));
  }

  /** True when this address is taken in. */
  serves(address: string): boolean {
    const { addresses } = this.options;
    return addresses === undefined || addresses.length === 0 || addresses.includes(address);
  }

  add(link: ReceivingLink): void {
    this.links.add(link);
    link.topUp();
  }

  /** The link or its connection is gone. What waits on it is forgotten: its sender delivers it again. */
  remove(link: ReceivingLink): void {
    if (!this.links.delete(link)) return;
    link.gone();
    this.queueHasGone = true;
    this.checkIdle();
  }

  /** A connection is gone, with its links removed. */
  forget(peer: PeerConnection): void {
    this.paused.delete(peer);
  }

  take(delivery: Delivery): void {
    this.unsettled++;
    delivery.link.unsettled++;
    this.heldBytes += delivery.bytes;
    if (this.heldBytes > this.maxHeldBytes || delivery.link.overrun) {
      const { peer } = delivery.link;
      if (!this.paused.has(peer)) {
        this.paused.add(peer);
        peer.pause();
      }
    }
    if (this.closed) {
      this.settle([delivery], RELEASED);
      return;
    }
    if (!this.serves(delivery.address)) {
      delivery.link.peer.refuseMessage(delivery.address);
      this.settle([delivery], {
        kind: 'rejected',
        condition: 'amqp:not-found',
        description: `${delivery.address === '' ? 'a message without an address' : delivery.address} is not served here`,
      });
      return;
    }
    this.queue.push(delivery);
    if (this.queue.length >= this.maxBatch) {
      if (!this.busy) this.handOver();
    } else if (!this.scheduled) {
      this.scheduled = true;
      setImmediate(this.turn);
    }
  }

  settle(deliveries: readonly AmqpDelivery[], outcome: AmqpOutcome, from = 0, to = deliveries.length): void {
    const all = deliveries as readonly Delivery[];
    let state: Typed | undefined;
    let i = from;
    let link: ReceivingLink | undefined;
    while (i < to) {
      const first = all[i++];
      if (first === undefined || !this.markSettled(first)) continue;
      if (first.link !== link) {
        link?.topUp();
        link = first.link;
      }
      if (first.presettled || !link.alive) continue;
      const { session } = link.rhea;
      let last = first.id;
      while (i < to) {
        const next = all[i];
        if (next === undefined || next.id !== (last + 1) >>> 0 || next.presettled || next.settled) break;
        if (next.link !== link) {
          if (next.link.rhea.session !== session) break;
          link.topUp();
          link = next.link;
        }
        this.markSettled(next);
        last = next.id;
        i++;
      }
      state ??= encodeState(link.peer.rhea, outcome);
      writeDisposition(link.peer.rhea.types, session, first.id, last, state);
    }
    link?.topUp();
    if (this.paused.size > 0 && this.heldBytes < this.maxHeldBytes / 2) {
      for (const peer of this.paused) {
        if (peer.overrun) continue;
        this.paused.delete(peer);
        peer.resume();
      }
    }
    if (this.unsettled === 0) this.checkIdle();
  }

  async drain(): Promise<void> {
    this.draining = true;
    for (const link of this.links) if (link.alive && link.rhea.credit > 0) link.rhea.drain_credit();
    if (!this.isDrained()) await this.untilIdle();
    // What a peer goes on to send is given back to it.
    this.closed = true;
    this.settle(this.queue.splice(0), RELEASED);
  }

  private async untilIdle(): Promise<void> {
    await new Promise<void>((resolve) => {
      const timer = setTimeout(done, DRAIN_MS);
      function done(): void {
        clearTimeout(timer);
        resolve();
      }
      this.idle = done;
    });
    this.idle = undefined;
  }

  /** Releases all that is unsettled. The owner closes the connections. */
  close(): Promise<void> {
    this.draining = true;
    this.closed = true;
    this.settle(this.queue.splice(0), RELEASED);
    for (const batch of this.open) this.settle(batch.deliveries, RELEASED);
    this.open.clear();
    return Promise.resolve();
  }

  /** A peer handed its credit back. */
  drained(): void {
    this.checkIdle();
  }

  private isDrained(): boolean {
    if (this.queue.length > 0 || this.busy) return false;
    for (const link of this.links) if (link.alive && link.rhea.credit > 0) return false;
    return true;
  }

  private checkIdle(): void {
    if (this.idle !== undefined && this.isDrained()) this.idle();
  }

  private readonly turn = (): void => {
    this.scheduled = false;
    if (!this.busy && this.queue.length > 0) this.handOver();
  };

  private handOver(): void {
    if (this.queueHasGone) {
      this.queueHasGone = false;
      const kept: Delivery[] = [];
      const lost: Delivery[] = [];
      for (const delivery of this.queue) (delivery.link.alive || delivery.presettled ? kept : lost).push(delivery);
      this.queue = kept;
      this.settle(lost, RELEASED);
      if (kept.length === 0) return;
    }
    let deliveries = this.queue;
    if (deliveries.length > this.maxBatch) deliveries = this.queue.splice(0, this.maxBatch);
    else this.queue = [];
    const batch: Batch = { deliveries, left: deliveries.length };
    for (const delivery of deliveries) delivery.batch = batch;
    this.open.add(batch);
    const room = this.options.onDeliveries(deliveries);
    if (room === undefined) {
      if (this.queue.length > 0 && !this.scheduled) {
        this.scheduled = true;
        setImmediate(this.turn);
      } else {
        this.checkIdle();
      }
      return;
    }
    this.busy = true;
    room.then(this.roomAgain, this.roomAgain);
  }

  private readonly roomAgain = (): void => {
    this.busy = false;
    if (this.closed) return;
    // A full batch goes at once; a smaller one waits for what this turn still brings.
    if (this.queue.length >= this.maxBatch) this.handOver();
    else if (this.queue.length > 0 && !this.scheduled) {
      this.scheduled = true;
      setImmediate(this.turn);
    } else this.checkIdle();
  };

  /** False when it was settled before. */
  private markSettled(delivery: Delivery): boolean {
    if (delivery.settled) return false;
    delivery.settled = true;
    delivery.link.unsettled--;
    this.unsettled--;
    this.heldBytes -= delivery.bytes;
    const { batch } = delivery;
    if (batch !== undefined && --batch.left === 0) this.open.delete(batch);
    return true;
  }
}
