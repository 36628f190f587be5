/** The command line `patchbay` (design §9). Each command is in `commands/`, loaded when it is called. */
import { Command, CommanderError, InvalidArgumentError, Option } from 'commander';
import { EXIT } from './exit.ts';
import { VERSION } from '../engine/version.ts';
import type { SpoolChoice } from '../protocol/model.ts';
import { addDeadLetters } from './dead-letter-commands.ts';

const where = (command: Command): Command =>
  command
    .option('--data <dir>', "data folder of the gateway (default: the platform's, or PATCHBAY_DATA)")
    .option('--control <host:port>', 'control address, instead of looking into the data folder')
    .option('--token <token>', 'control token, instead of the one in the data folder');
const json = (command: Command, what = 'print one JSON document'): Command => command.option('--json', what);

function wholeNumber(text: string): number {
  const value = /^\d{1,9}$/.test(text) ? Number(text) : 0;
  if (value < 1) throw new InvalidArgumentError('It must be a whole number from 1 on.');
  return value;
}

/** What is to become of spools whose sinks go. */
function spoolOption(): Option {
  return new Option(
    '--spool <sink=choice>',
    'what becomes of the spool of a sink that goes: drain, keep or discard; may be given several times',
  ).argParser((text: string, known: Record<string, SpoolChoice> | undefined): Record<string, SpoolChoice> => {
    const [, sink, choice] = /^([^=]+)=(drain|keep|discard)$/.exec(text) ?? [];
    if (sink === undefined) throw new InvalidArgumentError('It must be SINK=drain, SINK=keep or SINK=discard.');
    return { ...known, [sink]: choice as SpoolChoice };
  });
}

/** Builds the program. `exit` receives the exit code of the command that ran. */
export function program(exit: (code: number) => void): Command {
  const patchbay = new Command('patchbay')
    .description('Message gateway with a control panel')
    .version(VERSION)
    .exitOverride()
    .showHelpAfterError('(--help lists the options)');
  const run =
    <Args extends unknown[]>(load: () => Promise<(...args: Args) => Promise<number>>) =>
    async (...args: Args): Promise<void> => {
      const options = args.at(-2) as { json?: boolean };
      try {
        exit(await (await load())(...args));
      } catch (error) {
        const { printError } = await import('./output.ts');
        exit(printError(error, options.json === true));
      }
    };

  patchbay
    .command('run')
    .description('run the gateway; without a file, <data>/startup.yaml, or the first run in the panel')
    .argument('[file]', 'startup.yaml, or - for standard input')
    .option('--data <dir>', "data folder (default: the platform's, or PATCHBAY_DATA)")
    .option('--control <host:port>', 'control address (default: settings.control of the config, else 127.0.0.1:7080)')
    .addOption(
      new Option('--plugins <dir>', 'a further folder of plugins; may be given several times').argParser(
        (dir: string, known: string[] | undefined) => [...(known ?? []), dir],
      ),
    )
    .option('--no-panel', 'serve no panel')
    .option('--watch', 'take over the file whenever it changes, as SIGHUP does')
    .option('--json', 'print what happens as JSON lines')
    .action(run(async () => (await import('./commands/run.ts')).run));

  json(
    patchbay
      .command('validate')
      .description('check a config file; nothing is started')
      .argument('<file>', 'startup.yaml, or - for standard input'),
  )
    .option('--data <dir>', 'data folder whose plugins and secrets count')
    .option('--plugins <dir...>', 'further folders of plugins')
    .option('--connect', 'also try whether the ports are free')
    .action(run(async () => (await import('./commands/validate.ts')).validate));

  where(json(patchbay.command('status').description('what runs, how much flows, what needs you')))
    .option('--link', 'print a new one-time link to the panel instead')
    .action(run(async () => (await import('./commands/status.ts')).status));

  where(
    json(
      patchbay.command('tap').description('print the messages that pass an instance').argument('<instance>'),
      'print one CloudEvent a line',
    ),
  )
    .option('--where <expr>', 'CEL condition over the message')
    .option('--text <text>', 'text that must occur in the message')
    .option('--rate <n>', 'at most so many messages a second (default 200)', wholeNumber)
    .option('--count <n>', 'end after so many messages', wholeNumber)
    .action(run(async () => (await import('./commands/tap.ts')).tap));

  for (const [name, does] of [
    ['pause', 'stop taking messages into a pipeline or all of an instance, or writing to a sink'],
    ['resume', 'go on after pause or drain'],
    ['drain', 'pause, and wait until nothing is in flight, or waits for a sink'],
    ['purge', 'drop what waits to begin in a pipeline, or before a sink'],
    ['restart', 'restart an instance'],
  ] as const) {
    where(json(patchbay.command(name).description(does).argument('<name>'))).action(
      run(async () => (await import('./commands/flow.ts'))[name]),
    );
  }

  const plugins = patchbay.command('plugins').description('what plugins there are, and tools for their authors');
  where(json(plugins.command('list').description('every plugin this gateway can use'))).action(
    run(async () => (await import('./commands/plugins.ts')).list),
  );
  where(
    json(plugins.command('show').description('one plugin: what it contributes, its options').argument('<name>')),
  ).action(run(async () => (await import('./commands/plugins.ts')).show));
  json(plugins.command('new').description('scaffold a plugin with types and tests').argument('<dir>'))
    .addOption(
      new Option('--kind <kind>', 'what it is to be').choices(['source', 'handler', 'sink']).default('handler'),
    )
    .action(run(async () => (await import('./commands/plugins-new.ts')).create));
  json(
    plugins.command('test').description('run the conformance tests against a plugin folder').argument('<dir>'),
  ).action(run(async () => (await import('./commands/plugins-test.ts')).test));

  const config = patchbay.command('config').description('the running config and its versions');
  where(json(config.command('show').description('print the running startup.yaml'))).action(
    run(async () => (await import('./commands/config.ts')).show),
  );
  where(
    json(config.command('plan').description('what applying a file would do').argument('<file>', 'startup.yaml, or -')),
  ).action(run(async () => (await import('./commands/config.ts')).plan));
  where(
    json(
      config.command('apply').description('make a file the running config').argument('<file>', 'startup.yaml, or -'),
    ),
  )
    .option('--comment <text>', 'why, for the history')
    .addOption(spoolOption())
    .action(run(async () => (await import('./commands/config.ts')).apply));
  where(json(config.command('history').description('the versions so far, newest first'))).action(
    run(async () => (await import('./commands/config.ts')).history),
  );
  where(
    json(
      config
        .command('rollback')
        .description('make an earlier version the running config again')
        .argument('<version>', 'its number in the history', wholeNumber),
    ),
  )
    .addOption(spoolOption())
    .action(run(async () => (await import('./commands/config.ts')).rollback));

  const spools = patchbay.command('spools').description('what waits on disk for sinks');
  where(json(spools.command('list').description('the spools, also those whose sink is not in the config'))).action(
    run(async () => (await import('./commands/spools.ts')).list),
  );
  where(
    json(spools.command('discard').description('delete a spool whose sink is not in the config').argument('<sink>')),
  ).action(run(async () => (await import('./commands/spools.ts')).discard));

  addDeadLetters(patchbay, { where, json, wholeNumber, run });

  const events = patchbay.command('events').description('what the gateway itself reports');
  where(json(events.command('list').description('the last events, newest first')))
    .addOption(
      new Option('--severity <severity>', 'only of this severity').choices(['debug', 'info', 'warning', 'critical']),
    )
    .option('--limit <n>', 'at most so many (default 50)', wholeNumber)
    .action(run(async () => (await import('./commands/events.ts')).list));
  where(
    json(events.command('follow').description('print events as they happen'), 'print one JSON object a line'),
  ).action(run(async () => (await import('./commands/events.ts')).follow));
  return patchbay;
}

/** Parses and runs; the process ends with the command's exit code. */
export async function main(argv: readonly string[]): Promise<void> {
  // Whoever read the output has seen enough (`| head`). A gateway goes on all the same.
  process.stdout.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code !== 'EPIPE') throw error;
    if (argv[0] !== 'run') process.exit(EXIT.ok);
  });
  try {
    await program((code) => (process.exitCode = code)).parseAsync([...argv], { from: 'user' });
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error;
    process.exitCode = error.exitCode === 0 ? EXIT.ok : EXIT.usage;
  }
}

if (import.meta.main) await main(process.argv.slice(2));
