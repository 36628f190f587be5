import type { Carrier } from './carrier.ts';
import { systemClock } from './clock.ts';

/** One end of a pair in memory; `hold` makes it a reader that does not read. */
export interface MemoryCarrier extends Carrier {
  /** While held, this end takes no frames: they wait at the sender's. */
  hold(held: boolean): void;
}

/**
 * Two carriers joined in memory. Frames arrive in a later task, never inside `send`; a task and
 * not a microtask, or a stream whose client keeps giving credit would let nothing else run.
 */
export function memoryPair(): [MemoryCarrier, MemoryCarrier] {
  const a = new End();
  const b = new End();
  a.join(b);
  b.join(a);
  return [a, b];
}

class End implements MemoryCarrier {
  buffered = 0;
  private peer: End | undefined;
  private inbox: string[] = [];
  private frameListener: ((frame: string) => void) | undefined;
  private closeListener: ((reason: string) => void) | undefined;
  private drainListener: (() => void) | undefined;
  private held = false;
  private scheduled = false;
  private closedWith: string | undefined;

  join(peer: End): void {
    this.peer = peer;
  }

  send(frame: string): void {
    if (this.closedWith !== undefined || this.peer === undefined) return;
    this.buffered += frame.length;
    this.peer.inbox.push(frame);
    this.peer.schedule();
  }

  onFrame(listener: (frame: string) => void): void {
    this.frameListener = listener;
    this.schedule();
  }

  onClose(listener: (reason: string) => void): void {
    this.closeListener = listener;
    if (this.closedWith !== undefined) listener(this.closedWith);
  }

  onDrain(listener: () => void): void {
    this.drainListener = listener;
  }

  close(reason = ''): void {
    const peer = this.peer;
    this.shut(reason);
    // What was sent before is still read, as on a real line.
    if (peer === undefined) return;
    systemClock.after(0, () => {
      peer.deliver();
      peer.shut(reason);
    });
  }

  hold(held: boolean): void {
    this.held = held;
    this.schedule();
  }

  private shut(reason: string): void {
    if (this.closedWith !== undefined) return;
    this.closedWith = reason;
    this.inbox = [];
    this.buffered = 0;
    this.peer = undefined;
    this.closeListener?.(reason);
  }

  private schedule(): void {
    if (this.scheduled || this.held || this.frameListener === undefined) return;
    this.scheduled = true;
    systemClock.after(0, () => {
      this.scheduled = false;
      this.deliver();
    });
  }

  private deliver(): void {
    const sender = this.peer;
    const frames = this.held || this.frameListener === undefined ? [] : this.inbox;
    if (frames.length === 0) return;
    this.inbox = [];
    for (const frame of frames) {
      if (this.closedWith !== undefined) return;
      if (sender !== undefined) sender.buffered = Math.max(0, sender.buffered - frame.length);
      this.frameListener?.(frame);
    }
    if (sender !== undefined && sender.closedWith === undefined) sender.drainListener?.();
  }
}
