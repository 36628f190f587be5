import { readFile } from 'node:fs/promises';
import { text as readAll } from 'node:stream/consumers';
import { parseDuration } from '../../config/quantity.ts';
import { CodedError } from '../../engine/error.ts';
import type { Client } from '../../protocol/client.ts';
import type {
  LetterChange,
  LetterDetail,
  LetterFilter,
  LetterRow,
  LetterSelection,
  RetryJob,
  RetryTo,
} from '../../protocol/dead-letters.ts';
import { connect, withGateway, type Where } from '../connect.ts';
import { EXIT } from '../exit.ts';
import { print, printJson, printTable } from '../output.ts';

interface Filters extends Where {
  readonly json?: boolean;
  readonly pipeline?: string;
  readonly instance?: string;
  readonly code?: string;
  readonly since?: string;
  readonly until?: string;
  readonly text?: string;
}

interface Selected extends Filters {
  readonly all?: boolean;
}

export async function list(
  options: Filters & { readonly limit?: number; readonly before?: number; readonly summary?: boolean },
): Promise<number> {
  const filter = filterOf(options);
  const { before, limit = 50 } = options;
  if (options.summary === true) {
    const summary = await withGateway(options, (client) => client.call('deadletters.summary', { filter }));
    if (options.json === true) printJson(summary);
    else if (summary.count === 0) print('No dead letters.');
    else {
      printTable(
        ['COUNT', 'INSTANCE', 'PIPELINE', 'CODE', 'NEWEST', 'CAUSE'],
        summary.groups.map((group) => [
          group.count,
          group.instance,
          group.pipeline,
          group.code,
          timeOf(group.newest),
          short(group.cause),
        ]),
      );
      print(`${summary.count.toLocaleString('en')} in all`);
    }
    return EXIT.ok;
  }
  const { letters } = await withGateway(options, (client) =>
    client.call('deadletters.list', {
      filter,
      limit: Math.min(limit, 1000),
      ...(before === undefined ? {} : { before }),
    }),
  );
  if (options.json === true) printJson({ letters });
  else if (letters.length === 0) print('No dead letters.');
  else
    printTable(
      ['ID', 'STORED', 'INSTANCE', 'CODE', 'TRIES', 'CAUSE'],
      letters.map((letter) => [
        String(letter.id),
        timeOf(letter.stored),
        letter.instance,
        letter.code,
        letter.attempts,
        short(letter.cause) + marksOf(letter),
      ]),
    );
  return EXIT.ok;
}

export async function show(id: number, options: Where & { readonly json?: boolean }): Promise<number> {
  const detail = await withGateway(options, (client) => client.call('deadletters.show', { id }));
  if (options.json === true) printJson(detail);
  else printDetail(detail);
  return detail.problem === undefined ? EXIT.ok : EXIT.failed;
}

interface EditOptions extends Where {
  readonly json?: boolean;
  readonly payload?: string;
  readonly bytes?: string;
  readonly type?: string;
  readonly subject?: string;
  readonly partitionkey?: string;
  readonly attributes?: string;
}

export async function edit(id: number, options: EditOptions): Promise<number> {
  const change = await changeOf(options);
  const { revision } = await withGateway(options, async (client) => {
    const detail = await client.call('deadletters.show', { id });
    return client.call('deadletters.edit', { id, revision: detail.revision, change });
  });
  if (options.json === true) printJson({ id, revision });
  else print(`Dead letter ${id} was edited; retry it with: patchbay deadletters retry ${id}`);
  return EXIT.ok;
}

async function changeOf(options: EditOptions): Promise<LetterChange> {
  const { payload, bytes, type, subject, partitionkey, attributes } = options;
  const change: LetterChange = {
    ...(payload === undefined
      ? {}
      : { payload: { text: payload === '-' ? await readAll(process.stdin) : await readFile(payload, 'utf8') } }),
    ...(bytes === undefined ? {} : { payload: { base64: (await readFile(bytes)).toString('base64') } }),
    ...(type === undefined ? {} : { type }),
    ...(subject === undefined ? {} : { subject }),
    ...(partitionkey === undefined ? {} : { partitionkey }),
    ...(attributes === undefined ? {} : { attributes: attributesOf(attributes) }),
  };
  if (Object.keys(change).length === 0)
    throw new CodedError('PB_LETTER_EDIT', { reason: 'no change is given (--payload, --type, …)' });
  return change;
}

function attributesOf(text: string): Readonly<Record<string, unknown>> {
  try {
    const value: unknown = JSON.parse(text);
    if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value as Record<string, unknown>;
  } catch {
    // Told below, like any other text that is no object.
  }
  throw new CodedError('PB_LETTER_EDIT', { reason: '--attributes is not a JSON object' });
}

/** Waits for the end and prints how far it is; Ctrl-C cancels it. Exit 1 when a letter is still there. */
export async function retry(
  ids: readonly string[],
  options: Selected & { readonly to: RetryTo; readonly rate?: number; readonly detach?: boolean },
): Promise<number> {
  const selection = selectionOf(ids, options);
  const { to, rate } = options;
  const client = await connect(options);
  try {
    const params = { selection, to, ...(rate === undefined ? {} : { perSecond: rate }) };
    if (options.detach === true) {
      const begun = await client.call('deadletters.retry', params);
      if (options.json === true) printJson(begun);
      else print(`${begun.total.toLocaleString('en')} letters are being retried.`);
      return EXIT.ok;
    }
    const job = await followed(client, params, (progress) => {
      if (options.json !== true && process.stderr.isTTY)
        process.stderr.write(`\r${progress.done.toLocaleString('en')} of ${progress.total.toLocaleString('en')} `);
    });
    if (options.json === true) printJson(job);
    else printJob(job);
    return job.state === 'done' && job.kept === 0 && job.refused === 0 ? EXIT.ok : EXIT.failed;
  } finally {
    client.close();
  }
}

function followed(
  client: Client,
  params: { readonly selection: LetterSelection; readonly to: RetryTo; readonly perSecond?: number },
  onProgress: (job: RetryJob) => void,
): Promise<RetryJob> {
  return new Promise((resolve, reject) => {
    let id: string | undefined;
    let seen: readonly RetryJob[] = [];
    const look = (): void => {
      const mine = seen.find((job) => job.id === id);
      if (mine === undefined) return;
      if (mine.state === 'running') onProgress(mine);
      else resolve(mine);
    };
    client.onState((state) => {
      if (state.name === 'closed') reject(new Error(state.reason.message));
    });
    client.subscribe(
      'deadletters',
      {},
      ({ jobs }) => {
        seen = jobs;
        look();
      },
      { onError: reject },
    );
    client.call('deadletters.retry', params).then(({ job }) => {
      id = job;
      const cancel = (): void => void client.call('deadletters.cancel', { job }).catch(reject);
      process.once('SIGINT', cancel);
      process.once('SIGTERM', cancel);
      look();
    }, reject);
  });
}

export async function discard(
  ids: readonly string[],
  options: Selected & { readonly reason: string },
): Promise<number> {
  const selection = selectionOf(ids, options);
  const { discarded } = await withGateway(options, (client) =>
    client.call('deadletters.discard', { selection, reason: options.reason }),
  );
  if (options.json === true) printJson({ discarded });
  else print(`${discarded.toLocaleString('en')} discarded.`);
  return EXIT.ok;
}

/** One CloudEvent a line; what cannot be read is said on standard error, and makes the exit code 1. */
export async function exportLetters(ids: readonly string[], options: Selected): Promise<number> {
  const selection = selectionOf(ids, options);
  const client = await connect(options);
  try {
    return await new Promise<number>((resolve, reject) => {
      let unreadable = 0;
      process.stdout.on('error', () => resolve(EXIT.ok));
      client.onState((state) => {
        if (state.name === 'closed') reject(new Error(state.reason.message));
      });
      client.subscribe(
        'deadletters.export',
        { selection },
        (item) => {
          for (const event of item.events) print(JSON.stringify(event));
          for (const id of item.unreadable) process.stderr.write(`dead letter ${id} cannot be read, left out\n`);
          unreadable += item.unreadable.length;
        },
        {
          credit: 4,
          onError: reject,
          onState: (state) => {
            if (state.name === 'ended') resolve(unreadable === 0 ? EXIT.ok : EXIT.failed);
          },
        },
      );
    });
  } finally {
    client.close();
  }
}

function selectionOf(ids: readonly string[], options: Selected): LetterSelection {
  if (ids.length > 0) {
    const numbers = ids.flatMap((id) => id.split(',')).map(Number);
    if (!numbers.every((id) => Number.isSafeInteger(id) && id > 0)) throw new CodedError('PB_LETTERS_UNNAMED');
    return { ids: numbers };
  }
  const filter = filterOf(options);
  if (options.all !== true && Object.keys(filter).length === 0) throw new CodedError('PB_LETTERS_UNNAMED');
  return { filter };
}

function filterOf({ pipeline, instance, code, since, until, text }: Filters): LetterFilter {
  return {
    ...(pipeline === undefined ? {} : { pipeline }),
    ...(instance === undefined ? {} : { instance }),
    ...(code === undefined ? {} : { code }),
    ...(since === undefined ? {} : { from: momentOf(since) }),
    ...(until === undefined ? {} : { to: momentOf(until) }),
    ...(text === undefined ? {} : { text }),
  };
}

function momentOf(text: string): number {
  const ago = parseDuration(text);
  const moment = ago === undefined ? Date.parse(text) : Date.now() - ago;
  if (Number.isNaN(moment)) throw new CodedError('PB_LETTERS_WHEN', { text });
  return Math.max(0, moment);
}

function printDetail({ letter, cause, stack, remedy, history, message, problem }: LetterDetail): void {
  print(`${letter.code}: ${cause}`);
  if (remedy !== '') print(`  ${remedy}`);
  print();
  const place = letter.place === '' ? '' : ` (${letter.place})`;
  print(`refused by   ${letter.instance}${place} in ${letter.pipeline}, came from ${letter.origin}`);
  print(`stored       ${timeOf(letter.stored)}, ${letter.attempts} ${letter.attempts === 1 ? 'attempt' : 'attempts'}`);
  print(`message id   ${letter.messageId}${letter.edited ? ' (edited)' : ''}`);
  for (const act of history)
    print(
      act.act === 'edited'
        ? `${timeOf(act.time)} edited by ${act.by}`
        : `${timeOf(act.time)} retried by ${act.by} (${act.to}): ${act.ended}, ${act.code} ${short(act.cause)}`,
    );
  if (stack !== '') print(`\n${stack}`);
  print();
  if (problem !== undefined) print(`${problem.message} [${problem.code}]\n${problem.remedy}`);
  else print(JSON.stringify(message?.event, null, 2));
}

function printJob({ state, total, done, delivered, filtered, refused, kept, error }: RetryJob): void {
  const head = state === 'done' ? '' : `${state} after ${done} of ${total}: `;
  print(`${head}${delivered} delivered, ${filtered} filtered, ${refused} refused again, ${kept} kept`);
  if (error !== undefined && kept + refused > 0) print(`${error.message} [${error.code}]`);
  if (error !== undefined && error.remedy !== '') print(error.remedy);
}

function marksOf({ edited, retries, busy }: LetterRow): string {
  const marks = [
    ...(edited ? ['edited'] : []),
    ...(retries > 0 ? [`retried ${retries}×`] : []),
    ...(busy ? ['being retried'] : []),
  ];
  return marks.length === 0 ? '' : ` (${marks.join(', ')})`;
}

function timeOf(time: number): string {
  return new Date(time).toISOString().slice(0, 19).replace('T', ' ');
}

function short(text: string): string {
  const [line = ''] = text.split('\n');
  return line.length > 100 ? `${line.slice(0, 99)}…` : line;
}
