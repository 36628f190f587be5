/** Answers every request with 202 once it has read it. Speaks as rhea-loop.ts does; counts requests. */
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { createInterface } from 'node:readline';

let received = 0;
const server = createServer((asked, answer) => {
  asked.resume().once('end', () => {
    received++;
    answer.writeHead(202).end();
  });
});
server.listen(0, '127.0.0.1', () => {
  console.log(JSON.stringify({ port: (server.address() as AddressInfo).port }));
  createInterface({ input: process.stdin })
    .on('line', () => console.log(JSON.stringify({ received, cpuMicros: 0 })))
    .on('close', () => process.exit(0));
});
