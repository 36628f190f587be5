/** Decode against JSON.parse alone, interleaved pairs in one process: `node plugins/collectd-metrics/bench/decode.ts`. */
import { createMessage } from '../../../gateway-core/plugin-api/message.ts';
import { CollectdDecoder } from '../decode.ts';

const bodies = Array.from({ length: 1000 }, (_, i) =>
  Buffer.from(
    JSON.stringify([
      {
        values: [i * 1.5],
        dstypes: [i % 3 === 0 ? 'derive' : 'gauge'],
        dsnames: ['value'],
        time: 1609459200.5 + i,
        interval: 10,
        host: `host-${i % 20}.example.org`,
        plugin: ['cpu', 'memory', 'df', 'load'][i % 4],
        plugin_instance: String(i % 8),
        type: ['percent', 'memory', 'df_complex'][i % 3],
        type_instance: ['idle', 'user', 'system', 'wait'][i % 4],
      },
    ]),
  ),
);
const decoder = new CollectdDecoder();
const messages = bodies.map((data) => createMessage('bench', 'default', { data, time: 1 }));

function time(run: () => void): number {
  const start = process.cpuUsage();
  run();
  const { user, system } = process.cpuUsage(start);
  return user + system;
}

const ROUNDS = 200;
let sink: unknown;
const parse = (): void => {
  for (let r = 0; r < ROUNDS; r++) for (const body of bodies) sink = JSON.parse(body.toString('utf8'));
};
const decode = (): void => {
  for (let r = 0; r < ROUNDS; r++) for (const message of messages) sink = decoder.decode(message);
};
parse();
decode();
const ratios: number[] = [];
let parseTotal = 0;
let decodeTotal = 0;
for (let pair = 0; pair < 12; pair++) {
  const a = time(parse);
  const b = time(decode);
  parseTotal += a;
  decodeTotal += b;
  ratios.push(a / b);
}
ratios.sort((a, b) => a - b);
const per = (total: number): string => (total / (12 * ROUNDS * bodies.length)).toFixed(3);
console.log(`JSON.parse ${per(parseTotal)} µs, decode ${per(decodeTotal)} µs a message`);
console.log(`ratio: median ${ratios[6]!.toFixed(2)}, least ${ratios[0]!.toFixed(2)} (budget: at least 0.5)`);
process.exitCode = sink !== undefined && ratios[6]! >= 0.5 ? 0 : 1;
