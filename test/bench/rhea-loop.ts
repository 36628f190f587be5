/**
 * The baseline of the AMQP figures: nothing but rhea taking messages and accepting each. Run as a
 * child process: prints `{"port":N}` when it listens; on a line on its standard input it prints
 * `{"received":N,"cpuMicros":N}` (user and system time of the process since it listened).
 */
import { createInterface } from 'node:readline';
import type { AddressInfo } from 'node:net';
import rhea from 'rhea';
import { addressOf } from './rhea-address.ts';

const container = rhea.create_container();
let received = 0;
container.on('message', () => {
  // autoaccept is on: rhea accepts it after this.
  received++;
});
container.on('receiver_open', ({ receiver }: { receiver: rhea.Receiver }) => {
  // A sender that asks for an address wants to see it in the answer.
  receiver.set_target({ address: addressOf(receiver) });
});
container.on('disconnected', () => undefined);
const server = container.listen({
  host: '127.0.0.1',
  port: 0,
  // rhea takes it from here; its typings do not know it.
  ...{ tcp_no_delay: true },
  session_buffer_size: 16_384,
  receiver_options: { credit_window: 4_096 },
});
server.on('listening', () => {
  const from = process.cpuUsage();
  console.log(JSON.stringify({ port: (server.address() as AddressInfo).port }));
  createInterface({ input: process.stdin })
    .on('line', () => {
      const { user, system } = process.cpuUsage(from);
      console.log(JSON.stringify({ received, cpuMicros: user + system }));
    })
    .on('close', () => process.exit(0));
});
