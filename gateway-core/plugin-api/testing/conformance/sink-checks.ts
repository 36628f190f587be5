import { setTimeout as pause } from 'node:timers/promises';
import { BackOffError, NotConnectedError } from '../../errors.ts';
import type { Message, MessageInit } from '../../message.ts';
import type { Sink, WriteException } from '../../sink.ts';
import { fail, failWith, textOf } from './check.ts';
import { hostileSamples, kindsOf, plainSamples } from './samples.ts';
import { closeInstance, create, messages, type Instance } from './stage.ts';
import type { AnyRig, Subject } from './subject.ts';
import { inTime, outcomeOf, quiet, until, type Patience } from './waiting.ts';

/** Messages that the sink takes, with their bodies. */
export function sinkWork(subject: Subject, rig: AnyRig, bodies: readonly string[]): Message[] {
  if (rig.message !== undefined)
    return messages(bodies.map((body): MessageInit => rig.message?.(body) ?? { data: body }));
  const kinds = kindsOf(subject.contribution.accepts);
  const plain = kinds.includes('raw') ? undefined : plainSamples(kinds, bodies.length);
  return messages(bodies.map((body, i): MessageInit => plain?.[i] ?? { data: body }));
}

const bodies = (prefix: string, count: number): string[] => Array.from({ length: count }, (_, i) => `${prefix}-${i}`);

export async function withSink<T>(
  subject: Subject,
  config: unknown,
  { patienceMs }: Patience,
  act: (sink: Sink, instance: Instance<Sink>) => Promise<T>,
): Promise<T> {
  const instance = create(subject, config) as Instance<Sink>;
  await inTime('open()', patienceMs, () => instance.made.open());
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

/** Writes what the sink must take all of. */
async function writeAll(sink: Sink, batch: readonly Message[], { patienceMs }: Patience): Promise<void> {
  const result = await inTime('write()', patienceMs, () => sink.write(batch));
  const first = result?.[0];
  if (first !== undefined) fail(`write() answered a good message with ${first.kind}: ${first.code} ${first.cause}`);
}

async function receivedOf(rig: AnyRig, { context }: Instance<Sink>): Promise<readonly string[]> {
  return (await rig.received?.(context)) ?? [];
}

/** What `write` said is done is there, in the order of the writes. */
export async function checkSinkOrder(subject: Subject, rig: AnyRig, patience: Patience): Promise<void> {
  await withSink(subject, rig.config, patience, async (sink, instance) => {
    const written: string[] = [];
    for (let i = 0; i < 5; i++) {
      const part = bodies(`order-${i}`, 20);
      written.push(...part);
      await writeAll(sink, sinkWork(subject, rig, part), patience);
    }
    await until('not all that was written has arrived', patience.patienceMs, async () => {
      const there = new Set(await receivedOf(rig, instance));
      return written.every((body) => there.has(body));
    });
    const there = (await receivedOf(rig, instance)).filter((body) => written.includes(body));
    const wrong = there.findIndex((body, i) => body !== written[i]);
    if (wrong >= 0) fail(`place ${wrong} holds ${there[wrong] ?? ''} where ${written[wrong] ?? 'nothing'} was written`);
  });
}

/** Done means what the custody says, at the moment `write` says it. */
export async function checkDoneMeansDone(subject: Subject, rig: AnyRig, patience: Patience): Promise<void> {
  const meaning = { durable: 'on disk', remote: 'confirmed by the peer', view: 'applied' };
  const custody = subject.contribution.custody ?? 'view';
  await withSink(subject, rig.config, patience, async (sink, instance) => {
    for (let i = 0; i < 5; i++) {
      const part = bodies(`done-${i}`, 10);
      await writeAll(sink, sinkWork(subject, rig, part), patience);
      // Not waited for: it said done.
      const there = new Set(await receivedOf(rig, instance));
      const missing = part.filter((body) => !there.has(body));
      if (missing.length > 0)
        fail(
          `write() says done, which means ${meaning[custody]}, while ${missing.length} of ${part.length} messages are not there`,
        );
    }
  });
}

/** As many writes at once as plugin.json allows, none lost. */
export async function checkConcurrency(subject: Subject, rig: AnyRig, patience: Patience): Promise<void> {
  const { concurrency = 1 } = subject.contribution;
  await withSink(subject, rig.config, patience, async (sink, instance) => {
    const parts = Array.from({ length: concurrency }, (_, i) => bodies(`at-once-${i}`, 10));
    await Promise.all(parts.map((part) => writeAll(sink, sinkWork(subject, rig, part), patience)));
    const there = new Set(await receivedOf(rig, instance));
    const missing = parts.flat().filter((body) => !there.has(body));
    if (missing.length > 0) fail(`of ${concurrency} writes at once ${missing.length} messages are not there`);
  });
}

/** What a sink can't take comes back as an exception of its own; what came with it is done. */
export async function checkSinkRefuses(
  subject: Subject,
  rig: AnyRig,
  codes: ReadonlySet<string>,
  patience: Patience,
): Promise<void> {
  await withSink(subject, rig.config, patience, async (sink, instance) => {
    const hostile = hostileSamples();
    const problems: string[] = [];
    for (const { name, init } of hostile) {
      const batch = messages([init]);
      const outcome = await outcomeOf(patience.patienceMs, () => sink.write(batch));
      if (outcome.kind === 'late') fail(`write() of ${name} did not end within ${patience.patienceMs / 1000} s`);
      if (outcome.kind === 'threw')
        problems.push(`write() threw ${textOf(outcome.error)} for ${name}: answer with an exception of kind 'refuse'`);
      else problems.push(...faultsOf(outcome.value, batch, codes).map((fault) => `${name}: ${fault}`));
    }
    failWith(problems);

    const good = ['among-0', 'among-1', 'among-2'];
    const work = sinkWork(subject, rig, good);
    const batch = [
      ...work.slice(0, 1),
      ...messages(
        hostile.map(({ init }) => init),
        'hostile',
      ),
      ...work.slice(1),
    ];
    const result = await inTime('write() of good and hostile messages', patience.patienceMs, () => sink.write(batch));
    problems.push(...faultsOf(result, batch, codes));
    const excepted = new Set((result ?? []).map(({ index }) => index));
    const goodAt = [0, batch.length - 2, batch.length - 1];
    if (rig.message !== undefined || rig.received !== undefined) {
      if (goodAt.some((index) => excepted.has(index)))
        problems.push('good messages are not taken when hostile ones come with them');
      else if (rig.received !== undefined) {
        const there = new Set(await receivedOf(rig, instance));
        const missing = good.filter((body) => !there.has(body));
        if (missing.length > 0)
          problems.push(`${missing.length} of 3 good messages are not there, having come with hostile ones`);
      }
    }
    failWith([...new Set(problems)]);
  });
}

/** What is wrong with an answer of `write`. */
function faultsOf(result: unknown, batch: readonly Message[], codes: ReadonlySet<string>): string[] {
  if (result === undefined) return [];
  if (!Array.isArray(result)) return [`write() gave ${typeof result} instead of nothing or a list`];
  const faults: string[] = [];
  const seen = new Set<number>();
  for (const { index, kind, code, cause } of result as WriteException[]) {
    if (!Number.isInteger(index) || index < 0 || index >= batch.length)
      faults.push(`an exception is about place ${index} of ${batch.length}`);
    if (seen.has(index)) faults.push(`two exceptions are about place ${index}`);
    seen.add(index);
    if (kind !== 'retry' && kind !== 'refuse') faults.push(`an exception is of kind ${String(kind)}`);
    if (typeof cause !== 'string' || cause === '') faults.push('an exception says no cause');
    if (typeof code !== 'string' || !codes.has(code))
      faults.push(`the code ${String(code)} is not declared under \`errors\` in plugin.json`);
  }
  return faults;
}

/** Lost, the peer is told to the host; back again, what was not taken arrives. */
export async function checkSinkReconnects(subject: Subject, rig: AnyRig, patience: Patience): Promise<void> {
  const { peer } = rig;
  if (peer === undefined) return;
  const long = patience.patienceMs * 4;
  await withSink(subject, rig.config, patience, async (sink, instance) => {
    const { context } = instance;
    await writeAll(sink, sinkWork(subject, rig, ['before']), patience);
    await peer.down();
    const lost = await outcomeOf(long, () => sink.write(sinkWork(subject, rig, ['while away'])));
    if (lost.kind === 'late') fail(`write() without a peer did not end within ${long / 1000} s`);
    if (lost.kind === 'value') {
      const first = lost.value?.[0];
      if (first === undefined) fail('write() says done although the peer is away');
      if (first.kind === 'refuse')
        fail(`write() refuses (${first.code}) although only the peer is away: that is a dead letter, not a retry`);
    } else if (!isTransient(lost.error)) {
      fail(`without a peer write() throws ${textOf(lost.error)}, not NotConnectedError`, lost.error);
    }
    // The host's part from here on: close and open with a pause in between until it works.
    const closed = lost.kind === 'threw' || context.failures.length > 0;
    if (closed) await inTime('close() without a peer', long, () => sink.close());
    if (closed) {
      const away = await outcomeOf(long, () => sink.open());
      if (away.kind === 'late') fail(`open() without a peer did not end within ${long / 1000} s`);
      if (away.kind === 'threw' && !isTransient(away.error))
        fail(`without a peer open() throws ${textOf(away.error)}, not NotConnectedError`, away.error);
      if (away.kind === 'value') await inTime('close()', long, () => sink.close());
    }
    await peer.up();
    let last: unknown;
    let open = !closed;
    await until(
      () => `with the peer back nothing is written${last === undefined ? '' : `; the last fault was ${textOf(last)}`}`,
      long,
      async () => {
        const work = sinkWork(subject, rig, ['after']);
        const tried = await outcomeOf(long, async () => {
          if (!open) await sink.open();
          open = true;
          return sink.write(work);
        });
        if (tried.kind === 'value' && (tried.value ?? []).length === 0) return true;
        last =
          tried.kind === 'threw' ? tried.error : tried.kind === 'value' ? tried.value?.[0]?.cause : 'it did not end';
        if (tried.kind === 'threw' && open) {
          await outcomeOf(long, () => sink.close());
          open = false;
        }
        await pause(100);
        return false;
      },
    );
    if (rig.received !== undefined)
      await until('what was written after the peer came back is not there', patience.patienceMs, async () =>
        (await receivedOf(rig, instance)).includes('after'),
      );
  });
}

export function isTransient(error: unknown): boolean {
  return error instanceof NotConnectedError || error instanceof BackOffError;
}

/** `close` during a write ends in time, the write too, and nothing is written after. */
export async function checkSinkStopsBusy(subject: Subject, rig: AnyRig, patience: Patience): Promise<void> {
  const instance = create(subject, rig.config) as Instance<Sink>;
  await inTime('open()', patience.patienceMs, () => instance.made.open());
  const batch = sinkWork(subject, rig, bodies('busy', 200));
  const written = outcomeOf(patience.patienceMs, () => instance.made.write(batch));
  await closeInstance(instance, patience.patienceMs);
  if ((await written).kind === 'late')
    fail(`a write under way at close() did not end within ${patience.patienceMs / 1000} s`);
  if (rig.received === undefined) return;
  const there = await outcomeOf(patience.patienceMs, () => receivedOf(rig, instance));
  if (there.kind !== 'value') return;
  await quiet(patience.quietMs);
  const later = await outcomeOf(patience.patienceMs, () => receivedOf(rig, instance));
  if (later.kind === 'value' && later.value.length > there.value.length)
    fail(`${later.value.length - there.value.length} messages arrived after close() and write() had ended`);
}

/** After `reconfigure` the sink still takes messages, whatever it answered. */
export async function checkSinkReconfigures(subject: Subject, rig: AnyRig, patience: Patience): Promise<void> {
  await withSink(subject, rig.config, patience, async (sink, instance) => {
    await writeAll(sink, sinkWork(subject, rig, ['before']), patience);
    const answer = await inTime('reconfigure()', patience.patienceMs, () =>
      sink.reconfigure?.(structuredClone(rig.other)),
    );
    if (typeof answer !== 'boolean') fail(`reconfigure() gave ${typeof answer}, not true or false`);
    await writeAll(sink, sinkWork(subject, rig, ['after']), patience);
    if (rig.received !== undefined && !(await receivedOf(rig, instance)).includes('after'))
      fail(`reconfigure() said ${answer}, and what is written after it is not there`);
  });
}
