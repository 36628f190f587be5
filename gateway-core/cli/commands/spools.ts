import { withGateway, type Where } from '../connect.ts';
import { EXIT } from '../exit.ts';
import { print, printJson, printTable } from '../output.ts';

type Options = Where & { readonly json?: boolean };

export async function list(options: Options): Promise<number> {
  const { spools } = await withGateway(options, (client) => client.call('spools.list', {}));
  if (options.json === true) printJson({ spools });
  else
    printTable(
      ['sink', 'messages', 'bytes', 'limit', 'oldest', ''],
      spools.map(({ sink, orphan, messages, bytes, limitBytes, oldest }) => [
        sink,
        messages < 0 ? 'unreadable' : messages,
        bytes,
        orphan ? '' : limitBytes,
        oldest === 0 ? '' : new Date(oldest).toISOString(),
        orphan ? 'not in the config' : '',
      ]),
    );
  return EXIT.ok;
}

/** Deletes a spool whose sink is not in the config. */
export async function discard(name: string, options: Options): Promise<number> {
  const { messages } = await withGateway(options, (client) => client.call('spools.discard', { name }));
  if (options.json === true) printJson({ name, messages });
  else print(`The spool of ${name} is deleted: ${messages} messages.`);
  return EXIT.ok;
}
