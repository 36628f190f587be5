import type { PeerConnection } from './peer-connection.ts';
import { SessionIntake } from './session-intake.ts';

/** The descriptor `0x00 0x53 0x14` of a transfer, where its frame has it. */
const TRANSFER = 0x14;

/**
 * Takes the frame at `block[at..end)` when it is a transfer in its usual form, and says so; false
 * leaves it to rhea's decoder. That makes an object for each field and one for each access to
 * it; on a message of 230 bytes it costs more than all else together.
 */
export function takeTransfer(peer: PeerConnection, block: Buffer, at: number, end: number): boolean {
  if (
    end - at < 14 ||
    block[at + 4] !== 2 ||
    block[at + 5] !== 0 ||
    block[at + 8] !== 0 ||
    block[at + 9] !== 0x53 ||
    block[at + 10] !== TRANSFER
  ) {
    return false;
  }
  let item: number;
  let count: number;
  let payload: number;
  if (block[at + 11] === 0xc0) {
    payload = at + 13 + (block[at + 12] as number);
    count = block[at + 13] as number;
    item = at + 14;
  } else if (block[at + 11] === 0xd0 && end - at >= 20) {
    payload = at + 16 + block.readUInt32BE(at + 12);
    count = block.readUInt32BE(at + 16);
    item = at + 20;
  } else {
    return false;
  }
  if (payload > end) return false;
  let handle = -1;
  let id: number | undefined;
  let format = 0;
  let settled = false;
  let more = false;
  let aborted = false;
  for (let i = 0; i < count; i++) {
    if (item >= payload) return false;
    const code = block[item] as number;
    let value = 0;
    switch (code) {
      case 0x40: // null
      case 0x42: // false
      case 0x43: // uint 0
        item += 1;
        break;
      case 0x41: // true
        value = 1;
        item += 1;
        break;
      case 0x50: // ubyte
      case 0x52: // small uint
      case 0x56: // boolean in a byte
        value = block[item + 1] as number;
        item += 2;
        break;
      case 0x70: // uint
        if (item + 5 > payload) return false;
        value = block.readUInt32BE(item + 1);
        item += 5;
        break;
      case 0xa0: // binary: the tag
        item += 2 + (block[item + 1] as number);
        break;
      default:
        return false;
    }
    if (code === 0x40) continue;
    switch (i) {
      case 0:
        handle = value;
        break;
      case 1:
        id = value;
        break;
      case 3:
        format = value;
        break;
      case 4:
        settled = value === 1;
        break;
      case 5:
        more = value === 1;
        break;
      case 9:
        aborted = value === 1;
        break;
      default:
      // Tag, settle mode, resume, batchable: nothing to us. A state is described: not in its usual form.
    }
  }
  if (item !== payload) return false;
  const session = peer.connection.remote_channel_map[block.readUInt16BE(at + 6)];
  const link = session?.remote.handles[handle];
  if (session === undefined || link === undefined || !(session.incoming instanceof SessionIntake)) return false;
  const receiving = peer.receiving(link);
  if (receiving === undefined) return false;
  session.incoming.count(session);
  receiving.transfer(id, format, settled, more, aborted, block, payload, end);
  return true;
}
