import type { LetterBounds } from '../protocol/dead-letters.ts';
import type { StoreClient } from './client.ts';
import type { LetterStorage } from './storage.ts';

/** {@link LetterStorage} over a client. `onBounds` hears new bounds before they are asked for: a thread that starts later must know them too. */
export function letterStorage(client: StoreClient, onBounds: (bounds: LetterBounds) => void): LetterStorage {
  const ask = async <Result>(op: string, args: readonly unknown[], bytes = 0): Promise<Result> =>
    (await client.call(op, args, bytes)) as Result;
  return {
    kept: () => ask('lettersKept', []),
    list: (filter, before, limit) => ask('lettersList', [filter, before, limit]),
    summary: (filter) => ask('lettersSummary', [filter]),
    get: (id) => ask('lettersGet', [id]),
    measure: (selection) => ask('lettersMeasure', [selection]),
    take: (selection, after, limit, bytes) => ask('lettersTake', [selection, after, limit, bytes]),
    remove: (selection, after, limit, spare) => ask('lettersRemove', [selection, after, limit, spare]),
    edit: (id, revision, packed, by) => ask('lettersEdit', [id, revision, packed, by], packed.byteLength),
    settle: (results, watermark) => ask('lettersSettle', [results, watermark], results.length * 300),
    bound: (bounds) => {
      onBounds(bounds);
      return ask('deadLettersBound', [bounds]);
    },
  };
}
