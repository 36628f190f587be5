import { defineHandler } from 'patchbay/plugin-api';
import { CollectdDecoder } from './decode.ts';

export default defineHandler({
  create() {
    const decoder = new CollectdDecoder();
    return {
      handle(batch) {
        const results = new Array<ReturnType<CollectdDecoder['decode']>>(batch.length);
        for (let i = 0; i < batch.length; i++) results[i] = decoder.decode(batch[i]!);
        return results;
      },
    };
  },
});
