import { text } from 'node:stream/consumers';
import { readConfigFile } from '../../engine/config-keeper.ts';
import type { Plan, SpoolChoice } from '../../protocol/model.ts';
import { withGateway, type Where } from '../connect.ts';
import { EXIT } from '../exit.ts';
import { print, printJson, printTable, problemText } from '../output.ts';

type Options = Where & { readonly json?: boolean };

export async function show(options: Options): Promise<number> {
  const document = await withGateway(options, (client) => client.call('config.get', {}));
  if (options.json === true) printJson(document);
  else process.stdout.write(document.yaml);
  return EXIT.ok;
}

/** Exit 78 when the file has errors. */
export async function plan(file: string, options: Options): Promise<number> {
  const yaml = await read(file);
  const answer = await withGateway(options, (client) => client.call('config.plan', { yaml }));
  if (options.json === true) printJson(answer);
  else {
    for (const problem of answer.problems) process.stderr.write(`${problemText(problem, file)}\n`);
    printPlan(answer.plan);
  }
  return answer.problems.some(({ severity }) => severity === 'error') ? EXIT.config : EXIT.ok;
}

type Spools = { readonly spool?: Readonly<Record<string, SpoolChoice>> };

export async function apply(file: string, options: Options & Spools & { readonly comment?: string }): Promise<number> {
  const yaml = await read(file);
  const applied = await withGateway(options, (client) =>
    client.call('config.apply', {
      yaml,
      ...(options.comment === undefined ? {} : { comment: options.comment }),
      ...(options.spool === undefined ? {} : { spools: options.spool }),
    }),
  );
  if (options.json === true) printJson(applied);
  else {
    printPlan(applied.plan);
    print(`Config version ${applied.version} runs.`);
  }
  return EXIT.ok;
}

export async function history(options: Options): Promise<number> {
  const { versions } = await withGateway(options, (client) => client.call('config.history', {}));
  if (options.json === true) printJson({ versions });
  else
    printTable(
      ['version', 'time', 'by', 'comment'],
      versions.map(({ version, time, origin, comment }) => [version, new Date(time).toISOString(), origin, comment]),
    );
  return EXIT.ok;
}

export async function rollback(version: number, options: Options & Spools): Promise<number> {
  const applied = await withGateway(options, (client) =>
    client.call('config.rollback', { version, ...(options.spool === undefined ? {} : { spools: options.spool }) }),
  );
  if (options.json === true) printJson(applied);
  else {
    printPlan(applied.plan);
    print(`Config version ${applied.version} runs: the text of version ${version}.`);
  }
  return EXIT.ok;
}

async function read(file: string): Promise<string> {
  return file === '-' ? text(process.stdin) : readConfigFile(file);
}

function printPlan({ steps, undelivered = {} }: Plan): void {
  const changes = steps.filter(({ act }) => act !== 'keep');
  if (changes.length === 0) print('Nothing changes.');
  for (const { act, subject, name, reason, gap } of changes)
    print(`${act} ${subject} ${name}: ${reason}${gap === '' ? '' : ` (${gap})`}`);
  for (const [name, messages] of Object.entries(undelivered))
    print(`${name} holds ${messages} undelivered messages: apply with --spool ${name}=drain, =keep or =discard`);
}
