/** `patchbay deadletters …`, as commander knows it. What the commands do is in `commands/deadletters.ts`. */
import { Option, type Command } from 'commander';

/** What `main.ts` gives every command. */
export interface Shared {
  readonly where: (command: Command) => Command;
  readonly json: (command: Command, what?: string) => Command;
  readonly wholeNumber: (text: string) => number;
  readonly run: <Args extends unknown[]>(
    load: () => Promise<(...args: Args) => Promise<number>>,
  ) => (...args: Args) => Promise<void>;
}

export function addDeadLetters(patchbay: Command, { where, json, wholeNumber, run }: Shared): void {
  const letters = patchbay.command('deadletters').description('refused messages: look, edit, retry, discard, export');
  const load = () => import('./commands/deadletters.ts');
  const filter = (command: Command): Command =>
    command
      .option('--pipeline <name>', 'only of this pipeline')
      .option('--instance <name>', 'only those this instance refused')
      .option('--code <code>', 'only with this code')
      .option('--since <time>', 'stored since then: 2026-01-31T12:00, or 12h ago')
      .option('--until <time>', 'stored until then')
      .option('--text <text>', 'only with this text in cause or message id');
  const selection = (command: Command): Command =>
    filter(command.argument('[ids...]', 'their ids')).option('--all', 'all of them, or all that the filters leave');

  filter(where(json(letters.command('list').description('the newest, with cause and place'))))
    .option('--limit <n>', 'at most so many (default 50)', wholeNumber)
    .option('--before <id>', 'only older ones than this id', wholeNumber)
    .option('--summary', 'how many of each cause instead')
    .action(run(async () => (await load()).list));
  where(
    json(
      letters
        .command('show')
        .description('one letter: message, cause, stack, history')
        .argument('<id>', 'its id', wholeNumber),
    ),
  ).action(run(async () => (await load()).show));
  where(
    json(
      letters
        .command('edit')
        .description('change the message of a letter; the original is kept')
        .argument('<id>', 'its id', wholeNumber),
    ),
  )
    .option('--payload <file>', 'the new payload, as text in the form it has; - for standard input')
    .option('--bytes <file>', 'the new payload, as the bytes of a file')
    .option('--type <type>', 'its new CloudEvents type')
    .option('--subject <subject>', 'its new subject; empty: none')
    .option('--partitionkey <key>', 'its new partition key; empty: none')
    .option('--attributes <json>', 'its new attributes, a JSON object')
    .action(run(async () => (await load()).edit));
  selection(where(json(letters.command('retry').description('put letters back into their pipeline, oldest first'))))
    .addOption(
      new Option('--to <where>', 'place: what refused it, and on from there; start: the beginning of its pipeline')
        .choices(['place', 'start'])
        .default('place'),
    )
    .option('--rate <n>', 'at most so many a second', wholeNumber)
    .option('--detach', 'do not wait for the end')
    .action(run(async () => (await load()).retry));
  selection(where(json(letters.command('discard').description('delete letters for good'))))
    .requiredOption('--reason <text>', 'why; kept with the event')
    .action(run(async () => (await load()).discard));
  selection(
    where(json(letters.command('export').description('print letters as CloudEvents, one a line, oldest first'))),
  ).action(run(async () => (await load()).exportLetters));
}
