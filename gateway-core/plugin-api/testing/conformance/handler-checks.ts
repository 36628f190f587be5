import { isMessage } from '../../../flow/handler-step.ts';
import type { State } from '../../context.ts';
import { Filtered, Refused, type Handler, type HandlerItem, type HandlerResult } from '../../handler.ts';
import type { Message, MessageInit } from '../../message.ts';
import { fail, failWith, textOf } from './check.ts';
import { hostileSamples, kindsOf, plainSamples } from './samples.ts';
import { closeInstance, create, messages, type Instance } from './stage.ts';
import type { AnyRig, Subject } from './subject.ts';
import { inTime, outcomeOf, type Patience } from './waiting.ts';

/** Good messages for this handler: those of conformance.ts, else plain ones of the kinds it accepts. */
function samplesOf(subject: Subject, rig: AnyRig): readonly MessageInit[] {
  if (rig.samples !== undefined && rig.samples.length > 0) return rig.samples;
  return plainSamples(kindsOf(subject.contribution.accepts), 12);
}

/** Good and hostile ones in turn, so that results at a wrong place show. */
function mixture(subject: Subject, rig: AnyRig): Message[] {
  const good = samplesOf(subject, rig);
  const hostile = hostileSamples();
  const length = Math.max(good.length, hostile.length);
  const mixed: MessageInit[] = [];
  for (let i = 0; i < length; i++) {
    const bad = hostile[i];
    mixed.push(good[i % good.length] as MessageInit);
    if (bad !== undefined) mixed.push(bad.init);
  }
  return messages(mixed);
}

export async function withHandler<T>(
  subject: Subject,
  config: unknown,
  { patienceMs }: Patience,
  act: (handler: Handler, instance: Instance<Handler>) => Promise<T>,
  state?: State,
): Promise<T> {
  const instance = create(subject, config, state) as Instance<Handler>;
  await inTime('open()', patienceMs, () => instance.made.open?.());
  let result: T;
  try {
    result = await act(instance.made, instance);
  } catch (error) {
    await closeInstance(instance, patienceMs).catch(() => undefined);
    throw error;
  }
  await closeInstance(instance, patienceMs);
  return result;
}

/**
 * Results of a batch as the host takes them. Where the whole batch failed each message is tried alone, as the
 * host does: that a hostile message is thrown at is the concern of `refused messages` only.
 */
async function resultsOf(handler: Handler, batch: readonly Message[], patience: Patience): Promise<unknown> {
  const outcome = await outcomeOf(patience.patienceMs, () => handler.handle(batch));
  if (outcome.kind === 'value') return outcome.value;
  if (outcome.kind === 'late')
    return fail(`handle() of ${batch.length} messages did not end within ${patience.patienceMs / 1000} s`);
  if (batch.length === 1) return [new Refused('PB_PLUGIN_THREW', textOf(outcome.error))];
  const results: unknown[] = [];
  for (const message of batch) {
    const one = await resultsOf(handler, [message], patience);
    results.push(Array.isArray(one) ? (one as unknown[])[0] : one);
  }
  return results;
}

/** The results, one per input; fails when there are more or fewer. */
export async function countedResults(
  handler: Handler,
  batch: readonly Message[],
  patience: Patience,
): Promise<readonly HandlerResult[]> {
  const results = await resultsOf(handler, batch, patience);
  if (!Array.isArray(results)) fail(`handle() gave ${typeof results} instead of a list of results`);
  if (results.length !== batch.length) fail(`handle() gave ${results.length} results for ${batch.length} messages`);
  return results as readonly HandlerResult[];
}

const itemsOf = (result: HandlerResult): readonly HandlerItem[] =>
  Array.isArray(result) ? (result as readonly HandlerItem[]) : [result as HandlerItem];

/** Exactly one result per message, each of a form that the host knows. */
export async function checkOneResultEach(subject: Subject, rig: AnyRig, patience: Patience): Promise<void> {
  await withHandler(subject, rig.config, patience, async (handler) => {
    const good = messages(samplesOf(subject, rig));
    for (const batch of [good.slice(0, 1), good, mixture(subject, rig)]) {
      const results = await countedResults(handler, batch, patience);
      const problems: string[] = [];
      for (const [i, result] of results.entries()) {
        const items = itemsOf(result);
        if (items.length === 0)
          problems.push(`result ${i} is an empty list: a message that is left out is \`new Filtered(reason)\``);
        for (const item of items) {
          if (item instanceof Filtered) {
            if (typeof item.reason !== 'string' || item.reason === '')
              problems.push(`result ${i} is filtered without a reason`);
          } else if (item instanceof Refused) {
            if (item.code === '' || item.cause === '') problems.push(`result ${i} is refused without code or cause`);
          } else if (!isMessage(item)) {
            problems.push(`result ${i} is ${item === null ? 'null' : typeof item}, not a message, Filtered or Refused`);
          }
        }
      }
      failWith(problems);
    }
  });
}

/** Which input a message comes from, by its id. */
function originOf(item: Message, batch: readonly Message[]): number {
  const root = item.id.split('#', 1)[0];
  return batch.findIndex((message) => message.id === root);
}

/** Each result stands where its message stood, and batching changes no result. */
export async function checkHandlerOrder(subject: Subject, rig: AnyRig, patience: Patience): Promise<void> {
  const batch = mixture(subject, rig);
  const together = await withHandler(subject, rig.config, patience, (handler) =>
    countedResults(handler, batch, patience),
  );
  const problems: string[] = [];
  for (const [i, result] of together.entries()) {
    for (const item of itemsOf(result)) {
      if (!isMessage(item)) continue;
      const from = originOf(item, batch);
      if (from >= 0 && from !== i) problems.push(`result ${i} is made of message ${from}`);
    }
  }
  failWith(problems);
  if (rig.repeatable === false) return;
  await withHandler(subject, rig.config, patience, async (handler) => {
    for (const [i, message] of batch.entries()) {
      const [alone] = await countedResults(handler, [message], patience);
      const inBatch = together[i];
      if (alone === undefined || inBatch === undefined) continue;
      if (verdictOf(message, alone) !== verdictOf(message, inBatch))
        problems.push(
          `message ${i} is ${verdictOf(message, alone)} alone but ${verdictOf(message, inBatch)} in a batch`,
        );
    }
  });
  failWith(problems);
}

export function verdictOf(input: Message, result: HandlerResult): string {
  if (Array.isArray(result)) return (result as readonly HandlerItem[]).map((item) => verdictOf(input, item)).join('+');
  if (result instanceof Filtered) return 'filtered';
  if (result instanceof Refused) return `refused (${result.code})`;
  return result === input ? 'passed' : 'replaced';
}

/** No message is invented or lost; parts are told apart; origin is kept. */
export async function checkLineage(subject: Subject, rig: AnyRig, patience: Patience): Promise<void> {
  await withHandler(subject, rig.config, patience, async (handler) => {
    const batch = mixture(subject, rig);
    const before = batch.map(fingerprint);
    const results = await countedResults(handler, batch, patience);
    const problems: string[] = [];
    const seen = new Map<string, number>();
    for (const [i, result] of results.entries()) {
      const items = itemsOf(result);
      if (items.length === 0) problems.push(`message ${i} is lost: its result is an empty list`);
      for (const item of items) {
        const message = item instanceof Refused ? item.message : item instanceof Filtered ? undefined : item;
        if (message === undefined || !isMessage(message)) continue;
        const from = batch[originOf(message, batch)];
        if (from === undefined) {
          problems.push(`result ${i} is a message of its own making (id ${message.id}): use derive()`);
          continue;
        }
        if (message.instance !== from.instance || message.source !== from.source || message.project !== from.project)
          problems.push(`result ${i} claims another origin than its message`);
        if (item instanceof Refused) continue;
        const other = seen.get(message.id);
        if (other !== undefined)
          problems.push(
            `two messages have the id ${message.id} (results ${other} and ${i}): give derive() the part's number`,
          );
        seen.set(message.id, i);
      }
    }
    for (const [i, message] of batch.entries())
      if (fingerprint(message) !== before[i]) problems.push(`message ${i} itself was changed: messages are immutable`);
    failWith(problems);
  });
}

/** What may not change of an input. Data is looked at as far as it is plain and small. */
function fingerprint({ id, kind, type, subject, data, attributes }: Message): string {
  try {
    const text = data instanceof Uint8Array ? `${data.length}:${data.slice(0, 1000).join()}` : JSON.stringify(data);
    return `${id} ${kind} ${type} ${subject} ${text?.slice(0, 10_000)} ${JSON.stringify(attributes)}`;
  } catch {
    return id;
  }
}

/** What a handler can't take is refused, filtered or passed, message by message; never the batch. */
export async function checkHandlerRefuses(
  subject: Subject,
  rig: AnyRig,
  codes: ReadonlySet<string>,
  patience: Patience,
): Promise<void> {
  const good = samplesOf(subject, rig);
  const hostile = hostileSamples();
  await withHandler(subject, rig.config, patience, async (handler) => {
    const batch = messages([...good, ...hostile.map(({ init }) => init), ...good]);
    const outcome = await outcomeOf(patience.patienceMs, () => handler.handle(batch));
    if (outcome.kind === 'late')
      fail(`handle() of hostile messages did not end within ${patience.patienceMs / 1000} s`);
    if (outcome.kind === 'threw') {
      const culprits: string[] = [];
      for (const { name, init } of hostile) {
        const alone = await outcomeOf(patience.patienceMs, () => handler.handle(messages([init])));
        if (alone.kind !== 'value') culprits.push(name);
      }
      fail(
        `handle() threw for a whole batch (${textOf(outcome.error)})${culprits.length > 0 ? `, because of: ${culprits.slice(0, 5).join(', ')}` : ''}: refuse the one message, for example with eachMessage()`,
        outcome.error,
      );
    }
    const results = Array.isArray(outcome.value) ? outcome.value : [];
    const problems: string[] = [];
    for (const [i, result] of results.entries()) {
      const name = hostile[i - good.length]?.name ?? `a good message (${i})`;
      for (const item of itemsOf(result as HandlerResult)) {
        if (!(item instanceof Refused)) continue;
        if (!codes.has(item.code))
          problems.push(`${name} is refused with ${item.code}, which plugin.json does not declare under \`errors\``);
        const ours = i < good.length || i >= good.length + hostile.length;
        if (ours && rig.samples !== undefined)
          problems.push(`a sample of conformance.ts is refused: ${item.code} ${item.cause}`);
      }
    }
    // Good messages before and after hostile ones fare alike.
    const last = results.length - good.length;
    for (let i = 0; i < good.length && last > 0 && rig.repeatable !== false; i++) {
      const [first, again] = [results[i], results[last + i]] as [HandlerResult, HandlerResult];
      const bad = (result: HandlerResult): boolean => itemsOf(result).some((item) => item instanceof Refused);
      if (!bad(first) && bad(again)) problems.push(`a good message is refused once hostile ones came before it`);
    }
    failWith([...new Set(problems)]);
  });
}

/** `close` while a batch is being handled ends in time, and so does the batch. */
export async function checkHandlerStopsBusy(subject: Subject, rig: AnyRig, patience: Patience): Promise<void> {
  const instance = create(subject, rig.config) as Instance<Handler>;
  await inTime('open()', patience.patienceMs, () => instance.made.open?.());
  const batch = messages(samplesOf(subject, rig));
  // Started before it is closed, waited for after.
  const handled = outcomeOf(patience.patienceMs, () => instance.made.handle(batch));
  await closeInstance(instance, patience.patienceMs);
  if ((await handled).kind === 'late')
    fail(`a batch under way at close() did not end within ${patience.patienceMs / 1000} s`);
}

/** After `reconfigure` said true, results are those of an instance that began with the new config. */
export async function checkHandlerReconfigures(subject: Subject, rig: AnyRig, patience: Patience): Promise<void> {
  const describe = (results: readonly HandlerResult[]): string[] =>
    results.map((result, i) => `${i}: ${contentOf(result)}`);
  const batch = messages(samplesOf(subject, rig));
  const changed = await withHandler(subject, rig.config, patience, async (handler) => {
    const answer = await inTime('reconfigure()', patience.patienceMs, () =>
      handler.reconfigure?.(structuredClone(rig.other)),
    );
    if (typeof answer !== 'boolean') fail(`reconfigure() gave ${typeof answer}, not true or false`);
    const results = await countedResults(handler, batch, patience);
    return answer ? describe(results) : undefined;
  });
  if (changed === undefined || rig.repeatable === false) return;
  const fresh = await withHandler(subject, rig.other, patience, async (handler) =>
    describe(await countedResults(handler, batch, patience)),
  );
  const at = fresh.findIndex((text, i) => text !== changed[i]);
  if (at >= 0)
    fail(
      `reconfigure() said true, but message ${at} then gives ${changed[at] ?? 'nothing'} where a new instance gives ${fresh[at] ?? 'nothing'}`,
    );
}

function contentOf(result: HandlerResult): string {
  return itemsOf(result)
    .map((item) => {
      if (item instanceof Filtered) return 'filtered';
      if (item instanceof Refused) return `refused ${item.code}`;
      const { kind, format, type, subject, severity, partitionkey, attributes, data } = item;
      return JSON.stringify(
        { kind, format, type, subject, severity, partitionkey, attributes, data },
        (_, value: unknown) => (typeof value === 'bigint' ? `${value}n` : value),
      );
    })
    .join(' + ');
}

/** Good messages to give an instance something to do. */
export function handlerWork(subject: Subject, rig: AnyRig): Message[] {
  return messages(samplesOf(subject, rig));
}
