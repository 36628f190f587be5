/**
 * An AMQP 1.0 peer of a sink, a process of its own so that it can be killed: `receiver-peer.ts PORT LOG [HOST]`.
 * Writes each message to LOG before it answers it: `+id` accepted, `-id` released, `!id` rejected. How it answers
 * is told by lines on standard input: `release N` or `reject N` (every Nth; 0: none), `delay MS` (one at a time),
 * `quiet 1` (nothing is written any more).
 */
import { openSync, writeSync } from 'node:fs';
import { createInterface } from 'node:readline';
import rhea, { type Delivery } from 'rhea';

const [port = '', log = '', host = '127.0.0.1'] = process.argv.slice(2);
const file = openSync(log, 'a');
const every = { release: 0, reject: 0 };
let delay = 0;
let quiet = false;
let count = 0;

/** rhea joins the outcomes of neighbours, and then tells the first one's for both, if told before they are written. */
function tell(delivery: Delivery): void {
  const { session } = delivery.link as unknown as {
    session: { incoming: { process(session: unknown): void } };
  };
  session.incoming.process(session);
}

function answer(id: string, delivery: Delivery): void {
  count++;
  if (every.release > 0 && count % every.release === 0) {
    writeSync(file, `-${id}\n`);
    tell(delivery);
    delivery.release({ delivery_failed: false });
    tell(delivery);
  } else if (every.reject > 0 && count % every.reject === 0) {
    writeSync(file, `!${id}\n`);
    tell(delivery);
    delivery.reject({ condition: 'test:rejected', description: 'on purpose' });
    tell(delivery);
  } else {
    if (!quiet) writeSync(file, `+${id}\n`);
    delivery.accept();
  }
}

const waiting: [string, Delivery][] = [];
let timer: NodeJS.Timeout | undefined;
function next(): void {
  timer = undefined;
  const first = waiting.shift();
  if (first !== undefined) answer(...first);
  if (waiting.length > 0) timer = setTimeout(next, delay);
}

const container = rhea.create_container();
container.on('message', ({ message, delivery }) => {
  const id = String(message?.message_id);
  if (delivery === undefined) return;
  if (delay === 0 && waiting.length === 0) {
    answer(id, delivery);
    return;
  }
  waiting.push([id, delivery]);
  timer ??= setTimeout(next, delay);
});
// rhea answers with no target unless told otherwise, which is a refusal.
container.on('receiver_open', ({ receiver }) => receiver?.set_target({ address: receiver.target.address }));
for (const event of ['disconnected', 'error', 'connection_error', 'session_error', 'protocol_error'])
  container.on(event, () => undefined);
const server = container.listen({
  host,
  port: Number(port),
  // rhea takes it from here; its typings do not know it.
  ...{ tcp_no_delay: true },
  session_buffer_size: 4_096,
  receiver_options: { autoaccept: false, credit_window: 512 },
});
server.on('listening', () => process.stdout.write('listening\n'));

createInterface({ input: process.stdin })
  .on('line', (line) => {
    const [word, value] = line.split(' ');
    if (word === 'quiet') quiet = value === '1';
    else if (word === 'delay') delay = Number(value);
    else if (word === 'release' || word === 'reject') every[word] = Number(value);
  })
  .on('close', () => process.exit(0));
