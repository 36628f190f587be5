/**
 * Fills the spool of a sink as the gateway does, in batches of a given size, and says `{"port":0}` when all is
 * committed; then waits to be killed. Arguments: data folder, sink, pipeline, messages, messages a batch.
 */
import { randomUUID } from 'node:crypto';
import { join } from 'node:path';
import { makeFolder } from '../../gateway-core/engine/make-folder.ts';
import { pack } from '../../gateway-core/flow/pack.ts';
import { createMessage } from '../../gateway-core/plugin-api/message.ts';
import { SpoolFile } from '../../gateway-core/storage/spool-file.ts';
import { SpoolFolder } from '../../gateway-core/storage/spool-folder.ts';

const [data = '', sink = '', pipeline = '', messages = '0', size = '1'] = process.argv.slice(2);
const folder = join(data, 'spool');
makeFolder(folder);
const file = new SpoolFile(new SpoolFolder(folder).pathOf(sink), {
  sink,
  now: Date.now,
  onEvent: ({ message }) => console.error(message),
});
const body = Buffer.from('x'.repeat(230));
const perBatch = Number(size);
const perCommit = Math.max(1, Math.floor(20_000 / perBatch));
let left = Number(messages) / perBatch;
const run = randomUUID();
while (left > 0) {
  file.transact(() => {
    for (let i = 0; i < perCommit && left > 0; i++, left--) {
      const batch = Array.from({ length: perBatch }, () => createMessage('in', 'default', { data: body }));
      const lineage = { flight: `${run}-${left}`, size: perBatch, spools: 1, roots: undefined };
      file.append(pipeline, lineage, perBatch, pack(batch));
    }
  });
}
console.log(JSON.stringify({ port: 0 }));
process.stdin.resume();
