import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

const run = promisify(execFile);
/** Of a message's body, as collectd's are. */
const SIZE = 230;
const WINDOW = 4096;

export interface Sent {
  readonly accepted: number;
  /** From the first credit to the last disposition. */
  readonly seconds: number;
}

/** Sends `count` collectd messages and waits until each is accepted; throws when one is not. */
export type Sender = (port: number, count: number, address?: string) => Promise<Sent>;

/** Compiles the sender: Qpid Proton in C, so that it costs little beside what is measured. */
export async function compileSender(): Promise<Sender> {
  const program = join(await mkdtemp(join(tmpdir(), 'patchbay-bench-')), 'proton-sender');
  const source = fileURLToPath(new URL('./proton-sender.c', import.meta.url));
  if (!existsSync('/usr/include/proton/message.h'))
    throw new Error('libqpid-proton11-dev is missing: apt-get install libqpid-proton11-dev gcc');
  await run('gcc', ['-O2', '-o', program, source, '-lqpid-proton']);
  return async (port, count, address = 'collectd/telemetry') => {
    const args = ['127.0.0.1', port, count, SIZE, address, WINDOW].map(String);
    const { stdout } = await run(program, args);
    const sent = JSON.parse(stdout) as Sent;
    if (sent.accepted !== count) throw new Error(`only ${sent.accepted} of ${count} were accepted`);
    return sent;
  };
}
