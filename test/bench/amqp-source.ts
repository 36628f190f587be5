/**
 * The amqp1 source with a gateway that takes everything at once: what the AMQP service and the
 * plugin cost by themselves. Speaks as rhea-loop.ts does.
 */
import { createInterface } from 'node:readline';
import { createAmqpHost } from '../../gateway-core/amqp/host.ts';
import type { Message, Outcomes } from '../../gateway-core/plugin-api/index.ts';
import { createMessage } from '../../gateway-core/plugin-api/message.ts';
import { settleBatch } from '../../plugins/amqp1/settle.ts';
import { ToMessages } from '../../plugins/amqp1/to-messages.ts';

const silent = { debug: () => undefined, info: () => undefined, warn: console.error, error: console.error };
const host = createAmqpHost({ log: silent, signal: new AbortController().signal });
const toMessages = new ToMessages((init): Message => createMessage('bench', 'default', init));
const delivered: Promise<Outcomes> = Promise.resolve({ exceptions: [] });
const room = Promise.resolve();
let received = 0;
let batches = 0;
const listener = await host.listen({
  host: '127.0.0.1',
  port: 0,
  credit: 4_096,
  onDeliveries: (deliveries) => {
    const { entries, owners } = toMessages.convert(deliveries);
    received += entries.length;
    batches++;
    void delivered.then((outcomes) => settleBatch(listener, deliveries, owners, outcomes, { kind: 'released' }));
    return room;
  },
});
const from = process.cpuUsage();
console.log(JSON.stringify({ port: listener.port }));
createInterface({ input: process.stdin })
  .on('line', () => {
    const { user, system } = process.cpuUsage(from);
    console.log(JSON.stringify({ received, batches, cpuMicros: user + system }));
  })
  .on('close', () => process.exit(0));
