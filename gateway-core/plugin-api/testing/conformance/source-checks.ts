import { setTimeout as pause } from 'node:timers/promises';
import { ConfigError } from '../../errors.ts';
import { Refused } from '../../handler.ts';
import type { Message } from '../../message.ts';
import { isTaken, type Outcome } from '../../outcome.ts';
import type { Source } from '../../source.ts';
import { fakeEmit, type FakeEmit, type FakeEmitOptions } from '../context.ts';
import { fail, failWith, textOf } from './check.ts';
import type { Verdict } from './definition.ts';
import { isTransient } from './sink-checks.ts';
import { create, endSource, INSTANCE, type Instance } from './stage.ts';
import type { AnyRig, Subject } from './subject.ts';
import { inTime, outcomeOf, quiet, until, type Patience } from './waiting.ts';

const bodies = (prefix: string, count: number): string[] => Array.from({ length: count }, (_, i) => `${prefix}-${i}`);

function textOfData({ data }: Message): string {
  if (typeof data === 'string') return data;
  if (data instanceof Uint8Array) return new TextDecoder().decode(data);
  return JSON.stringify(data) ?? '';
}

/** Bodies emitted so far, in order; those of refused entries too. */
function emitted(fake: FakeEmit, rig: AnyRig): string[] {
  return fake.batches.flat().map((entry) => bodyOf(entry, rig));
}

function bodyOf(entry: Message | Refused, rig: AnyRig): string {
  const message = entry instanceof Refused ? entry.message : entry;
  if (message === undefined) return '';
  return rig.bodyOf?.(message) ?? textOfData(message);
}

/** Upstream's sending is not waited for: it may be held up by the very thing that is tested. */
function send(rig: AnyRig, list: readonly string[]): void {
  Promise.resolve()
    .then(() => rig.send?.(list))
    // What does not arrive is told by the one who waits for it.
    .catch(() => undefined);
}

export async function withSource<T>(
  subject: Subject,
  rig: AnyRig,
  { patienceMs }: Patience,
  options: FakeEmitOptions & { readonly held?: boolean },
  act: (fake: FakeEmit, instance: Instance<Source>) => Promise<T>,
): Promise<T> {
  const instance = create(subject, rig.config) as Instance<Source>;
  const fake = fakeEmit(options);
  if (options.held === true) fake.hold();
  await inTime('start()', patienceMs, () => instance.made.start(fake.emit));
  let result: T;
  try {
    result = await act(fake, instance);
  } catch (error) {
    fake.release();
    await endSource(instance, patienceMs).catch(() => undefined);
    throw error;
  }
  fake.release();
  await endSource(instance, patienceMs);
  return result;
}

async function arrive(fake: FakeEmit, rig: AnyRig, wanted: readonly string[], ms: number): Promise<void> {
  const missing = (): string[] => {
    const there = new Set(emitted(fake, rig));
    return wanted.filter((body) => !there.has(body));
  };
  await until(
    () =>
      `${missing().length} of ${wanted.length} messages that upstream sent were not emitted, such as ${missing()[0] ?? ''}`,
    ms,
    () => missing().length === 0,
  );
}

/** What upstream sent is emitted in its order, in batches as the host wants them. */
export async function checkSourceOrder(subject: Subject, rig: AnyRig, patience: Patience): Promise<void> {
  await withSource(subject, rig, patience, {}, async (fake) => {
    const sent: string[] = [];
    for (let i = 0; i < 5; i++) {
      const part = bodies(`order-${i}`, 20);
      sent.push(...part);
      send(rig, part);
      await arrive(fake, rig, part, patience.patienceMs);
    }
    const got = emitted(fake, rig).filter((body) => sent.includes(body));
    const wrong = got.findIndex((body, i) => body !== sent[i]);
    if (wrong >= 0)
      fail(`place ${wrong} holds ${got[wrong] ?? ''} where upstream sent ${sent[wrong] ?? 'nothing more'}`);
  });
}

/** Batches are not empty, belong to the host once emitted, and their messages are of this instance. */
export async function checkBatches(subject: Subject, rig: AnyRig, patience: Patience): Promise<void> {
  const problems: string[] = [];
  const fake = fakeEmit();
  const seen: {
    readonly batch: readonly (Message | Refused)[];
    readonly copy: readonly (Message | Refused)[];
    readonly texts: readonly string[];
  }[] = [];
  const instance = create(subject, rig.config) as Instance<Source>;
  await inTime('start()', patience.patienceMs, () =>
    instance.made.start((batch) => {
      if (batch.length === 0) problems.push('an empty batch was emitted');
      else seen.push({ batch, copy: [...batch], texts: batch.map((entry) => bodyOf(entry, rig)) });
      return batch.length === 0
        ? { admitted: Promise.resolve(), outcomes: Promise.resolve({ exceptions: [] }) }
        : fake.emit(batch);
    }),
  );
  let missing: Error | undefined;
  try {
    send(rig, bodies('batch-0', 20));
    if (rig.emitsAlone !== true) await arrive(fake, rig, bodies('batch-0', 20), patience.patienceMs);
    else await until('nothing was emitted', patience.patienceMs, () => fake.batches.length > 1);
    send(rig, bodies('batch-1', 20));
    if (rig.emitsAlone !== true) await arrive(fake, rig, bodies('batch-1', 20), patience.patienceMs);
  } catch (error) {
    // What is wrong with the batches may be the reason, and tells more.
    missing = error instanceof Error ? error : new Error(String(error));
  } finally {
    await endSource(instance, patience.patienceMs);
  }
  const ids = new Set<string>();
  for (const { batch, copy, texts } of seen) {
    if (batch.length !== copy.length || batch.some((entry, i) => entry !== copy[i]))
      problems.push('a batch was changed after it was emitted');
    if (texts.some((text, i) => text !== bodyOf(copy[i] as Message, rig)))
      problems.push("a message's data was changed after it was emitted: copy a pooled Buffer first");
    for (const entry of copy) {
      const message = entry instanceof Refused ? entry.message : entry;
      if (message === undefined) continue;
      if (message.instance !== INSTANCE)
        problems.push(`a message is of instance '${message.instance}': make messages with context.message()`);
      if (ids.has(message.id)) problems.push(`two messages have the id ${message.id}`);
      ids.add(message.id);
    }
  }
  failWith([...new Set(problems)]);
  if (missing !== undefined) throw missing;
}

/** While `admitted` is pending nothing more is emitted; then it goes on, with nothing lost. */
export async function checkBackPressure(subject: Subject, rig: AnyRig, patience: Patience): Promise<void> {
  const { parallel = 1 } = rig;
  await withSource(subject, rig, patience, { held: true }, async (fake) => {
    const first = bodies('held', 20);
    send(rig, first);
    await until('nothing was emitted', patience.patienceMs, () => fake.batches.length > 0);
    const second: string[] = [];
    // More than may wait at once, each sent on its own, so that each could be a batch.
    for (let i = 0; i < parallel + 2; i++) {
      const part = bodies(`more-${i}`, 5);
      second.push(...part);
      send(rig, part);
    }
    await quiet(patience.quietMs);
    if (fake.batches.length > parallel)
      fail(`it emitted ${fake.batches.length} batches although the first one's \`admitted\` was still pending`);
    const before = fake.batches.length;
    fake.release();
    if (rig.emitsAlone === true)
      await until(
        'it emits nothing more after there was room again',
        patience.patienceMs,
        () => fake.batches.length > before + 1,
      );
    else await arrive(fake, rig, [...first, ...second], patience.patienceMs);
  });
}

const OUTCOMES: Readonly<Record<string, Outcome>> = {
  delivered: { kind: 'delivered' },
  filtered: { kind: 'filtered', reason: 'not for us' },
  'refused and stored': { kind: 'refused', code: 'PB_TEST', cause: 'for the test', stored: true },
  'refused and not stored': { kind: 'refused', code: 'PB_TEST', cause: 'for the test', stored: false },
  retry: { kind: 'retry', code: 'PB_TEST', cause: 'for the test', afterMs: 100 },
};

function verdictFor(outcome: Outcome): Verdict {
  if (isTaken(outcome)) return 'accepted';
  return outcome.kind === 'refused' ? 'rejected' : 'returned';
}

/** Upstream hears nothing before the outcome, and then what the outcome means. */
export async function checkOutcomes(subject: Subject, rig: AnyRig, patience: Patience): Promise<void> {
  let decide: () => void = () => undefined;
  const decided = new Promise<void>((resolve) => (decide = resolve));
  const outcome = async (entry: Message | Refused): Promise<Outcome> => {
    await decided;
    return OUTCOMES[bodyOf(entry, rig)] ?? { kind: 'delivered' };
  };
  try {
    await withSource(subject, rig, patience, { outcome }, async (fake) => {
      const sent = Object.keys(OUTCOMES);
      for (const body of sent) {
        send(rig, [body]);
        await arrive(fake, rig, [body], patience.patienceMs);
      }
      await quiet(patience.quietMs);
      const verdicts = (): ReadonlyMap<string, Verdict> => rig.verdicts?.() ?? new Map<string, Verdict>();
      const early = sent.find((body) => verdicts().has(body));
      if (early !== undefined)
        fail(`upstream was told '${verdicts().get(early) ?? ''}' of a message that had no outcome yet`);
      decide();
      await until(
        () => `upstream was told nothing of the messages: ${sent.filter((body) => !verdicts().has(body)).join(', ')}`,
        patience.patienceMs,
        () => sent.every((body) => verdicts().has(body)),
      );
      failWith(
        sent.flatMap((body) => {
          const wanted = verdictFor(OUTCOMES[body] as Outcome);
          const got = verdicts().get(body);
          return got === wanted
            ? []
            : [`upstream was told '${got ?? ''}' of the message that was ${body}; that means '${wanted}'`];
        }),
      );
    });
  } finally {
    decide();
  }
}

/** What is damaged stops nothing: it is refused upstream or as a message, and the next one is emitted. */
export async function checkSourceRefuses(
  subject: Subject,
  rig: AnyRig,
  codes: ReadonlySet<string>,
  patience: Patience,
): Promise<void> {
  await withSource(subject, rig, patience, {}, async (fake, { context }) => {
    await inTime('sendDamaged() of conformance.ts', patience.patienceMs, () => rig.sendDamaged?.());
    send(rig, ['after the damage']);
    await arrive(fake, rig, ['after the damage'], patience.patienceMs);
    const [failure] = context.failures;
    if (failure !== undefined) fail(`damaged input made it fail as a whole: ${textOf(failure)}`, failure);
    const unknown = fake.batches
      .flat()
      .filter((entry) => entry instanceof Refused && !codes.has(entry.code)) as Refused[];
    failWith([
      ...new Set(unknown.map(({ code }) => `the code ${code} is not declared under \`errors\` in plugin.json`)),
    ]);
  });
}

/** Lost and found again, the peer's messages come in; without it, start fails as it should. */
export async function checkSourceReconnects(subject: Subject, rig: AnyRig, patience: Patience): Promise<void> {
  const { peer } = rig;
  if (peer === undefined) return;
  const long = patience.patienceMs * 4;
  const fake = fakeEmit();
  let instance: Instance<Source> | undefined;
  const start = async (): Promise<unknown> => {
    const made = create(subject, rig.config) as Instance<Source>;
    const outcome = await outcomeOf(long, () => made.made.start(fake.emit));
    if (outcome.kind === 'value') {
      instance = made;
      return undefined;
    }
    await outcomeOf(long, () => made.made.close());
    made.context.abort();
    if (outcome.kind === 'late') fail(`start() did not end within ${long / 1000} s`);
    return outcome.error;
  };
  /** The host's part: after `fail`, and while start does not succeed, a new instance. */
  const keepUp = async (): Promise<void> => {
    if (instance !== undefined && instance.context.failures.length > 0) {
      const ended = instance;
      instance = undefined;
      await endSource(ended, long);
    }
    if (instance !== undefined) return;
    const error = await start();
    if (error instanceof ConfigError)
      fail(`without its peer start() throws a ConfigError (${error.message}): the host would never try again`);
    if (error !== undefined) await pause(100);
  };
  try {
    const first = await start();
    if (first !== undefined) fail(`start() failed with ${textOf(first)}`, first);
    send(rig, ['before']);
    await arrive(fake, rig, ['before'], patience.patienceMs);
    await peer.down();
    await quiet(patience.quietMs);
    await keepUp();
    await peer.up();
    let last = 0;
    await until('with the peer back none of its messages is emitted', long, async () => {
      await keepUp();
      // Again, since what is sent before it is back may be lost on the way.
      if (performance.now() - last > 500) send(rig, ['after']);
      last = performance.now() - last > 500 ? performance.now() : last;
      return emitted(fake, rig).includes('after');
    });
    const ended = instance as Instance<Source> | undefined;
    instance = undefined;
    if (ended !== undefined) await endSource(ended, long);

    await peer.down();
    const error = await start();
    if (error !== undefined && !isTransient(error))
      fail(`without its peer start() throws ${textOf(error)}, not NotConnectedError`, error);
    await peer.up();
  } finally {
    if (instance !== undefined) await outcomeOf(long, () => endSource(instance as Instance<Source>, long));
  }
}

/** Stopped while it emits and has no room, it ends in time and emits nothing more. */
export async function checkSourceStopsBusy(subject: Subject, rig: AnyRig, patience: Patience): Promise<void> {
  const instance = create(subject, rig.config) as Instance<Source>;
  const fake = fakeEmit();
  fake.hold();
  await inTime('start()', patience.patienceMs, () => instance.made.start(fake.emit));
  let stopped = false;
  try {
    send(rig, bodies('busy', 50));
    await until('nothing was emitted', patience.patienceMs, () => fake.batches.length > 0);
    await inTime('stop() without room', patience.patienceMs, () => instance.made.stop());
    stopped = true;
    const before = fake.batches.length;
    send(rig, bodies('too-late', 5));
    await quiet(patience.quietMs);
    fake.release();
    await quiet(patience.quietMs);
    if (fake.batches.length > before) fail(`it emitted ${fake.batches.length - before} batches after stop() had ended`);
    await inTime('close()', patience.patienceMs, () => instance.made.close());
    await quiet(patience.quietMs);
    if (fake.batches.length > before) fail(`it emitted ${fake.batches.length - before} batches after close()`);
  } catch (error) {
    fake.release();
    if (!stopped) await outcomeOf(patience.patienceMs, () => instance.made.stop());
    await outcomeOf(patience.patienceMs, () => instance.made.close());
    throw error;
  } finally {
    instance.context.abort();
  }
}

/** After `reconfigure` messages still come in, whatever it answered. */
export async function checkSourceReconfigures(subject: Subject, rig: AnyRig, patience: Patience): Promise<void> {
  await withSource(subject, rig, patience, {}, async (fake, { made }) => {
    const answer = await inTime('reconfigure()', patience.patienceMs, () =>
      made.reconfigure?.(structuredClone(rig.other)),
    );
    if (typeof answer !== 'boolean') fail(`reconfigure() gave ${typeof answer}, not true or false`);
    const before = fake.batches.length;
    send(rig, ['after']);
    if (rig.emitsAlone === true)
      await until('it emits nothing after reconfigure()', patience.patienceMs, () => fake.batches.length > before);
    else await arrive(fake, rig, ['after'], patience.patienceMs);
  });
}
