import { CodedError } from '../engine/error.ts';

/** "AMQP", where a frame has its size: a protocol header, of which there may be two (SASL, then AMQP). */
const HEADER = 0x414d5150;

/**
 * Looks at the size of every frame before rhea gets a byte of it: rhea would wait for, and keep,
 * whatever size a header claims. Reads four bytes per frame and skips the rest.
 */
export class FrameGuard {
  private readonly peer: string;
  private readonly maxFrameSize: number;
  /** Bytes of the current frame still to come. */
  private skip = 0;
  /** A size that was cut by the end of a block: what is there of it, and how many bytes that is. */
  private cut = 0;
  private cutLength = 0;
  private begun = false;

  constructor(peer: string, maxFrameSize: number) {
    this.peer = peer;
    this.maxFrameSize = maxFrameSize;
  }

  /** Throws a CodedError when the block has in it, or begins, what must not reach rhea. */
  check(block: Buffer): void {
    let at = this.skip;
    if (this.cutLength > 0) {
      while (this.cutLength < 4 && at < block.length) {
        this.cut = this.cut * 256 + (block[at++] ?? 0);
        this.cutLength++;
      }
      if (this.cutLength < 4) {
        this.skip = 0;
        return;
      }
      at += this.lengthOf(this.cut, block, at) - 4;
      this.cut = 0;
      this.cutLength = 0;
    }
    const end = block.length - 4;
    while (at <= end) at += this.lengthOf(block.readUInt32BE(at), block, at + 4);
    if (at >= block.length) {
      this.skip = at - block.length;
      return;
    }
    this.skip = 0;
    while (at < block.length) {
      this.cut = this.cut * 256 + (block[at++] ?? 0);
      this.cutLength++;
    }
  }

  private lengthOf(size: number, block: Buffer, after: number): number {
    if (size === HEADER) {
      this.begun = true;
      return 8;
    }
    if (!this.begun) throw new CodedError('PB_AMQP_NOT_AMQP', { peer: this.peer, start: describe(size, block, after) });
    if (size < 8) throw new CodedError('PB_AMQP_BAD_FRAME', { peer: this.peer, what: `a frame of ${size} bytes` });
    if (size > this.maxFrameSize) {
      throw new CodedError('PB_AMQP_FRAME_TOO_LARGE', { peer: this.peer, size, limit: this.maxFrameSize });
    }
    return size;
  }
}

/** The first bytes as text where they are text, so that "GET / HT" says who called. */
function describe(size: number, block: Buffer, after: number): string {
  const first = Buffer.alloc(4);
  first.writeUInt32BE(size);
  const bytes = Buffer.concat([first, block.subarray(after, after + 8)]);
  const text = bytes.toString('latin1').trim();
  return /^[\x20-\x7e]+$/.test(text) ? JSON.stringify(text) : bytes.toString('hex');
}
