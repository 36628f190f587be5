import type { CallName } from '../../protocol/contract.ts';
import { withGateway, type Where } from '../connect.ts';
import { EXIT } from '../exit.ts';
import { print, printJson } from '../output.ts';

type Named = Extract<CallName, 'flow.pause' | 'flow.resume' | 'flow.drain' | 'instance.restart'>;

const command =
  (call: Named, done: string) =>
  async (name: string, options: Where & { readonly json?: boolean }): Promise<number> => {
    await withGateway(options, (client) => client.call(call, { name }));
    if (options.json === true) printJson({ name, done });
    else print(`${name} ${done}`);
    return EXIT.ok;
  };

/** Drops what waits, and says how many messages that were. */
export async function purge(name: string, options: Where & { readonly json?: boolean }): Promise<number> {
  const { messages } = await withGateway(options, (client) => client.call('flow.purge', { name }));
  if (options.json === true) printJson({ name, messages });
  else print(`${name} purged: ${messages} messages dropped`);
  return EXIT.ok;
}

export const pause = command('flow.pause', 'paused');
export const resume = command('flow.resume', 'resumed');
export const drain = command('flow.drain', 'drained');
export const restart = command('instance.restart', 'restarted');
