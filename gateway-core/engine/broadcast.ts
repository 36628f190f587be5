import type { StreamOut } from '../protocol/handlers.ts';

/** Items to every subscriber of a stream; a client without credit misses what is newer than its bound. */
export class Broadcast<Item> {
  private readonly outs = new Set<StreamOut<Item>>();
  private readonly waiting = new Map<StreamOut<Item>, Item[]>();
  private readonly keep: number;

  /** `keep`: items held for a client without credit; the oldest make room. */
  constructor(keep: number) {
    this.keep = keep;
  }

  get size(): number {
    return this.outs.size;
  }

  add(out: StreamOut<Item>): () => void {
    this.outs.add(out);
    out.onReady(() => this.drain(out));
    return () => {
      this.outs.delete(out);
      this.waiting.delete(out);
    };
  }

  send(item: Item): void {
    for (const out of this.outs) {
      if ((this.waiting.get(out)?.length ?? 0) === 0 && out.send(item)) continue;
      const queue = this.waiting.get(out) ?? [];
      queue.push(item);
      if (queue.length > this.keep) queue.shift();
      this.waiting.set(out, queue);
    }
  }

  private drain(out: StreamOut<Item>): void {
    const queue = this.waiting.get(out);
    while (queue !== undefined && queue.length > 0 && out.send(queue[0] as Item)) queue.shift();
  }
}
