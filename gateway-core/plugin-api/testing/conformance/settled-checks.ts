/** What a handler that is told of outcomes must do with them: remember what was kept, durably, and nothing else. */
import type { State } from '../../context.ts';
import type { Handler, Settled } from '../../handler.ts';
import type { Message } from '../../message.ts';
import { fail, failWith } from './check.ts';
import { countedResults, handlerWork, verdictOf, withHandler } from './handler-checks.ts';
import type { AnyRig, Subject } from './subject.ts';
import { inTime, outcomeOf, type Patience } from './waiting.ts';

async function verdicts(handler: Handler, batch: readonly Message[], patience: Patience): Promise<string[]> {
  const results = await countedResults(handler, batch, patience);
  return results.map((result, i) => verdictOf(batch[i] as Message, result));
}

const settled = (batch: readonly Message[], result: Settled['result']): Settled[] =>
  batch.map((message) => ({ message, result }));

function compare(first: readonly string[], again: readonly string[], when: string): void {
  failWith(
    first.flatMap((verdict, i) =>
      verdict === again[i] ? [] : [`message ${i} was ${verdict}, and is ${again[i] ?? 'nothing'} ${when}`],
    ),
  );
}

/** A crash between `handle` and `settled`: upstream sends all of it again, and none of it may be missed. */
export async function checkSettlesFirst(subject: Subject, rig: AnyRig, patience: Patience): Promise<void> {
  let state: State | undefined;
  const first = await withHandler(subject, rig.config, patience, (handler, { context }) => {
    state = context.state;
    return verdicts(handler, handlerWork(subject, rig), patience);
  });
  const next = (handler: Handler): Promise<string[]> => verdicts(handler, handlerWork(subject, rig), patience);
  compare(
    first,
    await withHandler(subject, rig.config, patience, next, state),
    'when it comes again after a crash: it was remembered before it had an outcome',
  );
}

/** What was given back, or became a dead letter that is retried, comes again and fares as at first. */
export async function checkForgetsGivenBack(subject: Subject, rig: AnyRig, patience: Patience): Promise<void> {
  await withHandler(subject, rig.config, patience, async (handler) => {
    let first: string[] | undefined;
    for (const result of ['back', 'refused', 'back'] as const) {
      const batch = handlerWork(subject, rig);
      const now = await verdicts(handler, batch, patience);
      first ??= now;
      compare(first, now, 'when it comes again after it was given back or refused');
      await inTime('settled()', patience.patienceMs, () => handler.settled?.(settled(batch, result)));
    }
  });
}

/** What was kept is known to this life and to the next alike. */
export async function checkKeepsSettled(subject: Subject, rig: AnyRig, patience: Patience): Promise<void> {
  let state: State | undefined;
  const known = await withHandler(subject, rig.config, patience, async (handler, { context }) => {
    state = context.state;
    const batch = handlerWork(subject, rig);
    await verdicts(handler, batch, patience);
    await inTime('settled()', patience.patienceMs, () => handler.settled?.(settled(batch, 'kept')));
    // Of an equal message of an earlier life it is told, too.
    await inTime('settled()', patience.patienceMs, () => handler.settled?.(settled(handlerWork(subject, rig), 'kept')));
    return verdicts(handler, handlerWork(subject, rig), patience);
  });
  const next = (handler: Handler): Promise<string[]> => verdicts(handler, handlerWork(subject, rig), patience);
  compare(
    known,
    await withHandler(subject, rig.config, patience, next, state),
    'in its next life, with the same state',
  );
}

/** State that can't be stored makes `settled` fail, and then nothing of it is remembered. */
export async function checkFailsToKeep(subject: Subject, rig: AnyRig, patience: Patience): Promise<void> {
  await withHandler(subject, rig.config, patience, async (handler, { context }) => {
    const batch = handlerWork(subject, rig);
    const first = await verdicts(handler, batch, patience);
    let writes = 0;
    const refuse = (): Promise<never> => {
      writes++;
      return Promise.reject(new Error('the disk is full'));
    };
    const state = context.state as { -readonly [Name in keyof State]: State[Name] };
    const { set, delete: remove, apply } = state;
    Object.assign(state, { set: refuse, delete: refuse, apply: refuse });
    const outcome = await outcomeOf(patience.patienceMs, () => handler.settled?.(settled(batch, 'kept')));
    Object.assign(state, { set, delete: remove, apply });
    if (outcome.kind === 'late') fail('settled() did not end when its state could not be stored');
    // One that has nothing to store has nothing to lose.
    if (writes === 0) return;
    if (outcome.kind === 'value') fail('settled() says done although its state could not be stored');
    compare(
      first,
      await verdicts(handler, handlerWork(subject, rig), patience),
      'when it comes again after settled() had failed',
    );
  });
}
