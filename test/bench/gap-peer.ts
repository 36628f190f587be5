/** Takes AMQP messages and accepts them. Speaks as rhea-loop.ts does; says the longest time between two messages since it was last asked. */
import { createInterface } from 'node:readline';
import type { AddressInfo } from 'node:net';
import rhea from 'rhea';
import { addressOf } from './rhea-address.ts';

const container = rhea.create_container();
let received = 0;
let longest = 0;
let last = 0;
container.on('receiver_open', ({ receiver }: { receiver: rhea.Receiver }) => {
  receiver.set_target({ address: addressOf(receiver) });
});
container.on('message', () => {
  const now = performance.now();
  if (last > 0) longest = Math.max(longest, now - last);
  last = now;
  received++;
});
container.on('disconnected', () => undefined);
const server = container.listen({ host: '127.0.0.1', port: 0, ...{ tcp_no_delay: true } });
server.on('listening', () => {
  console.log(JSON.stringify({ port: (server.address() as AddressInfo).port }));
  createInterface({ input: process.stdin })
    .on('line', () => {
      console.log(JSON.stringify({ received, cpuMicros: 0, longest }));
      longest = 0;
    })
    .on('close', () => process.exit(0));
});
